import { Table } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { FunnelRow, FunnelReport as Report } from '@/api/shapes';
import { Dot } from '@/ui/basics';
import { RouteLink } from '@/ui/RouteLink';
import { Cell, ScrollTable } from '@/ui/ScrollTable';
import { Bars, Legend } from './charts';
import { funnelQuery } from './queries';
import { type ReportBodyProps, ReportFrame } from './ReportFrame';
import classes from './Reports.module.css';
import { ChangeWords } from './Tiles';
import { change, duration, percent } from './words';

/** How far leads came, and how long they took. */
export function Funnel({ search, today }: ReportBodyProps) {
  const report = useQuery(funnelQuery(search, today));
  return (
    <ReportFrame
      title={report.data ? `Funnel of ${report.data.pipelineName}` : 'Funnel'}
      note="A lead has reached the furthest stage that it was ever in, and those before it. The time in a stage is that of the leads that went on."
      report={report}
      search={search}
      today={today}
    >
      {({ period, rows, before, pipelineId }) => (
        <>
          <Bars
            label={`Funnel from ${period.from} to ${period.to}`}
            data={rows.map((row) => ({
              key: row.stageId ?? row.kind,
              label: row.name,
              parts: [{ name: 'Reached', value: row.reached, tone: row.kind === 'won' ? 'good' : 'main' }],
              before: row.before?.reached,
              says: barWords(row),
            }))}
          />
          <Legend
            parts={[
              { name: 'Came as far as here', tone: 'main' },
              { name: 'Won', tone: 'good' },
            ]}
            isCompared={Boolean(before)}
          />
          <Steps rows={rows} period={period} pipelineId={pipelineId} />
        </>
      )}
    </ReportFrame>
  );
}

const barWords = ({ reached, fromPrevious }: FunnelRow) =>
  typeof fromPrevious === 'number'
    ? `${reached.toLocaleString()} · ${percent(fromPrevious)} of those before`
    : reached.toLocaleString();

function Steps({ rows, period, pipelineId }: Pick<Report, 'rows' | 'period' | 'pipelineId'>) {
  const came = JSON.stringify({ all: [{ field: 'createdAt', op: 'between', value: [period.from, period.to] }] });
  return (
    <ScrollTable label="Funnel">
      <Table.Thead>
        <Table.Tr>
          <Table.Th>Stage</Table.Th>
          <Table.Th className={classes.number}>Reached</Table.Th>
          <Table.Th className={classes.number}>Of the stage before</Table.Th>
          <Table.Th className={classes.number}>Of all</Table.Th>
          <Table.Th className={classes.number}>Here now</Table.Th>
          <Table.Th className={classes.number}>Lost from here</Table.Th>
          <Table.Th className={classes.number}>Median time</Table.Th>
          <Table.Th className={classes.number}>Average time</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {rows.map((row) => {
          const more = change(row.reached, row.before?.reached);
          const now = row.now.toLocaleString();
          return (
            <Table.Tr key={row.stageId ?? row.kind}>
              <Cell>
                <Dot color={row.color} /> {row.name}
              </Cell>
              <Cell label="Reached" className={classes.number}>
                {row.reached.toLocaleString()}{' '}
                {more && (
                  <span className={classes.small}>
                    <ChangeWords changed={more} />
                  </span>
                )}
              </Cell>
              <Cell label="Of the stage before" className={classes.number} beside={row.fromPrevious === null}>
                {percent(row.fromPrevious)}
              </Cell>
              <Cell label="Of all" className={classes.number}>
                {percent(row.fromFirst)}
              </Cell>
              <Cell label="Here now" className={classes.number}>
                {row.stageId ? (
                  <RouteLink
                    to="/leads"
                    search={{ pipelineId, stageId: row.stageId, filter: came }}
                    title="Show the leads"
                  >
                    {now}
                  </RouteLink>
                ) : (
                  now
                )}
              </Cell>
              <Cell label="Lost from here" className={classes.number} beside={row.lost === 0}>
                {row.lost.toLocaleString()}
              </Cell>
              <Cell label="Median time" className={classes.number}>
                {duration(row.medianMs)}
              </Cell>
              <Cell label="Average time" className={classes.number} beside={row.averageMs === null}>
                {duration(row.averageMs)}
              </Cell>
            </Table.Tr>
          );
        })}
      </Table.Tbody>
    </ScrollTable>
  );
}
