/** Tasks by their urgency, as a list shows them. */

export interface Dated {
  dueAt?: string | null;
}

export type TaskGroup = 'overdue' | 'today' | 'later' | 'undated';

export const TASK_GROUPS: { group: TaskGroup; label: string }[] = [
  { group: 'overdue', label: 'Overdue' },
  { group: 'today', label: 'Today' },
  { group: 'later', label: 'Later' },
  { group: 'undated', label: 'No date' },
];

export function groupOfTask({ dueAt }: Dated, now: Date = new Date()): TaskGroup {
  if (!dueAt) return 'undated';
  const due = new Date(dueAt);
  if (due < now) return 'overdue';
  const tomorrow = new Date(now.getFullYear(), now.getMonth(), now.getDate() + 1);
  return due < tomorrow ? 'today' : 'later';
}

/** The tasks of each group that has any, in the order of urgency. */
export function groupTasks<T extends Dated>(tasks: T[], now: Date = new Date()) {
  return TASK_GROUPS.map(({ group, label }) => ({
    group,
    label,
    tasks: tasks.filter((task) => groupOfTask(task, now) === group),
  })).filter(({ tasks }) => tasks.length > 0);
}

/** A moment as a field for day and time holds it, in the browser's own zone; empty where there is none. */
export function localTime(iso: string | null | undefined): string {
  if (!iso) return '';
  const at = new Date(iso);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** The moment that such a field names; nothing where it is empty. */
export function momentOf(local: string): string | null {
  const at = new Date(local);
  return local === '' || Number.isNaN(at.getTime()) ? null : at.toISOString();
}
