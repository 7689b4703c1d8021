/** What the inbox shows, kept in the address. */
export interface InboxSearch {
  folder?: 'snoozed' | 'closed' | 'all';
  assignedTo?: string;
  unread?: 'true';
  search?: string;
  page?: number;
  conversation?: string;
}

const FOLDERS = ['snoozed', 'closed', 'all'] as const;

export function readInboxSearch(raw: Record<string, unknown>): InboxSearch {
  const text = (name: string) => (typeof raw[name] === 'string' && raw[name] !== '' ? raw[name] : undefined);
  const page = Number(raw.page);
  return {
    folder: FOLDERS.find((folder) => folder === raw.folder),
    assignedTo: text('assignedTo'),
    unread: String(raw.unread) === 'true' ? 'true' : undefined,
    search: text('search'),
    page: Number.isInteger(page) && page > 1 ? page : undefined,
    conversation: text('conversation'),
  };
}
