import { useQueryClient } from '@tanstack/react-query';
import { type KeyboardEvent, type MouseEvent, useCallback, useEffect, useRef, useState } from 'react';
import { usePermits } from '@/api/session';
import type { Board as BoardData, Stage } from '@/api/shapes';
import { formatCount } from '@/lib/text';
import { absoluteTime } from '@/lib/time';
import { Dot } from '@/ui/basics';
import { FromFirstUse, later } from '@/ui/onDemand';
import classes from './Board.module.css';
import { BoardColumn } from './BoardColumn';
import { appendPage, type Direction, dropMove, findCard, keyboardMove, type Move, neighbour } from './boardCache';
import { hasFilters, type LeadFilters } from './filters';
import { useMoveLead } from './mutations';
import { columnPage, leadKeys } from './queries';
import { useReason } from './useReason';
import { whenDraggable } from './whenDraggable';

const MoveTo = later(() => import('./MoveTo'));

const DIRECTIONS: Record<string, Direction> = {
  ArrowUp: 'up',
  ArrowDown: 'down',
  ArrowLeft: 'left',
  ArrowRight: 'right',
};

/** The least that a column takes, with its gap, as Board.module.css has it; on a phone each has the whole width. */
const COLUMN_PX = 244;
/** Where the first column begins: beside the sidebar and the edge of the board. */
const FIRST_COLUMN_PX = 228;
const PHONE_PX = 768;
const columnsSeenAtFirst = () =>
  window.innerWidth <= PHONE_PX ? 1 : Math.ceil((window.innerWidth - FIRST_COLUMN_PX) / COLUMN_PX);

/** Writes the time under the mouse only then: it takes long, and a board shows a hundred. */
function saySince({ target }: MouseEvent) {
  const age = (target as HTMLElement).closest<HTMLElement>('[data-since]');
  if (age) age.title = `In this stage since ${absoluteTime(age.dataset.since ?? '')}`;
}

interface BoardProps {
  board: BoardData;
  /** It still shows what matched other filters, or another pipeline: nothing can be moved on it. */
  isOld: boolean;
  filters: LeadFilters;
  openLead: string | undefined;
  onOpen: (id: string) => void;
}

export function Board({ board, isOld, filters, openLead, onOpen }: BoardProps) {
  const client = useQueryClient();
  const permits = usePermits();
  const { move: moveAway, moveOn: moveNow } = useMoveLead();
  const { ask, dialog } = useReason();
  /** Moves once it is known why, where that is asked. */
  const moveOn = (on: BoardData, move: Move, onShown?: () => void) => {
    const from = findCard(on, move.leadId)?.column.stage.id;
    ask(from ? [from] : [], move.toStageId, (reason) => moveNow(on, { ...move, reason }, onShown));
  };
  const toOtherPipeline = (leadId: string, stage: Stage) => {
    const place = findCard(board, leadId);
    if (!place) return;
    const { column, card, index } = place;
    const from = {
      stageId: column.stage.id,
      stageName: column.stage.name,
      afterLeadId: column.cards[index - 1]?.id ?? null,
      reason: card.closeReason,
    };
    ask([column.stage.id], stage.id, (reason) =>
      moveAway({
        leadId,
        name: card.name,
        toStageId: stage.id,
        stageName: stage.name,
        afterLeadId: null,
        reason,
        from,
      }),
    );
  };
  const canMove = permits.can('leads:manage');
  const [seenColumns] = useState(columnsSeenAtFirst);
  const element = useRef<HTMLDivElement>(null);
  const latest = useRef({ board, moveOn });
  const [focusedLead, setFocusedLead] = useState<string | null>(null);
  const [focusRequest, setFocusRequest] = useState<string | null>(null);
  const [menuLead, setMenuLead] = useState<string | null>(null);
  const [visibleStage, setVisibleStage] = useState(0);

  useEffect(() => {
    latest.current = { board, moveOn };
  });

  useEffect(() => {
    const target = element.current;
    if (!target) return;
    return whenDraggable((dragging) =>
      dragging.onBoard(target, (leadId, over) => {
        const { board: now, moveOn: move } = latest.current;
        if (over.kind === 'card') {
          const wanted = dropMove(now, leadId, over.leadId, over.edge);
          if (wanted) move(now, wanted);
          return;
        }
        const column = now.stages.find(({ stage }) => stage.id === over.stageId);
        if (!column) return;
        const others = column.cards.filter(({ id }) => id !== leadId);
        move(now, { leadId, toStageId: column.stage.id, afterLeadId: others[others.length - 1]?.id ?? null });
      }),
    );
  }, []);

  const onMore = useCallback(
    async (stageId: string, after: string) => {
      const page = await columnPage(stageId, filters, after);
      client.setQueryData<BoardData>(leadKeys.board(filters), (old) => old && appendPage(old, stageId, page));
    },
    [client, filters],
  );
  const onFocusDone = useCallback(() => setFocusRequest(null), []);

  const onKeyDown = (event: KeyboardEvent) => {
    const leadId = (event.target as HTMLElement).closest<HTMLElement>('[data-card]')?.dataset.card;
    if (!leadId || event.metaKey || event.ctrlKey) return;
    const direction = DIRECTIONS[event.key];
    if (direction) {
      event.preventDefault();
      if (!event.altKey) {
        const to = neighbour(board, leadId, direction);
        if (to) setFocusRequest(to.id);
        return;
      }
      const move = canMove && !isOld ? keyboardMove(board, leadId, direction) : null;
      if (move) {
        moveOn(board, move, () => setFocusRequest(leadId));
      }
      return;
    }
    if (event.key.toLowerCase() === 'm' && !event.altKey && canMove && !isOld) {
      event.preventDefault();
      setMenuLead(leadId);
    }
  };

  const showStage = (index: number) => {
    const target = element.current;
    const column = target?.children[index];
    if (!target || !column) return;
    const { left } = column.getBoundingClientRect();
    target.scrollTo({ left: target.scrollLeft + left - target.getBoundingClientRect().left });
  };
  const onScroll = () => {
    const target = element.current;
    if (target) setVisibleStage(Math.round(target.scrollLeft / Math.max(1, target.clientWidth)));
  };

  const menuPlace = menuLead ? findCard(board, menuLead) : null;
  return (
    <>
      <div className={classes.tabs} role="tablist" aria-label="Stages">
        {board.stages.map(({ stage, count, countIsCapped }, index) => (
          <button
            key={stage.id}
            type="button"
            role="tab"
            className={classes.tab}
            aria-selected={index === visibleStage}
            onClick={() => showStage(index)}
          >
            <Dot color={stage.color} />
            {stage.name}
            <span className={classes.count}>{formatCount(count, countIsCapped)}</span>
          </button>
        ))}
      </div>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the cards inside take the keys; they bubble here */}
      <div
        ref={element}
        className={classes.board}
        aria-busy={isOld}
        onKeyDown={onKeyDown}
        onScroll={onScroll}
        onMouseOver={saySince}
        onFocus={(event) => {
          const leadId = event.target.closest<HTMLElement>('[data-card]')?.dataset.card;
          if (leadId) setFocusedLead(leadId);
        }}
      >
        {board.stages.map((column, index) => (
          <BoardColumn
            key={column.stage.id}
            column={column}
            currency={board.currency}
            openLead={openLead}
            focusedLead={focusedLead}
            focusRequest={focusRequest}
            onFocusDone={onFocusDone}
            isSeenFirst={index < seenColumns}
            canMove={canMove}
            isFiltered={hasFilters(filters)}
            onOpen={onOpen}
            onMenu={setMenuLead}
            onMore={onMore}
          />
        ))}
      </div>
      <FromFirstUse isOpen={menuPlace !== null}>
        {(isOpen) => (
          <MoveTo
            name={menuPlace?.card.name ?? ''}
            pipelineId={board.pipeline.id}
            stages={board.pipeline.stages}
            current={menuPlace?.column.stage.id}
            opened={isOpen}
            onClose={() => setMenuLead(null)}
            onPick={(stage) => {
              if (!menuLead) return;
              const leadId = menuLead;
              const stageId = stage.id;
              if (!board.stages.some((column) => column.stage.id === stageId)) return toOtherPipeline(leadId, stage);
              moveOn(board, { leadId, toStageId: stageId, afterLeadId: null }, () => setFocusRequest(leadId));
            }}
          />
        )}
      </FromFirstUse>
      {dialog}
    </>
  );
}
