import { keepPreviousData, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api, rowsOf } from '@/api/client';
import type {
  Audience,
  Campaign,
  CampaignChange,
  CampaignOutcome,
  CampaignPreview,
  CampaignRecipient,
  Card,
  MessageAnalytics,
  NewCampaign,
  Page,
} from '@/api/shapes';
import type { CampaignSearch } from './words';

const CAMPAIGNS = '/v1/messaging/campaigns';
export const LIST_PAGE = 50;
const POLL_MS = 3_000;

/** While something goes out it is asked for again by itself, for when no hint comes through. */
const whileUnderWay = (isUnderWay: boolean | undefined) => (isUnderWay ? POLL_MS : false);

export const campaignsQuery = (page = 1) =>
  queryOptions({
    queryKey: ['campaigns', 'list', page],
    queryFn: ({ signal }) => api.get<Page<Campaign>>(CAMPAIGNS, { page, limit: LIST_PAGE }, signal),
    placeholderData: keepPreviousData,
    refetchInterval: (query) => whileUnderWay(query.state.data?.data.some(({ state }) => state === 'running')),
  });

export const campaignQuery = (id: string) =>
  queryOptions({
    queryKey: ['campaigns', 'one', id],
    queryFn: ({ signal }) => api.get<Campaign>(`${CAMPAIGNS}/${id}`, {}, signal),
    refetchInterval: (query) => whileUnderWay(query.state.data?.state === 'running'),
  });

export const reportQuery = (id: string, isUnderWay: boolean) =>
  queryOptions({
    queryKey: ['campaigns', 'report', id],
    queryFn: ({ signal }) => api.get<CampaignOutcome>(`${CAMPAIGNS}/${id}/report`, {}, signal),
    refetchInterval: whileUnderWay(isUnderWay),
  });

export const recipientsQuery = (id: string, { which, page = 1 }: CampaignSearch) =>
  queryOptions({
    queryKey: ['campaigns', 'recipients', id, { which, page }],
    queryFn: ({ signal }) =>
      api.get<Page<CampaignRecipient>>(`${CAMPAIGNS}/${id}/recipients`, { which, page, limit: LIST_PAGE }, signal),
    placeholderData: keepPreviousData,
  });

export const recipientsFile = (id: string) => `${CAMPAIGNS}/${id}/recipients.csv`;

export const previewQuery = (id: string, version: number, lead: string | null, variant: number) =>
  queryOptions({
    queryKey: ['campaigns', 'preview', id, version, lead, variant],
    queryFn: ({ signal }) => api.get<CampaignPreview>(`${CAMPAIGNS}/${id}/preview`, { leadId: lead, variant }, signal),
    placeholderData: keepPreviousData,
    retry: false,
  });

export const analyticsQuery = (days: number) =>
  queryOptions({
    queryKey: ['campaigns', 'analytics', days],
    queryFn: async ({ signal }) =>
      (await api.get<{ data: MessageAnalytics[] }>('/v1/messaging/analytics', { days }, signal)).data,
    placeholderData: keepPreviousData,
  });

export const audiencesQuery = queryOptions({
  queryKey: ['campaigns', 'audiences'],
  queryFn: async ({ signal }) => rowsOf(await api.get<Page<Audience>>('/v1/messaging/audiences', {}, signal)),
});

export const leadChoicesQuery = (search: string) =>
  queryOptions({
    queryKey: ['leads', 'list', 'choice', search],
    queryFn: ({ signal }) => api.get<Page<Card>>('/v1/identity/leads', { search, limit: 10 }, signal),
    placeholderData: keepPreviousData,
    staleTime: 10_000,
  });

export type Step = 'start' | 'pause' | 'resume' | 'cancel';

export function useCampaignWrites() {
  const client = useQueryClient();
  const onSettled = () => client.invalidateQueries({ queryKey: ['campaigns'] });
  const make = useMutation({ mutationFn: (body: NewCampaign) => api.post<Campaign>(CAMPAIGNS, body), onSettled });
  const change = useMutation({
    mutationFn: ({ id, ...body }: CampaignChange & { id: string }) => api.patch<Campaign>(`${CAMPAIGNS}/${id}`, body),
    onSettled,
  });
  const steer = useMutation({
    mutationFn: ({ id, step }: { id: string; step: Step }) => api.post<Campaign>(`${CAMPAIGNS}/${id}/${step}`),
    onSettled,
  });
  const copy = useMutation({
    mutationFn: ({ id, followUp }: { id: string; followUp: boolean }) =>
      api.post<Campaign>(`${CAMPAIGNS}/${id}/copy`, { followUp }),
    onSettled,
  });
  const remove = useMutation({ mutationFn: (id: string) => api.delete(`${CAMPAIGNS}/${id}`), onSettled });
  return { make, change, steer, copy, remove };
}
