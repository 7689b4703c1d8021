import { describe, expect, it } from 'vitest';
import type { Destination } from '@/api/shapes';
import { FORMATS, formatOf } from './formats';
import { failureText } from './Health';
import { OVERLAPS } from './RenewSecret';
import { ruleWords } from './rules';
import { readDeliveriesSearch } from './search';
import { pretty, withPlaceholder } from './TemplateEditor';
import { inputOf, parseHeaders, valuesOf } from './values';

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
  expect(FORMATS.map(({ value }) => value)).toEqual(['leadline', 'crm', 'whatconverts', 'simple', 'template']);
  expect(FORMATS.every(({ label, says }) => label && says)).toBe(true);
  expect(formatOf('whatconverts')?.label).toBe('WhatConverts');
  expect(formatOf('of-a-later-version')).toBeUndefined();
});

it('offers overlaps of a secret from none to the week that is the longest', () => {
  expect(OVERLAPS.map(({ hours }) => hours)).toEqual([0, 1, 24, 168]);
  expect(OVERLAPS.every(({ label, says }) => label && says)).toBe(true);
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

describe('the form of a destination', () => {
  it('sends what it was given back as it was', () => {
    const destination = {
      ...({} as Destination),
      name: 'CRM',
      url: 'https://crm.example/',
      events: ['lead.created'],
      format: 'template',
      template: '{"a": "{{email}}"}',
      contentType: 'form',
      method: 'PUT',
      retryPlan: 'fast',
      projectId: 'p1',
      filter: { sources: ['form'], sourceIds: ['s1'], tags: [], stageIds: [], minScore: 40, maxSuspicion: null },
      duplicateWindowMinutes: 0,
      maxInFlight: 4,
    };
    const input = inputOf(valuesOf(destination), destination);
    expect(input).toMatchObject({
      format: 'template',
      template: '{"a": "{{email}}"}',
      contentType: 'form',
      method: 'PUT',
      maxInFlight: 4,
      duplicateWindowMinutes: 0,
      reengageAfterHours: null,
      filter: { sources: ['form'], sourceIds: ['s1'], minScore: 40, maxSuspicion: null },
    });
    expect(input).not.toHaveProperty('projectId');
    expect(input).not.toHaveProperty('headers');
  });

  it('writes only templates as forms, and keeps one that is not chosen', () => {
    const input = inputOf({ ...valuesOf(undefined), contentType: 'form', template: '{}' }, undefined);
    expect(input.contentType).toBe('json');
    expect(input).not.toHaveProperty('template');
  });
});

describe('a template', () => {
  it('takes a placeholder where the cursor is', () => {
    expect(withPlaceholder('{"a": "xy"}', 8, 9, 'email')).toBe('{"a": "x{{email}}"}');
  });

  it('shows JSON with line breaks and a form as it is', () => {
    expect(pretty('{"a":1}')).toBe('{\n  "a": 1\n}');
    expect(pretty('a=1&b=2')).toBe('a=1&b=2');
  });
});

describe('the rules of a destination', () => {
  it('are said where they differ from the usual', () => {
    const usual = { ...({} as Destination), method: 'POST', maxInFlight: 8, filter: { tags: [], sources: [] } };
    expect(ruleWords(usual)).toEqual([]);
    expect(
      ruleWords({
        ...usual,
        method: 'PATCH',
        filter: { tags: ['vip'], sources: ['form', 'chat'], minScore: 0 },
        requestsPerMinute: 60,
        inOrder: true,
      }),
    ).toEqual(['from form, chat', 'tagged vip', 'score at least 0', 'PATCH', '60 a minute', 'in order']);
  });
});
