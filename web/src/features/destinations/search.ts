import type { DeliveryState } from '@/api/shapes';

export type DeliveriesTab = 'log' | 'dead';

/** What the delivery log shows; lives in the URL. */
export interface DeliveriesSearch {
  tab?: DeliveriesTab;
  destinationId?: string;
  status?: DeliveryState;
  event?: string;
  /** Local times as the browser's field has them: `2026-01-05T08:00`. */
  from?: string;
  to?: string;
  /** A status of three digits, or words of an error. */
  answer?: string;
  page?: number;
}

export const STATES: DeliveryState[] = ['pending', 'delivered', 'dead', 'cancelled', 'skipped'];

const LOCAL_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}/;

export function readDeliveriesSearch(raw: Record<string, unknown>): DeliveriesSearch {
  const search: DeliveriesSearch = {};
  if (raw.tab === 'log' || raw.tab === 'dead') search.tab = raw.tab;
  const status = STATES.find((state) => state === raw.status);
  if (status) search.status = status;
  for (const key of ['destinationId', 'event'] as const) {
    const text = raw[key];
    if (typeof text === 'string' && text !== '') search[key] = text;
  }
  for (const key of ['from', 'to'] as const) {
    const text = raw[key];
    if (typeof text === 'string' && LOCAL_TIME.test(text) && !Number.isNaN(Date.parse(text))) search[key] = text;
  }
  // A number in the URL is read as one.
  const answer = typeof raw.answer === 'number' ? String(raw.answer) : raw.answer;
  if (typeof answer === 'string' && answer.trim() !== '') search.answer = answer.slice(0, 200);
  const page = Number(raw.page);
  if (Number.isInteger(page) && page > 1) search.page = page;
  return search;
}

/** Which deliveries are meant, as the API is asked. */
export interface DeliveryFilter {
  destinationId?: string;
  status?: DeliveryState;
  event?: string;
  from?: string;
  to?: string;
  httpStatus?: number;
  error?: string;
}

/** The filter of a page: what its URL says, within the destination that it is about. */
export function filterOf(search: DeliveriesSearch, destinationId?: string): DeliveryFilter {
  const { status, event, from, to } = search;
  const answer = search.answer?.trim();
  return {
    destinationId: destinationId ?? search.destinationId,
    status: search.tab === 'dead' ? 'dead' : status,
    event,
    from: from && new Date(from).toISOString(),
    to: to && new Date(to).toISOString(),
    ...(answer && (/^\d{3}$/.test(answer) ? { httpStatus: Number(answer) } : { error: answer })),
  };
}

/** Whether the log is narrowed beyond its tab. */
export const isNarrowed = ({ tab: _tab, page: _page, ...rest }: DeliveriesSearch) => Object.keys(rest).length > 0;
