import { useSyncExternalStore } from 'react';

type Load = () => Promise<unknown>;

const FALLBACK_DELAY_MS = 200;
const WORTH_WAITING_MS = 150;

/**
 * Whether the first screen shows what it asked for. What a first look does without (menus, dialogs) is fetched
 * only from then on, so that it does not stand in the way of what is looked at.
 */
let settled = false;
const listeners = new Set<() => void>();
const loads: Load[] = [];

const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

export const useSettled = () => useSyncExternalStore(subscribe, () => settled);

/** Runs while there is nothing else to do; Safari does not say when that is. */
export function whenIdle(run: () => void) {
  if (typeof requestIdleCallback === 'function') requestIdleCallback(run, { timeout: 2_000 });
  else setTimeout(run, FALLBACK_DELAY_MS);
}

/** Fetches this once the first screen is there, so that it opens at once when it is wanted. */
export function fetchLater(load: Load) {
  loads.push(load);
  if (settled) whenIdle(fetchNext);
}

/** One after another: none of them is worth a pause that is felt. */
function fetchNext() {
  const load = loads.shift();
  // Whatever could not be fetched is fetched again, and its failure told, when it is wanted.
  if (load)
    void load().then(
      () => whenIdle(fetchNext),
      () => whenIdle(fetchNext),
    );
}

/**
 * Waits a moment for what the first screen shows: the browser asked for it beside the script, and a page that has it
 * at once is drawn once.
 */
export async function firstAnswer(read: Promise<unknown>): Promise<void> {
  if (!settled) await Promise.race([read, new Promise((done) => setTimeout(done, WORTH_WAITING_MS))]);
}

export function markSettled() {
  whenIdle(() => {
    if (settled) return;
    settled = true;
    for (const listener of listeners) listener();
    whenIdle(fetchNext);
  });
}
