import { describe, expect, it } from 'vitest';
import { daysOf, readReportsSearch, reportQuery, withPart, withRange } from './search';
import { change, duration, niceTop, percent, pointsChange } from './words';

const TODAY = '2026-03-31';

describe('the days of a report', () => {
  it.each([
    ['last-7', '2026-03-25', TODAY],
    ['last-30', '2026-03-02', TODAY],
    ['this-month', '2026-03-01', TODAY],
    ['last-month', '2026-02-01', '2026-02-28'],
    ['this-quarter', '2026-01-01', TODAY],
    ['this-year', '2026-01-01', TODAY],
  ] as const)('%s', (range, from, to) => {
    expect(daysOf({ range }, TODAY)).toEqual({ from, to });
  });

  it('begin with what was shown when one chooses them', () => {
    const own = withRange({ range: 'last-month', compare: 'year' }, 'own', TODAY);

    expect(own).toEqual({ range: 'own', compare: 'year', from: '2026-02-01', to: '2026-02-28' });
    expect(withRange(own, 'last-30', TODAY)).toEqual({ compare: 'year' });
  });

  it('are left to the server where nothing is said', () => {
    expect(reportQuery({ compare: 'previous' }, TODAY)).toEqual({ compare: 'previous' });
    expect(reportQuery({ report: 'funnel', interval: 'week' }, TODAY).interval).toBeUndefined();
  });
});

describe('the address of the page', () => {
  it('keeps what it knows and drops the rest', () => {
    const raw = {
      report: 'funnel',
      range: 'own',
      from: '2026-01-01',
      to: 'x',
      compare: 'never',
      source: 'form',
      y: '1',
    };

    expect(readReportsSearch(raw)).toEqual({ report: 'funnel', range: 'own', from: '2026-01-01', source: 'form' });
    expect(readReportsSearch({ report: 'over-time', range: 'last-30', from: '2026-01-01' })).toEqual({});
    expect(withPart({ source: 'form' }, 'source', null)).toEqual({});
  });
});

describe('figures in words', () => {
  it('tell how long something took', () => {
    expect([null, 5_000, 240_000, 5_400_000, 200_000_000].map(duration)).toEqual([
      '–',
      'under 1 min',
      '4 min',
      '1.5 h',
      '2.3 days',
    ]);
  });

  it('tell how much more something is than before', () => {
    expect(change(15, 10)).toMatchObject({ text: '+50%', isMore: true });
    expect(change(5, 10)?.words).toBe('50% less than before');
    expect([change(1, null), change(0, 0), change(3, 0)?.text]).toEqual([null, null, 'new']);
    expect(pointsChange(0.5, 0.4)?.text).toBe('+10 points');
    expect([percent(null), percent(0.333), percent(0.012)]).toEqual(['–', '33%', '1.2%']);
  });

  it('end an axis at a round number', () => {
    expect([0, 4, 7, 21, 260, 1_001].map(niceTop)).toEqual([4, 4, 8, 25, 400, 2_000]);
  });
});
