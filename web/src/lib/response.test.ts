import { describe, expect, it } from 'vitest';
import { responseState } from './response';

const NOW = Date.parse('2026-01-05T10:00:00Z');
const due = (time: string) => ({ dueAt: `2026-01-05T${time}Z` });

describe('the first answer', () => {
  it('is waited for, urgent, and overdue', () => {
    expect(responseState(due('12:30:00'), NOW)).toMatchObject({ tone: 'waiting', words: 'Answer due in 2 h' });
    expect(responseState(due('10:09:59'), NOW)).toMatchObject({ tone: 'soon', words: 'Answer due in 9 min' });
    expect(responseState(due('10:00:30'), NOW)).toMatchObject({ tone: 'soon', words: 'Answer due now' });
    expect(responseState(due('09:48:00'), NOW)).toMatchObject({ tone: 'overdue', words: 'Answer overdue by 12 min' });
  });

  it('is said once it was given, however late', () => {
    const answered = { ...due('09:00:00'), answeredAt: '2026-01-05T09:30:00Z', answeredInMinutes: 42 };
    expect(responseState(answered, NOW)).toMatchObject({ tone: 'answered', words: 'Answered in 42 min' });
  });
});
