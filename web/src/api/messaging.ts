import { queryOptions } from '@tanstack/react-query';
import { api, rowsOf } from './client';
import type { MessageTemplate, MessagingChannel, Page } from './shapes';

/** Everything about messages stands under this key, so that one hint refreshes it. */
export const MESSAGING = 'messaging';

export const channelsQuery = queryOptions({
  queryKey: [MESSAGING, 'channels'],
  queryFn: async ({ signal }) => rowsOf(await api.get<Page<MessagingChannel>>('/v1/messaging/channels', {}, signal)),
});

export const templatesQuery = queryOptions({
  queryKey: [MESSAGING, 'templates'],
  queryFn: async ({ signal }) => rowsOf(await api.get<Page<MessageTemplate>>('/v1/messaging/templates', {}, signal)),
});

export const KINDS = ['whatsapp', 'sms', 'email'] as const;
export type MessageKind = (typeof KINDS)[number];

const KIND_WORDS: Record<string, string> = { whatsapp: 'WhatsApp', sms: 'SMS', email: 'E-mail', chat: 'Chat' };

export const kindWord = (kind: string | null | undefined): string => KIND_WORDS[kind ?? 'chat'] ?? String(kind);

/** By which kinds of channel something can go out now. */
export const sendableKinds = (channels: MessagingChannel[]): MessageKind[] =>
  KINDS.filter((kind) => channels.some(({ isActive, carries }) => isActive && carries.includes(kind)));
