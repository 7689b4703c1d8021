import { expect, it } from 'vitest';
import { isNarrowed, readContactsSearch, sortedBy, withPart } from './search';

it('reads what it knows and nothing else', () => {
  const raw = { search: 'ada', lifecycle: 'customer', sortBy: 'name', sortOrder: 'up', page: '3', other: 'x', tag: '' };
  expect(readContactsSearch(raw)).toEqual({ search: 'ada', lifecycle: 'customer', sortBy: 'name', page: 3 });
  expect(readContactsSearch({ lifecycle: 'friend', page: '0', sortBy: 'password' })).toEqual({});
});

it('starts over with every change', () => {
  expect(withPart({ search: 'ada', page: 4 }, 'tag', 'vip')).toEqual({ search: 'ada', tag: 'vip' });
  expect(withPart({ tag: 'vip', page: 4 }, 'tag', '')).toEqual({});
});

it('turns an order round with the second click', () => {
  const byName = sortedBy({ page: 2 }, 'name');
  expect(byName).toEqual({ sortBy: 'name', sortOrder: 'asc' });
  expect(sortedBy(byName, 'name').sortOrder).toBe('desc');
  expect(sortedBy({}, 'createdAt').sortOrder).toBe('asc');
});

it('knows whether anything is narrowed', () => {
  expect(isNarrowed({ sortBy: 'name', page: 2 })).toBe(false);
  expect(isNarrowed({ segmentId: '1' })).toBe(true);
});
