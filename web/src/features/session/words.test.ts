import { expect, test } from 'vitest';
import { readSignInSearch } from './search';
import { refusedWords } from './words';

test('a reason that nobody knows is not shown as it stands in the address', () => {
  expect(refusedWords('not_invited')).toContain('invited');
  for (const text of ['<b>call this number</b>', 'constructor', '__proto__']) {
    expect(refusedWords(text)).toBe('You were not let in. Try again, or ask an administrator.');
  }
});

test('what is no workspace or step is left out', () => {
  expect(readSignInSearch({ workspace: 'acme', step: 'code', refused: 'over' })).toEqual({
    workspace: 'acme',
    step: 'code',
    refused: 'over',
  });
  expect(readSignInSearch({ workspace: '../x', step: 'else', refused: 3 })).toEqual({});
});
