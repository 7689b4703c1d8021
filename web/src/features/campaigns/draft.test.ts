import { describe, expect, it } from 'vitest';
import { bodyOf, emptyDraft, localTime, missing, placeholdersOf } from './draft';

describe('a campaign while it is written', () => {
  it('finds the placeholders of a template, each once', () => {
    const template = {
      subject: 'Hi {{firstName}}',
      body: "{{ firstName | default:'there' }} {{customFields.budget}} {{unsubscribe_url}}",
      html: '<b>{{company}}</b>',
    };
    expect(placeholdersOf(template as never, ['{{title}}'])).toEqual([
      'company',
      'customFields.budget',
      'firstName',
      'title',
    ]);
    expect(placeholdersOf(undefined, [])).toEqual([]);
  });

  it('sends what was chosen, and nothing of what was not', () => {
    const draft = {
      ...emptyDraft(),
      name: 'Spring',
      audience: 'segment:0199',
      subject: ' ',
      quiet: { from: '21:00', until: '08:30' },
      timezone: 'Europe/Berlin',
      variables: {
        company: { kind: 'text' as const, field: '', text: 'Us', fallback: '' },
        firstName: { kind: 'own' as const, field: '', text: '', fallback: 'there' },
        gone: { kind: 'text' as const, field: '', text: 'x', fallback: '' },
      },
    };
    expect(bodyOf(draft, ['company', 'firstName', 'title'])).toMatchObject({
      subjects: [],
      audience: { segmentId: '0199' },
      variables: { company: { text: 'Us' }, firstName: { field: 'firstName', fallback: 'there' } },
      quietHours: { fromMinute: 1260, untilMinute: 510 },
      test: null,
      start: null,
    });
    expect(Object.keys(bodyOf(draft, []).variables ?? {})).toEqual([]);
  });

  it('asks for what is needed to save, and for more to start', () => {
    expect(Object.keys(missing(emptyDraft(), false))).toEqual(['/name']);
    const draft = { ...emptyDraft(), name: 'Spring', isTest: true, subject: 'A' };
    expect(Object.keys(missing(draft, true))).toEqual(['/subjects/1', '/templateId', '/audience']);
  });

  it('shows a moment by the clock of a timezone', () => {
    expect(localTime('2026-01-05T08:30:00Z', 'Europe/Berlin')).toBe('2026-01-05T09:30');
    expect(localTime('2026-01-04T23:05:00Z', 'Europe/Berlin')).toBe('2026-01-05T00:05');
  });
});
