import { describe, expect, it } from 'vitest';
import type { SavedView } from '@/api/shapes';
import { readTableSearch } from './filters';
import { asksNothing, isChanged, searchOf, seenAs, wholeFilter } from './views';

const view: SavedView = {
  id: 'v1',
  name: 'Hot',
  layout: 'table',
  filter: { all: [{ field: 'score', op: 'at_least', value: 70 }] },
  sortBy: 'custom.budget',
  sortOrder: 'asc',
  columns: ['stage', 'score'],
  cardFields: null,
  isShared: true,
  isDefault: false,
  ownerName: 'Ada',
  mayChange: true,
  createdAt: '2026-01-01T00:00:00.000Z',
  updatedAt: '2026-01-01T00:00:00.000Z',
};

describe('a saved view', () => {
  it('opens as a URL that says all of it, and is read back', () => {
    const search = searchOf(view);

    expect(search).toEqual({
      view: 'v1',
      filter: '{"all":[{"field":"score","op":"at_least","value":70}]}',
      sortBy: 'custom.budget',
      sortOrder: 'asc',
    });
    expect(readTableSearch({ ...search })).toEqual(search);
    expect(isChanged(view, search)).toBe(false);
  });

  it.each([
    ['a filter of the row', { tag: 'vip' }],
    ['another filter', { filter: undefined }],
    ['another sort', { sortBy: 'name' as const }],
    ['other columns', { columns: 'stage' }],
  ])('is changed by %s', (_what, change) => {
    expect(isChanged(view, { ...searchOf(view), ...change })).toBe(true);
  });

  it('is not changed by an open lead, a search or the same columns', () => {
    expect(isChanged(view, { ...searchOf(view), lead: 'l1', search: 'ada', columns: 'stage,score' })).toBe(false);
  });

  it('takes the filters of the row as conditions', () => {
    const search = {
      assignedTo: 'none',
      tag: 'vip',
      source: 'form',
      filter: '{"any":[{"field":"email","op":"empty"}]}',
    };

    expect(seenAs(search, null, null).filter).toEqual({
      all: [
        { any: [{ field: 'email', op: 'empty' }] },
        { field: 'assignedTo', op: 'empty' },
        { field: 'tags', op: 'any_of', value: ['vip'] },
        { field: 'source', op: 'is', value: 'form' },
      ],
    });
    expect(wholeFilter({ assignedTo: 'me' }).children).toEqual([{ field: 'assignedTo', op: 'is', value: 'me' }]);
    expect(seenAs({}, null, null).filter).toBeNull();
  });

  it('opens by itself where nothing is asked', () => {
    expect(asksNothing({ lead: 'l1' })).toBe(true);
    expect(asksNothing({ view: 'all' })).toBe(false);
    expect(asksNothing({ page: 2 })).toBe(false);
  });
});

it('keeps what a segment asks for when what is seen becomes a view', () => {
  const segment = { any: [{ field: 'tags', op: 'any_of', value: ['vip'] }] };
  const seen = seenAs({ tag: 'new', segmentId: '1' }, null, null, segment);
  expect(seen.filter).toEqual({ all: [{ all: [{ field: 'tags', op: 'any_of', value: ['new'] }] }, segment] });
});
