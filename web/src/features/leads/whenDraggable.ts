import { whenIdle } from '@/lib/settled';

type Dragging = typeof import('./dragging');

let fetched: Promise<Dragging> | undefined;

/** Once there is nothing else to do, for what is to be dragged must be painted first. */
const fetchDragging = () =>
  new Promise<Dragging>((resolve, reject) => {
    whenIdle(() => import('./dragging').then(resolve, reject));
  });

/** Attaches once dragging is there. Answers what detaches, for an effect to return. */
export function whenDraggable(attach: (dragging: Dragging) => () => void): () => void {
  let detach: (() => void) | undefined;
  let isGone = false;
  fetched ??= fetchDragging();
  fetched.then(
    (dragging) => {
      if (!isGone) detach = attach(dragging);
    },
    // Without it there are still the keys and "Move to…"; the next board asks again.
    () => {
      fetched = undefined;
    },
  );
  return () => {
    isGone = true;
    detach?.();
  };
}
