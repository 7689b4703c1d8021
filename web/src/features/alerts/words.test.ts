import { describe, expect, it } from 'vitest';
import type { Alert } from '@/api/shapes';
import { placeOf, span, wordsOf } from './words';

const alert = (kind: string, data: Record<string, unknown>): Alert => ({
  id: '1',
  kind,
  subjectId: '2',
  subjectName: 'Contact',
  data,
  openedAt: '2026-01-05T08:00:00.000Z',
});

describe('an alert', () => {
  it('says for how long a source was silent', () => {
    expect(wordsOf(alert('source.silent', { silentMinutes: 120 }))).toEqual({
      title: 'Contact is silent',
      text: 'No lead came for 2 hours in which leads are to be expected.',
    });
    expect(span(59)).toBe('59 minutes');
    expect(span(3 * 1440)).toBe('3 days');
  });

  it('says why a destination fails', () => {
    expect(wordsOf(alert('destination.failing', { status: 400 })).text).toContain('HTTP 400');
    expect(wordsOf(alert('destination.failing', { disabledReason: 'gone' })).text).toContain('switched off: gone');
    expect(placeOf(alert('destination.failing', {}))).toBe('/destinations/2');
    expect(wordsOf(alert('dead_letters.leaving', { count: 1, hours: 72 })).text).toContain(
      '1 delivery that did not arrive will be deleted within 3 days',
    );
    expect(placeOf(alert('dead_letters.leaving', {}))).toBe('/destinations?tab=dead');
  });

  it('of a kind that is not known yet is shown all the same', () => {
    expect(wordsOf(alert('something.new', {}))).toEqual({ title: 'Contact', text: 'something.new' });
    expect(placeOf(alert('something.new', {}))).toBeNull();
  });
});
