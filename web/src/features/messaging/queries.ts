import {
  infiniteQueryOptions,
  keepPreviousData,
  queryOptions,
  useMutation,
  useQueryClient,
} from '@tanstack/react-query';
import { api, rowsOf } from '@/api/client';
import { MESSAGING } from '@/api/messaging';
import type {
  CannedReply,
  ChannelKind,
  InboxPage,
  MessagePreview,
  Page,
  SandboxArrival,
  SandboxDevice,
  SentMessage,
} from '@/api/shapes';
import type { InboxSearch } from './search';

const INBOX_PAGE = 50;
const THREAD_LENGTH = 200;

export const inboxQuery = ({ conversation: _, ...search }: InboxSearch) =>
  infiniteQueryOptions({
    queryKey: [MESSAGING, 'inbox', search],
    queryFn: ({ signal, pageParam }) =>
      api.get<InboxPage>('/v1/messaging/inbox', { ...search, cursor: pageParam, limit: INBOX_PAGE }, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ nextCursor }) => nextCursor ?? undefined,
    placeholderData: keepPreviousData,
  });

export const threadQuery = (conversationId: string) =>
  queryOptions({
    queryKey: [MESSAGING, 'thread', conversationId],
    queryFn: ({ signal }) =>
      api.get<Page<SentMessage>>('/v1/messaging/messages', { conversationId, limit: THREAD_LENGTH }, signal),
  });

export const cannedQuery = queryOptions({
  queryKey: [MESSAGING, 'canned'],
  queryFn: async ({ signal }) => rowsOf(await api.get<Page<CannedReply>>('/v1/messaging/canned-replies', {}, signal)),
});

export const kindsQuery = queryOptions({
  queryKey: [MESSAGING, 'kinds'],
  queryFn: async ({ signal }) => rowsOf(await api.get<Page<ChannelKind>>('/v1/messaging/channel-kinds', {}, signal)),
  staleTime: Number.POSITIVE_INFINITY,
});

export const previewQuery = (texts: { subject?: string; body: string; html?: string }) =>
  queryOptions({
    queryKey: [MESSAGING, 'preview', texts],
    queryFn: () => api.post<MessagePreview>('/v1/messaging/template-previews', texts),
    enabled: texts.body.trim() !== '',
    retry: false,
    placeholderData: keepPreviousData,
  });

export const devicesQuery = (channelId: string) =>
  queryOptions({
    queryKey: [MESSAGING, 'devices', channelId],
    queryFn: async ({ signal }) =>
      rowsOf(await api.get<Page<SandboxDevice>>(`/v1/messaging/channels/${channelId}/sandbox`, {}, signal)),
  });

export const arrivalsQuery = (channelId: string, address: string) =>
  queryOptions({
    queryKey: [MESSAGING, 'arrivals', channelId, address],
    queryFn: async ({ signal }) =>
      rowsOf(
        await api.get<Page<SandboxArrival>>(
          `/v1/messaging/channels/${channelId}/sandbox/arrivals`,
          { address },
          signal,
        ),
      ),
  });

/** A write about messages: what is shown of them is fetched again. */
export function useMessagingWrite<Input, Output>(write: (input: Input) => Promise<Output>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: write,
    onSuccess: () => client.invalidateQueries({ queryKey: [MESSAGING] }),
  });
}
