import type { NewSavedView, SavedView } from '@/api/shapes';
import {
  type Condition,
  emptyGroup,
  filterJson,
  type Group,
  groupOf,
  isSameFilter,
  readFilter,
  writeFilter,
} from '@/ui/filter/conditions';
import type { LeadFilters, SortKey, TableSearch } from './filters';

/** Saved views and the URL: what a view opens, what is saved of what is seen, and whether the two differ. */

/** Chosen by hand, so that the default view does not open again. */
export const ALL_LEADS = 'all';

export function searchOf(view: SavedView): TableSearch {
  const group = groupOf(view.filter);
  const filter = group ? writeFilter(group) : undefined;
  const search: TableSearch = { view: view.id };
  if (filter) search.filter = filter;
  if (view.sortBy) search.sortBy = view.sortBy as SortKey;
  if (view.sortOrder) search.sortOrder = view.sortOrder;
  return search;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-/;

/** The filters of the row as conditions. What is searched for is of the moment and not of a view. */
export function quickConditions({ assignedTo, tag, source, projectId, stageId }: LeadFilters): Condition[] {
  const conditions: Condition[] = [];
  if (assignedTo === 'none') conditions.push({ field: 'assignedTo', op: 'empty' });
  else if (assignedTo) conditions.push({ field: 'assignedTo', op: 'is', value: assignedTo });
  if (tag) conditions.push({ field: 'tags', op: 'any_of', value: [tag] });
  if (source) conditions.push({ field: UUID.test(source) ? 'sourceId' : 'source', op: 'is', value: source });
  if (projectId) conditions.push({ field: 'projectId', op: 'is', value: projectId });
  if (stageId) conditions.push({ field: 'stageId', op: 'is', value: stageId });
  return conditions;
}

/** The whole filter of a URL, that of the row among it. */
export function wholeFilter(search: TableSearch): Group {
  const quick = quickConditions(search);
  const group = readFilter(search.filter) ?? emptyGroup();
  if (quick.length === 0) return group;
  if (group.match === 'all') return { match: 'all', children: [...group.children, ...quick] };
  return { match: 'all', children: [group, ...quick] };
}

type Seen = Pick<NewSavedView, 'filter' | 'sortBy' | 'sortOrder' | 'columns' | 'cardFields'>;

/** What is to be saved of what is seen. */
export function seenAs(
  search: TableSearch,
  columns: string[] | null,
  cardFields: string[] | null,
  segment?: Record<string, unknown>,
): Seen {
  // A view keeps what a segment asks for now, and not the segment.
  const inSegment = groupOf(segment);
  const seen = wholeFilter(search);
  return {
    filter: filterJson(inSegment ? { match: 'all', children: [seen, inSegment] } : seen) ?? null,
    sortBy: search.sortBy ?? null,
    sortOrder: search.sortOrder ?? null,
    columns,
    cardFields,
  };
}

export function isChanged(view: SavedView, search: TableSearch): boolean {
  return (
    search.segmentId !== undefined ||
    !isSameFilter(writeFilter(wholeFilter(search)), view.filter) ||
    (search.sortBy ?? null) !== (view.sortBy ?? null) ||
    (search.sortOrder ?? null) !== (view.sortOrder ?? null) ||
    (search.columns !== undefined && search.columns !== view.columns?.join(',')) ||
    (search.cards !== undefined && search.cards !== view.cardFields?.join(','))
  );
}

/** Whether a URL asks for nothing, so that the default view may open. */
export const asksNothing = ({ lead: _panel, ...search }: TableSearch): boolean =>
  Object.values(search).every((value) => value === undefined);
