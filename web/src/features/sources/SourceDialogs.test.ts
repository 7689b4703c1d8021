import { expect, it } from 'vitest';
import { isSameMapping, mappingText, parseMapping } from './WebhookDialog';

it('reads one mapping a line', () => {
  expect(parseMapping('job_title = title\n\nfirma=company\n')).toEqual({ job_title: 'title', firma: 'company' });
  expect(parseMapping('')).toEqual({});
});

it('refuses a line that is no mapping', () => {
  expect(parseMapping('job_title')).toBeNull();
  expect(parseMapping('a = b = c')).toBeNull();
  expect(parseMapping('= title')).toBeNull();
});

it('writes a mapping as it reads it', () => {
  const mapping = { job_title: 'title', firma: 'company' };
  expect(parseMapping(mappingText(mapping))).toEqual(mapping);
});

it('takes a mapping for the same in whatever order', () => {
  const mapping = { job_title: 'title', firma: 'company' };
  expect(isSameMapping(mapping, { firma: 'company', job_title: 'title' })).toBe(true);
  expect(isSameMapping(mapping, { firma: 'company' })).toBe(false);
  expect(isSameMapping({ firma: 'company' }, mapping)).toBe(false);
  expect(isSameMapping(mapping, { firma: 'name', job_title: 'title' })).toBe(false);
});
