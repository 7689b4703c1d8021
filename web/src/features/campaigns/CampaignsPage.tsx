import { NativeSelect, Progress, Skeleton, Table, Tabs } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { kindWord } from '@/api/messaging';
import { usePermits } from '@/api/session';
import type { Campaign, MessageAnalytics } from '@/api/shapes';
import { usePageKeys } from '@/lib/keys';
import { formatCount } from '@/lib/text';
import { Empty, Failure, PageBody, PageHead, PermitButton, State, Time } from '@/ui/basics';
import { Pager } from '@/ui/Pager';
import { RouteLink } from '@/ui/RouteLink';
import { Cell, ScrollTable } from '@/ui/ScrollTable';
import classes from './Campaigns.module.css';
import { analyticsQuery, campaignsQuery, LIST_PAGE } from './queries';
import { audienceWords, doneOf, isUnderWay, share, stateWords } from './words';

const route = getRouteApi('/shell/campaigns');

/** Messages to very many people, and what all messages came to. */
export function CampaignsPage() {
  const { tab } = route.useSearch();
  const go = route.useNavigate();
  const navigate = useNavigate();
  const why = usePermits().why('messaging:send');
  const begin = () => void navigate({ to: '/campaigns/new' });
  usePageKeys({ n: () => !why && begin() });
  const make = (
    <PermitButton why={why} onClick={begin}>
      New campaign
    </PermitButton>
  );
  return (
    <PageBody>
      <PageHead title="Campaigns">{make}</PageHead>
      <Tabs
        value={tab ?? 'campaigns'}
        onChange={(next) => void go({ search: next === 'messages' ? { tab: 'messages' } : {} })}
        keepMounted={false}
      >
        <Tabs.List mb="md">
          <Tabs.Tab value="campaigns">Campaigns</Tabs.Tab>
          <Tabs.Tab value="messages">All messages</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="campaigns">
          <Campaigns />
        </Tabs.Panel>
        <Tabs.Panel value="messages">
          <Analytics />
        </Tabs.Panel>
      </Tabs>
    </PageBody>
  );
}

function Campaigns() {
  const { page = 1 } = route.useSearch();
  const go = route.useNavigate();
  const campaigns = useQuery(campaignsQuery(page));
  if (campaigns.isPending) return <Skeleton h={240} />;
  if (campaigns.isError) return <Failure error={campaigns.error} retry={() => void campaigns.refetch()} />;
  const { data: rows, total, totalIsCapped } = campaigns.data;
  if (total === 0) {
    return (
      <Empty title="No campaigns yet">
        A campaign sends one message to many people: an audience that you chose in the table of leads, or everybody in a
        segment. You see who opened, clicked and answered, and machines are counted apart.
      </Empty>
    );
  }
  return (
    <>
      <ScrollTable label="Campaigns" isOld={campaigns.isPlaceholderData}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Name</Table.Th>
            <Table.Th>State</Table.Th>
            <Table.Th>To</Table.Th>
            <Table.Th ta="end">Sent</Table.Th>
            <Table.Th ta="end">Opened</Table.Th>
            <Table.Th ta="end">Clicked</Table.Th>
            <Table.Th ta="end">Replied</Table.Th>
            <Table.Th ta="end">Failed</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map((campaign) => (
            <Row key={campaign.id} campaign={campaign} />
          ))}
        </Table.Tbody>
      </ScrollTable>
      <Pager
        page={page}
        limit={LIST_PAGE}
        total={total}
        totalIsCapped={totalIsCapped}
        onPage={(next) => void go({ search: next > 1 ? { page: next } : {} })}
      />
    </>
  );
}

function Row({ campaign }: { campaign: Campaign }) {
  const { id, name, state, channel, figures, startedAt, startsAt, createdAt } = campaign;
  const { word, color } = stateWords(state);
  const { done, all, percent } = doneOf(campaign);
  const isLetter = channel === 'email';
  return (
    <Table.Tr>
      <Cell>
        <RouteLink to="/campaigns/$campaignId" params={{ campaignId: id }} fw={600} c="inherit">
          {name}
        </RouteLink>
        <div className={classes.note}>
          {kindWord(channel)}, {startedAt ? 'started ' : state === 'scheduled' && startsAt ? 'starts ' : 'made '}
          <Time at={startedAt ?? (state === 'scheduled' ? startsAt : null) ?? createdAt} />
        </div>
      </Cell>
      <Cell label="State">
        <State color={color}>{word}</State>
        {isUnderWay(campaign) && (
          <>
            <Progress value={percent} size="sm" aria-label={`${name}: ${percent} % done`} className={classes.bar} />
            <div className={classes.note}>
              {formatCount(done)} of {formatCount(all)}
            </div>
          </>
        )}
      </Cell>
      <Cell label="To" className={classes.wordy}>
        {audienceWords(campaign)}
      </Cell>
      <Cell label="Sent" className={classes.number}>
        {formatCount(figures.sent)}
      </Cell>
      <Cell label="Opened" className={classes.number}>
        {isLetter ? share(figures.humanOpens, figures.sent) : share(figures.read, figures.sent)}
      </Cell>
      <Cell label="Clicked" className={classes.number}>
        {isLetter ? share(figures.humanClicks, figures.sent) : '–'}
      </Cell>
      <Cell label="Replied" className={classes.number}>
        {share(figures.replied, figures.sent)}
      </Cell>
      <Cell label="Failed" className={classes.number}>
        {formatCount(figures.failed)}
      </Cell>
    </Table.Tr>
  );
}

const SPANS = [7, 30, 90, 365];

/** Campaigns, automations and what people sent by hand, by the same figures. */
function Analytics() {
  const [days, setDays] = useState(30);
  const analytics = useQuery(analyticsQuery(days));
  return (
    <>
      <NativeSelect
        label="Counted over"
        className={classes.span}
        value={String(days)}
        onChange={(event) => setDays(Number(event.currentTarget.value))}
        data={SPANS.map((span) => ({ value: String(span), label: `the last ${span} days` }))}
      />
      {analytics.isPending && <Skeleton h={200} />}
      {analytics.isError && <Failure error={analytics.error} retry={() => void analytics.refetch()} />}
      {analytics.data?.length === 0 && (
        <Empty title="No messages in these days">
          What campaigns and automations send, and what people send by hand, is counted here by the same figures.
        </Empty>
      )}
      {analytics.data && analytics.data.length > 0 && (
        <ScrollTable label="What messages came to" isOld={analytics.isPlaceholderData}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Sent by</Table.Th>
              <Table.Th>Channel</Table.Th>
              <Table.Th ta="end">Sent</Table.Th>
              <Table.Th ta="end">Delivered</Table.Th>
              <Table.Th ta="end">Read</Table.Th>
              <Table.Th ta="end">Opened</Table.Th>
              <Table.Th ta="end">Clicked</Table.Th>
              <Table.Th ta="end">By machines</Table.Th>
              <Table.Th ta="end">Replied</Table.Th>
              <Table.Th ta="end">Unsubscribed</Table.Th>
              <Table.Th ta="end">Failed</Table.Th>
              <Table.Th ta="end">Left out</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {analytics.data.map((row) => (
              <AnalyticsRow key={`${row.causeKind} ${row.id} ${row.channel}`} row={row} />
            ))}
          </Table.Tbody>
        </ScrollTable>
      )}
    </>
  );
}

function AnalyticsRow({ row }: { row: MessageAnalytics }) {
  const { causeKind, id, name, channel, figures } = row;
  const number = (label: string, value: string) => (
    <Cell label={label} className={classes.number}>
      {value}
    </Cell>
  );
  const of = (part: number) => share(part, figures.sent);
  return (
    <Table.Tr>
      <Cell>
        {causeKind === 'campaign' && id && (
          <RouteLink to="/campaigns/$campaignId" params={{ campaignId: id }} fw={600} c="inherit">
            {name ?? 'A campaign that was deleted'}
          </RouteLink>
        )}
        {causeKind === 'automation' && id && (
          <RouteLink to="/automations/$automationId" params={{ automationId: id }} fw={600} c="inherit">
            {name ?? 'An automation that was deleted'}
          </RouteLink>
        )}
        {causeKind === 'user' && <b>By hand</b>}
        {causeKind !== 'user' && (
          <div className={classes.note}>{causeKind === 'campaign' ? 'Campaign' : 'Automation'}</div>
        )}
      </Cell>
      <Cell label="Channel">{kindWord(channel)}</Cell>
      {number('Sent', formatCount(figures.sent))}
      {number('Delivered', of(figures.delivered))}
      {number('Read', of(figures.read))}
      {number('Opened', of(figures.humanOpens))}
      {number('Clicked', of(figures.humanClicks))}
      {number('By machines', `${formatCount(figures.machineOpens)} / ${formatCount(figures.machineClicks)}`)}
      {number('Replied', of(figures.replied))}
      {number('Unsubscribed', of(figures.unsubscribed))}
      {number('Failed', formatCount(figures.failed))}
      {number('Left out', formatCount(figures.skipped))}
    </Table.Tr>
  );
}
