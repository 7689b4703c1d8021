import { describe, expect, it } from 'vitest';
import { scoreBand, suspicionLevel } from './scores';
import { asText, browserName, humanise, initials, plural, prettyJson, safeUrl } from './text';
import { duration, relativeTime, shortAge, timeLeft } from './time';

describe('links from strangers', () => {
  it.each(['https://example.com/a?b=c', 'http://example.com', ' https://example.com '])('follows %s', (text) => {
    expect(safeUrl(text)).not.toBeNull();
  });

  it.each([
    'javascript:alert(1)',
    'JAVASCRIPT:alert(1)',
    'data:text/html,x',
    '//example.com',
    'https://',
    'example.com',
    '',
    null,
  ])('never links %s', (text) => {
    expect(safeUrl(text)).toBeNull();
  });
});

describe('time in words', () => {
  const now = Date.parse('2026-11-21T12:00:00Z');
  const ago = (ms: number) => new Date(now - ms).toISOString();

  it('is relative for a month and a date after that', () => {
    expect(relativeTime(ago(10_000), now)).toBe('just now');
    expect(relativeTime(ago(5 * 60_000), now)).toBe('5 minutes ago');
    expect(relativeTime(ago(24 * 3_600_000), now)).toBe('yesterday');
    expect(relativeTime(ago(-9 * 60_000), now)).toBe('in 9 minutes');
    expect(relativeTime(ago(40 * 86_400_000), now)).toMatch(/2026/);
  });

  it('is one short word on a card', () => {
    expect(['now', '4m', '3h', '12d']).toEqual(
      [0, 4 * 60_000, 3 * 3_600_000, 12 * 86_400_000].map((ms) => shortAge(ago(ms), now)),
    );
    expect(shortAge(ago(-5000), now)).toBe('now');
  });

  it('measures durations', () => {
    expect([87, 2300, 41_000, 600_000].map(duration)).toEqual(['87 ms', '2.3 s', '41 s', '10 min']);
  });
});

describe('text', () => {
  it('makes codes readable', () => {
    expect(humanise('lead.stage_changed')).toBe('Lead stage changed');
    expect(humanise('jobTitle')).toBe('Job title');
  });

  it('takes initials by letters, not by code units', () => {
    expect(initials('Ada Lovelace')).toBe('AL');
    expect(initials('😀 smile now')).toBe('😀N');
    expect(initials('  ')).toBe('?');
  });

  it('names the browser of a session', () => {
    const linux =
      'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36';

    expect(browserName(linux)).toBe('Chrome on Linux');
    expect(browserName('Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile Safari/604.1')).toBe(
      'Safari on iOS',
    );
    expect(browserName('curl/7.88.1')).toBe('curl/7.88.1');
    expect(browserName('')).toBe('Unknown');
  });

  it('counts in words', () => {
    expect(plural(1, 'lead')).toBe('1 lead');
    expect(plural(2, 'delivery', 'deliveries')).toBe('2 deliveries');
  });

  it('shows any value as text', () => {
    expect([null, 'a', 5, true, { a: [1] }].map(asText)).toEqual(['', 'a', '5', 'true', '{"a":[1]}']);
    expect(prettyJson('{"a":1}')).toBe('{\n  "a": 1\n}');
    expect(prettyJson('<html>')).toBe('<html>');
  });
});

describe('bands', () => {
  it('change at their edges', () => {
    expect([20, 21, 45, 46, 70, 71].map(scoreBand)).toEqual(['low', 'fair', 'fair', 'good', 'good', 'strong']);
    expect([29, 30, 59, 60, 84, 85].map(suspicionLevel)).toEqual([
      'clean',
      'review',
      'review',
      'suspicious',
      'suspicious',
      'likely_bot',
    ]);
  });
});

it('says how long something is still there', () => {
  const now = Date.parse('2026-01-05T08:00:00Z');
  expect(timeLeft('2026-01-11T20:00:00Z', now)).toEqual({ words: 'in 6 days', isSoon: false });
  expect(timeLeft('2026-01-05T13:59:00Z', now)).toEqual({ words: 'in 5 hours', isSoon: true });
  expect(timeLeft('2026-01-05T07:00:00Z', now)).toEqual({ words: 'any moment', isSoon: true });
});
