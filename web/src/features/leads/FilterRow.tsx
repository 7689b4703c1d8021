import { ActionIcon, Button, CloseButton, Menu, Pill, TextInput, UnstyledButton } from '@mantine/core';
import { useDebouncedCallback, useMediaQuery } from '@mantine/hooks';
import { IconFilter, IconFilterFilled, IconSearch } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import {
  defaultPipeline,
  filterFieldsQuery,
  membersQuery,
  pipelinesQuery,
  projectsQuery,
  segmentsQuery,
} from '@/api/lookups';
import type { FilterField } from '@/api/shapes';
import { SOURCES, sourceLabel } from '@/lib/sources';
import {
  conditionsOf,
  conditionWords,
  emptyGroup,
  isGroup,
  type Node,
  readFilter,
  writeFilter,
} from '@/ui/filter/conditions';
import { FilterBuilder } from '@/ui/filter/FilterBuilder';
import { useFieldOptions } from '@/ui/filter/fieldOptions';
import classes from './FilterRow.module.css';
import { FILTER_KEYS, hasFilters, type LeadFilters } from './filters';

const SEARCH_DELAY_MS = 250;

interface FilterRowProps {
  filters: LeadFilters;
  onFilter: (key: keyof LeadFilters, value: string | null) => void;
  onClear: () => void;
  count: ReactNode;
  children?: ReactNode;
}

export function FilterRow({ filters, onFilter, onClear, count, children }: FilterRowProps) {
  const labels = useFilterLabels();
  const isPhone = useMediaQuery('(max-width: 48em)');
  const chips = FILTER_KEYS.filter((key) => key !== 'search' && key !== 'filter' && filters[key] !== undefined);
  const tree = readFilter(filters.filter);
  const [building, setBuilding] = useState(false);
  const words = useConditionWords();
  const active = chips.length + (tree ? conditionsOf(tree).length : 0);
  // One chip stands for each condition that must hold; of others, for all of them together.
  const parts: Node[] = tree?.match === 'all' ? tree.children : tree ? [tree] : [];
  const without = (part: Node) =>
    onFilter('filter', writeFilter({ match: 'all', children: parts.filter((each) => each !== part) }) ?? null);
  return (
    <div className={classes.wrap}>
      <div className={classes.row}>
        <SearchBox value={filters.search ?? ''} onChange={(text) => onFilter('search', text)} />
        <FilterMenu
          filters={filters}
          onFilter={onFilter}
          iconOnly={isPhone ?? false}
          active={active}
          onBuild={() => setBuilding(true)}
        />
        <span className={classes.count}>{count}</span>
        <div className={classes.end}>{children}</div>
      </div>
      {hasFilters(filters) && (
        <div className={classes.chips}>
          {chips.map((key) => (
            <Pill
              key={key}
              withRemoveButton
              size="sm"
              removeButtonProps={{ 'aria-label': `Remove the filter ${labels(key, filters[key] ?? '')}`, tabIndex: 0 }}
              onRemove={() => onFilter(key, null)}
            >
              {labels(key, filters[key] ?? '')}
            </Pill>
          ))}
          {parts.map((part) => (
            <Pill
              key={JSON.stringify(part)}
              withRemoveButton
              size="sm"
              removeButtonProps={{ 'aria-label': `Remove the filter ${words(part)}`, tabIndex: 0 }}
              onRemove={() => without(part)}
            >
              <button type="button" className={classes.chip} onClick={() => setBuilding(true)}>
                {words(part)}
              </button>
            </Pill>
          ))}
          <Button variant="subtle" size="compact-xs" onClick={onClear}>
            Clear all
          </Button>
        </div>
      )}
      <FilterBuilder
        opened={building}
        filter={tree}
        onClose={() => setBuilding(false)}
        onApply={(group) => {
          setBuilding(false);
          onFilter('filter', writeFilter(group ?? emptyGroup()) ?? null);
        }}
      />
    </div>
  );
}

function SearchBox({ value, onChange }: { value: string; onChange: (text: string) => void }) {
  const [draft, setDraft] = useState(value);
  const [seen, setSeen] = useState(value);
  const [sent, setSent] = useState(value);
  const send = useDebouncedCallback((text: string) => {
    setSent(text.trim());
    onChange(text.trim());
  }, SEARCH_DELAY_MS);
  // The URL may change under the box (back, "Clear all"); what is being typed wins over its own echo.
  if (value !== seen) {
    setSeen(value);
    if (value !== sent) setDraft(value);
  }
  const clear = () => {
    setDraft('');
    setSent('');
    onChange('');
  };
  return (
    <TextInput
      className={classes.search}
      size="xs"
      aria-label="Search leads"
      placeholder="Name, e-mail, phone, company"
      leftSection={<IconSearch size={14} />}
      value={draft}
      data-page-search
      rightSection={draft !== '' && <CloseButton size="xs" aria-label="Clear the search" onClick={clear} />}
      onChange={(event) => {
        setDraft(event.currentTarget.value);
        send(event.currentTarget.value);
      }}
    />
  );
}

interface FilterMenuProps {
  filters: LeadFilters;
  onFilter: (key: keyof LeadFilters, value: string | null) => void;
  iconOnly: boolean;
  active: number;
  onBuild: () => void;
}

function FilterMenu({ filters, onFilter, iconOnly, active, onBuild }: FilterMenuProps) {
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
    <Menu position="bottom-start" closeOnItemClick>
      <Menu.Target>
        {iconOnly ? (
          <ActionIcon variant="default" size={30} aria-label={active > 0 ? `Filter, ${active} set` : 'Filter'}>
            {active > 0 ? <IconFilterFilled size={16} /> : <IconFilter size={16} />}
          </ActionIcon>
        ) : (
          <Button variant="default" leftSection={<IconFilter size={14} />}>
            Filter
          </Button>
        )}
      </Menu.Target>
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

const NO_FIELDS: FilterField[] = [];

/** The words on a chip for conditions. */
export function useConditionWords() {
  const fields = useQuery(filterFieldsQuery).data ?? NO_FIELDS;
  const options = useFieldOptions();
  const nameOf = (name: string, value: string) => {
    const field = fields.find((each) => each.name === name);
    const known = field && options(field).find((option) => option.value === value);
    return known?.label ?? (field?.kind === 'id' ? '…' : value);
  };
  const words = (node: Node): string => {
    if (!isGroup(node)) {
      const field = fields.find(({ name }) => name === node.field);
      return conditionWords(node, field, nameOf);
    }
    const [only] = node.children;
    if (only && node.children.length === 1) return words(only);
    return `${node.match === 'any' ? 'Any' : 'All'} of ${conditionsOf(node).length} conditions`;
  };
  return words;
}

/** The words on a chip. */
function useFilterLabels() {
  const members = useQuery(membersQuery).data ?? [];
  const projects = useQuery(projectsQuery).data ?? [];
  const pipelines = useQuery(pipelinesQuery).data ?? [];
  const segments = useQuery(segmentsQuery).data ?? [];
  const nameOf = (list: { id: string; name: string }[], id: string) =>
    list.find((entry) => entry.id === id)?.name ?? '…';
  return (key: keyof LeadFilters, value: string): string => {
    switch (key) {
      case 'search':
      case 'filter':
      case 'customFields':
        return value;
      case 'source':
        return `Source: ${sourceLabel(value)}`;
      case 'assignedTo':
        if (value === 'me') return 'Assigned to me';
        if (value === 'none') return 'Not assigned';
        return `Assigned to ${nameOf(members, value)}`;
      case 'tag':
        return `Tag: ${value}`;
      case 'projectId':
        return `Project: ${nameOf(projects, value)}`;
      case 'stageId':
        return `Stage: ${nameOf(
          pipelines.flatMap(({ stages }) => stages),
          value,
        )}`;
      case 'segmentId':
        return `Segment: ${nameOf(segments, value)}`;
      case 'pipelineId':
        return `Pipeline: ${nameOf(pipelines, value)}`;
    }
  };
}
