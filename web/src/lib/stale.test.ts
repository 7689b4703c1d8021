import { expect, test } from 'vitest';
import { isStale } from './stale';

const NOW = Date.parse('2026-11-21T10:00:00Z');
const since = (stageEnteredAt: string) => ({ stageEnteredAt });

test('a lead is stale after the days of its stage', () => {
  const stage = { kind: 'open' as const, staleAfterDays: 7 };

  expect(isStale(since('2026-11-14T09:59:59Z'), stage, NOW)).toBe(true);
  expect(isStale(since('2026-11-14T10:00:00Z'), stage, NOW)).toBe(false);
});

test('nothing is stale where nobody said when, or where it is decided', () => {
  expect(isStale(since('2020-01-01T00:00:00Z'), { kind: 'open', staleAfterDays: null }, NOW)).toBe(false);
  expect(isStale(since('2020-01-01T00:00:00Z'), { kind: 'lost', staleAfterDays: 7 }, NOW)).toBe(false);
  expect(isStale(since('2020-01-01T00:00:00Z'), undefined, NOW)).toBe(false);
});
