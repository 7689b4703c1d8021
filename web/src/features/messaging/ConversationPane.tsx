import { Button, Menu, Select, Skeleton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type KeyboardEvent, type ReactNode, type Ref, type SyntheticEvent, useEffect, useRef, useState } from 'react';
import { api } from '@/api/client';
import { membersQuery } from '@/api/lookups';
import { kindWord } from '@/api/messaging';
import { usePermits } from '@/api/session';
import type { InboxEntry, SentMessage } from '@/api/shapes';
import { usePageKeys } from '@/lib/keys';
import { Failure, PermitButton, Tag, Time } from '@/ui/basics';
import { MessageStatus } from '@/ui/MessageStatus';
import { RouteLink } from '@/ui/RouteLink';
import { toastError } from '@/ui/toast';
import { Attachments } from './Attachments';
import { Composer } from './Composer';
import classes from './Messaging.module.css';
import { threadQuery, useMessagingWrite } from './queries';

interface Change {
  assignedTo?: string | null;
  snoozedUntil?: string | null;
  isClosed?: boolean;
  isRead?: boolean;
}

interface Props {
  id: string;
  entry: InboxEntry | undefined;
  back: ReactNode;
  leave: () => void;
  ref: Ref<HTMLElement>;
}

/** One conversation: what was said, and what to do with it. */
export function ConversationPane({ id, entry: listed, back, leave, ref }: Props) {
  const thread = useQuery(threadQuery(id));
  const permits = usePermits();
  const [changed, setChanged] = useState<InboxEntry>();
  const handle = useMessagingWrite(async (change: Change) =>
    setChanged(await api.patch<InboxEntry>(`/v1/messaging/conversations/${id}`, change)),
  );
  // What was just closed or put off is in the list no longer, but can be taken up again here.
  const entry = listed ?? changed;
  const change = (wish: Change) =>
    handle.mutate(wish, { onError: (error) => toastError('The conversation was not changed', error) });
  const messages = [...(thread.data?.data ?? [])].reverse();
  const last = messages.at(-1);
  const kind = entry?.channel ?? messages.find((message) => message.channel)?.channel ?? 'chat';
  const leadId = entry?.leadId ?? last?.leadId;

  const canHandle = permits.can('messaging:send');
  const unread = listed?.unreadCount ?? 0;
  const { mutate } = handle;
  useEffect(() => {
    if (unread > 0 && canHandle) mutate({ isRead: true });
  }, [unread, canHandle, mutate]);

  /** Out of a field to the conversation, and out of the conversation to the list. */
  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    const { currentTarget, target, key } = event;
    if (key !== 'Escape' || !(target instanceof Element)) return;
    // What opens over the conversation has an Escape of its own.
    if (!currentTarget.contains(target) || target.getAttribute('aria-expanded') === 'true') return;
    if (target.matches('textarea, input')) currentTarget.focus();
    else leave();
  };

  return (
    <section ref={ref} className={classes.pane} aria-label="Conversation" tabIndex={-1} onKeyDown={onKeyDown}>
      <header className={classes.paneHead}>
        {back}
        <div className={classes.who}>
          <strong>
            {leadId ? (
              <RouteLink to="/leads/$leadId" params={{ leadId }} c="inherit">
                {entry?.leadName ?? last?.leadName ?? 'The lead'}
              </RouteLink>
            ) : (
              (entry?.address ?? 'Somebody')
            )}
          </strong>
          <span className={classes.dim}>{[kindWord(kind), entry?.address].filter(Boolean).join(' · ')}</span>
        </div>
        {entry && <Handling entry={entry} why={permits.why('messaging:send')} change={change} />}
      </header>
      {thread.isPending && <Skeleton h={240} />}
      {thread.isError && <Failure error={thread.error} retry={() => void thread.refetch()} />}
      {thread.data && <Thread messages={messages} />}
      <Composer id={id} kind={kind} lastInboundAt={entry?.lastInboundAt} />
    </section>
  );
}

const HOUR_MS = 3_600_000;

function Handling({
  entry,
  why,
  change,
}: {
  entry: InboxEntry;
  why: string | undefined;
  change: (wish: Change) => void;
}) {
  const members = useQuery(membersQuery).data ?? [];
  const controls = useRef<HTMLDivElement>(null);
  /** A key presses its control, and the focus goes there: so one sees and hears what it did. */
  const press = (key: string) => () => {
    const control = controls.current?.querySelector<HTMLElement>(`[data-key="${key}"]`);
    control?.focus();
    control?.click();
  };
  usePageKeys({ o: press('o'), s: press('s'), e: press('e') });
  const snooze = (hours: number) => change({ snoozedUntil: new Date(Date.now() + hours * HOUR_MS).toISOString() });
  return (
    <div ref={controls} className={classes.handling}>
      <Select
        size="xs"
        w={150}
        aria-label="Assigned to"
        data-key="o"
        placeholder="Nobody"
        disabled={why !== undefined}
        value={entry.assignedTo ?? null}
        onChange={(assignedTo) => change({ assignedTo })}
        clearable
        data={members.map(({ id, name }) => ({ value: id, label: name }))}
      />
      <Menu>
        <Menu.Target>
          <Button size="xs" variant="default" disabled={why !== undefined} title={why} data-key="s">
            {entry.snoozedUntil ? 'Snoozed' : 'Snooze'}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={() => snooze(1)}>For an hour</Menu.Item>
          <Menu.Item onClick={() => snooze(24)}>For a day</Menu.Item>
          <Menu.Item onClick={() => snooze(7 * 24)}>For a week</Menu.Item>
          {entry.snoozedUntil && <Menu.Item onClick={() => change({ snoozedUntil: null })}>Take it up again</Menu.Item>}
        </Menu.Dropdown>
      </Menu>
      <PermitButton
        size="xs"
        variant="default"
        why={why}
        data-key="e"
        onClick={() => change({ isClosed: !entry.closedAt })}
      >
        {entry.closedAt ? 'Reopen' : 'Close'}
      </PermitButton>
    </div>
  );
}

function Thread({ messages }: { messages: SentMessage[] }) {
  const end = useRef<HTMLLIElement>(null);
  const newest = messages.at(-1)?.id;
  useEffect(() => {
    if (newest) end.current?.scrollIntoView({ block: 'nearest' });
  }, [newest]);
  // A picture has no height until it is there, and would leave the end of the newest message below the edge.
  const showEnd = (event: SyntheticEvent) => {
    if (end.current?.contains(event.target as Node)) end.current.scrollIntoView({ block: 'nearest' });
  };
  return (
    <ol className={classes.thread} onLoadCapture={showEnd}>
      {messages.map((message, at) => (
        <li
          key={message.id}
          ref={at === messages.length - 1 ? end : undefined}
          className={classes.message}
          data-direction={message.direction}
        >
          {message.subject && <strong>{message.subject}</strong>}
          {(message.body || message.attachments.length === 0) && (
            <p>{message.body || 'This message is made of its template when it is sent.'}</p>
          )}
          {message.quoted && (
            <details className={classes.quoted}>
              <summary>Earlier messages</summary>
              <p>{message.quoted}</p>
            </details>
          )}
          <Attachments files={message.attachments} />
          <span className={classes.messageFoot}>
            {message.isAutomatic && <Tag>Automatic</Tag>}
            {message.direction === 'note' ? 'Note by ' : ''}
            {message.authorName ?? (message.author === 'bot' ? 'Automation' : '')} <Time at={message.saidAt} />
            <MessageStatus status={message.status} error={message.error} />
          </span>
        </li>
      ))}
    </ol>
  );
}
