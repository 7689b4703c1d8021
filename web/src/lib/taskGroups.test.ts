import { describe, expect, it } from 'vitest';
import { groupTasks, localTime, momentOf } from './taskGroups';

const NOW = new Date(2026, 0, 5, 12, 0);
const at = (day: number, hour: number) => new Date(2026, 0, day, hour).toISOString();

describe('tasks', () => {
  it('stand under their urgency, by the days of whoever looks', () => {
    const tasks = [
      { id: 'later', dueAt: at(6, 0) },
      { id: 'today', dueAt: at(5, 23) },
      { id: 'overdue', dueAt: at(5, 11) },
      { id: 'undated', dueAt: null },
    ];
    expect(groupTasks(tasks, NOW).map(({ group, tasks: [task] }) => [group, task?.id])).toEqual([
      ['overdue', 'overdue'],
      ['today', 'today'],
      ['later', 'later'],
      ['undated', 'undated'],
    ]);
  });

  it('keep their moment through a field for day and time', () => {
    expect(momentOf(localTime(at(5, 17)))).toBe(at(5, 17));
    expect(localTime(null)).toBe('');
    expect(momentOf('')).toBeNull();
    expect(momentOf('nonsense')).toBeNull();
  });
});
