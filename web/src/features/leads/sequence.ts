import { useSyncExternalStore } from 'react';

/** The order of the leads in the view last looked at, so that a lead's page can lead to the next one. */
let ids: string[] = [];
const listeners = new Set<() => void>();

export function setSequence(next: string[]) {
  ids = next;
  for (const listener of listeners) listener();
}

const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

export interface Neighbours {
  previous: string | null;
  next: string | null;
  position: number;
  length: number;
}

export function neighboursOf(sequence: string[], id: string): Neighbours {
  const at = sequence.indexOf(id);
  if (at < 0) return { previous: null, next: null, position: 0, length: sequence.length };
  return {
    previous: sequence[at - 1] ?? null,
    next: sequence[at + 1] ?? null,
    position: at + 1,
    length: sequence.length,
  };
}

export function useNeighbours(id: string): Neighbours {
  const sequence = useSyncExternalStore(subscribe, () => ids);
  return neighboursOf(sequence, id);
}
