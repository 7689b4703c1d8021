import { SegmentedControl, Skeleton, Table } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import type { Automation, AutomationRun } from '@/api/shapes';
import { humanise } from '@/lib/text';
import { Empty, Failure, State, Time } from '@/ui/basics';
import { Pager } from '@/ui/Pager';
import { RouteLink } from '@/ui/RouteLink';
import { Cell, ScrollTable } from '@/ui/ScrollTable';
import classes from './Automations.module.css';
import { channelLabel, kindLabel } from './draft';
import { RUNS_PAGE, runsQuery } from './queries';
import { RUN_STATES, type RunStateName } from './search';

const route = getRouteApi('/shell/automations/$automationId');

const COLORS: Record<string, string> = {
  running: 'blue',
  completed: 'green',
  failed: 'red',
  skipped: 'gray',
  exited: 'purple',
};

const WORDS: Record<string, string> = {
  running: 'Under way',
  completed: 'Completed',
  failed: 'Failed',
  skipped: 'Skipped',
  exited: 'Ended early',
};

/** Whom it was started for, and what became of each step. */
export function RunLog({ automation }: { automation: Automation }) {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const runs = useQuery(runsQuery(automation.id, search));
  const { data, total = 0, totalIsCapped } = runs.data ?? {};
  return (
    <>
      <SegmentedControl
        size="xs"
        mb="md"
        aria-label="Which runs"
        data={[{ value: '', label: 'All' }, ...RUN_STATES.map((value) => ({ value, label: WORDS[value] ?? value }))]}
        value={search.state ?? ''}
        onChange={(state) =>
          void navigate({ search: { tab: 'runs', state: (state || undefined) as RunStateName | undefined } })
        }
        className={classes.filter}
      />
      {runs.isPending && <Skeleton h={240} />}
      {runs.isError && <Failure error={runs.error} retry={() => void runs.refetch()} />}
      {data?.length === 0 && (
        <Empty title={search.state ? 'No run stands so' : 'Nobody started it yet'}>
          {search.state
            ? 'Choose another state to see the others.'
            : 'As soon as a lead starts it, each step stands here with what became of it.'}
        </Empty>
      )}
      {data && data.length > 0 && (
        <ScrollTable label="Runs" isOld={runs.isPlaceholderData}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Lead</Table.Th>
              <Table.Th>State</Table.Th>
              <Table.Th>Steps</Table.Th>
              <Table.Th>Started</Table.Th>
              <Table.Th>Ended</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {data.map((run) => (
              <Row key={run.id} run={run} />
            ))}
          </Table.Tbody>
        </ScrollTable>
      )}
      <Pager
        page={search.page ?? 1}
        limit={RUNS_PAGE}
        total={total}
        totalIsCapped={totalIsCapped}
        onPage={(page) => void navigate({ search: { ...search, page } })}
      />
    </>
  );
}

function Row({ run }: { run: AutomationRun }) {
  return (
    <Table.Tr>
      <Cell>
        <RouteLink to="/leads/$leadId" params={{ leadId: run.leadId }} fw={600} c="inherit">
          {run.leadName ?? 'A lead that is gone'}
        </RouteLink>
        <div className={classes.note}>version {run.version}</div>
      </Cell>
      <Cell label="State">
        <State color={COLORS[run.state] ?? 'gray'}>{WORDS[run.state] ?? humanise(run.state)}</State>
        {run.reasonWords && <div className={classes.note}>{run.reasonWords}</div>}
      </Cell>
      <Cell label="Steps">
        {run.sendings.length === 0 && '–'}
        {run.sendings.map((sending) => (
          <div key={`${sending.step} ${sending.dueAt} ${sending.channel} ${sending.messageId} ${sending.status}`}>
            {sending.step}. {sending.channel ? channelLabel(sending.channel) : kindLabel(sending.kind)}
            {sending.isFallback && ' (fallback)'}: {sending.status}
            {sending.status === 'waiting' && (
              <>
                , due <Time at={sending.dueAt} />
              </>
            )}
            {(sending.error ?? sending.reason) && (
              <div className={classes.note}>
                {sending.error ?? sending.reasonWords ?? humanise(sending.reason ?? '')}
              </div>
            )}
          </div>
        ))}
      </Cell>
      <Cell label="Started">
        <Time at={run.startedAt} />
      </Cell>
      <Cell label="Ended" beside={!run.finishedAt}>
        {run.finishedAt ? <Time at={run.finishedAt} /> : '–'}
      </Cell>
    </Table.Tr>
  );
}
