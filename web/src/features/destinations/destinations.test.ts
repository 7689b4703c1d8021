import { describe, expect, it } from 'vitest';
import type { Destination } from '@/api/shapes';
import { FORMATS, formatOf } from './formats';
import { failureText, rateWords } from './Health';
import { OVERLAPS } from './RenewSecret';
import { isTold, replayWords } from './ReplayProgress';
import { ruleWords } from './rules';
import { filterOf, isNarrowed, readDeliveriesSearch } from './search';
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
  expect(FORMATS.map(({ value }) => value)).toEqual([
    'leadline',
    'crm',
    'whatconverts',
    'simple',
    'template',
    'google_ads',
    'meta_capi',
  ]);
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
  expect(readDeliveriesSearch({ event: 'lead.created', from: '2026-01-05T08:00', to: 'soon', answer: 503 })).toEqual({
    event: 'lead.created',
    from: '2026-01-05T08:00',
    answer: '503',
  });
});

describe('the filter of the log', () => {
  it('asks for a status by its digits and for an error by its words', () => {
    expect(filterOf({ answer: '503' })).toMatchObject({ httpStatus: 503 });
    expect(filterOf({ answer: 'no answer' })).toMatchObject({ error: 'no answer' });
  });

  it('stays within the destination of its page, and among the dead in their tab', () => {
    expect(filterOf({ tab: 'dead', destinationId: 'b', status: 'pending' }, 'a')).toMatchObject({
      destinationId: 'a',
      status: 'dead',
    });
  });

  it('asks for local times in UTC', () => {
    expect(filterOf({ from: '2026-01-05T08:00' }).from).toBe(new Date('2026-01-05T08:00').toISOString());
  });

  it('is narrow where anything but tab and page is set', () => {
    expect(isNarrowed({ tab: 'dead', page: 3 })).toBe(false);
    expect(isNarrowed({ event: 'lead.created' })).toBe(true);
  });
});

describe('sending many again', () => {
  const job = {
    id: 'j',
    state: 'running',
    total: 1200,
    done: 500,
    replayed: 490,
    skipped: 10,
    startedBy: 'Ada',
    startedAt: '2026-01-05T08:00:00.000Z',
  };

  it('says how far it is', () => {
    expect(replayWords(job)).toBe(
      'Sending again: 500 of 1,200 are in the queue, 10 left out: they or their destination are gone.',
    );
    expect(replayWords({ ...job, state: 'done', replayed: 1, skipped: 0 })).toBe('1 delivery is in the queue again.');
    expect(replayWords({ ...job, state: 'cancelled' })).toBe(
      'Stopped after 500 of 1,200. What is in the queue is sent.',
    );
  });

  it('is told while it goes on and for ten minutes', () => {
    const finishedAt = '2026-01-05T08:01:00.000Z';
    expect(isTold(job, Date.parse('2027-01-01'))).toBe(true);
    expect(isTold({ ...job, state: 'done', finishedAt }, Date.parse(finishedAt) + 60_000)).toBe(true);
    expect(isTold({ ...job, state: 'done', finishedAt }, Date.parse(finishedAt) + 600_000)).toBe(false);
  });
});

it('never says that all arrived where one did not', () => {
  const health = { successRate: 0.99999, failed24h: 1 } as Destination['health'];
  expect(rateWords(health)).toBe('99.9 %');
  expect(rateWords({ ...health, successRate: 1, failed24h: 0 })).toBe('100 %');
  expect(rateWords({ ...health, successRate: null })).toBe('–');
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
