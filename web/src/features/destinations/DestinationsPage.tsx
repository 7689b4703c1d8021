import { Skeleton, Table } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { usePermits } from '@/api/session';
import type { Destination } from '@/api/shapes';
import { formatCount } from '@/lib/text';
import { duration } from '@/lib/time';
import { Empty, Failure, PageBody, PageHead, PermitButton, Time } from '@/ui/basics';
import { RouteLink } from '@/ui/RouteLink';
import { Cell, ScrollTable } from '@/ui/ScrollTable';
import { SecretOnce } from '@/ui/SecretOnce';
import { Deliveries } from './Deliveries';
import { DestinationDialog } from './DestinationDialog';
import classes from './Destinations.module.css';
import { Health, rateWords } from './Health';
import { destinationsQuery } from './queries';
import { Sparkline } from './Sparkline';

const route = getRouteApi('/shell/destinations');

/** Where events go. */
export function DestinationsPage() {
  const search = route.useSearch();
  const navigate = useNavigate({ from: '/destinations' });
  const destinations = useQuery(destinationsQuery);
  const permits = usePermits();
  const manage = permits.why('destinations:manage');
  const [adding, setAdding] = useState(false);
  const [created, setCreated] = useState<Destination | null>(null);
  const addButton = (
    <PermitButton why={manage} leftSection={<IconPlus size={14} />} onClick={() => setAdding(true)}>
      Add destination
    </PermitButton>
  );
  const view = permits.why('destinations:view');
  if (view) return <Empty title="Destinations are not shown to you">{view}</Empty>;
  return (
    <PageBody>
      <PageHead title="Destinations">{addButton}</PageHead>
      {destinations.isPending && <Skeleton h={160} />}
      {destinations.isError && <Failure error={destinations.error} retry={() => void destinations.refetch()} />}
      {destinations.data?.length === 0 && (
        <Empty title="Send events somewhere" action={addButton}>
          A destination gets a signed POST for each event you choose: a new lead, a stage change, and so on. What fails
          is tried again and never lost silently.
        </Empty>
      )}
      {destinations.data && destinations.data.length > 0 && (
        <>
          <DestinationTable destinations={destinations.data} />
          <Deliveries search={search} onSearch={(next) => void navigate({ search: next })} />
        </>
      )}
      <DestinationDialog
        opened={adding}
        onClose={() => setAdding(false)}
        onSaved={(destination) => {
          setAdding(false);
          setCreated(destination);
        }}
      />
      <SecretOnce
        title={`The secret of ${created?.name ?? ''}`}
        what="The receiver checks the signature of each delivery with it."
        secret={created?.secret ?? null}
        onStored={() => {
          const id = created?.id;
          setCreated(null);
          if (id) void navigate({ to: '/destinations/$destinationId', params: { destinationId: id } });
        }}
      />
    </PageBody>
  );
}

function DestinationTable({ destinations }: { destinations: Destination[] }) {
  return (
    <ScrollTable label="Destinations">
      <Table.Thead>
        <Table.Tr>
          <Table.Th>Name</Table.Th>
          <Table.Th>State</Table.Th>
          <Table.Th>Last 24 hours</Table.Th>
          <Table.Th>Arrived</Table.Th>
          <Table.Th>p95</Table.Th>
          <Table.Th>Waiting</Table.Th>
          <Table.Th>Dead</Table.Th>
          <Table.Th>Last attempt</Table.Th>
          <Table.Th>URL</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {destinations.map((destination) => (
          <Row key={destination.id} destination={destination} />
        ))}
      </Table.Tbody>
    </ScrollTable>
  );
}

function Row({ destination }: { destination: Destination }) {
  const { id, name, url, health } = destination;
  const number = (count: number, label: string, search: { status: 'pending' } | { tab: 'dead' }) =>
    count === 0 ? (
      <span className={classes.dim}>0</span>
    ) : (
      <RouteLink
        to="/destinations/$destinationId"
        params={{ destinationId: id }}
        search={search}
        aria-label={`${count} ${label}`}
      >
        {formatCount(count)}
      </RouteLink>
    );
  return (
    <Table.Tr>
      <Cell>
        <RouteLink to="/destinations/$destinationId" params={{ destinationId: id }} fw={600} c="inherit">
          {name}
        </RouteLink>
      </Cell>
      <Cell label="State">
        <Health destination={destination} />
      </Cell>
      <Cell label="Last 24 hours">
        <Sparkline hours={health.hours} />
      </Cell>
      <Cell
        label="Arrived"
        title={`${formatCount(health.delivered24h)} attempts arrived, ${formatCount(health.failed24h)} failed`}
      >
        {rateWords(health)}
      </Cell>
      <Cell label="p95" title="95 of 100 attempts took no longer">
        {health.p95Ms == null ? '–' : duration(health.p95Ms)}
      </Cell>
      <Cell label="Waiting">{number(health.pending, 'waiting', { status: 'pending' })}</Cell>
      <Cell label="Dead">{number(health.dead, 'dead letters', { tab: 'dead' })}</Cell>
      <Cell label="Last attempt">{health.lastAttemptAt ? <Time at={health.lastAttemptAt} /> : '–'}</Cell>
      <Cell label="URL" className={classes.url} title={url} beside>
        {url}
      </Cell>
    </Table.Tr>
  );
}
