import type { DeliveryState } from '@/api/shapes';

export type DeliveriesTab = 'log' | 'dead';

/** What the delivery log shows; lives in the URL. */
export interface DeliveriesSearch {
  tab?: DeliveriesTab;
  status?: DeliveryState;
  page?: number;
}

export const STATES: DeliveryState[] = ['pending', 'delivered', 'dead', 'cancelled'];

export function readDeliveriesSearch(raw: Record<string, unknown>): DeliveriesSearch {
  const search: DeliveriesSearch = {};
  if (raw.tab === 'log' || raw.tab === 'dead') search.tab = raw.tab;
  const status = STATES.find((state) => state === raw.status);
  if (status) search.status = status;
  const page = Number(raw.page);
  if (Number.isInteger(page) && page > 1) search.page = page;
  return search;
}
