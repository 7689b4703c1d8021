import { type MouseEvent, memo, useEffect, useRef, useState } from 'react';
import type { Card } from '@/api/shapes';
import { formatMoney, worthOf } from '@/lib/money';
import { responseState } from '@/lib/response';
import { shortAge } from '@/lib/time';
import { Avatar, Tag } from '@/ui/basics';
import { Score, Suspicion } from '@/ui/Score';
import classes from './Board.module.css';
import { useCardLine } from './cardFields';
import { whenDraggable } from './whenDraggable';

/** How many tags have room to be read, and how many beside the time that an answer is due. */
const CARD_TAGS = 2;
const CARD_TAGS_BESIDE_DUE = 1;

interface BoardCardProps {
  card: Card;
  isOpen: boolean;
  isTabStop: boolean;
  canMove: boolean;
  currency: string;
  /** Whether it has stood in its stage for too long. */
  stale: boolean;
  onOpen: (id: string) => void;
  onMenu: (id: string) => void;
}

export const BoardCard = memo(function BoardCard(props: BoardCardProps) {
  const { card, isOpen, isTabStop, canMove, currency, stale, onOpen, onMenu } = props;
  const worth = worthOf(card);
  const line = useCardLine(card);
  const response = card.response && responseState(card.response);
  const isDue = response && response.tone !== 'answered';
  const wrap = useRef<HTMLDivElement>(null);
  const [dragging, setDragging] = useState(false);
  const [edge, setEdge] = useState<string | null>(null);

  useEffect(() => {
    const element = wrap.current;
    if (!element || !canMove) return;
    return whenDraggable((dragging) => dragging.onCard(element, card.id, { onDragging: setDragging, onEdge: setEdge }));
  }, [card.id, canMove]);

  const open = (event: MouseEvent) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    onOpen(card.id);
  };

  return (
    <div ref={wrap} className={classes.cardWrap} data-dragging={dragging} data-edge={edge ?? undefined}>
      <a
        className={classes.card}
        href={`/leads/${card.id}`}
        data-card={card.id}
        data-open={isOpen}
        draggable={false}
        tabIndex={isTabStop ? 0 : -1}
        onClick={open}
      >
        <span className={classes.line}>
          <span className={classes.name}>{card.name}</span>
          <Score score={card.score} />
        </span>
        <span className={classes.line}>
          <span className={classes.sub}>{line}</span>
          {worth !== null && <span className={classes.cardWorth}>{formatMoney(worth, currency, { short: true })}</span>}
        </span>
        <span className={`${classes.line} ${classes.foot}`}>
          <span className={classes.tags}>
            <Suspicion suspicion={card.suspicion} />
            {card.isTest && <Tag>test</Tag>}
            {isDue && (
              <span className={classes.response} data-tone={response.tone} title={response.words}>
                {response.short}
              </span>
            )}
            {card.tags.slice(0, isDue ? CARD_TAGS_BESIDE_DUE : CARD_TAGS).map((tag) => (
              <Tag key={tag}>{tag}</Tag>
            ))}
          </span>
          <span className={classes.age} data-stale={stale || undefined} data-since={card.stageEnteredAt}>
            {shortAge(card.stageEnteredAt)}
            {stale && ' stale'}
          </span>
          {card.assignedToName && <Avatar name={card.assignedToName} />}
        </span>
      </a>
      {canMove && (
        <button
          type="button"
          className={classes.more}
          tabIndex={-1}
          aria-label={`Move ${card.name} to…`}
          onClick={() => onMenu(card.id)}
        />
      )}
    </div>
  );
});
