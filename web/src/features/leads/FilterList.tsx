import { Menu, TextInput, UnstyledButton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type ReactElement, type ReactNode, useState } from 'react';
import { defaultPipeline, membersQuery, pipelinesQuery, projectsQuery, segmentsQuery } from '@/api/lookups';
import { SOURCES } from '@/lib/sources';
import { useOpensAtOnce } from '@/ui/onDemand';
import classes from './FilterRow.module.css';
import type { LeadFilters } from './filters';

interface FilterListProps {
  filters: LeadFilters;
  onFilter: (key: keyof LeadFilters, value: string | null) => void;
  onBuild: () => void;
  children: ReactElement;
}

/** What can be filtered by, below its button. */
export default function FilterList({ filters, onFilter, onBuild, children }: FilterListProps) {
  const members = useQuery(membersQuery).data ?? [];
  const projects = useQuery(projectsQuery).data ?? [];
  const pipelines = useQuery(pipelinesQuery).data ?? [];
  const segments = useQuery(segmentsQuery).data ?? [];
  const stages = (pipelines.find(({ id }) => id === filters.pipelineId) ?? defaultPipeline(pipelines))?.stages ?? [];
  const item = (key: keyof LeadFilters, value: string, label: string) => (
    <Menu.Item key={value} fw={filters[key] === value ? 600 : undefined} onClick={() => onFilter(key, value)}>
      {label}
    </Menu.Item>
  );
  const sub = (title: string, items: ReactNode) => (
    <Menu.Sub>
      <Menu.Sub.Target>
        <Menu.Sub.Item>{title}</Menu.Sub.Item>
      </Menu.Sub.Target>
      <Menu.Sub.Dropdown mah={320} className={classes.dropdown}>
        {items}
      </Menu.Sub.Dropdown>
    </Menu.Sub>
  );
  return (
    <Menu position="bottom-start" closeOnItemClick {...useOpensAtOnce()}>
      <Menu.Target>{children}</Menu.Target>
      <Menu.Dropdown miw={180}>
        {sub(
          'Assigned to',
          <>
            {item('assignedTo', 'me', 'Me')}
            {item('assignedTo', 'none', 'Nobody')}
            {members.map(({ id, name }) => item('assignedTo', id, name))}
          </>,
        )}
        {sub(
          'Stage',
          stages.map(({ id, name }) => item('stageId', id, name)),
        )}
        {sub(
          'Source',
          SOURCES.map(({ value, label }) => item('source', value, label)),
        )}
        {sub(
          'Project',
          projects.map(({ id, name }) => item('projectId', id, name)),
        )}
        {segments.length > 0 &&
          sub(
            'Segment',
            segments.map(({ id, name }) => item('segmentId', id, name)),
          )}
        <Menu.Item onClick={onBuild}>Conditions…</Menu.Item>
        <Menu.Divider />
        <TagFilter value={filters.tag} onChange={(tag) => onFilter('tag', tag)} />
      </Menu.Dropdown>
    </Menu>
  );
}

function TagFilter({ value, onChange }: { value: string | undefined; onChange: (tag: string | null) => void }) {
  const [draft, setDraft] = useState(value ?? '');
  return (
    <form
      className={classes.tagForm}
      onSubmit={(event) => {
        event.preventDefault();
        onChange(draft.trim());
      }}
    >
      <TextInput
        size="xs"
        label="Tag"
        placeholder="Exact name, then Enter"
        value={draft}
        onChange={(event) => setDraft(event.currentTarget.value)}
        onKeyDown={(event) => event.stopPropagation()}
      />
      <UnstyledButton type="submit" className="visually-hidden" tabIndex={-1}>
        Filter by tag
      </UnstyledButton>
    </form>
  );
}
