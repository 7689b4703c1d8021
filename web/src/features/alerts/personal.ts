import type { PersonalAlert } from '@/api/shapes';
import { plural } from '@/lib/text';

type Said = Pick<PersonalAlert, 'kind' | 'count' | 'leadName' | 'taskTitle'>;

/** What a personal alert says. */
export function personalWords({ kind, count, leadName, taskTitle }: Said): string {
  const lead = leadName ?? 'a lead';
  const many = count > 1;
  switch (kind) {
    case 'lead.assigned':
      return many ? `${plural(count, 'lead')} were given to you` : `You got ${lead}`;
    case 'lead.returned':
      return many ? `${count} of your leads came back` : `${capital(lead)} came back`;
    case 'response.overdue':
    case 'response.escalated':
      return many ? `${plural(count, 'lead')} wait for an answer` : `${capital(lead)} waits for an answer`;
    case 'task.reminder':
      return `Reminder: ${taskTitle ?? 'a task'}`;
    case 'task.overdue':
      return `Overdue: ${taskTitle ?? 'a task'}`;
    case 'task.assigned':
      return `A task for you: ${taskTitle ?? ''}`;
    default:
      return kind;
  }
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

/** Where to look at it. */
export function personalPlace({ kind, leadId }: Pick<PersonalAlert, 'kind' | 'leadId'>): string {
  if (leadId) return `/leads/${leadId}`;
  return kind.startsWith('task.') ? '/tasks' : '/leads?assignedTo=me';
}
