export const OUTCOMES = ['changed', 'unchanged', 'failed', 'left'] as const;
export type ResultOutcome = (typeof OUTCOMES)[number];

export interface JobSearch {
  page?: number;
  /** Which of a job's rows are shown; all where it is absent. */
  outcome?: ResultOutcome;
}

export function readJobSearch(raw: Record<string, unknown>): JobSearch {
  const page = Number(raw.page);
  const outcome = OUTCOMES.find((known) => known === raw.outcome);
  return { ...(Number.isInteger(page) && page > 1 ? { page } : {}), ...(outcome ? { outcome } : {}) };
}
