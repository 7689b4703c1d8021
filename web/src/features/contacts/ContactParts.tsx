import { Skeleton, Table } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { kindWord } from '@/api/messaging';
import type { ContactDetail, ContactLead, Touch } from '@/api/shapes';
import { asText, humanise, plural } from '@/lib/text';
import { spentTime } from '@/lib/time';
import { Failure, SafeLink, State, Time } from '@/ui/basics';
import { RouteLink } from '@/ui/RouteLink';
import { Score } from '@/ui/Score';
import { Cell, ScrollTable } from '@/ui/ScrollTable';
import { Block } from './Block';
import classes from './Contacts.module.css';
import { contactCapturesQuery, contactConversationsQuery, contactVisitsQuery } from './queries';

/** What the person is interested in, in every project. */
export function ContactLeads({ leads }: { leads: ContactLead[] }) {
  return (
    <Block title={leads.length === 1 ? 'Lead' : `${leads.length} leads`}>
      {leads.length === 0 && <div className={classes.small}>All leads of this contact are deleted.</div>}
      {leads.length > 0 && (
        <ScrollTable label="Leads">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Project</Table.Th>
              <Table.Th>Stage</Table.Th>
              <Table.Th>Score</Table.Th>
              <Table.Th>Source</Table.Th>
              <Table.Th>Assigned</Table.Th>
              <Table.Th>Last submission</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {leads.map((lead) => (
              <Table.Tr key={lead.id}>
                <Cell>
                  <RouteLink to="/leads/$leadId" params={{ leadId: lead.id }} fw={600} c="inherit">
                    {lead.projectName ?? lead.name}
                  </RouteLink>
                </Cell>
                <Cell label="Stage">
                  {lead.stageName}
                  {lead.convertedAt && <span className={classes.small}> converted</span>}
                </Cell>
                <Cell label="Score">
                  <Score score={lead.score} />
                </Cell>
                <Cell label="Source">{lead.sourceName}</Cell>
                <Cell label="Assigned">{lead.assignedToName ?? '–'}</Cell>
                <Cell label="Last submission">
                  <Time at={lead.lastSubmissionAt} />
                </Cell>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </ScrollTable>
      )}
    </Block>
  );
}

interface Note {
  value: unknown;
  by?: unknown;
  at?: unknown;
}

/** What was noted on leads before they were converted. */
export function Notes({ notes, masked }: { notes: unknown; masked: boolean }) {
  if (masked || !Array.isArray(notes) || notes.length === 0) return null;
  return (
    <Block title={notes.length === 1 ? 'Note' : `${notes.length} notes`}>
      {notes.map((note: Note) => (
        <article key={`${asText(note.at)} ${asText(note.value)}`} className={classes.entry}>
          <div className={classes.small}>
            {asText(note.by)} {typeof note.at === 'string' && <Time at={note.at} />}
          </div>
          <p className={classes.text}>{asText(note.value)}</p>
        </article>
      ))}
    </Block>
  );
}

export function ContactConversations({ contactId }: { contactId: string }) {
  const conversations = useQuery(contactConversationsQuery(contactId));
  if (conversations.isError) return <Failure error={conversations.error} />;
  if (!conversations.data || conversations.data.length === 0) return null;
  return (
    <Block title={plural(conversations.data.length, 'conversation')}>
      {conversations.data.map(({ id, leadId, channel, state, sourceName, messageCount, createdAt }) => (
        <article key={id} className={classes.entry}>
          <div className={classes.entryHead}>
            {leadId ? (
              <RouteLink to="/leads/$leadId" params={{ leadId }} hash={`conversation-${id}`} fw={600} c="inherit">
                {kindWord(channel)}
              </RouteLink>
            ) : (
              <span>{kindWord(channel)}</span>
            )}
            <span className={classes.small}>
              {sourceName} · {plural(messageCount, 'message')}
            </span>
            <State color={state === 'completed' ? 'gray' : 'blue'}>{humanise(state)}</State>
            <Time at={createdAt} />
          </div>
        </article>
      ))}
    </Block>
  );
}

/** How the person came, and what they did on the sites that carry our script. */
export function Journey({ contact }: { contact: ContactDetail }) {
  const visits = useQuery(contactVisitsQuery(contact.id));
  const { touches } = contact;
  if (visits.isError) return <Failure error={visits.error} retry={() => void visits.refetch()} />;
  if (touches.length === 0 && (visits.data?.data ?? []).length === 0) return null;
  return (
    <Block title="Journey">
      <ol className={classes.list}>
        {touches.map((touch) => (
          <li key={`${touch.at} ${origin(touch)}`}>
            {touch.at && <Time at={touch.at} />}
            <span>{origin(touch)}</span>
            {touch.pageUrl && <SafeLink url={touch.pageUrl} />}
          </li>
        ))}
      </ol>
      {visits.data && visits.data.total > 0 && (
        <>
          <h3 className={classes.subtitle}>{plural(visits.data.total, 'visit')}</h3>
          <ol className={classes.list}>
            {visits.data.data.map((visit) => (
              <li key={`${visit.startedAt} ${visit.sessionId}`}>
                <Time at={visit.startedAt} />
                <span>
                  {plural(visit.pagesVisited, 'page')} in {spentTime(visit.activeSeconds)}, read{' '}
                  {visit.maxScrollPercent} %
                </span>
              </li>
            ))}
          </ol>
        </>
      )}
    </Block>
  );
}

const origin = ({ channel, utmSource, utmMedium, utmCampaign, source }: Touch) =>
  [channel && humanise(channel), utmSource ?? source, utmMedium, utmCampaign].filter(Boolean).join(' · ') || 'Direct';

export function Captures({ contactId }: { contactId: string }) {
  const captures = useQuery(contactCapturesQuery(contactId));
  if (captures.isPending) return <Skeleton h={96} mt="md" />;
  if (captures.isError) return <Failure error={captures.error} retry={() => void captures.refetch()} />;
  const { data, total } = captures.data;
  return (
    <Block title={total === 1 ? 'Capture' : plural(total, 'capture')}>
      {data.map(({ id, leadId, sourceName, project, message, pageUrl, receivedAt }) => (
        <article key={id} className={classes.entry}>
          <div className={classes.entryHead}>
            <RouteLink to="/leads/$leadId" params={{ leadId }} fw={600} c="inherit">
              {sourceName}
            </RouteLink>
            {project && <span className={classes.small}>{project}</span>}
            <Time at={receivedAt} />
          </div>
          {message && <p className={classes.text}>{message}</p>}
          {pageUrl && (
            <div className={classes.small}>
              From <SafeLink url={pageUrl} />
            </div>
          )}
        </article>
      ))}
      {total > data.length && <div className={classes.small}>The newest {data.length} are shown.</div>}
    </Block>
  );
}
