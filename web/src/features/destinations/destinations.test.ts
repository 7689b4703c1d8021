import { describe, expect, it } from 'vitest';
import { parseHeaders } from './DestinationDialog';
import { FORMATS, formatOf } from './formats';
import { failureText } from './Health';
import { readDeliveriesSearch } from './search';

describe('headers', () => {
  it('are one a line, and a value may hold colons', () => {
    expect(parseHeaders('Authorization: Bearer a:b\nX-Key: 1\n')).toEqual({
      Authorization: 'Bearer a:b',
      'X-Key': '1',
    });
  });

  it('need a name and a colon', () => {
    expect(parseHeaders('nonsense')).toBeNull();
    expect(parseHeaders(': value')).toBeNull();
  });
});

it('explains each format and says nothing of one that it does not know', () => {
  expect(FORMATS.map(({ value }) => value)).toEqual(['leadline', 'whatconverts']);
  expect(FORMATS.every(({ label, says }) => label && says)).toBe(true);
  expect(formatOf('whatconverts')?.label).toBe('WhatConverts');
  expect(formatOf('of-a-later-version')).toBeUndefined();
});

it('says a failure once', () => {
  expect(failureText(502, 'HTTP 502 Bad Gateway')).toBe('HTTP 502 Bad Gateway');
  expect(failureText(502, 'bad gateway')).toBe('HTTP 502: bad gateway');
  expect(failureText(null, 'connection refused')).toBe('connection refused');
  expect(failureText(undefined, undefined)).toBe('No answer');
});

it('reads the log’s state from the URL', () => {
  expect(readDeliveriesSearch({ tab: 'dead', status: 'pending', page: '2' })).toEqual({
    tab: 'dead',
    status: 'pending',
    page: 2,
  });
  expect(readDeliveriesSearch({ tab: 'x', status: 'y', page: 'z' })).toEqual({});
});
