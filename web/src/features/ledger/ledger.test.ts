import { describe, expect, it } from 'vitest';
import { firstDay, readLedgerSearch } from './queries';

describe('the days of the ledger', () => {
  it('count today as one of them', () => {
    const noon = Date.parse('2026-03-01T12:00:00Z');
    expect(firstDay(1, noon, 'UTC')).toBe('2026-03-01');
    expect(firstDay(7, noon, 'UTC')).toBe('2026-02-23');
  });

  it('are the usual where the address says nothing that is offered', () => {
    expect(readLedgerSearch({ days: '31' })).toEqual({ days: 31 });
    expect(readLedgerSearch({ days: '14' })).toEqual({});
    expect(readLedgerSearch({ days: '999' })).toEqual({});
    expect(readLedgerSearch({})).toEqual({});
  });
});
