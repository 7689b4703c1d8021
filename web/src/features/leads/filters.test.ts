import { describe, expect, it } from 'vitest';
import {
  filterQuery,
  hasFilters,
  readBoardSearch,
  readFilters,
  readTableSearch,
  withFilter,
  withoutFilters,
} from './filters';

describe('filters in the URL', () => {
  it('reads what it knows and leaves the rest', () => {
    expect(readFilters({ search: 'ada', source: 'form', nonsense: 'x', tag: '' })).toEqual({
      search: 'ada',
      source: 'form',
    });
  });

  it('takes no array or object for a filter', () => {
    expect(readFilters({ search: ['a'], tag: { a: 1 }, stageId: 5 })).toEqual({});
  });

  it('keeps the open lead apart from the filters', () => {
    const search = readBoardSearch({ lead: 'l1', tag: 'vip' });

    expect(search).toEqual({ lead: 'l1', tag: 'vip' });
    expect(hasFilters({ ...search, tag: undefined })).toBe(false);
  });

  it('takes only a sort, an order and a page that exist', () => {
    expect(readTableSearch({ page: '3', sortBy: 'score', sortOrder: 'asc' })).toEqual({
      page: 3,
      sortBy: 'score',
      sortOrder: 'asc',
    });
    expect(readTableSearch({ page: '-1', sortBy: 'password', sortOrder: 'up' })).toEqual({});
    expect(readTableSearch({ page: '1' })).toEqual({});
  });

  it('starts at the first page when a filter changes', () => {
    expect(withFilter({ page: 4, lead: 'l1' }, 'source', 'form')).toEqual({ lead: 'l1', source: 'form' });
    expect(withFilter({ source: 'form' }, 'source', null)).toEqual({});
    expect(withFilter({ search: 'a' }, 'search', '')).toEqual({});
  });

  it('clears the filters and nothing else', () => {
    expect(withoutFilters({ search: 'a', tag: 'b', page: 2, sortBy: 'name', lead: 'l1' })).toEqual({
      sortBy: 'name',
      lead: 'l1',
    });
  });

  it('asks the server in the names it knows', () => {
    expect(filterQuery({ search: 'a', assignedTo: 'me' })).toMatchObject({
      search: 'a',
      assignedTo: 'me',
      tag: undefined,
    });
  });
});
