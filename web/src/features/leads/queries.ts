import { keepPreviousData, type QueryClient, queryOptions } from '@tanstack/react-query';
import { api } from '@/api/client';
import { isOwnOp } from '@/api/clientOp';
import type {
  Board,
  Card,
  ColumnPage,
  LeadDetail,
  LeadHint,
  LeadPage,
  LeadScore,
  NewSavedView,
  Page,
  SavedView,
  SavedViewChange,
  Submission,
  Visit,
} from '@/api/shapes';
import { mapColumn, refreshBoard, refreshColumn, removeCards } from './boardCache';
import { filterQuery, type LeadFilters, readFilters, type TableSearch } from './filters';

const BOARD_PAGE = 50;
const MAX_PAGE = 200;
export const TABLE_PAGE = 50;

export const leadKeys = {
  all: ['leads'] as const,
  boards: ['leads', 'board'] as const,
  board: (filters: LeadFilters) => ['leads', 'board', filters] as const,
  views: ['leads', 'views'] as const,
  lists: ['leads', 'list'] as const,
  detail: (id: string) => ['leads', 'detail', id] as const,
  submissions: (id: string) => ['leads', 'submissions', id] as const,
  visits: (id: string) => ['leads', 'visits', id] as const,
  scores: (id: string) => ['leads', 'scores', id] as const,
};

export const boardQuery = (filters: LeadFilters) =>
  queryOptions({
    queryKey: leadKeys.board(filters),
    queryFn: async ({ signal, client }) => {
      const fresh = await api.get<Board>('/v1/identity/board', { ...filterQuery(filters), limit: BOARD_PAGE }, signal);
      return refreshBoard(client.getQueryData<Board>(leadKeys.board(filters)), fresh);
    },
    placeholderData: keepPreviousData,
    staleTime: 10_000,
  });

export const columnPage = (stageId: string, filters: LeadFilters, after: string | null, limit = BOARD_PAGE) =>
  api.get<ColumnPage>(`/v1/identity/board/stages/${stageId}`, { ...filterQuery(filters), after, limit });

const askForLeads = (search: TableSearch, customFields: string) => {
  const { page = 1, sortBy, sortOrder } = search;
  return { ...filterQuery(readFilters({ ...search })), page, limit: TABLE_PAGE, sortBy, sortOrder, customFields };
};

export const leadListQuery = (search: TableSearch, customFields: string) => {
  const asked = askForLeads(search, customFields);
  return queryOptions({
    queryKey: [...leadKeys.lists, asked],
    queryFn: ({ signal }) => api.get<LeadPage>('/v1/identity/leads', asked, signal),
    placeholderData: keepPreviousData,
    staleTime: 10_000,
  });
};

/** The same out of all leads of a large workspace. It takes seconds, so nothing but somebody's click asks for it. */
export const exactListQuery = (search: TableSearch, customFields: string) => {
  const asked = { ...askForLeads(search, customFields), exact: 'true' };
  return queryOptions({
    queryKey: ['leads-exact', asked],
    queryFn: ({ signal }) => api.get<LeadPage>('/v1/identity/leads', asked, signal),
    placeholderData: keepPreviousData,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
    retry: false,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
  });
};

export const viewsQuery = queryOptions({
  queryKey: leadKeys.views,
  queryFn: async ({ signal }) => (await api.get<Page<SavedView>>('/v1/identity/views', {}, signal)).data,
  staleTime: 60_000,
});

const VIEWS = '/v1/identity/views';

export const viewsApi = {
  save: (view: NewSavedView) => api.post<SavedView>(VIEWS, view),
  change: ({ id, ...change }: SavedViewChange & { id: string }) => api.patch<SavedView>(`${VIEWS}/${id}`, change),
  remove: (id: string) => api.delete(`${VIEWS}/${id}`),
};

export const leadSearchQuery = (search: string) =>
  queryOptions({
    queryKey: [...leadKeys.lists, 'search', search],
    queryFn: ({ signal }) => api.get<Page<Card>>('/v1/identity/leads', { search, limit: 8 }, signal),
    enabled: search.trim().length > 1,
    placeholderData: keepPreviousData,
    staleTime: 10_000,
  });

export const leadQuery = (id: string) =>
  queryOptions({
    queryKey: leadKeys.detail(id),
    queryFn: ({ signal }) => api.get<LeadDetail>(`/v1/identity/leads/${id}`, {}, signal),
    staleTime: 5_000,
  });

export const submissionsQuery = (leadId: string) =>
  queryOptions({
    queryKey: leadKeys.submissions(leadId),
    queryFn: ({ signal }) => api.get<Page<Submission>>('/v1/capture/submissions', { leadId, limit: MAX_PAGE }, signal),
    staleTime: 5_000,
  });

export const visitsQuery = (leadId: string) =>
  queryOptions({
    queryKey: leadKeys.visits(leadId),
    queryFn: ({ signal }) => api.get<Page<Visit>>(`/v1/identity/leads/${leadId}/sessions`, {}, signal),
    staleTime: 5_000,
  });

export const scoresQuery = (leadId: string) =>
  queryOptions({
    queryKey: leadKeys.scores(leadId),
    queryFn: ({ signal }) =>
      api.get<Page<LeadScore>>(`/v1/identity/leads/${leadId}/scores`, { limit: MAX_PAGE }, signal),
    staleTime: 5_000,
  });

/** After these a lead is on no board any more. */
const GONE = new Set(['lead.deleted', 'lead.merged']);

/** Brings the cache up to date with what other people and visitors did. */
export async function applyLeadHints(client: QueryClient, hints: LeadHint[]) {
  const foreign = hints.filter(({ op }) => !isOwnOp(op));
  if (foreign.length === 0) return;
  const leadIds = new Set(foreign.map(({ leadId }) => leadId));
  const stageIds = new Set(
    foreign.flatMap(({ stageId, fromStageId }) => (fromStageId ? [stageId, fromStageId] : [stageId])),
  );
  for (const id of leadIds) {
    void client.invalidateQueries({ queryKey: leadKeys.detail(id) });
    void client.invalidateQueries({ queryKey: leadKeys.submissions(id) });
    void client.invalidateQueries({ queryKey: leadKeys.visits(id) });
    void client.invalidateQueries({ queryKey: leadKeys.scores(id) });
  }
  void client.invalidateQueries({ queryKey: leadKeys.lists });
  void client.invalidateQueries({ queryKey: ['contacts'] });
  // A lead that only changed keeps its place; one that left its column must not linger below the fresh page.
  const gone = new Set(
    foreign.filter(({ kind, fromStageId }) => fromStageId || GONE.has(kind)).map(({ leadId }) => leadId),
  );
  await refreshBoards(client, stageIds, gone);
}

async function refreshBoards(client: QueryClient, stageIds: ReadonlySet<string>, gone: ReadonlySet<string>) {
  const boards = client.getQueryCache().findAll({ queryKey: leadKeys.boards });
  for (const query of boards) {
    if (!query.isActive()) {
      void client.invalidateQueries({ queryKey: query.queryKey, refetchType: 'none' });
      continue;
    }
    const filters = query.queryKey[2] as LeadFilters;
    const board = client.getQueryData<Board>(query.queryKey);
    const touched = board?.stages.filter(({ stage }) => stageIds.has(stage.id)) ?? [];
    const pages = await Promise.all(
      touched.map(async ({ stage, cards }) => {
        const limit = Math.min(MAX_PAGE, Math.max(BOARD_PAGE, cards.length));
        return { stageId: stage.id, page: await columnPage(stage.id, filters, null, limit) };
      }),
    );
    client.setQueryData<Board>(query.queryKey, (current) => {
      if (!current) return current;
      const without = removeCards(current, gone);
      return pages.reduce(
        (next, { stageId, page }) => mapColumn(next, stageId, (column) => refreshColumn(column, page, gone)),
        without,
      );
    });
  }
}
