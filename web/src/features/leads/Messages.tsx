import { queryOptions, useQuery } from '@tanstack/react-query';
import { api } from '@/api/client';
import { kindWord, MESSAGING } from '@/api/messaging';
import type { Page, SentMessage } from '@/api/shapes';
import { plural } from '@/lib/text';
import { Failure, Time } from '@/ui/basics';
import { MessageStatus } from '@/ui/MessageStatus';
import { RouteLink } from '@/ui/RouteLink';
import classes from './Lead.module.css';
import { Block } from './LeadParts';

const SHOWN = 10;

const messagesQuery = (leadId: string) =>
  queryOptions({
    queryKey: [MESSAGING, 'of', leadId],
    queryFn: ({ signal }) => api.get<Page<SentMessage>>('/v1/messaging/messages', { leadId, limit: SHOWN }, signal),
  });

/** What was sent to the lead and what they wrote, the latest first. A lead without messages has no such section. */
export function Messages({ leadId }: { leadId: string }) {
  const messages = useQuery(messagesQuery(leadId));
  if (messages.isPending) return null;
  if (messages.isError) {
    return (
      <Block title="Messages">
        <Failure error={messages.error} retry={() => void messages.refetch()} />
      </Block>
    );
  }
  const { data, total } = messages.data;
  if (data.length === 0) return null;
  return (
    <Block title="Messages">
      {total > data.length && (
        <div className={classes.small}>
          The last {data.length} of {plural(total, 'message')}
        </div>
      )}
      <ol className={classes.thread}>
        {data.map((message) => (
          <li key={message.id}>
            <div className={classes.small}>
              {message.direction === 'inbound' ? 'They wrote' : (message.authorName ?? 'Sent')} ·{' '}
              {kindWord(message.channel)} · <Time at={message.saidAt} />{' '}
              <MessageStatus status={message.status} error={message.error} />{' '}
              <RouteLink to="/messaging/inbox" search={{ folder: 'all', conversation: message.conversationId }}>
                Open
              </RouteLink>
            </div>
            <p className={classes.message}>
              {message.subject ? `${message.subject}: ` : ''}
              {message.body || message.templateName}
            </p>
          </li>
        ))}
      </ol>
    </Block>
  );
}
