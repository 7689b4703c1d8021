import { Skeleton } from '@mantine/core';
import { queryOptions, useQuery } from '@tanstack/react-query';
import { useLocation } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';
import { api, rowsOf } from '@/api/client';
import { kindWord } from '@/api/messaging';
import type { Conversation, ConversationDetail, Page } from '@/api/shapes';
import { plural } from '@/lib/text';
import { Failure, State, Time } from '@/ui/basics';
import { CopyButton } from '@/ui/Copy';
import classes from './Lead.module.css';
import { Block } from './LeadParts';

const conversationsQuery = (leadId: string) =>
  queryOptions({
    queryKey: ['conversations', 'of', leadId],
    queryFn: async ({ signal }) =>
      rowsOf(await api.get<Page<Conversation>>('/v1/messaging/conversations', { leadId }, signal)).filter(
        ({ channel, reference, messageCount }) => channel === 'chat' || (reference && messageCount === 0),
      ),
  });

const threadQuery = (id: string) =>
  queryOptions({
    queryKey: ['conversations', 'thread', id],
    queryFn: ({ signal }) => api.get<ConversationDetail>(`/v1/messaging/conversations/${id}`, {}, signal),
  });

/** Chats of the lead, and what a widget opened and nobody has written in yet; what goes by channels is under messages. */
export function Conversations({ leadId }: { leadId: string }) {
  const conversations = useQuery(conversationsQuery(leadId));
  if (conversations.isPending) return null;
  if (conversations.isError) {
    return (
      <Block title="Conversations">
        <Failure error={conversations.error} retry={() => void conversations.refetch()} />
      </Block>
    );
  }
  if (conversations.data.length === 0) return null;
  return (
    <Block title={conversations.data.length === 1 ? 'Conversation' : `${conversations.data.length} conversations`}>
      {conversations.data.map((conversation) => (
        <Thread key={conversation.id} conversation={conversation} />
      ))}
    </Block>
  );
}

const STATES: Record<string, { color: string; word: string }> = {
  open: { color: 'blue', word: 'Open' },
  in_progress: { color: 'amber', word: 'In progress' },
  completed: { color: 'gray', word: 'Completed' },
};

function Thread({ conversation }: { conversation: Conversation }) {
  const { id, channel, state, reference, sourceName, messageCount, createdAt } = conversation;
  const isAskedFor = useLocation({ select: ({ hash }) => hash === `conversation-${id}` });
  const place = useRef<HTMLElement>(null);
  useEffect(() => {
    if (isAskedFor) place.current?.scrollIntoView({ block: 'center' });
  }, [isAskedFor]);
  const { color, word } = STATES[state] ?? { color: 'gray', word: state };
  return (
    <article ref={place} className={classes.submission} data-asked={isAskedFor || undefined}>
      <div className={classes.submissionHead}>
        <span>{kindWord(channel)}</span>
        <span className={classes.small}>{sourceName}</span>
        <State color={color}>{word}</State>
        <Time at={createdAt} />
      </div>
      {reference && messageCount === 0 && (
        <div className={classes.small}>
          Waiting for the first WhatsApp message, which carries Ref {reference}
          <CopyButton value={reference} label="Copy the reference" />
        </div>
      )}
      {messageCount > 0 && <Messages id={id} count={messageCount} />}
    </article>
  );
}

const AUTHORS: Record<string, string> = { visitor: 'Visitor', agent: 'Agent', bot: 'Bot' };

function Messages({ id, count }: { id: string; count: number }) {
  const thread = useQuery(threadQuery(id));
  if (thread.isPending) return <Skeleton h={96} />;
  if (thread.isError) return <Failure error={thread.error} retry={() => void thread.refetch()} />;
  const { messages } = thread.data;
  return (
    <>
      {messages.length < count && (
        <div className={classes.small}>
          The last {messages.length} of {plural(count, 'message')}
        </div>
      )}
      <ol className={classes.thread}>
        {messages.map(({ id: key, author, body, sentAt }) => (
          <li key={key}>
            <div className={classes.small}>
              {AUTHORS[author] ?? author} · <Time at={sentAt} />
            </div>
            <p className={classes.message}>{body}</p>
          </li>
        ))}
      </ol>
    </>
  );
}
