import { expect, test } from 'vitest';
import type { Job } from '@/api/shapes';
import { isTold, jobPercent, jobTitle, jobWords } from './words';

const job = (over: Partial<Job> = {}): Job => ({
  id: 'j',
  kind: 'leads.bulk',
  state: 'running',
  about: { action: 'move_stage', stageName: 'Qualified' },
  total: 1000,
  done: 250,
  changed: 200,
  failed: 0,
  undone: 0,
  left: 0,
  resultCount: 250,
  canUndo: false,
  canStop: false,
  needs: 'leads:manage',
  isMine: true,
  startedBy: 'Ada',
  createdAt: '2026-01-05T08:00:00.000Z',
  ...over,
});

test('a job says what it does', () => {
  const title = (about: Record<string, unknown>) => jobTitle(job({ about }));

  expect(jobTitle(job())).toBe('Move leads to Qualified');
  expect(title({ action: 'assign', assignedTo: null })).toBe('Assign leads to nobody');
  expect(title({ action: 'assign', assignedTo: 'u', assignedToName: 'Bob' })).toBe('Assign leads to Bob');
  expect(title({ action: 'tag', tags: ['a', 'b'] })).toBe('Tag leads with a, b');
  expect(title({ action: 'something new' })).toBe('Change leads');
  expect(jobTitle(job({ kind: 'leads.import', about: { fileName: 'fair.csv' } }))).toBe('Import fair.csv');
  expect(jobTitle(job({ kind: 'leads.other' }))).toBe('Leads other');
});

test('a job says how far it is, and what it could not do', () => {
  expect(jobWords(job({ failed: 3 }))).toBe('250 of 1,000 looked at, 200 changed, 3 could not be.');
  expect(jobWords(job({ state: 'undone', undone: 1, left: 2 }))).toBe('1 row put back, 2 left alone: changed since.');
  expect(jobWords(job({ state: 'failed', error: 'The stage is gone.' }))).toContain('The stage is gone.');
});

test('a bar goes by rows that were looked at, and by rows put back', () => {
  expect(jobPercent(job())).toBe(25);
  expect(jobPercent(job({ state: 'undoing', undone: 50, left: 50 }))).toBe(50);
  expect(jobPercent(job({ total: 0, done: 0 }))).toBe(100);
});

test('only my own jobs are told everywhere, their end for a while, and none that was done on the spot', () => {
  const now = Date.parse('2026-01-05T08:05:00.000Z');
  const ended = { state: 'done', finishedAt: '2026-01-05T08:04:00.000Z' } as const;

  expect(isTold(job(), now)).toBe(true);
  expect(isTold(job({ isMine: false }), now)).toBe(false);
  expect(isTold(job(ended), now)).toBe(true);
  expect(isTold(job({ ...ended, createdAt: ended.finishedAt }), now)).toBe(false);
  expect(isTold(job(ended), now + 3_600_000)).toBe(false);
});
