import { type QueryKey, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api, rowsOf } from '@/api/client';
import type { Form, InboundWebhook, Page, Site } from '@/api/shapes';
import { toast, toastError } from '@/ui/toast';

export const sourceKeys = {
  forms: ['sources', 'forms'] as const,
  webhooks: ['sources', 'webhooks'] as const,
  sites: ['sources', 'sites'] as const,
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

/** A write on one of the three lists; the list is read again afterwards. */
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
