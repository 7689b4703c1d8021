import { ActionIcon, Button, CloseButton, TextInput } from '@mantine/core';
import { useDebouncedCallback, useMediaQuery } from '@mantine/hooks';
import { IconFilter, IconFilterFilled, IconSearch } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useEffect, useState } from 'react';
import { filterFieldsQuery, membersQuery, projectsQuery, segmentsQuery } from '@/api/lookups';
import { useSettled } from '@/lib/settled';
import { conditionsOf, emptyGroup, readFilter, writeFilter } from '@/ui/filter/conditions';
import { FromFirstUse, later, OnDemand } from '@/ui/onDemand';
import { FilterChips } from './FilterChips';
import classes from './FilterRow.module.css';
import { chipsOf, hasFilters, type LeadFilters } from './filters';

const FilterList = later(() => import('./FilterList'));
const FilterBuilder = later(() =>
  import('@/ui/filter/FilterBuilder').then((module) => ({ default: module.FilterBuilder })),
);

const SEARCH_DELAY_MS = 250;

interface FilterRowProps {
  filters: LeadFilters;
  onFilter: (key: keyof LeadFilters, value: string | null) => void;
  onClear: () => void;
  count: ReactNode;
  children?: ReactNode;
}

export function FilterRow({ filters, onFilter, onClear, count, children }: FilterRowProps) {
  const isPhone = useMediaQuery('(max-width: 48em)');
  const tree = readFilter(filters.filter);
  const [building, setBuilding] = useState(false);
  const active = chipsOf(filters).length + (tree ? conditionsOf(tree).length : 0);
  useLookupsLater();
  return (
    <div className={classes.wrap}>
      <div className={classes.row}>
        <SearchBox value={filters.search ?? ''} onChange={(text) => onFilter('search', text)} />
        <OnDemand
          menu={(control) => (
            <FilterList filters={filters} onFilter={onFilter} onBuild={() => setBuilding(true)}>
              {control}
            </FilterList>
          )}
        >
          {isPhone ? (
            <ActionIcon variant="default" size={30} aria-label={active > 0 ? `Filter, ${active} set` : 'Filter'}>
              {active > 0 ? <IconFilterFilled size={16} /> : <IconFilter size={16} />}
            </ActionIcon>
          ) : (
            <Button variant="default" leftSection={<IconFilter size={14} />}>
              Filter
            </Button>
          )}
        </OnDemand>
        <span className={classes.count}>{count}</span>
        <div className={classes.end}>{children}</div>
      </div>
      {hasFilters(filters) && (
        <FilterChips filters={filters} onFilter={onFilter} onClear={onClear} onBuild={() => setBuilding(true)} />
      )}
      <FromFirstUse isOpen={building}>
        {(isOpen) => (
          <FilterBuilder
            opened={isOpen}
            filter={tree}
            onClose={() => setBuilding(false)}
            onApply={(group) => {
              setBuilding(false);
              onFilter('filter', writeFilter(group ?? emptyGroup()) ?? null);
            }}
          />
        )}
      </FromFirstUse>
    </div>
  );
}

/** What the menu of filters names, so that it is there when the menu is opened. */
function useLookupsLater() {
  const settled = useSettled();
  const client = useQueryClient();
  useEffect(() => {
    if (!settled) return;
    void client.prefetchQuery(membersQuery);
    void client.prefetchQuery(projectsQuery);
    void client.prefetchQuery(segmentsQuery);
    void client.prefetchQuery(filterFieldsQuery);
  }, [settled, client]);
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
