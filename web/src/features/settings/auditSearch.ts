import type { Query } from '@/api/client';

/** What is asked of the audit log, as it stands in the address. Days are the browser's own. */
export interface AuditSearch {
  actor?: string;
  action?: string;
  object?: string;
  from?: string;
  to?: string;
  page?: number;
}

const DAY = /^\d{4}-\d{2}-\d{2}$/;

export function readAuditSearch(raw: Record<string, unknown>): AuditSearch {
  const search: AuditSearch = {};
  for (const name of ['actor', 'action', 'object'] as const) {
    const text = raw[name];
    if (typeof text === 'string' && text !== '') search[name] = text;
  }
  for (const name of ['from', 'to'] as const) {
    const day = raw[name];
    if (typeof day === 'string' && DAY.test(day) && !Number.isNaN(Date.parse(day))) search[name] = day;
  }
  const page = Number(raw.page);
  if (Number.isInteger(page) && page > 1) search.page = page;
  return search;
}

/** Midnight of a day where the browser is, some days later. */
function midnight(day: string, later = 0): string {
  const [year, month, date] = day.split('-').map(Number);
  return new Date(year ?? 0, (month ?? 1) - 1, (date ?? 1) + later).toISOString();
}

/** The parameters of the request. The last day is part of it. */
export const auditAsked = ({ from, to, ...rest }: AuditSearch): Query => ({
  ...rest,
  from: from && midnight(from),
  to: to && midnight(to, 1),
});
