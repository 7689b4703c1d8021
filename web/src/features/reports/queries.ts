import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { api } from '@/api/client';
import type {
  CampaignReport,
  FunnelReport,
  GroupReport,
  IntervalReport,
  ResponseTimeReport,
  WinRateReport,
} from '@/api/shapes';
import { type ReportsSearch, reportQuery } from './search';

/** Leads come while one looks at them. */
const STALE_MS = 30_000;

export const pathOf = (report: string) => `/v1/identity/reports/${report}`;

const reportOptions =
  <Report>(report: string) =>
  (search: ReportsSearch, today: string) => {
    const query = reportQuery({ ...search, report: report as ReportsSearch['report'] }, today);
    return queryOptions({
      queryKey: ['reports', report, query],
      queryFn: ({ signal }) => api.get<Report>(pathOf(report), query, signal),
      placeholderData: keepPreviousData,
      staleTime: STALE_MS,
    });
  };

export const overTimeQuery = reportOptions<IntervalReport>('over-time');
export const funnelQuery = reportOptions<FunnelReport>('funnel');
export const campaignsQuery = reportOptions<CampaignReport>('campaigns');
export const responseTimeQuery = reportOptions<ResponseTimeReport>('response-time');
export const winRateQuery = reportOptions<WinRateReport>('win-rate');
export const groupQuery = (report: 'sources' | 'people' | 'projects') => reportOptions<GroupReport>(report);
