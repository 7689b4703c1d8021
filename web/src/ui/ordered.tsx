import { combine } from '@atlaskit/pragmatic-drag-and-drop/combine';
import { draggable, dropTargetForElements } from '@atlaskit/pragmatic-drag-and-drop/element/adapter';
import { attachClosestEdge, extractClosestEdge } from '@atlaskit/pragmatic-drag-and-drop-hitbox/closest-edge';
import { ActionIcon } from '@mantine/core';
import { IconArrowDown, IconArrowUp, IconGripVertical, IconTrash } from '@tabler/icons-react';
import { type RefObject, useEffect, useRef, useState } from 'react';
import { dropPlace } from '@/lib/order';
import classes from './Ordered.module.css';

/** A row of a list whose order is changed by dragging: `kind` keeps rows of two lists apart. */
export function useOrderedRow(kind: string, index: number, onMove: (from: number, to: number) => void) {
  const row = useRef<HTMLLIElement>(null);
  const handle = useRef<HTMLSpanElement>(null);
  const latest = useRef({ index, onMove });
  const [edge, setEdge] = useState<string | null>(null);

  useEffect(() => {
    latest.current = { index, onMove };
  });

  useEffect(() => {
    const element = row.current;
    const dragHandle = handle.current;
    if (!element || !dragHandle) return;
    return combine(
      draggable({ element, dragHandle, getInitialData: () => ({ kind, index: latest.current.index }) }),
      dropTargetForElements({
        element,
        canDrop: ({ source }) => source.data.kind === kind,
        getData: ({ input }) => attachClosestEdge({}, { element, input, allowedEdges: ['top', 'bottom'] }),
        onDrag: ({ self }) => setEdge(extractClosestEdge(self.data)),
        onDragLeave: () => setEdge(null),
        onDrop: ({ self, source }) => {
          setEdge(null);
          const from = Number(source.data.index);
          const side = extractClosestEdge(self.data) === 'bottom' ? 'bottom' : 'top';
          latest.current.onMove(from, dropPlace(from, latest.current.index, side));
        },
      }),
    );
  }, [kind]);

  return { row, handle, edge: edge ?? undefined };
}

/** What a row is dragged by. Those who cannot drag have the buttons. */
export function DragHandle({ handle, hidden }: { handle: RefObject<HTMLSpanElement | null>; hidden: boolean }) {
  return (
    <span ref={handle} className={classes.handle} hidden={hidden} title="Drag to another place" aria-hidden="true">
      <IconGripVertical size={16} />
    </span>
  );
}

interface OrderButtonsProps {
  name: string;
  index: number;
  length: number;
  /** Why it stays, where it cannot be removed. */
  whyKept?: string;
  canRemove: boolean;
  onMove: (from: number, to: number) => void;
  onRemove: () => void;
}

/** At the end of its way the button is off, but keeps the focus: one may want to go back. */
const off = (isOff: boolean) => ({ 'aria-disabled': isOff || undefined, 'data-disabled': isOff || undefined });

/** The same for a keyboard, and the way out. */
export function OrderButtons({ name, index, length, whyKept, canRemove, onMove, onRemove }: OrderButtonsProps) {
  return (
    <span className={classes.actions}>
      <ActionIcon
        variant="subtle"
        color="gray"
        aria-label={`Move ${name} up`}
        {...off(index === 0)}
        onClick={() => index > 0 && onMove(index, index - 1)}
      >
        <IconArrowUp size={16} />
      </ActionIcon>
      <ActionIcon
        variant="subtle"
        color="gray"
        aria-label={`Move ${name} down`}
        {...off(index === length - 1)}
        onClick={() => index < length - 1 && onMove(index, index + 1)}
      >
        <IconArrowDown size={16} />
      </ActionIcon>
      <ActionIcon
        variant="subtle"
        color="gray"
        aria-label={`Remove ${name}`}
        title={whyKept}
        disabled={!canRemove}
        onClick={onRemove}
      >
        <IconTrash size={16} />
      </ActionIcon>
    </span>
  );
}
