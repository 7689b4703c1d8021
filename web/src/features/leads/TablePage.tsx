import { Button, Checkbox, Skeleton, Table, UnstyledButton } from '@mantine/core';
import { useLocalStorage, useMediaQuery } from '@mantine/hooks';
import { IconColumns3, IconFileImport, IconSortAscending, IconSortDescending } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { type MouseEvent, useEffect, useMemo, useRef, useState } from 'react';
import { filterFieldsQuery, pipelinesQuery } from '@/api/lookups';
import { usePermits } from '@/api/session';
import type { Card, FilterField, LeadPage, Stage } from '@/api/shapes';
import { usePollInterval } from '@/lib/live';
import { formatCount, plural } from '@/lib/text';
import { Dot, Empty, Failure, Tag, Time } from '@/ui/basics';
import { ExportMenu } from '@/ui/ExportMenu';
import { FromFirstUse, later } from '@/ui/onDemand';
import { Pager } from '@/ui/Pager';
import { Score, Suspicion } from '@/ui/Score';
import { AddLeadButton } from './AddLeadButton';
import { BulkBar } from './BulkBar';
import { customKeys, listOf } from './cardFields';
import { allColumns, type Column, sortsUpwards, USUAL } from './columns';
import { Depth } from './Depth';
import { FieldMenu } from './FieldMenu';
import { FilterRow } from './FilterRow';
import {
  bulkQuery,
  filterQuery,
  hasFilters,
  readFilters,
  type SortKey,
  type TableSearch,
  withFilter,
  withoutFilters,
} from './filters';
import { NoSources } from './NoSources';
import { exactListQuery, leadListQuery, TABLE_PAGE, viewsQuery } from './queries';
import { setSequence } from './sequence';
import classes from './Table.module.css';
import { ViewHead } from './ViewHead';
import { ViewMenu } from './ViewMenu';

const LeadPanel = later(() => import('./LeadPanel'));
const route = getRouteApi('/shell/leads');
const SKELETON_ROWS = Array.from({ length: 12 }, (_, index) => index);

const NO_FIELDS: FilterField[] = [];

export function TablePage() {
  const search = route.useSearch();
  const navigate = useNavigate({ from: '/leads' });
  const refetchInterval = usePollInterval();
  const permits = usePermits();
  const fields = useQuery(filterFieldsQuery).data ?? NO_FIELDS;
  const view = useQuery(viewsQuery).data?.find(({ id }) => id === search.view);
  const [own, setOwn] = useLocalStorage<string[]>({ key: 'leadline-table-columns', defaultValue: USUAL });
  const shown = listOf(search.columns) ?? view?.columns ?? own;
  const filters = readFilters({ ...search });
  // Out of all leads, as long as the same is asked for.
  const order = JSON.stringify([filters, search.sortBy, search.sortOrder]);
  const [exact, setExact] = useState<string | null>(null);
  const isExact = exact === order;
  const newest = useQuery({ ...leadListQuery(search, customKeys(shown)), refetchInterval, enabled: !isExact });
  const all = useQuery({ ...exactListQuery(search, customKeys(shown)), enabled: isExact });
  const list = isExact && all.data ? all : newest;
  const rows = list.data?.data;
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  // Beyond the page: all that match the filters, as long as those stay the same.
  const [everything, setEverything] = useState<string | null>(null);
  const asked = JSON.stringify(bulkQuery(filters));
  const isEverything = everything === asked;
  const isPhone = useMediaQuery('(max-width: 48em)');
  const choices = allColumns(fields);
  const columns = shown.flatMap((key) => choices.find((column) => column.key === key) ?? []);
  // Of a view, the choice belongs to what may be saved; else it is this browser's.
  const show = (next: string[] | undefined) => {
    if (view) void navigate({ search: (old) => ({ ...old, columns: next?.join(',') }), replace: true });
    else setOwn(next ?? USUAL);
  };
  const stages = useStages();

  useEffect(() => {
    if (rows) setSequence(rows.map(({ id }) => id));
  }, [rows]);

  const open = (lead: string | undefined) =>
    void navigate({ search: (old) => ({ ...old, lead }), replace: lead === undefined });
  const sort = (sortBy: SortKey) => void navigate({ search: (old) => sorted(old, sortBy) });
  const select = (next: ReadonlySet<string>) => {
    setEverything(null);
    setSelected(next);
  };
  const page = (to: number) => {
    select(new Set());
    void navigate({ search: (old) => ({ ...old, page: to > 1 ? to : undefined }) });
  };
  // Only what is on this page can be acted on.
  const total = list.data && formatCount(list.data.total, list.data.totalIsCapped);
  const visible = useMemo(
    () => (rows ?? []).filter(({ id }) => selected.has(id)).map(({ id }) => id),
    [rows, selected],
  );
  const isWholePage = list.data && rows && visible.length === rows.length && list.data.total > rows.length;

  return (
    <div className={classes.view}>
      <ViewHead
        title="Leads"
        filters={{ ...filters, view: search.view, columns: search.columns, cards: search.cards }}
        menu={
          <ViewMenu
            layout="table"
            search={search}
            columns={shown}
            cardFields={listOf(search.cards) ?? view?.cardFields ?? null}
          />
        }
      >
        <Button
          component={Link}
          to="/imports"
          variant="default"
          leftSection={<IconFileImport size={14} />}
          visibleFrom="sm"
        >
          Import
        </Button>
        {!isPhone && permits.can('pii:view') && (
          <Button variant="subtle" size="compact-sm" mr="xs" onClick={() => void navigate({ to: '/duplicates' })}>
            Find duplicates
          </Button>
        )}
        <AddLeadButton pipelineId={filters.pipelineId} onAdded={(lead) => open(lead.id)} />
      </ViewHead>
      <FilterRow
        filters={filters}
        onFilter={(name, value) => void navigate({ search: (old) => withFilter(old, name, value), replace: true })}
        onClear={() => void navigate({ search: (old) => withoutFilters(old) })}
        // None among the newest says nothing of how many there are.
        count={list.data && (list.data.total > 0 || !list.data.lookedThrough) ? countOf(list.data) : undefined}
      >
        <ExportMenu
          path="/v1/identity/leads/export"
          query={{
            ...filterQuery(filters),
            customFields: undefined,
            sortBy: search.sortBy,
            sortOrder: search.sortOrder,
            columns: ['name', ...columns.map(({ key }) => key)].join(','),
          }}
        />
        {!isPhone && (
          <FieldMenu
            label="Columns"
            icon={<IconColumns3 size={16} />}
            choices={allColumns}
            shown={shown}
            onChange={show}
            onReset={() => show(undefined)}
          />
        )}
      </FilterRow>
      {list.isError && !list.data && <Failure error={list.error} retry={() => void list.refetch()} />}
      {list.data?.total === 0 && !hasFilters(filters) && <NoSources />}
      <Depth
        lookedThrough={newest.data?.lookedThrough ?? undefined}
        isExact={isExact}
        isLooking={all.isFetching}
        error={all.error}
        look={() => (isExact ? void all.refetch() : setExact(order))}
      />
      {list.data?.total === 0 && hasFilters(filters) && (
        <Empty title={list.data.lookedThrough ? 'None of these matches the filters' : 'No lead matches these filters'}>
          Take one away, or clear them all.
        </Empty>
      )}
      {list.data?.total !== 0 && !list.isError && (
        <div className={classes.scroll} aria-busy={list.isPlaceholderData}>
          {isWholePage && !list.isPlaceholderData && (
            <div className={classes.everything} aria-live="polite">
              {isEverything
                ? `All ${total} leads that match are selected.`
                : `All ${rows.length} on this page are selected.`}
              <Button variant="subtle" size="compact-sm" onClick={() => setEverything(isEverything ? null : asked)}>
                {isEverything ? 'Select only this page' : `Select all ${total} that match`}
              </Button>
            </div>
          )}
          {isPhone ? (
            <PhoneList rows={rows} stages={stages} onOpen={open} />
          ) : (
            <LeadTable
              rows={rows}
              columns={columns}
              stages={stages}
              search={search}
              selected={selected}
              onSelect={select}
              onSort={sort}
              onOpen={open}
            />
          )}
          <div className={classes.pager}>
            {list.data && (
              <Pager
                page={search.page ?? 1}
                limit={TABLE_PAGE}
                total={list.data.total}
                totalIsCapped={list.data.totalIsCapped}
                onPage={page}
              />
            )}
          </div>
        </div>
      )}
      {visible.length > 0 && (
        <BulkBar
          target={isEverything ? { query: bulkQuery(filters) } : { leadIds: visible }}
          count={isEverything ? `All ${total} leads` : plural(visible.length, 'lead')}
          onDone={() => {
            select(new Set());
            if (isExact) void all.refetch();
          }}
        />
      )}
      <FromFirstUse isOpen={search.lead !== undefined}>
        {(isOpen) => <LeadPanel id={isOpen ? search.lead : undefined} onClose={() => open(undefined)} onGo={open} />}
      </FromFirstUse>
    </div>
  );
}

const countOf = ({ total, totalIsCapped }: LeadPage) => plural(total, 'lead') + (totalIsCapped ? '+' : '');

function useStages(): Map<string, Stage> {
  const pipelines = useQuery(pipelinesQuery).data;
  return useMemo(
    () => new Map((pipelines ?? []).flatMap(({ stages }) => stages.map((stage) => [stage.id, stage] as const))),
    [pipelines],
  );
}

/** A second click on a column turns it round. */
function sorted(search: TableSearch, sortBy: SortKey): TableSearch {
  const current = search.sortBy ?? 'createdAt';
  const first = sortsUpwards(sortBy) ? 'asc' : 'desc';
  const turned = (search.sortOrder ?? 'desc') === 'desc' ? 'asc' : 'desc';
  return { ...search, page: undefined, sortBy, sortOrder: current === sortBy ? turned : first };
}

interface LeadTableProps {
  rows: Card[] | undefined;
  columns: Column[];
  stages: Map<string, Stage>;
  search: TableSearch;
  selected: ReadonlySet<string>;
  onSelect: (selected: ReadonlySet<string>) => void;
  onSort: (key: SortKey) => void;
  onOpen: (id: string) => void;
}

function LeadTable({ rows, columns, stages, search, selected, onSelect, onSort, onOpen }: LeadTableProps) {
  const lastClicked = useRef<number | null>(null);
  const all = rows ?? [];
  const allSelected = all.length > 0 && all.every(({ id }) => selected.has(id));
  const toggle = (index: number, withRange: boolean) => {
    const next = new Set(selected);
    const from = withRange && lastClicked.current !== null ? lastClicked.current : index;
    const turnOn = !selected.has(all[index]?.id ?? '');
    for (const { id } of all.slice(Math.min(from, index), Math.max(from, index) + 1)) {
      if (turnOn) next.add(id);
      else next.delete(id);
    }
    lastClicked.current = index;
    onSelect(next);
  };
  const openRow = (event: MouseEvent, id: string) => {
    if (!(event.target as HTMLElement).closest('a, button, input, label')) onOpen(id);
  };
  const header = (label: string, key?: SortKey) => (
    <SortHeader key={label} label={label} sort={key} search={search} onSort={onSort} />
  );
  return (
    <Table stickyHeader verticalSpacing={5} highlightOnHover className={classes.table}>
      <Table.Thead>
        <Table.Tr>
          <Table.Th w={36}>
            <Checkbox
              size="xs"
              aria-label="Select all leads on this page"
              checked={allSelected}
              indeterminate={!allSelected && all.some(({ id }) => selected.has(id))}
              onChange={() => onSelect(allSelected ? new Set() : new Set(all.map(({ id }) => id)))}
            />
          </Table.Th>
          {header('Name', 'name')}
          {columns.map(({ label, sort }) => header(label, sort))}
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {!rows && SKELETON_ROWS.map((row) => <SkeletonRow key={row} cells={columns.length + 2} />)}
        {all.map((card, index) => (
          <Table.Tr
            key={card.id}
            className={classes.row}
            data-selected={selected.has(card.id) || undefined}
            onClick={(event) => openRow(event, card.id)}
          >
            <Table.Td>
              <Checkbox
                size="xs"
                aria-label={`Select ${card.name}`}
                checked={selected.has(card.id)}
                onChange={(event) => toggle(index, (event.nativeEvent as globalThis.MouseEvent).shiftKey)}
              />
            </Table.Td>
            <Table.Td>
              <span className={classes.name}>
                <Link to="/leads/$leadId" params={{ leadId: card.id }}>
                  {card.name}
                </Link>
                <Suspicion suspicion={card.suspicion} />
                {card.isTest && <Tag>test</Tag>}
              </span>
            </Table.Td>
            {columns.map(({ key, render }) => (
              <Table.Td key={key}>{render(card, stages.get(card.stageId))}</Table.Td>
            ))}
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}

function SkeletonRow({ cells }: { cells: number }) {
  return (
    <Table.Tr>
      {Array.from({ length: cells }, (_, index) => index).map((cell) => (
        <Table.Td key={cell}>
          <Skeleton h={14} />
        </Table.Td>
      ))}
    </Table.Tr>
  );
}

interface SortHeaderProps {
  label: string;
  sort?: SortKey;
  search: TableSearch;
  onSort: (key: SortKey) => void;
}

function SortHeader({ label, sort, search, onSort }: SortHeaderProps) {
  if (!sort) return <Table.Th>{label}</Table.Th>;
  const active = (search.sortBy ?? 'createdAt') === sort;
  const ascending = search.sortOrder === 'asc';
  const Icon = ascending ? IconSortAscending : IconSortDescending;
  return (
    <Table.Th aria-sort={active ? (ascending ? 'ascending' : 'descending') : 'none'}>
      <UnstyledButton className={classes.sort} onClick={() => onSort(sort)}>
        {label}
        {active && <Icon size={14} aria-hidden="true" />}
      </UnstyledButton>
    </Table.Th>
  );
}

function PhoneList({
  rows,
  stages,
  onOpen,
}: {
  rows: Card[] | undefined;
  stages: Map<string, Stage>;
  onOpen: (id: string) => void;
}) {
  if (!rows) return <Skeleton h={400} m="md" />;
  return (
    <ul className={classes.phoneList}>
      {rows.map((card) => {
        const stage = stages.get(card.stageId);
        return (
          <li key={card.id}>
            <button type="button" onClick={() => onOpen(card.id)}>
              <span className={classes.phoneLine}>
                <strong>{card.name}</strong>
                <Score score={card.score} />
              </span>
              <span className={classes.phoneLine}>
                <span className={classes.phoneSub}>
                  {stage && <Dot color={stage.color} />} {stage?.name} · {card.company ?? card.sourceName}
                </span>
                <span className={classes.phoneAge}>
                  <Time at={card.createdAt} />
                </span>
              </span>
            </button>
          </li>
        );
      })}
    </ul>
  );
}
