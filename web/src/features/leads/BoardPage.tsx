import { Skeleton } from '@mantine/core';
import { IconLayoutCards } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { useCallback, useEffect, useMemo } from 'react';
import { usePollInterval } from '@/lib/live';
import { plural } from '@/lib/text';
import { Empty, Failure } from '@/ui/basics';
import { FromFirstUse, later } from '@/ui/onDemand';
import { AddLeadButton } from './AddLeadButton';
import { Board } from './Board';
import classes from './Board.module.css';
import { CardFields, cardChoices, customKeys, listOf } from './cardFields';
import { FieldMenu } from './FieldMenu';
import { FilterRow } from './FilterRow';
import { hasFilters, readFilters, withFilter, withoutFilters } from './filters';
import { NoSources } from './NoSources';
import { boardQuery, viewsQuery } from './queries';
import { setSequence } from './sequence';
import { ViewHead } from './ViewHead';
import { ViewMenu } from './ViewMenu';

const LeadPanel = later(() => import('./LeadPanel'));
const route = getRouteApi('/shell/board');
const USUAL_FIELDS = ['company'];
const SKELETON_COLUMNS = ['a', 'b', 'c', 'd', 'e', 'f'];

export function BoardPage() {
  const search = route.useSearch();
  const navigate = useNavigate({ from: '/board' });
  // The panel is part of the URL but not of the filters: opening it must not be another board.
  const view = useQuery(viewsQuery).data?.find(({ id }) => id === search.view);
  const chosen = listOf(search.cards) ?? view?.cardFields ?? null;
  const customFields = chosen ? customKeys(chosen) : '';
  const key = JSON.stringify(readFilters({ ...search }));
  const filters = useMemo(
    () => ({ ...readFilters(JSON.parse(key)), ...(customFields ? { customFields } : {}) }),
    [key, customFields],
  );
  const show = (next: string[] | undefined) =>
    void navigate({ search: (old) => ({ ...old, cards: next?.join(',') }), replace: true });
  const refetchInterval = usePollInterval();
  const board = useQuery({ ...boardQuery(filters), refetchInterval });
  const data = board.data;

  useEffect(() => {
    if (data) setSequence(data.stages.flatMap(({ cards }) => cards.map(({ id }) => id)));
  }, [data]);

  const open = useCallback(
    (lead: string | undefined) => void navigate({ search: (old) => ({ ...old, lead }), replace: lead === undefined }),
    [navigate],
  );
  const total = data?.stages.reduce((sum, { count }) => sum + count, 0) ?? 0;
  const capped = data?.stages.some(({ countIsCapped }) => countIsCapped) ?? false;
  return (
    <div className={classes.view}>
      <ViewHead
        title="Board"
        filters={{ ...filters, view: search.view, columns: search.columns, cards: search.cards }}
        menu={<ViewMenu layout="board" search={search} columns={view?.columns ?? null} cardFields={chosen} />}
      >
        <AddLeadButton pipelineId={filters.pipelineId} onAdded={(lead) => open(lead.id)} />
      </ViewHead>
      <FilterRow
        filters={filters}
        onFilter={(name, value) => void navigate({ search: (old) => withFilter(old, name, value), replace: true })}
        onClear={() => void navigate({ search: (old) => withoutFilters(old) })}
        count={data && `${plural(total, 'lead')}${capped ? '+' : ''}`}
      >
        <FieldMenu
          label="Fields on cards"
          icon={<IconLayoutCards size={16} />}
          choices={cardChoices}
          shown={chosen ?? USUAL_FIELDS}
          onChange={show}
          onReset={() => show(undefined)}
        />
      </FilterRow>
      {board.isError && !data && <Failure error={board.error} retry={() => void board.refetch()} />}
      {!data && !board.isError && <BoardSkeleton />}
      {data && total === 0 && !hasFilters(filters) && <NoSources />}
      {data && total === 0 && hasFilters(filters) && (
        <Empty title="No lead matches these filters">Take one away, or clear them all.</Empty>
      )}
      {data && total > 0 && (
        <CardFields value={chosen}>
          <Board board={data} isOld={board.isPlaceholderData} filters={filters} openLead={search.lead} onOpen={open} />
        </CardFields>
      )}
      <FromFirstUse isOpen={search.lead !== undefined}>
        {(isOpen) => <LeadPanel id={isOpen ? search.lead : undefined} onClose={() => open(undefined)} onGo={open} />}
      </FromFirstUse>
    </div>
  );
}

function BoardSkeleton() {
  return (
    <div className={classes.board}>
      {SKELETON_COLUMNS.map((key) => (
        <div key={key} className={classes.column}>
          <div className={classes.skeletons}>
            <Skeleton h={18} w="50%" />
            <Skeleton h={84} />
            <Skeleton h={84} />
            <Skeleton h={84} />
          </div>
        </div>
      ))}
    </div>
  );
}
