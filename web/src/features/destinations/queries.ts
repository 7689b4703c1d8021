import { keepPreviousData, type QueryClient, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api, rowsOf } from '@/api/client';
import type {
  Delivery,
  DeliveryDetail,
  DeliveryHint,
  Destination,
  DestinationInput,
  Page,
  ReplayJob,
  TemplatePlaceholders,
  TemplatePreset,
  TemplatePreview,
  TestResult,
} from '@/api/shapes';
import { toast, toastError } from '@/ui/toast';
import type { DeliveryFilter } from './search';

const BASE = '/v1/delivery';
export const LOG_PAGE = 50;
/** What "in 24 hours" counts shrinks with time alone, of which no hint tells; a hidden page does not ask. */
const HEALTH_POLL_MS = 15_000;
/** While a replay goes on the live stream tells of it; this is for when it is not connected. */
const REPLAY_POLL_MS = 2_000;

export const destinationKeys = {
  list: ['destinations', 'list'] as const,
  one: (id: string) => ['destinations', 'one', id] as const,
  deliveries: ['destinations', 'deliveries'] as const,
  delivery: (id: string) => ['destinations', 'delivery', id] as const,
  replay: ['destinations', 'replay'] as const,
};

export const destinationsQuery = queryOptions({
  queryKey: destinationKeys.list,
  queryFn: async ({ signal }) =>
    rowsOf(await api.get<Page<Destination>>(`${BASE}/destinations`, { limit: 200 }, signal)),
  refetchInterval: HEALTH_POLL_MS,
});

export const destinationQuery = (id: string) =>
  queryOptions({
    queryKey: destinationKeys.one(id),
    queryFn: ({ signal }) => api.get<Destination>(`${BASE}/destinations/${id}`, {}, signal),
    refetchInterval: HEALTH_POLL_MS,
  });

export const eventsQuery = queryOptions({
  queryKey: ['destinations', 'events'],
  queryFn: async ({ signal }) => rowsOf(await api.get<{ data: string[] }>(`${BASE}/events`, {}, signal)),
  staleTime: Number.POSITIVE_INFINITY,
});

export const deliveriesQuery = (filter: DeliveryFilter, page: number) =>
  queryOptions({
    queryKey: [...destinationKeys.deliveries, 'log', { ...filter, page }],
    queryFn: ({ signal }) =>
      api.get<Page<Delivery>>(`${BASE}/deliveries`, { ...filter, page, limit: LOG_PAGE }, signal),
    placeholderData: keepPreviousData,
  });

export const goesOn = (job: ReplayJob | undefined) => job?.state === 'queued' || job?.state === 'running';

/** The latest replay of many, where there was one. */
export const latestReplayQuery = queryOptions({
  queryKey: destinationKeys.replay,
  queryFn: async ({ signal }) => {
    const [latest] = rowsOf(await api.get<Page<ReplayJob>>(`${BASE}/replays`, { limit: 1 }, signal));
    return latest ?? null;
  },
  refetchInterval: ({ state }) => (goesOn(state.data ?? undefined) ? REPLAY_POLL_MS : false),
});

export type ReplayChoice = { deliveryIds: string[] } | { filter: DeliveryFilter };

export function useStartReplay() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (choice: ReplayChoice) => api.post<ReplayJob>(`${BASE}/replays`, choice),
    onSuccess: (job) => client.setQueryData(destinationKeys.replay, job),
    onError: (error) => toastError('They are not sent again', error),
  });
}

export function useStopReplay() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => api.delete<ReplayJob>(`${BASE}/replays/${id}`),
    onSuccess: (job) => client.setQueryData(destinationKeys.replay, job),
    onError: (error) => toastError('It was not stopped', error),
  });
}

export const deliveryQuery = (id: string) =>
  queryOptions({
    queryKey: destinationKeys.delivery(id),
    queryFn: ({ signal }) => api.get<DeliveryDetail>(`${BASE}/deliveries/${id}`, {}, signal),
  });

export function applyDeliveryHints(client: QueryClient, hints: DeliveryHint[]) {
  void client.invalidateQueries({ queryKey: destinationKeys.list });
  void client.invalidateQueries({ queryKey: destinationKeys.deliveries });
  for (const id of new Set(hints.map(({ destinationId }) => destinationId))) {
    void client.invalidateQueries({ queryKey: destinationKeys.one(id) });
  }
  for (const id of new Set(hints.map(({ deliveryId }) => deliveryId))) {
    void client.invalidateQueries({ queryKey: destinationKeys.delivery(id) });
  }
}

const refresh = (client: QueryClient) => client.invalidateQueries({ queryKey: ['destinations'] });

export const presetsQuery = queryOptions({
  queryKey: ['destinations', 'presets'],
  queryFn: async ({ signal }) =>
    rowsOf(await api.get<{ data: TemplatePreset[] }>(`${BASE}/template-presets`, {}, signal)),
  staleTime: Number.POSITIVE_INFINITY,
});

export const placeholdersQuery = queryOptions({
  queryKey: ['destinations', 'placeholders'],
  queryFn: ({ signal }) => api.get<TemplatePlaceholders>(`${BASE}/template-placeholders`, {}, signal),
  staleTime: Number.POSITIVE_INFINITY,
});

/** What a template would send; an error says what is wrong with it. */
export const previewQuery = (template: string, contentType: string) =>
  queryOptions({
    queryKey: ['destinations', 'preview', contentType, template],
    queryFn: () => api.post<TemplatePreview>(`${BASE}/template-previews`, { template, contentType }),
    enabled: template.trim() !== '',
    placeholderData: keepPreviousData,
    retry: false,
  });

export function useSaveDestination(id: string | undefined) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (input: DestinationInput) =>
      id
        ? api.patch<Destination>(`${BASE}/destinations/${id}`, input)
        : api.post<Destination>(`${BASE}/destinations`, input),
    onSuccess: () => refresh(client),
  });
}

export function useSetActive() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id, isActive }: { id: string; name: string; isActive: boolean }) =>
      api.patch<Destination>(`${BASE}/destinations/${id}`, { isActive }),
    onSuccess: (_answer, { name, isActive }) => {
      toast(isActive ? `Resumed ${name}` : `Paused ${name}; events wait until it is resumed`);
      return refresh(client);
    },
    onError: (error, { name }) => toastError(`${name} was not changed`, error),
  });
}

export const useTestDestination = () =>
  useMutation({ mutationFn: (id: string) => api.post<TestResult>(`${BASE}/destinations/${id}/test`) });

export function useRegenerateSecret() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id, overlapHours }: { id: string; overlapHours: number }) =>
      api.post<Destination>(`${BASE}/destinations/${id}/regenerate-secret`, { overlapHours }),
    onSuccess: () => refresh(client),
  });
}

export function useDeleteDestination() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => api.delete(`${BASE}/destinations/${id}`),
    onSuccess: (_answer, id) => {
      client.removeQueries({ queryKey: destinationKeys.one(id) });
      return refresh(client);
    },
  });
}

export function useReplay(kind: 'deliveries' | 'dead-letters') {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => api.post<Delivery>(`${BASE}/${kind}/${id}/replay`),
    onSuccess: () => {
      toast('The delivery is sent again');
      return refresh(client);
    },
    onError: (error) => toastError('The delivery was not replayed', error),
  });
}
