export type FraudTab = 'quarantine' | 'blocked' | 'attempts';

/** What the fraud desk shows; lives in the URL. */
export interface FraudSearch {
  tab?: FraudTab;
  /** Entries that were let out as well. */
  all?: 'yes';
  page?: number;
}

export function readFraudSearch(raw: Record<string, unknown>): FraudSearch {
  const search: FraudSearch = {};
  if (raw.tab === 'blocked' || raw.tab === 'attempts') search.tab = raw.tab;
  if (raw.all === 'yes') search.all = 'yes';
  const page = Number(raw.page);
  if (Number.isInteger(page) && page > 1) search.page = page;
  return search;
}
