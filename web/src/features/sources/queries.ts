import { keepPreviousData, type QueryKey, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api, rowsOf } from '@/api/client';
import type { Capture, ChatSource, Form, InboundWebhook, Page, Site, Widget } from '@/api/shapes';
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
