/** What the privacy desk shows, as it stands in the address. */
export interface PrivacySearch {
  /** Whom somebody looked up: a contact. */
  person?: string;
  show?: 'suppressions' | 'retention';
  page?: number;
}

export function readPrivacySearch(raw: Record<string, unknown>): PrivacySearch {
  const search: PrivacySearch = {};
  if (typeof raw.person === 'string' && raw.person !== '') search.person = raw.person;
  if (raw.show === 'suppressions' || raw.show === 'retention') search.show = raw.show;
  const page = Number(raw.page);
  if (Number.isInteger(page) && page > 1) search.page = page;
  return search;
}
