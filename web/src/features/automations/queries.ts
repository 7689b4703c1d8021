import { keepPreviousData, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api, rowsOf } from '@/api/client';
import type {
  Automation,
  AutomationChange,
  AutomationRun,
  Card,
  Destination,
  DryRun,
  NewAutomation,
  Page,
  SourceHealth,
} from '@/api/shapes';
import type { RunSearch } from './search';

const AUTOMATIONS = '/v1/identity/lead-automations';
export const RUNS_PAGE = 50;
const LOOKUP_STALE_MS = 60_000;

export const automationsQuery = queryOptions({
  queryKey: ['automations', 'list'],
  queryFn: async ({ signal }) => (await api.get<{ data: Automation[] }>(AUTOMATIONS, {}, signal)).data,
});

export const automationQuery = (id: string) =>
  queryOptions({
    queryKey: ['automations', 'one', id],
    queryFn: ({ signal }) => api.get<Automation>(`${AUTOMATIONS}/${id}`, {}, signal),
  });

export const runsQuery = (id: string, { state, page = 1 }: RunSearch) =>
  queryOptions({
    queryKey: ['automations', 'runs', id, { state, page }],
    queryFn: ({ signal }) =>
      api.get<Page<AutomationRun>>(`${AUTOMATIONS}/${id}/runs`, { state, page, limit: RUNS_PAGE }, signal),
    placeholderData: keepPreviousData,
  });

/** Everything that lets leads in, by name. */
export const sourcesQuery = queryOptions({
  queryKey: ['sources', 'health'],
  queryFn: async ({ signal }) => rowsOf(await api.get<{ data: SourceHealth[] }>('/v1/capture/health', {}, signal)),
  staleTime: LOOKUP_STALE_MS,
});

/** Where leads can be told to. */
export const destinationsQuery = queryOptions({
  queryKey: ['destinations', 'choice'],
  queryFn: async ({ signal }) =>
    rowsOf(await api.get<Page<Destination>>('/v1/delivery/destinations', { limit: 200 }, signal)),
  staleTime: LOOKUP_STALE_MS,
});

export const leadChoicesQuery = (search: string) =>
  queryOptions({
    queryKey: ['leads', 'list', 'choice', search],
    queryFn: ({ signal }) => api.get<Page<Card>>('/v1/identity/leads', { search, limit: 10 }, signal),
    placeholderData: keepPreviousData,
    staleTime: 10_000,
  });

export function useAutomationWrites() {
  const client = useQueryClient();
  const onSuccess = () => client.invalidateQueries({ queryKey: ['automations'] });
  const make = useMutation({
    mutationFn: (automation: NewAutomation) => api.post<Automation>(AUTOMATIONS, automation),
    onSuccess,
  });
  const change = useMutation({
    mutationFn: ({ id, ...change }: AutomationChange & { id: string }) =>
      api.patch<Automation>(`${AUTOMATIONS}/${id}`, change),
    onSuccess,
  });
  const remove = useMutation({ mutationFn: (id: string) => api.delete(`${AUTOMATIONS}/${id}`), onSuccess });
  return { make, change, remove };
}

export const useDryRun = () =>
  useMutation({
    mutationFn: (request: { leadId: string; automation: NewAutomation }) =>
      api.post<DryRun>(`${AUTOMATIONS}/dry-run`, request),
  });
