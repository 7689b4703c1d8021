import type { Query } from '@/api/client';

/** What the page of reports shows; lives in the URL. */
export interface ReportsSearch {
  report?: ReportName;
  range?: RangeName;
  /** The days of a range of one's own. */
  from?: string;
  to?: string;
  compare?: Compare;
  interval?: IntervalName;
  pipelineId?: string;
  projectId?: string;
  source?: string;
  assignedTo?: string;
}

export const REPORTS = [
  { name: 'over-time', label: 'Leads over time' },
  { name: 'funnel', label: 'Funnel' },
  { name: 'sources', label: 'Sources' },
  { name: 'campaigns', label: 'Campaigns' },
  { name: 'response-time', label: 'Response time' },
  { name: 'win-rate', label: 'Win rate' },
  { name: 'people', label: 'People' },
  { name: 'projects', label: 'Projects' },
] as const;
export type ReportName = (typeof REPORTS)[number]['name'];

export const RANGES = [
  { name: 'last-7', label: 'Last 7 days' },
  { name: 'last-30', label: 'Last 30 days' },
  { name: 'last-90', label: 'Last 90 days' },
  { name: 'this-month', label: 'This month' },
  { name: 'last-month', label: 'Last month' },
  { name: 'this-quarter', label: 'This quarter' },
  { name: 'this-year', label: 'This year' },
  { name: 'last-365', label: 'Last 365 days' },
  { name: 'own', label: 'Days of your own' },
] as const;
export type RangeName = (typeof RANGES)[number]['name'];
export const USUAL_RANGE: RangeName = 'last-30';

export const COMPARISONS = [
  { name: 'previous', label: 'The days before' },
  { name: 'year', label: 'The year before' },
] as const;
export type Compare = (typeof COMPARISONS)[number]['name'];

export const INTERVALS = [
  { name: 'day', label: 'Days' },
  { name: 'week', label: 'Weeks' },
  { name: 'month', label: 'Months' },
] as const;
export type IntervalName = (typeof INTERVALS)[number]['name'];

const NARROWING = ['pipelineId', 'projectId', 'source', 'assignedTo'] as const;
const DATE = /^\d{4}-\d{2}-\d{2}$/;

const named = <Name extends string>(list: readonly { name: Name }[], value: unknown): Name | undefined =>
  list.find(({ name }) => name === value)?.name;

export function readReportsSearch(raw: Record<string, unknown>): ReportsSearch {
  const search: ReportsSearch = {};
  const report = named(REPORTS, raw.report);
  if (report && report !== 'over-time') search.report = report;
  const range = named(RANGES, raw.range);
  if (range && range !== USUAL_RANGE) search.range = range;
  if (range === 'own') {
    for (const key of ['from', 'to'] as const) {
      const value = raw[key];
      if (typeof value === 'string' && DATE.test(value)) search[key] = value;
    }
  }
  const compare = named(COMPARISONS, raw.compare);
  if (compare) search.compare = compare;
  const interval = named(INTERVALS, raw.interval);
  if (interval) search.interval = interval;
  for (const key of NARROWING) {
    const value = raw[key];
    if (typeof value === 'string' && value !== '') search[key] = value;
  }
  return search;
}

/** Sets a part of it, or takes it away. */
export function withPart<Key extends keyof ReportsSearch>(
  search: ReportsSearch,
  key: Key,
  value: ReportsSearch[Key] | null | undefined,
): ReportsSearch {
  const next: ReportsSearch = { ...search };
  if (value) next[key] = value;
  else delete next[key];
  return next;
}

/** The same with another range; one of one's own begins with the days that are shown. */
export function withRange(search: ReportsSearch, range: RangeName, today: string): ReportsSearch {
  const { range: _range, from: _from, to: _to, interval: _interval, ...rest } = search;
  if (range === 'own') return { ...rest, range, ...daysOf(search, today) };
  return range === USUAL_RANGE ? rest : { ...rest, range };
}

const iso = (date: Date) => date.toISOString().slice(0, 10);

/** The first and the last day of what is shown, where today is this day. */
export function daysOf({ range = USUAL_RANGE, from, to }: ReportsSearch, today: string): { from: string; to: string } {
  const [year = 1970, month = 1, day = 1] = today.split('-').map(Number);
  const date = (y: number, m: number, d: number) => iso(new Date(Date.UTC(y, m - 1, d)));
  switch (range) {
    case 'last-7':
      return { from: date(year, month, day - 6), to: today };
    case 'last-30':
      return { from: date(year, month, day - 29), to: today };
    case 'last-90':
      return { from: date(year, month, day - 89), to: today };
    case 'last-365':
      return { from: date(year, month, day - 364), to: today };
    case 'this-month':
      return { from: date(year, month, 1), to: today };
    case 'last-month':
      return { from: date(year, month - 1, 1), to: date(year, month, 0) };
    case 'this-quarter':
      return { from: date(year, month - ((month - 1) % 3), 1), to: today };
    case 'this-year':
      return { from: date(year, 1, 1), to: today };
    case 'own':
      return { from: from ?? date(year, month, day - 29), to: to ?? today };
  }
}

/** The day that it is here. */
export const dayHere = (now: number) => new Intl.DateTimeFormat('en-CA', { dateStyle: 'short' }).format(now);

/** What a report is asked with. Which days the last thirty are, the server knows by the workspace's clock. */
export function reportQuery(search: ReportsSearch, today: string): Query {
  const { compare, pipelineId, projectId, source, assignedTo } = search;
  const interval = search.report === 'funnel' ? undefined : search.interval;
  const days = (search.range ?? USUAL_RANGE) === USUAL_RANGE ? {} : daysOf(search, today);
  return { ...days, compare, interval, pipelineId, projectId, source, assignedTo };
}
