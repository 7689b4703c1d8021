import { Button, Checkbox, SegmentedControl, Select, Skeleton, TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { useInfiniteQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import type { MouseEvent } from 'react';
import { kindWord } from '@/api/messaging';
import type { InboxEntry } from '@/api/shapes';
import { Empty, Failure, Tag, Time } from '@/ui/basics';
import { RouteLink } from '@/ui/RouteLink';
import { ConversationPane } from './ConversationPane';
import classes from './Messaging.module.css';
import { inboxQuery } from './queries';
import type { InboxSearch } from './search';
import { useWalk } from './useWalk';

const route = getRouteApi('/shell/messaging/inbox');
const SEARCH_DELAY_MS = 250;

/** Conversations, the latest first, and the one that is being answered. */
export function InboxPage() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const inbox = useInfiniteQuery(inboxQuery(search));
  const show = (change: Partial<InboxSearch>) =>
    void navigate({ search: (was) => ({ ...was, ...change }), replace: true });
  const lookFor = useDebouncedCallback((text: string) => show({ search: text || undefined }), SEARCH_DELAY_MS);
  const rows = inbox.data?.pages.flatMap(({ data }) => data) ?? [];
  const { list, pane, open, leave, walk, walkIn } = useWalk(rows, search.conversation, (conversation) =>
    show({ conversation }),
  );
  return (
    <div className={classes.inbox} data-open={search.conversation ? true : undefined}>
      <section className={classes.list} aria-label="Conversations">
        <div className={classes.filters}>
          <TextInput
            placeholder="Name, e-mail or phone"
            aria-label="Find a conversation"
            data-page-search
            onKeyDown={walkIn}
            defaultValue={search.search ?? ''}
            onChange={(event) => lookFor(event.currentTarget.value.trim())}
          />
          <SegmentedControl
            fullWidth
            size="xs"
            aria-label="Which conversations"
            value={search.folder ?? 'open'}
            onChange={(folder) => show({ folder: folder === 'open' ? undefined : (folder as InboxSearch['folder']) })}
            data={[
              { value: 'open', label: 'Open' },
              { value: 'snoozed', label: 'Snoozed' },
              { value: 'closed', label: 'Closed' },
              { value: 'all', label: 'All' },
            ]}
          />
          <div className={classes.narrow}>
            <Select
              size="xs"
              aria-label="Whose conversations"
              value={search.assignedTo ?? ''}
              onChange={(assignedTo) => show({ assignedTo: assignedTo || undefined })}
              allowDeselect={false}
              data={[
                { value: '', label: 'Everybody’s' },
                { value: 'me', label: 'Mine' },
                { value: 'nobody', label: 'Nobody’s' },
              ]}
            />
            <Select
              size="xs"
              aria-label="Which channel"
              value={search.channel ?? ''}
              onChange={(channel) => show({ channel: (channel || undefined) as InboxSearch['channel'] })}
              allowDeselect={false}
              data={[
                { value: '', label: 'All channels' },
                ...(['whatsapp', 'sms', 'email', 'chat'] as const).map((kind) => ({
                  value: kind,
                  label: kindWord(kind),
                })),
              ]}
            />
            <Checkbox
              size="xs"
              label="Unread"
              checked={search.unread === 'true'}
              onChange={(event) => show({ unread: event.currentTarget.checked ? 'true' : undefined })}
            />
          </div>
        </div>
        {inbox.isPending && <Skeleton h={240} />}
        {inbox.isError && <Failure error={inbox.error} retry={() => void inbox.refetch()} />}
        {inbox.data && rows.length === 0 && (
          <Empty title="No conversations here">
            They appear as soon as a message goes out or somebody writes to one of your channels.
          </Empty>
        )}
        <ul ref={list} className={classes.entries} onKeyDown={walk} aria-busy={inbox.isPlaceholderData}>
          {rows.map((entry) => (
            <li key={entry.id}>
              <EntryLink entry={entry} search={search} onOpen={open} />
            </li>
          ))}
        </ul>
        {inbox.hasNextPage && (
          <Button
            fullWidth
            variant="subtle"
            size="sm"
            loading={inbox.isFetchingNextPage}
            onClick={() => void inbox.fetchNextPage()}
          >
            Earlier conversations
          </Button>
        )}
      </section>
      {search.conversation ? (
        <ConversationPane
          key={search.conversation}
          ref={pane}
          id={search.conversation}
          leave={leave}
          entry={rows.find(({ id }) => id === search.conversation)}
          back={
            <Button className={classes.back} variant="subtle" size="compact-sm" onClick={leave}>
              All conversations
            </Button>
          }
        />
      ) : (
        <div className={classes.nothing}>Choose a conversation to read and answer it.</div>
      )}
    </div>
  );
}

interface EntryProps {
  entry: InboxEntry;
  search: InboxSearch;
  onOpen: (event: MouseEvent, id: string) => void;
}

function EntryLink({ entry, search, onOpen }: EntryProps) {
  const { id, leadName, address, channel, unreadCount, lastText, lastDirection, lastMessageAt, assignedName } = entry;
  return (
    <RouteLink
      to="/messaging/inbox"
      search={{ ...search, conversation: id }}
      className={classes.entry}
      underline="never"
      c="inherit"
      onClick={(event) => onOpen(event, id)}
      aria-current={search.conversation === id || undefined}
      data-chosen={search.conversation === id || undefined}
      data-unread={unreadCount > 0 || undefined}
    >
      <span className={classes.entryHead}>
        <strong>{leadName ?? address ?? 'Somebody'}</strong>
        {lastMessageAt && <Time at={lastMessageAt} />}
      </span>
      <span className={classes.beginning}>
        {lastDirection === 'outbound' ? 'You: ' : ''}
        {lastText}
      </span>
      <span className={classes.entryFoot}>
        <Tag>{kindWord(channel)}</Tag>
        {assignedName && <span>{assignedName}</span>}
        {unreadCount > 0 && <span className={classes.unread}>{unreadCount} new</span>}
      </span>
    </RouteLink>
  );
}
