/** What the inbox shows, kept in the address. */
export interface InboxSearch {
  folder?: 'snoozed' | 'closed' | 'all';
  assignedTo?: string;
  unread?: 'true';
  search?: string;
  channel?: 'whatsapp' | 'sms' | 'email' | 'chat';
  conversation?: string;
}

const CHANNELS = ['whatsapp', 'sms', 'email', 'chat'] as const;
const FOLDERS = ['snoozed', 'closed', 'all'] as const;

export function readInboxSearch(raw: Record<string, unknown>): InboxSearch {
  const text = (name: string) => (typeof raw[name] === 'string' && raw[name] !== '' ? raw[name] : undefined);
  return {
    folder: FOLDERS.find((folder) => folder === raw.folder),
    assignedTo: text('assignedTo'),
    unread: String(raw.unread) === 'true' ? 'true' : undefined,
    search: text('search'),
    channel: CHANNELS.find((channel) => channel === raw.channel),
    conversation: text('conversation'),
  };
}
