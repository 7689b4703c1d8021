import type { Board, BoardColumn, Card, ColumnPage } from '@/api/shapes';
import { fromMilli, percentOf, toMilli, worthOf } from '@/lib/money';

/** Pure changes to a board held in the query cache. */

export interface Place {
  column: BoardColumn;
  columnIndex: number;
  index: number;
  card: Card;
}

export function findCard(board: Board, leadId: string): Place | null {
  for (const [columnIndex, column] of board.stages.entries()) {
    const index = column.cards.findIndex((card) => card.id === leadId);
    const card = column.cards[index];
    if (card) return { column, columnIndex, index, card };
  }
  return null;
}

export interface Move {
  leadId: string;
  toStageId: string;
  /** The card it goes below; `null` is the top. */
  afterLeadId: string | null;
  /** Why it is won or lost, where the stage says that it is. */
  reason?: string | null;
}

const milliOf = (card: Pick<Card, 'quoteValue' | 'salesValue'>) => toMilli(worthOf(card));

/** A column whose leads are worth so much more; unknown stays unknown. */
function worthMore(column: BoardColumn, milli: bigint): BoardColumn {
  if (milli === 0n || column.value == null) return column;
  const sum = toMilli(column.value) + milli;
  return { ...column, value: fromMilli(sum), weightedValue: fromMilli(percentOf(sum, column.stage.probability)) };
}

export function moveCard(board: Board, move: Move, now: string): Board {
  const place = findCard(board, move.leadId);
  const known = board.stages.some(({ stage }) => stage.id === move.toStageId);
  if (!place) return board;
  // To another pipeline's board.
  if (!known) return removeCards(board, new Set([move.leadId]));
  const changesStage = place.column.stage.id !== move.toStageId;
  const card = changesStage
    ? { ...place.card, stageId: move.toStageId, stageEnteredAt: now, closeReason: move.reason ?? null }
    : place.card;
  const stages = board.stages.map((column) => {
    const isFrom = column === place.column;
    const isTo = column.stage.id === move.toStageId;
    if (!isFrom && !isTo) return column;
    const cards = isFrom ? column.cards.filter(({ id }) => id !== move.leadId) : [...column.cards];
    if (isTo) cards.splice(placeAfter(cards, move.afterLeadId), 0, card);
    const count = column.count + (isTo ? 1 : 0) - (isFrom ? 1 : 0);
    const step = (isTo ? 1n : 0n) - (isFrom ? 1n : 0n);
    return worthMore({ ...column, cards, count }, step * milliOf(card));
  });
  return { ...board, stages };
}

function placeAfter(cards: Card[], afterLeadId: string | null): number {
  if (afterLeadId === null) return 0;
  return cards.findIndex(({ id }) => id === afterLeadId) + 1;
}

export function removeCards(board: Board, leadIds: ReadonlySet<string>): Board {
  const stages = board.stages.map((column) => {
    const cards = column.cards.filter(({ id }) => !leadIds.has(id));
    const removed = column.cards.length - cards.length;
    if (removed === 0) return column;
    const gone = column.cards.filter(({ id }) => leadIds.has(id)).reduce((sum, card) => sum + milliOf(card), 0n);
    return worthMore({ ...column, cards, count: column.count - removed }, -gone);
  });
  return { ...board, stages };
}

export function patchCard(board: Board, leadId: string, change: Partial<Card>): Board {
  const place = findCard(board, leadId);
  if (!place) return board;
  const stages = [...board.stages];
  const cards = [...place.column.cards];
  const card = { ...place.card, ...change };
  cards[place.index] = card;
  stages[place.columnIndex] = worthMore({ ...place.column, cards }, milliOf(card) - milliOf(place.card));
  return { ...board, stages };
}

/** Adds the next page of one column; a card that is already there stays where it is. */
export function appendPage(board: Board, stageId: string, page: ColumnPage): Board {
  return mapColumn(board, stageId, (column) => {
    const known = new Set(column.cards.map(({ id }) => id));
    const added = page.cards.filter(({ id }) => !known.has(id));
    return { ...column, ...page, cards: [...column.cards, ...added] };
  });
}

/** Takes a fresh beginning of a column and keeps what was already loaded below it. */
export function refreshColumn(
  column: BoardColumn,
  fresh: ColumnPage,
  gone: ReadonlySet<string> = new Set(),
): BoardColumn {
  const { count, countIsCapped, value, weightedValue } = fresh;
  const counted = { count, countIsCapped, value, weightedValue };
  if (fresh.next === null || column.cards.length <= fresh.cards.length) {
    return { ...column, ...counted, cards: fresh.cards, next: fresh.next };
  }
  const lastId = fresh.cards[fresh.cards.length - 1]?.id;
  const at = column.cards.findIndex(({ id }) => id === lastId);
  const freshIds = new Set(fresh.cards.map(({ id }) => id));
  const tail = column.cards
    .slice(at >= 0 ? at + 1 : fresh.cards.length)
    .filter(({ id }) => !freshIds.has(id) && !gone.has(id));
  if (tail.length === 0) return { ...column, ...counted, cards: fresh.cards, next: fresh.next };
  return { ...column, ...counted, cards: [...fresh.cards, ...tail] };
}

export function mapColumn(board: Board, stageId: string, change: (column: BoardColumn) => BoardColumn): Board {
  return { ...board, stages: board.stages.map((column) => (column.stage.id === stageId ? change(column) : column)) };
}

/** Merges a whole fresh board into one with more loaded. */
export function refreshBoard(old: Board | undefined, fresh: Board): Board {
  if (!old) return fresh;
  const stages = fresh.stages.map((column) => {
    const before = old.stages.find(({ stage }) => stage.id === column.stage.id);
    return before ? { ...refreshColumn(before, column), stage: column.stage } : column;
  });
  return { ...fresh, stages };
}

export type Direction = 'up' | 'down' | 'left' | 'right';

/** The card that an arrow key leads to. Sideways keeps the height and skips empty columns. */
export function neighbour(board: Board, leadId: string, direction: Direction): Card | null {
  const place = findCard(board, leadId);
  if (!place) return null;
  if (direction === 'up') return place.column.cards[place.index - 1] ?? null;
  if (direction === 'down') return place.column.cards[place.index + 1] ?? null;
  const step = direction === 'left' ? -1 : 1;
  for (let at = place.columnIndex + step; at >= 0 && at < board.stages.length; at += step) {
    const cards = board.stages[at]?.cards ?? [];
    if (cards.length > 0) return cards[Math.min(place.index, cards.length - 1)] ?? null;
  }
  return null;
}

/** What Alt and an arrow key ask for; `null` at the edge. */
export function keyboardMove(board: Board, leadId: string, direction: Direction): Move | null {
  const place = findCard(board, leadId);
  if (!place) return null;
  const { column, columnIndex, index } = place;
  if (direction === 'up') {
    if (index === 0) return null;
    return { leadId, toStageId: column.stage.id, afterLeadId: column.cards[index - 2]?.id ?? null };
  }
  if (direction === 'down') {
    const below = column.cards[index + 1];
    return below ? { leadId, toStageId: column.stage.id, afterLeadId: below.id } : null;
  }
  const target = board.stages[columnIndex + (direction === 'left' ? -1 : 1)];
  return target ? { leadId, toStageId: target.stage.id, afterLeadId: null } : null;
}

/** The place of a drop on the upper or lower half of a card. */
export function dropMove(board: Board, leadId: string, overId: string, edge: 'top' | 'bottom'): Move | null {
  const over = findCard(board, overId);
  if (!over || overId === leadId) return null;
  const others = over.column.cards.filter(({ id }) => id !== leadId);
  const at = others.findIndex(({ id }) => id === overId);
  const afterLeadId = edge === 'bottom' ? overId : (others[at - 1]?.id ?? null);
  return { leadId, toStageId: over.column.stage.id, afterLeadId };
}

/** Whether a move would leave the card where it is. */
export function isIdleMove(board: Board, move: Move): boolean {
  const place = findCard(board, move.leadId);
  if (!place || place.column.stage.id !== move.toStageId) return false;
  return (place.column.cards[place.index - 1]?.id ?? null) === move.afterLeadId;
}
