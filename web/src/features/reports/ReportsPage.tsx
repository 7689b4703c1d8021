import { Select, Tabs, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { membersQuery, pipelinesQuery, projectsQuery } from '@/api/lookups';
import { PageBody, PageHead } from '@/ui/basics';
import { Funnel } from './FunnelReport';
import { Campaigns, Groups } from './GroupReports';
import type { ReportBodyProps } from './ReportFrame';
import classes from './Reports.module.css';
import {
  COMPARISONS,
  dayHere,
  daysOf,
  RANGES,
  type RangeName,
  REPORTS,
  type ReportName,
  type ReportsSearch,
  USUAL_RANGE,
  withPart,
  withRange,
} from './search';
import { OverTime, ResponseTime, WinRate } from './TimeReports';

const route = getRouteApi('/shell/reports');

const SOURCES = [
  { value: 'form', label: 'Forms' },
  { value: 'webhook', label: 'Webhooks' },
  { value: 'widget', label: 'Widgets' },
  { value: 'chat', label: 'Chats' },
  { value: 'manual', label: 'By hand' },
  { value: 'import', label: 'Imports' },
  { value: 'api', label: 'API' },
];

/** What leads add up to. */
export function ReportsPage() {
  const search = route.useSearch();
  const navigate = useNavigate({ from: '/reports' });
  const today = dayHere(Date.now());
  const go = (next: ReportsSearch) => void navigate({ search: next, replace: true });
  const name = search.report ?? 'over-time';
  const body: ReportBodyProps = { search, today, onChange: (key, value) => go(withPart(search, key, value)) };
  return (
    <PageBody>
      <PageHead title="Reports" />
      <Filters search={search} today={today} onGo={go} />
      <Tabs
        value={name}
        onChange={(value) =>
          void navigate({ search: withPart(search, 'report', value === 'over-time' ? null : (value as ReportName)) })
        }
        keepMounted={false}
      >
        <div className={classes.tabs}>
          <Tabs.List aria-label="Reports">
            {REPORTS.map(({ name: one, label }) => (
              <Tabs.Tab key={one} value={one}>
                {label}
              </Tabs.Tab>
            ))}
          </Tabs.List>
        </div>
        <Tabs.Panel value={name}>
          <Body name={name} {...body} />
        </Tabs.Panel>
      </Tabs>
    </PageBody>
  );
}

function Body({ name, ...body }: ReportBodyProps & { name: ReportName }) {
  switch (name) {
    case 'over-time':
      return <OverTime {...body} />;
    case 'funnel':
      return <Funnel {...body} />;
    case 'campaigns':
      return <Campaigns {...body} />;
    case 'response-time':
      return <ResponseTime {...body} />;
    case 'win-rate':
      return <WinRate {...body} />;
    case 'sources':
    case 'people':
    case 'projects':
      return <Groups key={name} name={name} {...body} />;
  }
}

interface FiltersProps {
  search: ReportsSearch;
  today: string;
  onGo: (next: ReportsSearch) => void;
}

function Filters({ search, today, onGo }: FiltersProps) {
  const projects = useQuery(projectsQuery).data ?? [];
  const pipelines = useQuery(pipelinesQuery).data ?? [];
  const members = useQuery(membersQuery).data ?? [];
  const set = <Key extends keyof ReportsSearch>(key: Key, value: ReportsSearch[Key] | null) =>
    onGo(withPart(search, key, value));
  const named = (list: { id: string; name: string }[]) => list.map(({ id, name }) => ({ value: id, label: name }));
  const days = daysOf(search, today);
  return (
    <div className={classes.filters}>
      <Select
        className={classes.choice}
        size="xs"
        aria-label="Days"
        allowDeselect={false}
        data={RANGES.map(({ name, label }) => ({ value: name, label }))}
        value={search.range ?? USUAL_RANGE}
        onChange={(value) => value && onGo(withRange(search, value as RangeName, today))}
      />
      {search.range === 'own' &&
        (['from', 'to'] as const).map((key) => (
          <TextInput
            key={key}
            type="date"
            className={classes.day}
            size="xs"
            aria-label={key === 'from' ? 'First day' : 'Last day'}
            value={days[key]}
            min={key === 'to' ? days.from : undefined}
            max={key === 'from' ? days.to : undefined}
            onChange={(event) => event.currentTarget.value && set(key, event.currentTarget.value)}
          />
        ))}
      <Select
        className={classes.choice}
        size="xs"
        aria-label="Compare with"
        placeholder="Compare with"
        clearable
        data={COMPARISONS.map(({ name, label }) => ({ value: name, label }))}
        value={search.compare ?? null}
        onChange={(value) => set('compare', value as ReportsSearch['compare'] | null)}
      />
      {pipelines.length > 1 && (
        <Select
          className={classes.choice}
          size="xs"
          aria-label="Pipeline"
          placeholder={search.report === 'funnel' ? 'Default pipeline' : 'Any pipeline'}
          clearable
          data={named(pipelines)}
          value={search.pipelineId ?? null}
          onChange={(value) => set('pipelineId', value)}
        />
      )}
      {projects.length > 1 && (
        <Select
          className={classes.choice}
          size="xs"
          aria-label="Project"
          placeholder="Any project"
          clearable
          searchable
          data={named(projects)}
          value={search.projectId ?? null}
          onChange={(value) => set('projectId', value)}
        />
      )}
      <Select
        className={classes.choice}
        size="xs"
        aria-label="Source"
        placeholder="Any source"
        clearable
        data={SOURCES}
        value={search.source ?? null}
        onChange={(value) => set('source', value)}
      />
      <Select
        className={classes.choice}
        size="xs"
        aria-label="Owner"
        placeholder="Anybody's"
        clearable
        searchable
        data={[{ value: 'none', label: "Nobody's" }, ...named(members)]}
        value={search.assignedTo ?? null}
        onChange={(value) => set('assignedTo', value)}
      />
    </div>
  );
}
