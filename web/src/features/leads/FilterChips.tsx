import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { filterFieldsQuery, membersQuery, pipelinesQuery, projectsQuery, segmentsQuery } from '@/api/lookups';
import type { FilterField } from '@/api/shapes';
import { sourceLabel } from '@/lib/sources';
import { Chip } from '@/ui/Chip';
import { conditionsOf, conditionWords, isGroup, type Node, readFilter, writeFilter } from '@/ui/filter/conditions';
import { useFieldOptions } from '@/ui/filter/fieldOptions';
import classes from './FilterRow.module.css';
import { chipsOf, type LeadFilters } from './filters';

interface FilterChipsProps {
  filters: LeadFilters;
  onFilter: (key: keyof LeadFilters, value: string | null) => void;
  onClear: () => void;
  onBuild: () => void;
}

/** What is filtered by, in words, each with a cross. */
export function FilterChips({ filters, onFilter, onClear, onBuild }: FilterChipsProps) {
  const labels = useFilterLabels();
  const words = useConditionWords();
  const chips = chipsOf(filters);
  const tree = readFilter(filters.filter);
  // One chip stands for each condition that must hold; of others, for all of them together.
  const parts: Node[] = tree?.match === 'all' ? tree.children : tree ? [tree] : [];
  const without = (part: Node) =>
    onFilter('filter', writeFilter({ match: 'all', children: parts.filter((each) => each !== part) }) ?? null);
  return (
    <div className={classes.chips}>
      {chips.map((key) => {
        const label = labels(key, filters[key] ?? '');
        return (
          <Chip key={key} label={label} onRemove={() => onFilter(key, null)}>
            {label}
          </Chip>
        );
      })}
      {parts.map((part) => (
        <Chip key={JSON.stringify(part)} label={words(part)} onRemove={() => without(part)}>
          <button type="button" className={classes.chip} onClick={onBuild}>
            {words(part)}
          </button>
        </Chip>
      ))}
      <Button variant="subtle" size="compact-xs" onClick={onClear}>
        Clear all
      </Button>
    </div>
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
