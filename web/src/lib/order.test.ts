import { expect, test } from 'vitest';
import { dropPlace, moved } from './order';

test('a row is moved up, down and nowhere past the ends', () => {
  expect(moved(['a', 'b', 'c'], 0, 2)).toEqual(['b', 'c', 'a']);
  expect(moved(['a', 'b', 'c'], 2, 1)).toEqual(['a', 'c', 'b']);
  expect(moved(['a', 'b', 'c'], 0, -1)).toEqual(['a', 'b', 'c']);
  expect(moved(['a', 'b', 'c'], 2, 3)).toEqual(['a', 'b', 'c']);
});

test('a dropped row lands where the line was shown', () => {
  expect(moved(['a', 'b', 'c'], 0, dropPlace(0, 1, 'bottom'))).toEqual(['b', 'a', 'c']);
  expect(moved(['a', 'b', 'c'], 2, dropPlace(2, 0, 'top'))).toEqual(['c', 'a', 'b']);
  expect(moved(['a', 'b', 'c'], 1, dropPlace(1, 1, 'top'))).toEqual(['a', 'b', 'c']);
});
