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

test('changes are told as before and after, or by name where they are secret', () => {
  expect(changeWords({ changes: { auditDays: { from: null, to: 90 } } })).toBe('Audit days: none → 90');
  expect(changeWords({ changed: ['name', 'secretSealed'] })).toBe('Changed: name, secret sealed');
  expect(changeWords({ by: 'password and code' })).toBe('By: password and code');
  expect(changeWords({ movedTo: null, members: 0 })).toBe('Members: 0');
  expect(changeWords({})).toBe('');
});
