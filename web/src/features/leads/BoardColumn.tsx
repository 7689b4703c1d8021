import { Button } from '@mantine/core';
import { memo, useEffect, useRef, useState } from 'react';
import type { BoardColumn as Column } from '@/api/shapes';
import { formatMoney } from '@/lib/money';
import { isStale } from '@/lib/stale';
import { formatCount } from '@/lib/text';
import { Dot } from '@/ui/basics';
import classes from './Board.module.css';
import { BoardCard } from './BoardCard';
import { useRows } from './useRows';
import { whenDraggable } from './whenDraggable';

/** The height of a row in rem, as Board.module.css has it: the card and the gap below. */
const ROW_REM = 5.75;
const PREFETCH_ROWS = 12;

interface BoardColumnProps {
  column: Column;
  currency: string;
  openLead: string | undefined;
  focusedLead: string | null;
  /** The card that must be scrolled to and focused, once. */
  focusRequest: string | null;
  onFocusDone: () => void;
  /** Whether it can be seen without scrolling sideways. */
  isSeenFirst: boolean;
  canMove: boolean;
  isFiltered: boolean;
  onOpen: (id: string) => void;
  onMenu: (id: string) => void;
  onMore: (stageId: string, after: string) => Promise<void>;
}

export const BoardColumn = memo(function BoardColumn(props: BoardColumnProps) {
  const { column, openLead, focusedLead, focusRequest, onFocusDone, canMove, isFiltered, onMore } = props;
  const { stage, cards, next } = column;
  const scroller = useRef<HTMLDivElement>(null);
  const element = useRef<HTMLElement>(null);
  const [isOver, setIsOver] = useState(false);
  const [more, setMore] = useState<'idle' | 'loading' | 'failed'>('idle');

  const { first, end, height, reveal } = useRows(scroller, cards.length, ROW_REM, props.isSeenFirst);

  useEffect(() => {
    const target = element.current;
    const scrolling = scroller.current;
    if (!target || !scrolling) return;
    return whenDraggable((dragging) => dragging.onColumn(target, scrolling, stage.id, setIsOver));
  }, [stage.id]);

  const loadMore = async () => {
    if (!next) return;
    setMore('loading');
    try {
      await onMore(stage.id, next);
      setMore('idle');
    } catch {
      setMore('failed');
    }
  };

  const wantsMore = next !== null && more === 'idle' && cards.length > 0 && end > cards.length - PREFETCH_ROWS;
  // biome-ignore lint/correctness/useExhaustiveDependencies: loads once per cursor that comes near
  useEffect(() => {
    if (wantsMore) void loadMore();
  }, [wantsMore, next]);

  const requested = focusRequest === null ? -1 : cards.findIndex(({ id }) => id === focusRequest);
  const isDrawn = requested >= first && requested < end;
  useEffect(() => {
    if (requested < 0 || !focusRequest) return;
    reveal(requested);
    if (!isDrawn) return;
    const frame = requestAnimationFrame(() => {
      const card = scroller.current?.querySelector<HTMLElement>(`[data-card="${CSS.escape(focusRequest)}"]`);
      card?.focus({ preventScroll: true });
      element.current?.scrollIntoView({ inline: 'nearest', block: 'nearest' });
      if (card) onFocusDone();
    });
    return () => cancelAnimationFrame(frame);
  }, [requested, focusRequest, isDrawn, onFocusDone, reveal]);

  const tabStop = cards.some(({ id }) => id === focusedLead) ? focusedLead : cards[0]?.id;
  const countText = formatCount(column.count, column.countIsCapped);
  return (
    <section
      ref={element}
      className={classes.column}
      data-over={isOver}
      data-stage={stage.id}
      aria-label={`${stage.name}, ${countText} leads`}
    >
      <div className={classes.columnHead}>
        <Dot color={stage.color} />
        <h2>{stage.name}</h2>
        <span className={classes.count}>{countText}</span>
        <ColumnWorth column={column} currency={props.currency} />
      </div>
      <div ref={scroller} className={classes.cards}>
        {cards.length === 0 ? (
          <div className={classes.columnEmpty}>
            {isFiltered ? 'No lead here matches the filters.' : 'No leads in this stage.'}
          </div>
        ) : (
          <ul className={classes.rows} style={{ height: cards.length * height }}>
            {cards.slice(first, end).map((card, index) => (
              <li
                key={card.id}
                className={classes.row}
                style={{ transform: `translateY(${(first + index) * height}px)` }}
              >
                <BoardCard
                  card={card}
                  isOpen={card.id === openLead}
                  isTabStop={card.id === tabStop}
                  canMove={canMove}
                  currency={props.currency}
                  stale={isStale(card, stage)}
                  onOpen={props.onOpen}
                  onMenu={props.onMenu}
                />
              </li>
            ))}
          </ul>
        )}
        {more === 'loading' && <div className={classes.loading}>Loading more…</div>}
        {more === 'failed' && (
          <Button variant="default" fullWidth onClick={() => void loadMore()}>
            Loading failed. Try again
          </Button>
        )}
      </div>
    </section>
  );
});

/** What the column's leads are worth together; nothing where no lead has a value. */
function ColumnWorth({ column, currency }: { column: Column; currency: string }) {
  const { value, weightedValue, stage } = column;
  if (value == null || Number(value) === 0) return null;
  const weighted = weightedValue ? `, ${formatMoney(weightedValue, currency)} at ${stage.probability} %` : '';
  return (
    <span className={classes.worth} title={`Worth ${formatMoney(value, currency)}${weighted}`}>
      {formatMoney(value, currency, { short: true })}
    </span>
  );
}
