import { Button, Select, Skeleton, Table, Tabs } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { usePermits } from '@/api/session';
import type { DeadLetter, Delivery } from '@/api/shapes';
import { usePollInterval } from '@/lib/live';
import { plural } from '@/lib/text';
import { Empty, Failure, Time } from '@/ui/basics';
import { Pager } from '@/ui/Pager';
import { RouteLink } from '@/ui/RouteLink';
import { ActionsHead, Cell, ScrollTable } from '@/ui/ScrollTable';
import classes from './Destinations.module.css';
import { DeliveryStateView, failureText, stateWord } from './Health';
import { deadLettersQuery, deliveriesQuery, LOG_PAGE, useReplay } from './queries';
import { type DeliveriesSearch, STATES } from './search';

interface DeliveriesProps {
  destinationId?: string;
  search: DeliveriesSearch;
  onSearch: (search: DeliveriesSearch) => void;
}

/** What was sent, and what could not be: of one destination, or of all. */
export function Deliveries({ destinationId, search, onSearch }: DeliveriesProps) {
  const tab = search.tab ?? 'log';
  return (
    <Tabs
      className={classes.tabs}
      value={tab}
      onChange={(value) => onSearch(value === 'dead' ? { tab: 'dead' } : {})}
      keepMounted={false}
    >
      <Tabs.List>
        <Tabs.Tab value="log">Delivery log</Tabs.Tab>
        <Tabs.Tab value="dead">Dead letters</Tabs.Tab>
      </Tabs.List>
      <Tabs.Panel value="log">
        <Log destinationId={destinationId} search={search} onSearch={onSearch} />
      </Tabs.Panel>
      <Tabs.Panel value="dead">
        <DeadLetters destinationId={destinationId} search={search} onSearch={onSearch} />
      </Tabs.Panel>
    </Tabs>
  );
}

function Log({ destinationId, search, onSearch }: DeliveriesProps) {
  const page = search.page ?? 1;
  const refetchInterval = usePollInterval();
  const log = useQuery({ ...deliveriesQuery(destinationId, search.status, page), refetchInterval });
  return (
    <>
      <div className={classes.filters}>
        <Select
          size="xs"
          aria-label="State"
          placeholder="Any state"
          clearable
          data={STATES.map((state) => ({ value: state, label: stateWord(state) }))}
          value={search.status ?? null}
          onChange={(value) =>
            onSearch(STATES.includes(value as never) ? { status: value as DeliveriesSearch['status'] } : {})
          }
        />
        {log.data && <span className={classes.dim}>{plural(log.data.total, 'delivery', 'deliveries')}</span>}
      </div>
      {log.isPending && <Skeleton h={240} />}
      {log.isError && <Failure error={log.error} retry={() => void log.refetch()} />}
      {log.data?.total === 0 && (
        <Empty title={search.status ? 'No delivery in this state' : 'Nothing was sent yet'}>
          Each event that goes to a destination stands here with its attempts.
        </Empty>
      )}
      {log.data && log.data.total > 0 && (
        <>
          <ScrollTable label="Deliveries">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>State</Table.Th>
                <Table.Th>Event</Table.Th>
                <Table.Th>Lead</Table.Th>
                {!destinationId && <Table.Th>Destination</Table.Th>}
                <Table.Th>Attempts</Table.Th>
                <Table.Th>Last answer</Table.Th>
                <Table.Th>Created</Table.Th>
                <Table.Th>Next try</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {log.data.data.map((delivery) => (
                <LogRow key={delivery.id} delivery={delivery} withDestination={!destinationId} />
              ))}
            </Table.Tbody>
          </ScrollTable>
          <Pager {...log.data} page={page} limit={LOG_PAGE} onPage={(to) => onSearch({ ...search, page: to })} />
        </>
      )}
    </>
  );
}

function LogRow({ delivery, withDestination }: { delivery: Delivery; withDestination: boolean }) {
  const { id, state, event, leadId, leadName, destinationName, attemptCount } = delivery;
  const { lastStatus, lastError, createdAt, nextAttemptAt } = delivery;
  return (
    <Table.Tr>
      <Cell>
        <DeliveryStateView state={state} />
      </Cell>
      <Cell label="Event">
        <RouteLink to="/deliveries/$deliveryId" params={{ deliveryId: id }}>
          {event}
        </RouteLink>
      </Cell>
      <Cell label="Lead">
        {leadId && (
          <RouteLink to="/leads/$leadId" params={{ leadId: leadId }} c="inherit">
            {leadName ?? 'Lead'}
          </RouteLink>
        )}
      </Cell>
      {withDestination && <Cell label="Destination">{destinationName}</Cell>}
      <Cell label="Attempts">{attemptCount}</Cell>
      <Cell label="Last answer" className={lastError ? classes.bad : undefined}>
        {lastStatus == null && !lastError ? '–' : failureText(lastStatus, lastError)}
      </Cell>
      <Cell label="Created">
        <Time at={createdAt} />
      </Cell>
      <Cell label="Next try">{state === 'pending' && nextAttemptAt ? <Time at={nextAttemptAt} /> : '–'}</Cell>
    </Table.Tr>
  );
}

function DeadLetters({ destinationId, search, onSearch }: DeliveriesProps) {
  const page = search.page ?? 1;
  const dead = useQuery(deadLettersQuery(destinationId, page));
  return (
    <>
      <div className={classes.filters}>
        <span className={classes.dim}>
          Deliveries that every attempt failed for. They are kept for a while so that you can replay them.
        </span>
      </div>
      {dead.isPending && <Skeleton h={240} />}
      {dead.isError && <Failure error={dead.error} retry={() => void dead.refetch()} />}
      {dead.data?.total === 0 && (
        <Empty title="No dead letters">Everything was delivered or is still being tried.</Empty>
      )}
      {dead.data && dead.data.total > 0 && (
        <>
          <ScrollTable label="Dead letters">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Event</Table.Th>
                <Table.Th>Lead</Table.Th>
                {!destinationId && <Table.Th>Destination</Table.Th>}
                <Table.Th>Last answer</Table.Th>
                <Table.Th>Gave up</Table.Th>
                <Table.Th>Kept until</Table.Th>
                <ActionsHead />
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {dead.data.data.map((letter) => (
                <DeadRow key={letter.id} letter={letter} withDestination={!destinationId} />
              ))}
            </Table.Tbody>
          </ScrollTable>
          <Pager {...dead.data} page={page} limit={LOG_PAGE} onPage={(to) => onSearch({ ...search, page: to })} />
        </>
      )}
    </>
  );
}

function DeadRow({ letter, withDestination }: { letter: DeadLetter; withDestination: boolean }) {
  const why = usePermits().why('deliveries:replay');
  const replay = useReplay('dead-letters');
  const { id, event, leadId, leadName, destinationName, lastStatus, lastError, finishedAt, expiresAt } = letter;
  return (
    <Table.Tr>
      <Cell>
        <RouteLink to="/deliveries/$deliveryId" params={{ deliveryId: id }}>
          {event}
        </RouteLink>
      </Cell>
      <Cell label="Lead">
        {leadId && (
          <RouteLink to="/leads/$leadId" params={{ leadId: leadId }} c="inherit">
            {leadName ?? 'Lead'}
          </RouteLink>
        )}
      </Cell>
      {withDestination && <Cell label="Destination">{destinationName}</Cell>}
      <Cell label="Last answer" className={classes.bad}>
        {failureText(lastStatus, lastError)}
      </Cell>
      <Cell label="Gave up">{finishedAt && <Time at={finishedAt} />}</Cell>
      <Cell label="Kept until">{expiresAt && <Time at={expiresAt} />}</Cell>
      <Cell actions>
        <Button
          variant="default"
          size="compact-xs"
          disabled={why !== undefined}
          title={why}
          loading={replay.isPending}
          onClick={() => replay.mutate(id)}
        >
          Replay
        </Button>
      </Cell>
    </Table.Tr>
  );
}
