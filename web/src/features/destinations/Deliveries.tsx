import { Button, Checkbox, Skeleton, Table, Tabs } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { usePermits } from '@/api/session';
import type { Delivery } from '@/api/shapes';
import { usePollInterval } from '@/lib/live';
import { formatCount, plural } from '@/lib/text';
import { timeLeft } from '@/lib/time';
import { Empty, Failure, PermitButton, Time } from '@/ui/basics';
import { Pager } from '@/ui/Pager';
import { RouteLink } from '@/ui/RouteLink';
import { ActionsHead, Cell, ScrollTable } from '@/ui/ScrollTable';
import { DeliveryFilters } from './DeliveryFilters';
import classes from './Destinations.module.css';
import { DeliveryStateView, failureText } from './Health';
import { deliveriesQuery, goesOn, LOG_PAGE, latestReplayQuery, useReplay, useStartReplay } from './queries';
import { ReplayProgress } from './ReplayProgress';
import { type DeliveriesSearch, type DeliveryFilter, filterOf, isNarrowed } from './search';

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
      <Tabs.Panel value={tab}>
        <ReplayProgress />
        <Log key={tab} destinationId={destinationId} search={search} onSearch={onSearch} />
      </Tabs.Panel>
    </Tabs>
  );
}

function Log({ destinationId, search, onSearch }: DeliveriesProps) {
  const page = search.page ?? 1;
  const refetchInterval = usePollInterval();
  const filter = filterOf(search, destinationId);
  const log = useQuery({ ...deliveriesQuery(filter, page), refetchInterval });
  const [ticked, setTicked] = useState<ReadonlySet<string>>(new Set());
  const rows = log.data?.data ?? [];
  const chosen = rows.filter(({ id }) => ticked.has(id)).map(({ id }) => id);
  const isDead = search.tab === 'dead';
  // Ticks belong to what was seen when they were made.
  const look = (next: DeliveriesSearch) => {
    setTicked(new Set());
    onSearch(next);
  };
  return (
    <>
      {isDead && (
        <p className={classes.hint}>
          Deliveries that every attempt failed for. They are kept for seven days, so that you can send them again.
        </p>
      )}
      <DeliveryFilters withDestination={!destinationId} search={search} onSearch={look} />
      {log.isPending && <Skeleton h={240} />}
      {log.isError && <Failure error={log.error} retry={() => void log.refetch()} />}
      {log.data?.total === 0 && <NothingFound search={search} />}
      {log.data && log.data.total > 0 && (
        <>
          <Again
            filter={filter}
            total={log.data.total}
            totalIsCapped={log.data.totalIsCapped}
            isOld={log.isPlaceholderData}
            chosen={chosen}
            onDone={() => setTicked(new Set())}
          />
          <LogTable
            rows={rows}
            withDestination={!destinationId}
            isDead={isDead}
            isOld={log.isPlaceholderData}
            ticked={ticked}
            onTick={setTicked}
          />
          <Pager {...log.data} page={page} limit={LOG_PAGE} onPage={(to) => look({ ...search, page: to })} />
        </>
      )}
    </>
  );
}

function NothingFound({ search }: { search: DeliveriesSearch }) {
  if (isNarrowed(search)) return <Empty title="No delivery matches">Widen the filters to see more.</Empty>;
  if (search.tab === 'dead') {
    return <Empty title="No dead letters">Everything was delivered or is still being tried.</Empty>;
  }
  return (
    <Empty title="Nothing was sent yet">Each event that goes to a destination stands here with its attempts.</Empty>
  );
}

interface AgainProps {
  filter: DeliveryFilter;
  total: number;
  totalIsCapped: boolean;
  /** The count is not that of this filter yet. */
  isOld: boolean;
  chosen: string[];
  onDone: () => void;
}

/** How many there are, and sending those again that are ticked, or all that match where the state is chosen. */
function Again({ filter, total, totalIsCapped, isOld, chosen, onDone }: AgainProps) {
  const permit = usePermits().why('deliveries:replay');
  const latest = useQuery(latestReplayQuery).data ?? undefined;
  const start = useStartReplay();
  const busy = goesOn(latest) ? 'Others are being sent again at the moment' : undefined;
  const why = permit ?? (isOld ? 'They are still being counted' : busy);
  const count = `${formatCount(total, totalIsCapped)} ${total === 1 ? 'delivery' : 'deliveries'}`;
  return (
    <div className={classes.again}>
      <span className={classes.dim}>{chosen.length > 0 ? `${chosen.length} of ${count} ticked` : count}</span>
      {chosen.length > 0 && (
        <PermitButton
          size="compact-sm"
          why={why}
          loading={start.isPending}
          onClick={() => start.mutate({ deliveryIds: chosen }, { onSuccess: onDone })}
        >
          {`Send ${plural(chosen.length, 'delivery', 'deliveries')} again`}
        </PermitButton>
      )}
      {chosen.length === 0 && filter.status && filter.status !== 'cancelled' && (
        <PermitButton
          variant="default"
          size="compact-sm"
          why={why}
          loading={start.isPending}
          onClick={() => start.mutate({ filter })}
        >
          {total === 1 ? 'Send it again' : `Send all ${formatCount(total, totalIsCapped)} again`}
        </PermitButton>
      )}
    </div>
  );
}

interface LogTableProps {
  rows: Delivery[];
  withDestination: boolean;
  isDead: boolean;
  isOld: boolean;
  ticked: ReadonlySet<string>;
  onTick: (ticked: ReadonlySet<string>) => void;
}

function LogTable({ rows, withDestination, isDead, isOld, ticked, onTick }: LogTableProps) {
  const all = rows.every(({ id }) => ticked.has(id));
  const some = rows.some(({ id }) => ticked.has(id));
  const toggle = (id: string) => {
    const next = new Set(ticked);
    if (!next.delete(id)) next.add(id);
    onTick(next);
  };
  return (
    <ScrollTable label={isDead ? 'Dead letters' : 'Deliveries'} isOld={isOld}>
      <Table.Thead>
        <Table.Tr>
          <Table.Th className={classes.tick}>
            <Checkbox
              size="xs"
              aria-label="Tick all on this page"
              checked={all}
              indeterminate={some && !all}
              onChange={() => onTick(new Set(all ? [] : rows.map(({ id }) => id)))}
            />
          </Table.Th>
          {!isDead && <Table.Th>State</Table.Th>}
          <Table.Th>Event</Table.Th>
          <Table.Th>Lead</Table.Th>
          {withDestination && <Table.Th>Destination</Table.Th>}
          <Table.Th>Attempts</Table.Th>
          <Table.Th>Last answer</Table.Th>
          <Table.Th>{isDead ? 'Gave up' : 'Created'}</Table.Th>
          <Table.Th>{isDead ? 'Kept' : 'Next try'}</Table.Th>
          {isDead && <ActionsHead />}
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {rows.map((delivery) => (
          <LogRow
            key={delivery.id}
            delivery={delivery}
            withDestination={withDestination}
            isDead={isDead}
            ticked={ticked.has(delivery.id)}
            onTick={() => toggle(delivery.id)}
          />
        ))}
      </Table.Tbody>
    </ScrollTable>
  );
}

interface LogRowProps {
  delivery: Delivery;
  withDestination: boolean;
  isDead: boolean;
  ticked: boolean;
  onTick: () => void;
}

function LogRow({ delivery, withDestination, isDead, ticked, onTick }: LogRowProps) {
  const { id, state, event, leadId, leadName, destinationName, attemptCount } = delivery;
  const { lastStatus, lastError, createdAt, finishedAt, nextAttemptAt, expiresAt } = delivery;
  return (
    <Table.Tr>
      <Cell className={isDead ? classes.tick : `${classes.tick} ${classes.corner}`}>
        <Checkbox size="xs" aria-label={`Tick ${event} of ${leadName ?? id}`} checked={ticked} onChange={onTick} />
      </Cell>
      {!isDead && (
        <Cell label="State">
          <DeliveryStateView state={state} />
        </Cell>
      )}
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
      {isDead ? (
        <>
          <Cell label="Gave up">{finishedAt && <Time at={finishedAt} />}</Cell>
          <Cell label="Kept">{expiresAt && <Expiry at={expiresAt} />}</Cell>
          <Cell actions>
            <ReplayOne id={id} />
          </Cell>
        </>
      ) : (
        <>
          <Cell label="Created">
            <Time at={createdAt} />
          </Cell>
          <Cell label="Next try" beside={state !== 'pending'}>
            {state === 'pending' && nextAttemptAt ? <Time at={nextAttemptAt} /> : '–'}
          </Cell>
        </>
      )}
    </Table.Tr>
  );
}

/** How long a dead letter is still there, loud on its last day. */
function Expiry({ at }: { at: string }) {
  const { words, isSoon } = timeLeft(at);
  return (
    <time dateTime={at} title={new Date(at).toLocaleString()} className={isSoon ? classes.bad : undefined}>
      goes {words}
    </time>
  );
}

function ReplayOne({ id }: { id: string }) {
  const why = usePermits().why('deliveries:replay');
  const replay = useReplay('dead-letters');
  return (
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
  );
}
