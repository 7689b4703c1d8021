import type { Query } from '@/api/client';
import type { Lifecycle } from '@/api/shapes';

/** What the list of contacts is narrowed and sorted by; lives in the URL. */
export interface ContactsSearch {
  search?: string;
  tag?: string;
  lifecycle?: Lifecycle;
  segmentId?: string;
  sortBy?: ContactSort;
  sortOrder?: 'asc' | 'desc';
  page?: number;
}

export const CONTACT_SORTS = ['createdAt', 'updatedAt', 'name'] as const;
export type ContactSort = (typeof CONTACT_SORTS)[number];

const NARROWING = ['search', 'tag', 'lifecycle', 'segmentId'] as const;

export function readContactsSearch(raw: Record<string, unknown>): ContactsSearch {
  const search: ContactsSearch = {};
  for (const key of ['search', 'tag', 'segmentId'] as const) {
    const value = raw[key];
    if (typeof value === 'string' && value !== '') search[key] = value;
  }
  if (raw.lifecycle === 'lead' || raw.lifecycle === 'customer') search.lifecycle = raw.lifecycle;
  const sortBy = CONTACT_SORTS.find((key) => key === raw.sortBy);
  if (sortBy) search.sortBy = sortBy;
  if (raw.sortOrder === 'asc' || raw.sortOrder === 'desc') search.sortOrder = raw.sortOrder;
  const page = Number(raw.page);
  if (Number.isInteger(page) && page > 1) search.page = page;
  return search;
}

export const isNarrowed = (search: ContactsSearch) => NARROWING.some((key) => search[key] !== undefined);

/** Sets a part of it, or takes it away; the page starts over. */
export function withPart<Key extends keyof ContactsSearch>(
  search: ContactsSearch,
  key: Key,
  value: ContactsSearch[Key] | undefined | '',
): ContactsSearch {
  const { page: _page, ...rest } = search;
  const next: ContactsSearch = { ...rest };
  if (value === undefined || value === '') delete next[key];
  else next[key] = value;
  return next;
}

/** Names begin with A, the rest with the newest; a second click turns the order round. */
export function sortedBy(search: ContactsSearch, sortBy: ContactSort): ContactsSearch {
  const first = sortBy === 'name' ? 'asc' : 'desc';
  const isSame = (search.sortBy ?? 'createdAt') === sortBy;
  const turned = (search.sortOrder ?? 'desc') === 'desc' ? 'asc' : 'desc';
  const { page: _page, ...rest } = search;
  return { ...rest, sortBy, sortOrder: isSame ? turned : first };
}

export function contactsQueryOf(search: ContactsSearch): Query {
  const { page: _page, ...rest } = search;
  return { ...rest };
}
