import { expect, it } from 'vitest';
import { safeNext } from './router';

it('returns only to a path of this site', () => {
  expect(safeNext('/board?lead=1')).toBe('/board?lead=1');
  for (const bad of [
    'https://evil.example',
    '//evil.example',
    '/\\evil.example',
    'javascript:alert(1)',
    '/sign-in',
    undefined,
    5,
  ]) {
    expect(safeNext(bad)).toBeUndefined();
  }
});
