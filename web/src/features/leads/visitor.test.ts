import { describe, expect, test } from 'vitest';
import { channelWords, visitorRows } from './visitor';

describe('what was found out about a visitor', () => {
  test('is told in words', () => {
    const rows = visitorRows({
      location: { country: 'AT', region: 'Styria', city: 'Graz', postalCode: '8010', timezone: 'Europe/Vienna' },
      network: { asn: 16509, organisation: 'Amazon', kind: 'hosting' },
      device: {
        kind: 'desktop',
        make: 'Apple',
        model: 'Mac',
        os: 'Mac OS X',
        osVersion: '10.15',
        browser: 'Safari',
        browserVersion: '18',
      },
      language: 'de-AT',
      timezone: 'Asia/Tokyo',
    });

    expect(Object.fromEntries(rows)).toEqual({
      Place: '8010 Graz, Styria, Austria',
      Device: 'Computer Apple Mac',
      System: 'macOS 10.15',
      Browser: 'Safari 18',
      Language: 'Austrian German',
      Timezone: 'Asia/Tokyo',
      Network: 'Amazon, hosting network',
    });
  });

  test('is left out where nothing is known', () => {
    expect(visitorRows({})).toEqual([]);
    expect(visitorRows({ device: { kind: 'other' }, network: { kind: 'ordinary' }, location: {} })).toEqual([]);
  });

  test('may be anything a visitor made up', () => {
    const rows = visitorRows({ location: { country: '??' }, language: 'x'.repeat(50) });

    expect(Object.fromEntries(rows)).toEqual({ Place: '??', Language: 'x'.repeat(50) });
  });
});

test('a channel is told with whom it came by', () => {
  expect(channelWords({ channel: 'search', source: 'Google' })).toBe('Search (Google)');
  expect(channelWords({ channel: 'direct' })).toBe('Direct');
  expect(channelWords({ channel: 'smoke_signals', source: 'hill' })).toBe('smoke_signals (hill)');
  expect(channelWords({})).toBeUndefined();
});
