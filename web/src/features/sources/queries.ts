import { keepPreviousData, type QueryKey, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api, rowsOf } from '@/api/client';
import type {
  Capture,
  ChatSource,
  Form,
  InboundRequest,
  InboundWebhook,
  LeadFetch,
  Page,
  ReplayResult,
  RequestPreview,
  Site,
  Widget,
} from '@/api/shapes';
import { toast, toastError } from '@/ui/toast';

export const sourceKeys = {
  forms: ['sources', 'forms'] as const,
  webhooks: ['sources', 'webhooks'] as const,
  sites: ['sources', 'sites'] as const,
  widgets: ['sources', 'widgets'] as const,
  chats: ['sources', 'chats'] as const,
};

const ALL = { limit: 200 };
/** While a source waits for its first lead, look often: somebody is setting it up right now. */
const WAITING_POLL_MS = 4_000;

type Receiving = { receivedCount: number };

const pollWhileWaiting = (query: { state: { data?: Receiving[] } }) =>
  query.state.data?.some(({ receivedCount }) => receivedCount === 0) ? WAITING_POLL_MS : false;

export const formsQuery = queryOptions({
  queryKey: sourceKeys.forms,
  queryFn: async ({ signal }) => rowsOf(await api.get<Page<Form>>('/v1/capture/forms', ALL, signal)),
  refetchInterval: pollWhileWaiting,
});

export const webhooksQuery = queryOptions({
  queryKey: sourceKeys.webhooks,
  queryFn: async ({ signal }) => rowsOf(await api.get<Page<InboundWebhook>>('/v1/identity/lead-webhooks', ALL, signal)),
  refetchInterval: pollWhileWaiting,
});

/** A request may come at any moment while somebody looks. */
const REQUESTS_POLL_MS = 5_000;

const webhookPath = (id: string) => `/v1/identity/lead-webhooks/${id}`;

export const requestsQuery = (id: string) =>
  queryOptions({
    queryKey: [...sourceKeys.webhooks, id, 'requests'],
    queryFn: async ({ signal }) =>
      rowsOf(await api.get<{ data: InboundRequest[] }>(`${webhookPath(id)}/requests`, {}, signal)),
    refetchInterval: REQUESTS_POLL_MS,
  });

export const fetchesQuery = (id: string) =>
  queryOptions({
    queryKey: [...sourceKeys.webhooks, id, 'fetches'],
    queryFn: async ({ signal }) =>
      rowsOf(await api.get<{ data: LeadFetch[] }>(`${webhookPath(id)}/fetches`, {}, signal)),
    refetchInterval: REQUESTS_POLL_MS,
  });

/** Other settings to look at a request with. */
export interface LookAgain {
  format: string;
  fieldMapping: Record<string, string>;
}

export const previewQuery = (webhookId: string, requestId: string, look: LookAgain) =>
  queryOptions({
    queryKey: [...sourceKeys.webhooks, webhookId, 'preview', requestId, look],
    queryFn: () => api.post<RequestPreview>(`${webhookPath(webhookId)}/requests/${requestId}/preview`, look),
    placeholderData: (previous: RequestPreview | undefined) => previous,
  });

export function useReplayRequest(webhookId: string, requestId: string) {
  return useSourceWrite(sourceKeys.webhooks, (look: LookAgain) =>
    api.post<ReplayResult>(`${webhookPath(webhookId)}/requests/${requestId}/replay`, look),
  );
}

export function useFetchForm(webhookId: string) {
  return useSourceWrite(sourceKeys.webhooks, (formId: string) =>
    api.post(`${webhookPath(webhookId)}/fetches`, { formId }),
  );
}

export const sitesQuery = queryOptions({
  queryKey: sourceKeys.sites,
  queryFn: async ({ signal }) => rowsOf(await api.get<Page<Site>>('/v1/capture/sites', ALL, signal)),
});

export const widgetsQuery = queryOptions({
  queryKey: sourceKeys.widgets,
  queryFn: async ({ signal }) => rowsOf(await api.get<Page<Widget>>('/v1/capture/widgets', {}, signal)),
  refetchInterval: pollWhileWaiting,
});

export const widgetQuery = (id: string) =>
  queryOptions({
    queryKey: [...sourceKeys.widgets, id],
    queryFn: ({ signal }) => api.get<Widget>(`/v1/capture/widgets/${id}`, {}, signal),
  });

export const chatsQuery = queryOptions({
  queryKey: sourceKeys.chats,
  queryFn: async ({ signal }) => rowsOf(await api.get<Page<ChatSource>>('/v1/capture/chats', {}, signal)),
  refetchInterval: pollWhileWaiting,
});

/** Hints of new leads refresh the feed at once; this is for when they do not get through. */
const FEED_POLL_MS = 30_000;

export const capturesQuery = (widgetId: string | undefined) =>
  queryOptions({
    queryKey: ['captures', widgetId ?? 'all'],
    queryFn: async ({ signal }) => rowsOf(await api.get<Page<Capture>>('/v1/capture/captures', { widgetId }, signal)),
    refetchInterval: FEED_POLL_MS,
    placeholderData: keepPreviousData,
  });

/** A write on one of the lists; the list is read again afterwards. */
export function useSourceWrite<Input, Answer>(key: QueryKey, write: (input: Input) => Promise<Answer>) {
  const client = useQueryClient();
  return useMutation({ mutationFn: write, onSuccess: () => client.invalidateQueries({ queryKey: key }) });
}

export function useDeleteSource(key: QueryKey, path: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id }: { id: string; name: string }) => api.delete(`${path}/${id}`),
    onSuccess: (_answer, { name }) => {
      toast(`Deleted ${name}`);
      return client.invalidateQueries({ queryKey: key });
    },
    onError: (error, { name }) => toastError(`${name} was not deleted`, error),
  });
}
