import { Select, Table } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { IntervalRow, ReportPeriod, WinRateReport } from '@/api/shapes';
import { ScrollTable } from '@/ui/ScrollTable';
import { Bars, Columns, Legend, type Tone } from './charts';
import { FigureCells, FigureHeads } from './FigureCells';
import { overTimeQuery, responseTimeQuery, winRateQuery } from './queries';
import { type ReportBodyProps, ReportFrame } from './ReportFrame';
import classes from './Reports.module.css';
import { INTERVALS, type IntervalName } from './search';
import { daysLabel, duration, percent } from './words';

const BECAME = [
  { name: 'Won', tone: 'good' },
  { name: 'Open', tone: 'main' },
  { name: 'Lost', tone: 'bad' },
] as const satisfies { name: string; tone: Tone }[];

const became = ({ won, open, lost }: { won: number; open: number; lost: number }) => [
  { name: 'Won', tone: 'good' as const, value: won },
  { name: 'Open', tone: 'main' as const, value: open },
  { name: 'Lost', tone: 'bad' as const, value: lost },
];

/** How many leads came, and what became of them. */
export function OverTime({ search, today, onChange }: ReportBodyProps) {
  const report = useQuery(overTimeQuery(search, today));
  return (
    <ReportFrame
      title="Leads over time"
      note="Each lead counts on the day on which it came; the colours say what became of it since."
      report={report}
      search={search}
      today={today}
      actions={report.data && <IntervalSelect period={report.data.period} onChange={onChange} />}
    >
      {({ period, rows, before }) => (
        <>
          <Columns
            label={`Leads from ${period.from} to ${period.to}`}
            data={rows.map((row) => ({
              key: row.from,
              label: daysLabel(row.from, row.to, period.interval),
              parts: became(row),
              before: row.before?.leads,
            }))}
          />
          <Legend parts={BECAME.slice()} isCompared={Boolean(before)} />
          <Intervals label="Leads over time" period={period} rows={rows} />
        </>
      )}
    </ReportFrame>
  );
}

/** How soon somebody answered. */
export function ResponseTime({ search, today, onChange }: ReportBodyProps) {
  const report = useQuery(responseTimeQuery(search, today));
  return (
    <ReportFrame
      title="Response time"
      note="A lead is answered when a person first moves it to another stage, assigns it, converts it, or writes a note or a message."
      report={report}
      search={search}
      today={today}
      actions={report.data && <IntervalSelect period={report.data.period} onChange={onChange} />}
    >
      {({ period, rows, waits, totals, before }) => (
        <>
          <Bars
            label="How long leads waited"
            data={waits.map(({ upToMs, isWaiting, leads, before: earlier }) => ({
              key: isWaiting ? 'waiting' : String(upToMs ?? 'longer'),
              label: isWaiting ? 'Not answered yet' : upToMs ? `Within ${duration(upToMs)}` : 'Later',
              parts: [{ name: 'Leads', value: leads, tone: isWaiting ? 'soft' : waitTone(upToMs, period) }],
              before: earlier,
              says: `${leads.toLocaleString()} · ${percent(totals.leads > 0 ? leads / totals.leads : null)}`,
            }))}
          />
          <Legend
            parts={[
              { name: `Within ${duration(period.targetMinutes * 60_000)}`, tone: 'good' },
              { name: 'Later', tone: 'main' },
              { name: 'Not answered yet', tone: 'soft' },
            ]}
            isCompared={Boolean(before)}
          />
          <Intervals label="Response time" period={period} rows={rows} />
        </>
      )}
    </ReportFrame>
  );
}

const waitTone = (upToMs: number | null | undefined, { targetMinutes }: ReportPeriod): Tone =>
  upToMs && upToMs <= targetMinutes * 60_000 ? 'good' : 'main';

/** How many of those that are decided were won, and why. */
export function WinRate({ search, today, onChange }: ReportBodyProps) {
  const report = useQuery(winRateQuery(search, today));
  return (
    <ReportFrame
      title="Win rate"
      note="The leads that were won among those that are won or lost, by the day on which they came."
      report={report}
      search={search}
      today={today}
      actions={report.data && <IntervalSelect period={report.data.period} onChange={onChange} />}
    >
      {({ period, rows, before, wonReasons, lostReasons }) => (
        <>
          <Columns
            label={`Win rate from ${period.from} to ${period.to}`}
            top={1}
            format={percent}
            data={rows.map((row) => ({
              key: row.from,
              label: daysLabel(row.from, row.to, period.interval),
              parts: [{ name: 'Won', value: row.winRate ?? 0, tone: 'good' }],
              before: row.before?.winRate,
            }))}
          />
          <Legend parts={[{ name: 'Won among won and lost', tone: 'good' }]} isCompared={Boolean(before)} />
          <div className={classes.two}>
            <Reasons title="Why leads were lost" reasons={lostReasons} tone="bad" />
            <Reasons title="Why leads were won" reasons={wonReasons} tone="good" />
          </div>
          <Intervals label="Win rate" period={period} rows={rows} />
        </>
      )}
    </ReportFrame>
  );
}

interface ReasonsProps {
  title: string;
  reasons: WinRateReport['lostReasons'];
  tone: Tone;
}

const REASONS_SHOWN = 6;

function Reasons({ title, reasons, tone }: ReasonsProps) {
  if (reasons.length === 0) return null;
  return (
    <section aria-label={title}>
      <div className={classes.head}>
        <h2>{title}</h2>
      </div>
      <Bars
        label={title}
        data={reasons.slice(0, REASONS_SHOWN).map(({ reason, leads }) => ({
          key: reason ?? '',
          label: reason ?? 'No reason given',
          parts: [{ name: 'Leads', value: leads, tone }],
          says: leads.toLocaleString(),
        }))}
      />
    </section>
  );
}

function IntervalSelect({ period, onChange }: { period: ReportPeriod; onChange: ReportBodyProps['onChange'] }) {
  return (
    <Select
      size="xs"
      w={110}
      aria-label="How days are grouped"
      allowDeselect={false}
      data={INTERVALS.map(({ name, label }) => ({ value: name, label }))}
      value={period.interval}
      onChange={(value) => onChange('interval', value as IntervalName | null)}
    />
  );
}

interface IntervalsProps {
  label: string;
  period: ReportPeriod;
  rows: IntervalRow[];
}

function Intervals({ label, period, rows }: IntervalsProps) {
  return (
    <ScrollTable label={label}>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>Days</Table.Th>
          <FigureHeads />
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {rows.toReversed().map((row) => (
          <Table.Tr key={row.from}>
            <Table.Td>{daysLabel(row.from, row.to, period.interval)}</Table.Td>
            <FigureCells figures={row} before={row.before} currency={period.currency} />
          </Table.Tr>
        ))}
      </Table.Tbody>
    </ScrollTable>
  );
}
