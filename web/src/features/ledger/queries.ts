import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { api } from '@/api/client';
import type { Ledger } from '@/api/shapes';

/** The books grow while one looks at them. */
const POLL_MS = 15_000;
const DAY_MS = 86_400_000;

export const RANGES = [7, 14, 31, 92] as const;
export type Range = (typeof RANGES)[number];
export const USUAL_RANGE: Range = 14;

/** The days that may be asked for; anything else is the usual. */
export function readLedgerSearch(raw: Record<string, unknown>): { days?: Range } {
  const days = RANGES.find((range) => range === Number(raw.days));
  return days && days !== USUAL_RANGE ? { days } : {};
}

/** The first of so many days up to today, as `2026-01-31`, by the clock of a timezone. */
export function firstDay(days: number, now: number, timeZone?: string): string {
  return new Intl.DateTimeFormat('en-CA', { timeZone, dateStyle: 'short' }).format(now - (days - 1) * DAY_MS);
}

export const ledgerQuery = (days: Range) =>
  queryOptions({
    queryKey: ['ledger', days],
    queryFn: ({ signal }) => api.get<Ledger>('/v1/capture/ledger', { from: firstDay(days, Date.now()) }, signal),
    placeholderData: keepPreviousData,
    refetchInterval: POLL_MS,
  });
