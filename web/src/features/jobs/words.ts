import { goesOn } from '@/api/jobs';
import type { Job, JobState } from '@/api/shapes';
import { formatCount, humanise, plural } from '@/lib/text';

const text = (value: unknown) => (typeof value === 'string' ? value : '');
const list = (value: unknown) => (Array.isArray(value) ? value.map(text).join(', ') : '');

/** What a job does, in a few words. */
export function jobTitle({ kind, about }: Pick<Job, 'kind' | 'about'>): string {
  if (kind === 'leads.import') return `Import ${text(about.fileName)}`;
  if (kind === 'leads.import_check') return `Try ${text(about.fileName)}`;
  if (kind === 'privacy.erase') return 'Erase a person';
  if (kind !== 'leads.bulk') return humanise(kind);
  switch (about.action) {
    case 'move_stage':
      return `Move leads to ${text(about.stageName)}`;
    case 'assign':
      return about.assignedTo ? `Assign leads to ${text(about.assignedToName)}` : 'Assign leads to nobody';
    case 'tag':
      return `Tag leads with ${list(about.tags)}`;
    case 'untag':
      return `Take ${list(about.tags)} off leads`;
    case 'delete':
      return 'Delete leads';
    case 'restore':
      return 'Restore leads';
    default:
      return 'Change leads';
  }
}

/** How far it is, or what came of it. */
export function jobWords(job: Job): string {
  const { state, done, total, changed, failed, undone, left } = job;
  const failures = failed === 0 ? '' : `, ${formatCount(failed)} could not be`;
  const rest = left === 0 ? '' : `, ${formatCount(left)} left alone: changed since`;
  switch (state) {
    case 'queued':
      return 'Begins in a moment.';
    case 'running':
      return `${formatCount(done)} of ${formatCount(total)} looked at, ${formatCount(changed)} changed${failures}.`;
    case 'done':
      return `${formatCount(changed)} changed${failures}.`;
    case 'cancelled':
      return undone + left > 0
        ? `Stopped: ${formatCount(undone)} of ${formatCount(changed)} put back${rest}.`
        : `Stopped after ${formatCount(done)} of ${formatCount(total)}: ${formatCount(changed)} changed${failures}.`;
    case 'undoing':
      return `Putting back: ${formatCount(undone + left)} of ${formatCount(changed)}${rest}.`;
    case 'undone':
      return `${plural(undone, 'row')} put back${rest}.`;
    default:
      return `It could not go on after ${formatCount(done)} of ${formatCount(total)}. ${job.error ?? ''}`.trim();
  }
}

export function jobPercent({ state, done, total, changed, undone, left }: Job): number {
  const [part, whole] = state === 'undoing' ? [undone + left, changed] : [done, total];
  return whole === 0 ? 100 : Math.min(100, Math.floor((100 * part) / whole));
}

export const STATES: Record<JobState, { color: string; word: string }> = {
  queued: { color: 'gray', word: 'Waiting' },
  running: { color: 'blue', word: 'Under way' },
  done: { color: 'green', word: 'Done' },
  failed: { color: 'red', word: 'Failed' },
  cancelled: { color: 'amber', word: 'Stopped' },
  undoing: { color: 'blue', word: 'Putting back' },
  undone: { color: 'gray', word: 'Put back' },
};

const CODES: Record<string, string> = {
  not_found: 'There is no such lead any more',
  deleted: 'It is deleted',
  too_many_tags: 'It would have more than 50 tags',
  changed_since: 'Somebody changed it since',
  deleted_since: 'Somebody deleted it since',
  submitted_since: 'The person came again since',
  gone: 'It is gone',
  nobody: 'There is no name, e-mail address or phone number in it',
  too_long: 'A cell is too long',
  unstorable: 'The database cannot hold what is in it',
  stage_gone: 'The stage that it came from is gone',
  member_gone: 'Whose it was is no member any more',
};

/** Why a row was not changed, or not put back. */
export const codeWords = (code: string) => CODES[code] ?? humanise(code);

/** How long the end of a job is told. */
const TOLD_MS = 10 * 60_000;

/** Whether somebody's own job is shown on every page. What was done on the spot was told by its toast. */
export function isTold(job: Job, now: number): boolean {
  // What a file would come to is told on its own page.
  if (!job.isMine || job.kind === 'leads.import_check') return false;
  if (goesOn(job)) return true;
  const wasOnTheSpot = job.finishedAt === job.createdAt;
  return !wasOnTheSpot && job.finishedAt != null && now - Date.parse(job.finishedAt) < TOLD_MS;
}
