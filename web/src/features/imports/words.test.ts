import { describe, expect, it } from 'vitest';
import type { Import, Job, Tally } from '@/api/shapes';
import { whyNot } from './targets';
import { counts, layoutWords, progressWords, remarks } from './words';

const tally: Tally = {
  created: 3,
  updated: 0,
  unchanged: 0,
  repeated: 0,
  refused: 0,
  unusableEmail: 1,
  unusablePhone: 0,
  unreachable: 2,
  createdRows: [],
  updatedRows: [],
  repeatedRows: [],
  refusedRows: [],
};

describe('an import in words', () => {
  it('says what a file turned out to be', () => {
    const csv = { format: 'csv', encoding: 'windows-1252', delimiter: ';', headerRow: 1 } as Import;
    const workbook = { format: 'xlsx', sheet: 'Leads', headerRow: 3 } as Import;

    expect(layoutWords(csv)).toBe('CSV, windows-1252, separated by semicolons');
    expect(layoutWords(workbook)).toBe('Excel, sheet Leads, names of columns in row 3');
  });

  it('leaves out what is nothing, but for new leads and refused rows', () => {
    expect(counts(tally, true).map(({ count, words }) => `${count} ${words}`)).toEqual([
      '3 new leads',
      '0 made no lead',
    ]);
  });

  it('says what to look at', () => {
    expect(remarks(tally)).toEqual([
      '1 row: the e-mail address cannot be used and is kept as a custom field.',
      '2 rows: no usable e-mail address or phone number, so the same row would make a lead again.',
    ]);
  });

  it('says how long it takes once there is something to go by', () => {
    const job = { createdAt: '2026-01-01T00:00:00Z', done: 0, total: 1000 } as Job;
    const start = Date.parse(job.createdAt);

    expect(progressWords(job, start + 1000)).toBe('0 of 1,000 rows');
    expect(progressWords({ ...job, done: 100 }, start + 20_000)).toBe(
      '100 of 1,000 rows · 5 a second · about 3 minutes left',
    );
  });
});

describe('columns', () => {
  it.each([
    [[{ target: 'company' }], 'Say which column has names, e-mail addresses or phone numbers.'],
    [[{ target: 'email' }, { target: 'custom', name: ' ' }], 'Give each custom field a name.'],
    [
      [{ target: 'email' }, { target: 'custom', name: 'Size' }, { target: 'custom', name: 'size ' }],
      'Two columns have the same custom field.',
    ],
    [[{ target: 'phone' }, { target: 'custom', name: 'Size' }], undefined],
  ])('%j', (columns, expected) => {
    expect(whyNot(columns)).toBe(expected);
  });
});
