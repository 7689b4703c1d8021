import { describe, expect, it } from 'vitest';
import { personalPlace, personalWords } from './personal';

describe('a personal alert', () => {
  it('names the lead or the task', () => {
    expect(personalWords({ kind: 'lead.assigned', count: 1, leadName: 'Ada' })).toBe('You got Ada');
    expect(personalWords({ kind: 'response.overdue', count: 1, leadName: 'Ada' })).toBe('Ada waits for an answer');
    expect(personalWords({ kind: 'task.reminder', count: 1, taskTitle: 'Call' })).toBe('Reminder: Call');
  });

  it('stands for many', () => {
    expect(personalWords({ kind: 'lead.assigned', count: 12 })).toBe('12 leads were given to you');
    expect(personalPlace({ kind: 'lead.assigned' })).toBe('/leads?assignedTo=me');
  });

  it('of a lead that is gone says so little', () => {
    expect(personalWords({ kind: 'lead.returned', count: 1, leadName: null })).toBe('A lead came back');
    expect(personalPlace({ kind: 'task.overdue', leadId: null })).toBe('/tasks');
    expect(personalPlace({ kind: 'task.overdue', leadId: '7' })).toBe('/leads/7');
  });
});
