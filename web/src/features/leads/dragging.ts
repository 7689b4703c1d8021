import { combine } from '@atlaskit/pragmatic-drag-and-drop/combine';
import {
  draggable,
  dropTargetForElements,
  monitorForElements,
} from '@atlaskit/pragmatic-drag-and-drop/element/adapter';
import { autoScrollForElements } from '@atlaskit/pragmatic-drag-and-drop-auto-scroll/element';
import { attachClosestEdge, extractClosestEdge } from '@atlaskit/pragmatic-drag-and-drop-hitbox/closest-edge';

/** Cards under the mouse. Fetched once the board is drawn: nobody drags what they do not see yet. */

export type Edge = 'top' | 'bottom';
type Drop = { kind: 'card'; leadId: string; edge: Edge } | { kind: 'column'; stageId: string };

const isLead = ({ source }: { source: { data: Record<string | symbol, unknown> } }) => source.data.kind === 'lead';

/** Scrolls the board sideways under a card, and tells where a card was let go. */
export function onBoard(element: HTMLElement, onDrop: (leadId: string, drop: Drop) => void) {
  return combine(
    autoScrollForElements({ element, canScroll: isLead }),
    monitorForElements({
      canMonitor: isLead,
      onDrop: ({ source, location }) => {
        const over = location.current.dropTargets[0]?.data;
        if (!over) return;
        const leadId = String(source.data.leadId);
        if (over.kind !== 'card') return onDrop(leadId, { kind: 'column', stageId: String(over.stageId) });
        const edge = extractClosestEdge(over) === 'bottom' ? 'bottom' : 'top';
        onDrop(leadId, { kind: 'card', leadId: String(over.leadId), edge });
      },
    }),
  );
}

export function onColumn(
  element: HTMLElement,
  scroller: HTMLElement,
  stageId: string,
  onOver: (isOver: boolean) => void,
) {
  return combine(
    dropTargetForElements({
      element,
      canDrop: isLead,
      getData: () => ({ kind: 'column', stageId }),
      onDragEnter: () => onOver(true),
      onDragLeave: () => onOver(false),
      onDrop: () => onOver(false),
    }),
    autoScrollForElements({ element: scroller, canScroll: isLead }),
  );
}

interface CardHandlers {
  onDragging: (isDragging: boolean) => void;
  onEdge: (edge: string | null) => void;
}

export function onCard(element: HTMLElement, leadId: string, { onDragging, onEdge }: CardHandlers) {
  return combine(
    draggable({
      element,
      getInitialData: () => ({ kind: 'lead', leadId }),
      onDragStart: () => onDragging(true),
      onDrop: () => onDragging(false),
    }),
    dropTargetForElements({
      element,
      canDrop: isLead,
      getData: ({ input }) =>
        attachClosestEdge({ kind: 'card', leadId }, { element, input, allowedEdges: ['top', 'bottom'] }),
      onDrag: ({ self, source }) => onEdge(source.data.leadId === leadId ? null : extractClosestEdge(self.data)),
      onDragLeave: () => onEdge(null),
      onDrop: () => onEdge(null),
    }),
  );
}
