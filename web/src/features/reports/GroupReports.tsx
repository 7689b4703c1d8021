import { Table } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import type { CampaignRow, GroupRow, ReportPeriod } from '@/api/shapes';
import { formatMoney } from '@/lib/money';
import { humanise } from '@/lib/text';
import { RouteLink } from '@/ui/RouteLink';
import { Cell, ScrollTable } from '@/ui/ScrollTable';
import { Bars, Legend, type Tone } from './charts';
import { FigureCells, FigureHeads } from './FigureCells';
import { campaignsQuery, groupQuery } from './queries';
import { type ReportBodyProps, ReportFrame } from './ReportFrame';
import classes from './Reports.module.css';
import type { ReportsSearch } from './search';
import { percent } from './words';

const SHOWN = 10;

const BECAME = [
  { name: 'Won', tone: 'good' },
  { name: 'Open', tone: 'main' },
  { name: 'Lost', tone: 'bad' },
] as const satisfies { name: string; tone: Tone }[];

type GroupName = 'sources' | 'people' | 'projects';

const WORDS: Record<GroupName, { title: string; head: string; note: string; nothing: string }> = {
  sources: {
    title: 'Sources',
    head: 'Source',
    note: 'Where leads came in, and what they brought. There is no cost in it, so the value of a lead says what one may cost.',
    nothing: 'Without a source',
  },
  people: {
    title: 'People',
    head: 'Person',
    note: 'Leads by whose they are now, whoever worked on them before.',
    nothing: 'Nobody',
  },
  projects: { title: 'Projects', head: 'Project', note: 'Leads by what they are about.', nothing: 'No project' },
};

/** The leads behind a row, in the table of leads. */
function leadsOf(period: ReportPeriod, search: ReportsSearch, more: Record<string, string>, conditions: object[] = []) {
  const came = { field: 'createdAt', op: 'between', value: [period.from, period.to] };
  const { pipelineId, projectId, source, assignedTo } = search;
  const kept = Object.fromEntries(Object.entries({ pipelineId, projectId, source, assignedTo }).filter(([, on]) => on));
  return { ...kept, ...more, filter: JSON.stringify({ all: [came, ...conditions] }) };
}

const nameOf = (row: GroupRow, report: GroupName) => {
  if (row.isRest) return 'All others';
  if (row.name) return row.name;
  if (report === 'sources' && row.kind) return humanise(row.kind);
  return row.id ? 'Deleted' : WORDS[report].nothing;
};

/** Leads by what they share. */
export function Groups({ name, search, today }: ReportBodyProps & { name: GroupName }) {
  const report = useQuery(groupQuery(name)(search, today));
  const { title, head, note } = WORDS[name];
  const link = (row: GroupRow, period: ReportPeriod) => {
    if (row.isRest) return null;
    if (name === 'projects') return row.id ? leadsOf(period, search, { projectId: row.id }) : null;
    if (name === 'people') return leadsOf(period, search, { assignedTo: row.id ?? 'none' });
    const source = row.id ?? row.kind;
    return source ? leadsOf(period, search, { source }) : null;
  };
  return (
    <ReportFrame title={title} note={note} report={report} search={search} today={today}>
      {({ period, rows, before }) => (
        <GroupTable
          title={title}
          head={head}
          period={period}
          isCompared={Boolean(before)}
          rows={rows.map((row) => ({
            key: `${row.kind ?? ''} ${row.id ?? ''} ${row.isRest}`,
            name: nameOf(row, name),
            isRest: row.isRest,
            link: link(row, period),
            row,
          }))}
        />
      )}
    </ReportFrame>
  );
}

const campaignName = (row: CampaignRow) => {
  if (row.isRest) return 'All others';
  if (row.campaign) return row.campaign;
  return row.source ?? (row.channel ? humanise(row.channel) : 'Unknown');
};

const CAMPAIGN_FIELDS = [
  ['firstTouch.utmCampaign', 'campaign'],
  ['firstTouch.utmSource', 'source'],
  ['firstTouch.utmMedium', 'medium'],
  ['firstTouch.channel', 'channel'],
] as const;

/** Leads by the campaign of their first visit. */
export function Campaigns({ search, today }: ReportBodyProps) {
  const report = useQuery(campaignsQuery(search, today));
  const link = (row: CampaignRow, period: ReportPeriod) => {
    const conditions = CAMPAIGN_FIELDS.map(([field, key]) =>
      row[key] ? { field, op: 'is', value: row[key] } : { field, op: 'empty' },
    );
    return row.isRest ? null : leadsOf(period, search, {}, conditions);
  };
  return (
    <ReportFrame
      title="Campaigns"
      note="Leads by the campaign of their first visit, as its address named it."
      report={report}
      search={search}
      today={today}
    >
      {({ period, rows, before }) => (
        <GroupTable
          title="Campaigns"
          head="Campaign"
          period={period}
          isCompared={Boolean(before)}
          rows={rows.map((row) => ({
            key: [row.channel, row.source, row.medium, row.campaign, row.isRest].join('\n'),
            name: campaignName(row),
            says: [row.source, row.medium].filter(Boolean).join(' / '),
            isRest: row.isRest,
            link: link(row, period),
            row,
          }))}
        />
      )}
    </ReportFrame>
  );
}

interface GroupTableProps {
  title: string;
  head: string;
  period: ReportPeriod;
  isCompared: boolean;
  rows: {
    key: string;
    name: string;
    says?: string;
    isRest: boolean;
    link: Record<string, string> | null;
    row: GroupRow | CampaignRow;
  }[];
}

function GroupTable({ title, head, period, isCompared, rows }: GroupTableProps) {
  const name = (one: GroupTableProps['rows'][number]): ReactNode =>
    one.link ? (
      <RouteLink to="/leads" search={one.link} title="Show the leads">
        {one.name}
      </RouteLink>
    ) : (
      <span className={one.isRest ? classes.rest : undefined}>{one.name}</span>
    );
  return (
    <>
      <Bars
        label={`${title} from ${period.from} to ${period.to}`}
        data={rows.slice(0, SHOWN).map(({ key, name: label, row }) => ({
          key,
          label,
          parts: [
            { name: 'Won', value: row.won, tone: 'good' },
            { name: 'Open', value: row.open, tone: 'main' },
            { name: 'Lost', value: row.lost, tone: 'bad' },
          ],
          before: row.before?.leads,
          says: `${row.leads.toLocaleString()} · ${percent(row.winRate)} won · ${formatMoney(row.salesValue, period.currency, { short: true })}`,
        }))}
      />
      <Legend parts={BECAME.slice()} isCompared={isCompared} />
      <ScrollTable label={title}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{head}</Table.Th>
            <FigureHeads />
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map((one) => (
            <Table.Tr key={one.key}>
              <Cell>
                {name(one)} {one.says && <span className={classes.small}>{one.says}</span>}
              </Cell>
              <FigureCells figures={one.row} before={one.row.before} currency={period.currency} />
            </Table.Tr>
          ))}
        </Table.Tbody>
      </ScrollTable>
    </>
  );
}
