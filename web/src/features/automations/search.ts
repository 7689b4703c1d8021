export const RUN_STATES = ['running', 'completed', 'failed', 'skipped', 'exited'] as const;
export type RunStateName = (typeof RUN_STATES)[number];

/** What the page of an automation shows; lives in the URL. */
export interface RunSearch {
  tab?: 'runs';
  state?: RunStateName;
  page?: number;
}

export function readRunSearch(raw: Record<string, unknown>): RunSearch {
  const search: RunSearch = {};
  if (raw.tab === 'runs') search.tab = 'runs';
  const state = RUN_STATES.find((known) => known === raw.state);
  if (state) search.state = state;
  const page = Number(raw.page);
  if (Number.isInteger(page) && page > 1) search.page = page;
  return search;
}
