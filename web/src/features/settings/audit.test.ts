import { expect, test } from 'vitest';
import { auditAsked, readAuditSearch } from './auditSearch';
import { changeWords, deedWords } from './auditWords';

test('what is no filter in the address is left out', () => {
  const raw = { actor: '', action: 'role.', from: '2026-02-30x', to: '2026-02-01', page: '-1', object: 7 };

  expect(readAuditSearch(raw)).toEqual({ action: 'role.', to: '2026-02-01' });
  expect(readAuditSearch({ page: '3' })).toEqual({ page: 3 });
});

test('the last day is part of what is asked for', () => {
  const { from, to } = auditAsked({ from: '2026-02-28', to: '2026-02-28' });

  expect(Date.parse(String(to)) - Date.parse(String(from))).toBe(86_400_000);
});

test('a deed is told in words, one that nobody knows by its name', () => {
  expect(deedWords('role.updated')).toBe('Changed a role');
  expect(deedWords('thing.was_turned')).toBe('Thing was turned');
});

test('what is no text is told in words: people, conditions, hours, moments and ways', () => {
  const names = new Map([['01a2044d-a5a4', 'Ines Duarte']]);
  const vip = { field: 'tags', op: 'has_any', value: ['vip', 'press'] };
  const hours = { days: [1, 2], from: '09:00', until: '17:00' };

  expect(changeWords({ changes: { escalateTo: { from: [], to: ['01a2044d-a5a4'] } } }, names)).toBe(
    'Escalate to: none → Ines Duarte',
  );
  expect(changeWords({ fallbackUserId: '01a2044d-a5a4' }, names)).toBe('Fallback user: Ines Duarte');
  expect(changeWords({ filter: { all: [] }, method: 'round_robin' })).toBe('Filter: every lead · Method: round robin');
  expect(changeWords({ filter: { any: [vip, { field: 'score', op: 'is_empty' }] } })).toBe(
    'Filter: tags has any vip, press or score is empty',
  );
  expect(changeWords({ changes: { hours: { from: null, to: hours } } })).toBe(
    'Hours: none → Monday, Tuesday from 09:00 until 17:00',
  );
  expect(changeWords({ changes: { reassigns: { from: false, to: true } } })).toBe('Reassigns: no → yes');
  expect(changeWords({ awayUntil: '2026-03-01T08:00:00Z' })).not.toContain('T08');
  expect(JSON.stringify(changeWords({ hours: { some: { thing: 1 } } }))).not.toContain('{');
});

test('changes are told as before and after, or by name where they are secret', () => {
  expect(changeWords({ changes: { auditDays: { from: null, to: 90 } } })).toBe('Audit days: none → 90');
  expect(changeWords({ changed: ['name', 'secretSealed'] })).toBe('Changed: name, secret sealed');
  expect(changeWords({ by: 'password and code' })).toBe('By: password and code');
  expect(changeWords({ movedTo: null, members: 0 })).toBe('Members: 0');
  expect(changeWords({})).toBe('');
});
