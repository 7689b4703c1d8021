import { Alert, SegmentedControl, Skeleton, Table, Tooltip } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import type { Ledger, LedgerLine } from '@/api/shapes';
import { plural } from '@/lib/text';
import { Empty, Failure, State } from '@/ui/basics';
import { Cell, ScrollTable } from '@/ui/ScrollTable';
import classes from './Ledger.module.css';
import { ledgerQuery, RANGES, type Range, USUAL_RANGE } from './queries';

const route = getRouteApi('/shell/settings/ledger');

const COLUMNS = [
  { key: 'accepted', label: 'Accepted', says: 'Submissions that were taken; whoever sent them has a receipt.' },
  { key: 'stored', label: 'Stored', says: 'Those whose rows were seen in the database after they were stored.' },
  { key: 'excluded', label: 'Excluded', says: 'Those that a rule kept from becoming a lead, such as a bot.' },
  { key: 'delivered', label: 'Delivered', says: 'Deliveries that arrived. A submission has one for each destination.' },
  { key: 'pending', label: 'Pending', says: 'Deliveries that are to be sent, now or later.' },
  { key: 'dead', label: 'Dead', says: 'Deliveries that were given up. They can be replayed.' },
  { key: 'cancelled', label: 'Cancelled', says: 'Deliveries whose destination was deleted.' },
  {
    key: 'difference',
    label: 'Difference',
    says: 'Accepted, and neither stored nor excluded: on its way for a moment, or missing.',
  },
] as const;

/** That everything that was accepted is stored, and delivered, given up, waiting or excluded. */
export function LedgerPage() {
  const { days = USUAL_RANGE } = route.useSearch();
  const navigate = route.useNavigate();
  const ledger = useQuery(ledgerQuery(days));
  return (
    <>
      <div className={classes.head}>
        {ledger.data ? <Verdict ledger={ledger.data} /> : <span />}
        <SegmentedControl
          aria-label="How many days"
          size="xs"
          value={String(days)}
          data={RANGES.map((range) => ({ value: String(range), label: `${range} days` }))}
          onChange={(value) => {
            const range = Number(value) as Range;
            void navigate({ search: range === USUAL_RANGE ? {} : { days: range } });
          }}
        />
      </div>
      {ledger.isPending && <Skeleton h={320} />}
      {ledger.isError && <Failure error={ledger.error} retry={() => void ledger.refetch()} />}
      {ledger.data && <Books ledger={ledger.data} isOld={ledger.isPlaceholderData} />}
    </>
  );
}

function Verdict({ ledger }: { ledger: Ledger }) {
  return (
    <p className={classes.verdict}>
      {ledger.missing === 0 ? (
        <State color="green">It all adds up</State>
      ) : (
        <State color="red">
          {plural(Math.abs(ledger.missing), 'submission')} too {ledger.missing > 0 ? 'few' : 'many'}
        </State>
      )}
    </p>
  );
}

function Books({ ledger, isOld }: { ledger: Ledger; isOld: boolean }) {
  const { totals, spooled, missing, data } = ledger;
  return (
    <>
      {missing !== 0 && (
        <Alert color="red" title="The books do not add up" mb="md">
          {missing > 0
            ? `${plural(missing, 'submission')} since ${ledger.from} had a receipt and cannot be found in the database.`
            : `${plural(-missing, 'submission')} since ${ledger.from} stand in the database without a receipt.`}{' '}
          Run <code>leadline verify</code> on the server: it names what is missing.
        </Alert>
      )}
      <p className={classes.sum}>
        <span>
          <b>{totals.accepted.toLocaleString()}</b> accepted
        </span>
        <span>
          <b>{totals.stored.toLocaleString()}</b> stored
        </span>
        <span>
          <b>{spooled.toLocaleString()}</b> waiting on this server's disk
        </span>
        <span>
          <b>{totals.erased.toLocaleString()}</b> erased on request
        </span>
        <span>Days begin at midnight in {ledger.timezone}</span>
      </p>
      {data.length === 0 ? (
        <Empty title="Nothing came in these days">
          Each submission that is accepted is counted here at once, by its source and day.
        </Empty>
      ) : (
        <ScrollTable label="Ledger" isOld={isOld}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Day</Table.Th>
              <Table.Th>Source</Table.Th>
              {COLUMNS.map(({ key, label, says }) => (
                <Table.Th key={key} className={classes.number}>
                  <Tooltip label={says} multiline w={240}>
                    <span>{label}</span>
                  </Tooltip>
                </Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {data.map((line) => (
              <Line key={`${line.on} ${line.sourceId ?? ''}`} line={line} />
            ))}
          </Table.Tbody>
        </ScrollTable>
      )}
    </>
  );
}

function Line({ line }: { line: LedgerLine }) {
  return (
    <Table.Tr>
      <Cell className={classes.day}>{line.on}</Cell>
      <Cell label="Source">{line.sourceName ?? (line.sourceId ? 'A deleted source' : 'By hand or API')}</Cell>
      {COLUMNS.map(({ key, label }) => (
        <Cell key={key} label={label} className={classes.number} beside={line[key] === 0 && key !== 'accepted'}>
          <span className={tone(key, line[key])}>{line[key].toLocaleString()}</span>
        </Cell>
      ))}
    </Table.Tr>
  );
}

function tone(key: string, value: number): string | undefined {
  if (value === 0) return classes.zero;
  return key === 'difference' || key === 'dead' ? classes.wrong : undefined;
}
