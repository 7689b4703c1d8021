import { describe, expect, it } from 'vitest';
import type { Board, Card } from '@/api/shapes';
import {
  appendPage,
  dropMove,
  findCard,
  isIdleMove,
  keyboardMove,
  moveCard,
  neighbour,
  patchCard,
  refreshBoard,
  refreshColumn,
  removeCards,
} from './boardCache';

const NOW = '2026-11-21T10:00:00.000Z';

const card = (id: string, stageId: string) => ({ id, stageId, name: id, stageEnteredAt: 'before' }) as Card;

/** Columns by the ids of their cards: "a b|c|" are three, the last of them empty. */
function boardOf(text: string): Board {
  const stages = text.split('|').map((ids, index) => {
    const stage = {
      id: `s${index}`,
      name: `Stage ${index}`,
      color: 'blue',
      kind: 'open' as const,
      position: index,
      probability: 50,
    };
    const cards = ids
      .split(' ')
      .filter(Boolean)
      .map((id) => card(id, stage.id));
    const sums = { value: '0.00', weightedValue: '0.00' };
    return { stage, count: cards.length, countIsCapped: false, ...sums, cards, next: null };
  });
  const pipeline = {
    id: 'p',
    name: 'P',
    isDefault: true,
    stages: stages.map(({ stage }) => stage),
    version: 1,
    wonReasons: [],
    lostReasons: [],
    wonReasonRequired: false,
    lostReasonRequired: false,
    createdAt: NOW,
  };
  return { pipeline, stages, currency: 'EUR' };
}

const idsOf = (board: Board) => board.stages.map(({ cards }) => cards.map(({ id }) => id).join(' ')).join('|');
const countsOf = (board: Board) => board.stages.map(({ count }) => count);

describe('moving a card', () => {
  it('puts it below the named card and counts both columns', () => {
    const moved = moveCard(boardOf('a b|c d|'), { leadId: 'a', toStageId: 's1', afterLeadId: 'c' }, NOW);

    expect(idsOf(moved)).toBe('b|c a d|');
    expect(countsOf(moved)).toEqual([1, 3, 0]);
    expect(findCard(moved, 'a')?.card).toMatchObject({ stageId: 's1', stageEnteredAt: NOW });
  });

  it('puts it on top without a card to go below', () => {
    expect(idsOf(moveCard(boardOf('a b|c'), { leadId: 'b', toStageId: 's1', afterLeadId: null }, NOW))).toBe('a|b c');
  });

  it('keeps the time in the stage when it stays in its column', () => {
    const moved = moveCard(boardOf('a b c'), { leadId: 'a', toStageId: 's0', afterLeadId: 'b' }, NOW);

    expect(idsOf(moved)).toBe('b a c');
    expect(countsOf(moved)).toEqual([3]);
    expect(findCard(moved, 'a')?.card.stageEnteredAt).toBe('before');
  });

  it('changes nothing for a card that is not on the board', () => {
    const board = boardOf('a|b');

    expect(moveCard(board, { leadId: 'x', toStageId: 's1', afterLeadId: null }, NOW)).toBe(board);
  });

  it('takes a card off the board that goes to another pipeline', () => {
    const moved = moveCard(boardOf('a b|c'), { leadId: 'a', toStageId: 'elsewhere', afterLeadId: null }, NOW);

    expect([idsOf(moved), countsOf(moved)]).toEqual(['b|c', [1, 1]]);
  });

  it('takes what the lead is worth along, and what it is said to be lost for', () => {
    const before = patchCard(boardOf('a b|c'), 'a', { quoteValue: '10.10' });
    const moved = moveCard(before, { leadId: 'a', toStageId: 's1', afterLeadId: null, reason: 'Price' }, NOW);

    expect(before.stages.map(({ value }) => value)).toEqual(['10.10', '0.00']);
    expect(moved.stages.map(({ value, weightedValue }) => [value, weightedValue])).toEqual([
      ['0.00', '0.00'],
      ['10.10', '5.05'],
    ]);
    expect(findCard(moved, 'a')?.card.closeReason).toBe('Price');
    expect(removeCards(moved, new Set(['a'])).stages[1]?.value).toBe('0.00');
  });

  it('leaves a sum unknown that is not known', () => {
    const board = boardOf('a|b');
    const unknown = { ...board, stages: board.stages.map((column) => ({ ...column, value: null })) };

    expect(patchCard(unknown, 'a', { quoteValue: '1.00' }).stages[0]?.value).toBeNull();
  });

  it('leaves untouched columns as they are, so that they are not drawn again', () => {
    const board = boardOf('a|b|c');

    expect(moveCard(board, { leadId: 'a', toStageId: 's1', afterLeadId: null }, NOW).stages[2]).toBe(board.stages[2]);
  });
});

describe('where a drop lands', () => {
  it('goes below on the lower half and above on the upper', () => {
    const board = boardOf('a|b c');

    expect(dropMove(board, 'a', 'b', 'bottom')).toEqual({ leadId: 'a', toStageId: 's1', afterLeadId: 'b' });
    expect(dropMove(board, 'a', 'c', 'top')).toEqual({ leadId: 'a', toStageId: 's1', afterLeadId: 'b' });
    expect(dropMove(board, 'a', 'b', 'top')).toEqual({ leadId: 'a', toStageId: 's1', afterLeadId: null });
  });

  it('does not name the dragged card as its own neighbour', () => {
    expect(dropMove(boardOf('a b c'), 'b', 'c', 'top')?.afterLeadId).toBe('a');
    expect(dropMove(boardOf('a b'), 'a', 'a', 'top')).toBeNull();
  });

  it('tells a move that would change nothing', () => {
    const board = boardOf('a b|c');

    expect(isIdleMove(board, { leadId: 'b', toStageId: 's0', afterLeadId: 'a' })).toBe(true);
    expect(isIdleMove(board, { leadId: 'b', toStageId: 's1', afterLeadId: 'a' })).toBe(false);
  });
});

describe('moving by keys', () => {
  it('goes one up, one down, and to the top of the next column', () => {
    const board = boardOf('a b c|d');

    expect(keyboardMove(board, 'c', 'up')).toEqual({ leadId: 'c', toStageId: 's0', afterLeadId: 'a' });
    expect(keyboardMove(board, 'b', 'up')).toEqual({ leadId: 'b', toStageId: 's0', afterLeadId: null });
    expect(keyboardMove(board, 'a', 'down')).toEqual({ leadId: 'a', toStageId: 's0', afterLeadId: 'b' });
    expect(keyboardMove(board, 'b', 'right')).toEqual({ leadId: 'b', toStageId: 's1', afterLeadId: null });
  });

  it('stops at the edges', () => {
    const board = boardOf('a|b');

    expect(keyboardMove(board, 'a', 'up')).toBeNull();
    expect(keyboardMove(board, 'a', 'down')).toBeNull();
    expect(keyboardMove(board, 'a', 'left')).toBeNull();
    expect(keyboardMove(board, 'b', 'right')).toBeNull();
  });

  it('walks over empty columns and keeps the height', () => {
    const board = boardOf('a b c||d e');

    expect(neighbour(board, 'c', 'right')?.id).toBe('e');
    expect(neighbour(board, 'e', 'left')?.id).toBe('b');
    expect(neighbour(board, 'a', 'up')).toBeNull();
  });
});

describe('what the server sends later', () => {
  const page = (ids: string, next: string | null, count: number) => ({
    cards: ids
      .split(' ')
      .filter(Boolean)
      .map((id) => card(id, 's0')),
    next,
    count,
    countIsCapped: false,
    value: '0.00',
    weightedValue: '0.00',
  });
  const columnOf = (ids: string, next: string | null = null) => ({
    ...(boardOf(ids).stages[0] as Board['stages'][0]),
    next,
  });

  it('appends a page without doubling a card that moved down meanwhile', () => {
    const next = appendPage(boardOf('a b|c'), 's0', page('b d', 'cursor', 9));

    expect(idsOf(next)).toBe('a b d|c');
    expect(next.stages[0]).toMatchObject({ next: 'cursor', count: 9 });
  });

  it('keeps what was loaded below a fresh first page', () => {
    const fresh = refreshColumn(columnOf('a b c d', 'deep'), page('n a b', 'shallow', 5));

    expect(fresh.cards.map(({ id }) => id)).toEqual(['n', 'a', 'b', 'c', 'd']);
    expect(fresh.next).toBe('deep');
    expect(fresh.count).toBe(5);
  });

  it('takes the fresh page alone when it is the whole column', () => {
    const fresh = refreshColumn(columnOf('a b c d', 'deep'), page('a', null, 1));

    expect(fresh.cards.map(({ id }) => id)).toEqual(['a']);
    expect(fresh.next).toBeNull();
  });

  it('drops from below what left the column', () => {
    const fresh = refreshColumn(columnOf('a b c d', 'deep'), page('a b', 'shallow', 3), new Set(['c']));

    expect(fresh.cards.map(({ id }) => id)).toEqual(['a', 'b', 'd']);
  });

  it('merges a whole board column by column', () => {
    const old = boardOf('a b c|d');
    const fresh = boardOf('n a b|e');
    const loaded = { ...old, stages: old.stages.map((column) => ({ ...column, next: 'deep' })) };
    const short = { ...fresh, stages: fresh.stages.map((column) => ({ ...column, next: 'shallow' })) };

    expect(refreshBoard(undefined, short)).toBe(short);
    expect(idsOf(refreshBoard(loaded, short))).toBe('n a b|e');
  });

  it('removes and patches cards by id', () => {
    const board = boardOf('a b|c');

    expect(idsOf(removeCards(board, new Set(['a', 'c'])))).toBe('b|');
    expect(countsOf(removeCards(board, new Set(['a', 'c'])))).toEqual([1, 0]);
    expect(findCard(patchCard(board, 'b', { name: 'New' }), 'b')?.card.name).toBe('New');
  });
});
