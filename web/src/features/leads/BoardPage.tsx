import { Skeleton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate, useRouter } from '@tanstack/react-router';
import { useCallback, useEffect, useMemo } from 'react';
import { usePollInterval } from '@/lib/live';
import { plural } from '@/lib/text';
import { Empty, Failure } from '@/ui/basics';
import { AddLeadButton } from './AddLeadButton';
import { Board } from './Board';
import classes from './Board.module.css';
import { FilterRow } from './FilterRow';
import { hasFilters, readFilters, withFilter, withoutFilters } from './filters';
import { LeadPanel } from './LeadPanel';
import { NoSources } from './NoSources';
import { boardQuery } from './queries';
import { setSequence } from './sequence';
import { ViewHead } from './ViewHead';

const route = getRouteApi('/shell/board');
const SKELETON_COLUMNS = ['a', 'b', 'c', 'd', 'e', 'f'];

export function BoardPage() {
  const search = route.useSearch();
  const navigate = useNavigate({ from: '/board' });
  const router = useRouter();
  // The panel is part of the URL but not of the filters: opening it must not be another board.
  const key = JSON.stringify(readFilters({ ...search }));
  const filters = useMemo(() => readFilters(JSON.parse(key)), [key]);
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
  const hrefOf = useCallback(
    (leadId: string) => router.buildLocation({ to: '/leads/$leadId', params: { leadId } }).href,
    [router],
  );

  const total = data?.stages.reduce((sum, { count }) => sum + count, 0) ?? 0;
  const capped = data?.stages.some(({ countIsCapped }) => countIsCapped) ?? false;
  return (
    <div className={classes.view}>
      <ViewHead title="Board" filters={filters}>
        <AddLeadButton pipelineId={filters.pipelineId} onAdded={(lead) => open(lead.id)} />
      </ViewHead>
      <FilterRow
        filters={filters}
        onFilter={(name, value) => void navigate({ search: (old) => withFilter(old, name, value), replace: true })}
        onClear={() => void navigate({ search: (old) => withoutFilters(old) })}
        count={data && `${plural(total, 'lead')}${capped ? '+' : ''}`}
      />
      {board.isError && !data && <Failure error={board.error} retry={() => void board.refetch()} />}
      {!data && !board.isError && <BoardSkeleton />}
      {data && total === 0 && !hasFilters(filters) && <NoSources />}
      {data && total === 0 && hasFilters(filters) && (
        <Empty title="No lead matches these filters">Take one away, or clear them all.</Empty>
      )}
      {data && total > 0 && (
        <Board board={data} filters={filters} openLead={search.lead} hrefOf={hrefOf} onOpen={open} />
      )}
      <LeadPanel id={search.lead} onClose={() => open(undefined)} onGo={open} />
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
