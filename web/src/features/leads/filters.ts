import type { Query } from '@/api/client';

/** What the board and the table are narrowed by; lives in the URL. */
export interface LeadFilters {
  search?: string;
  source?: string;
  assignedTo?: string;
  tag?: string;
  projectId?: string;
  stageId?: string;
  /** Those of a segment. */
  segmentId?: string;
  /** Which board it is, rather than what it is narrowed by. */
  pipelineId?: string;
  /** A tree of conditions, as JSON. */
  filter?: string;
  /** Keys of the custom fields that come with each card; narrows nothing. */
  customFields?: string;
}

export const FILTER_KEYS = [
  'search',
  'source',
  'assignedTo',
  'tag',
  'projectId',
  'stageId',
  'segmentId',
  'filter',
] as const;

export interface BoardSearch extends LeadFilters {
  /** The lead in the side panel. */
  lead?: string;
  /** The saved view that this began with, or `all` for none. */
  view?: string;
  /** Columns of the table, or fields of the cards, where they are others than the view's; with commas between them. */
  columns?: string;
  cards?: string;
}

export const SORT_KEYS = [
  'createdAt',
  'updatedAt',
  'lastSubmissionAt',
  'name',
  'score',
  'email',
  'phone',
  'company',
  'title',
  'source',
  'stage',
  'assignedTo',
  'engagement',
  'suspicion',
  'submissionCount',
] as const;
/** One of the keys above, or `custom.` with the key of a custom field. */
export type SortKey = (typeof SORT_KEYS)[number] | `custom.${string}`;

const isSortKey = (value: unknown): value is SortKey =>
  typeof value === 'string' && (SORT_KEYS.some((key) => key === value) || /^custom\../.test(value));

export interface TableSearch extends BoardSearch {
  page?: number;
  sortBy?: SortKey;
  sortOrder?: 'asc' | 'desc';
}

type RawSearch = Record<string, unknown>;

const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value.trim() !== '' ? value : undefined;

export function readFilters(raw: RawSearch): LeadFilters {
  const filters: LeadFilters = {};
  for (const key of FILTER_KEYS) {
    const value = text(raw[key]);
    if (value !== undefined) filters[key] = value;
  }
  const pipelineId = text(raw.pipelineId);
  if (pipelineId !== undefined) filters.pipelineId = pipelineId;
  return filters;
}

export function readBoardSearch(raw: RawSearch): BoardSearch {
  const search: BoardSearch = readFilters(raw);
  for (const key of ['lead', 'view', 'columns', 'cards'] as const) {
    const value = text(raw[key]);
    if (value !== undefined) search[key] = value;
  }
  return search;
}

export function readTableSearch(raw: RawSearch): TableSearch {
  const search: TableSearch = readBoardSearch(raw);
  const page = Number(raw.page);
  if (Number.isInteger(page) && page > 1) search.page = page;
  if (isSortKey(raw.sortBy)) search.sortBy = raw.sortBy;
  if (raw.sortOrder === 'asc' || raw.sortOrder === 'desc') search.sortOrder = raw.sortOrder;
  return search;
}

/** Those that have a chip of their own each. */
export const chipsOf = (filters: LeadFilters) =>
  FILTER_KEYS.filter((key) => key !== 'search' && key !== 'filter' && filters[key] !== undefined);

export const hasFilters = (filters: LeadFilters) => FILTER_KEYS.some((key) => filters[key] !== undefined);

export const filterQuery = (filters: LeadFilters): Query =>
  Object.fromEntries(
    [...FILTER_KEYS, 'pipelineId' as const, 'customFields' as const].map((key) => [key, filters[key]]),
  );

/** The same as it stands in the body of an action on all leads that match. */
export function bulkQuery({ customFields: _shown, filter, ...filters }: LeadFilters): Record<string, unknown> {
  return filter ? { ...filters, filter: tree(filter) } : filters;
}

/** What stands in the address may be anything; the server says what is wrong with it. */
function tree(filter: string): unknown {
  try {
    return JSON.parse(filter) as unknown;
  } catch {
    return filter;
  }
}

/** Sets one filter, or takes it away when empty; the page starts over. */
export function withFilter<T extends TableSearch>(search: T, key: keyof LeadFilters, value: string | null): T {
  const { page: _page, ...rest } = search;
  const next = { ...rest } as T;
  if (value) next[key] = value;
  else delete next[key];
  return next;
}

/** Another pipeline has other stages; what else it is narrowed by stays. */
export function withPipeline<T extends TableSearch>(search: T, pipelineId: string | undefined): T {
  const next = { ...search };
  // A stage is of one pipeline.
  delete next.stageId;
  delete next.pipelineId;
  delete next.page;
  return pipelineId ? { ...next, pipelineId } : next;
}

export function withoutFilters<T extends TableSearch>(search: T): T {
  const next = { ...search };
  for (const key of FILTER_KEYS) delete next[key];
  delete next.page;
  return next;
}
