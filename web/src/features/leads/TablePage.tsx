import { ActionIcon, Button, Checkbox, Menu, Skeleton, Table, UnstyledButton } from '@mantine/core';
import { useLocalStorage, useMediaQuery } from '@mantine/hooks';
import { IconColumns3, IconSortAscending, IconSortDescending } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { type MouseEvent, type ReactNode, useEffect, useMemo, useRef, useState } from 'react';
import { pipelinesQuery } from '@/api/lookups';
import type { Card, Stage } from '@/api/shapes';
import { usePollInterval } from '@/lib/live';
import { formatCount, plural } from '@/lib/text';
import { Avatar, Dot, Empty, Failure, State, Tag, Time } from '@/ui/basics';
import { Pager } from '@/ui/Pager';
import { Score, Suspicion } from '@/ui/Score';
import { AddLeadButton } from './AddLeadButton';
import { BulkBar } from './BulkBar';
import { FilterRow } from './FilterRow';
import { hasFilters, readFilters, type SortKey, type TableSearch, withFilter, withoutFilters } from './filters';
import { LeadPanel } from './LeadPanel';
import { NoSources } from './NoSources';
import { leadListQuery, TABLE_PAGE } from './queries';
import { setSequence } from './sequence';
import classes from './Table.module.css';
import { ViewHead } from './ViewHead';

const route = getRouteApi('/shell/leads');
const SKELETON_ROWS = Array.from({ length: 12 }, (_, index) => index);

interface Column {
  key: string;
  label: string;
  sort?: SortKey;
  render: (card: Card, stage: Stage | undefined) => ReactNode;
}

const COLUMNS: Column[] = [
  { key: 'stage', label: 'Stage', render: (_card, stage) => stage && <State color={stage.color}>{stage.name}</State> },
  { key: 'score', label: 'Score', sort: 'score', render: ({ score }) => <Score score={score} /> },
  { key: 'company', label: 'Company', render: ({ company }) => company },
  { key: 'email', label: 'E-mail', render: ({ email }) => email },
  { key: 'phone', label: 'Phone', render: ({ phone, phoneDisplay }) => phoneDisplay ?? phone },
  { key: 'source', label: 'Source', render: ({ sourceName }) => sourceName },
  {
    key: 'tags',
    label: 'Tags',
    render: ({ tags }) => (
      <span className={classes.tags}>
        {tags.slice(0, 2).map((tag) => (
          <Tag key={tag}>{tag}</Tag>
        ))}
        {tags.length > 2 && <span title={tags.join(', ')}>+{tags.length - 2}</span>}
      </span>
    ),
  },
  {
    key: 'assigned',
    label: 'Assigned',
    render: ({ assignedToName }) =>
      assignedToName && (
        <span className={classes.tags}>
          <Avatar name={assignedToName} /> {assignedToName}
        </span>
      ),
  },
  {
    key: 'lastSubmission',
    label: 'Last submission',
    sort: 'lastSubmissionAt',
    render: ({ lastSubmissionAt }) => <Time at={lastSubmissionAt} />,
  },
  { key: 'created', label: 'Created', sort: 'createdAt', render: ({ createdAt }) => <Time at={createdAt} /> },
];

const HIDDEN_AT_FIRST = ['phone', 'lastSubmission'];

export function TablePage() {
  const search = route.useSearch();
  const navigate = useNavigate({ from: '/leads' });
  const refetchInterval = usePollInterval();
  const list = useQuery({ ...leadListQuery(search), refetchInterval });
  const rows = list.data?.data;
  const filters = readFilters({ ...search });
  const [hidden, setHidden] = useLocalStorage({ key: 'leadline-table-hidden', defaultValue: HIDDEN_AT_FIRST });
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const isPhone = useMediaQuery('(max-width: 48em)');
  const columns = COLUMNS.filter(({ key }) => !hidden.includes(key));
  const stages = useStages();

  useEffect(() => {
    if (rows) setSequence(rows.map(({ id }) => id));
  }, [rows]);

  const open = (lead: string | undefined) =>
    void navigate({ search: (old) => ({ ...old, lead }), replace: lead === undefined });
  const sort = (sortBy: SortKey) => void navigate({ search: (old) => sorted(old, sortBy) });
  const page = (to: number) => {
    setSelected(new Set());
    void navigate({ search: (old) => ({ ...old, page: to > 1 ? to : undefined }) });
  };
  // Only what is on this page can be acted on.
  const visible = useMemo(
    () => (rows ?? []).filter(({ id }) => selected.has(id)).map(({ id }) => id),
    [rows, selected],
  );

  return (
    <div className={classes.view}>
      <ViewHead title="Leads" filters={filters}>
        <AddLeadButton pipelineId={filters.pipelineId} onAdded={(lead) => open(lead.id)} />
      </ViewHead>
      <FilterRow
        filters={filters}
        onFilter={(name, value) => void navigate({ search: (old) => withFilter(old, name, value), replace: true })}
        onClear={() => void navigate({ search: (old) => withoutFilters(old) })}
        count={list.data && plural(list.data.total, 'lead') + (list.data.totalIsCapped ? '+' : '')}
      >
        {!isPhone && <ColumnMenu hidden={hidden} onChange={setHidden} />}
      </FilterRow>
      {list.isError && !list.data && <Failure error={list.error} retry={() => void list.refetch()} />}
      {list.data?.total === 0 && !hasFilters(filters) && <NoSources />}
      {list.data?.total === 0 && hasFilters(filters) && (
        <Empty title="No lead matches these filters">Take one away, or clear them all.</Empty>
      )}
      {list.data?.total !== 0 && !list.isError && (
        <div className={classes.scroll}>
          {isPhone ? (
            <PhoneList rows={rows} stages={stages} onOpen={open} />
          ) : (
            <LeadTable
              rows={rows}
              columns={columns}
              stages={stages}
              search={search}
              selected={selected}
              onSelect={setSelected}
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
      <BulkBar leadIds={visible} onDone={() => setSelected(new Set())} />
      <LeadPanel id={search.lead} onClose={() => open(undefined)} onGo={open} />
    </div>
  );
}

function useStages(): Map<string, Stage> {
  const pipelines = useQuery(pipelinesQuery).data;
  return useMemo(
    () => new Map((pipelines ?? []).flatMap(({ stages }) => stages.map((stage) => [stage.id, stage] as const))),
    [pipelines],
  );
}

/** A second click on a column turns it round; text starts at A, the rest with the highest. */
function sorted(search: TableSearch, sortBy: SortKey): TableSearch {
  const current = search.sortBy ?? 'createdAt';
  const first = sortBy === 'name' ? 'asc' : 'desc';
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

function ColumnMenu({ hidden, onChange }: { hidden: string[]; onChange: (hidden: string[]) => void }) {
  return (
    <Menu closeOnItemClick={false} position="bottom-end">
      <Menu.Target>
        <ActionIcon variant="default" size={30} aria-label="Columns" title="Columns">
          <IconColumns3 size={16} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>Columns ({formatCount(COLUMNS.length - hidden.length)} shown)</Menu.Label>
        {COLUMNS.map(({ key, label }) => (
          <Menu.CheckboxItem
            key={key}
            checked={!hidden.includes(key)}
            onChange={(checked) => onChange(checked ? hidden.filter((each) => each !== key) : [...hidden, key])}
          >
            {label}
          </Menu.CheckboxItem>
        ))}
        <Menu.Divider />
        <Button variant="subtle" size="compact-xs" fullWidth onClick={() => onChange(HIDDEN_AT_FIRST)}>
          Reset
        </Button>
      </Menu.Dropdown>
    </Menu>
  );
}
