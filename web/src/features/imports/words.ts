import type { Import, Job, Tally } from '@/api/shapes';
import { formatCount, plural } from '@/lib/text';

const DELIMITERS: Record<string, string> = {
  ',': 'commas',
  ';': 'semicolons',
  '\t': 'tabs',
  '|': 'bars',
};

/** What a file turned out to be. */
export function layoutWords({ format, encoding, delimiter, sheet, headerRow }: Import): string {
  const header =
    headerRow == null ? 'no names of columns' : headerRow > 1 ? `names of columns in row ${headerRow}` : '';
  const what =
    format === 'xlsx'
      ? [`Excel, sheet ${sheet ?? ''}`]
      : ['CSV', encoding ?? '', `separated by ${DELIMITERS[delimiter ?? ''] ?? delimiter ?? 'nothing'}`];
  return [...what, header].filter(Boolean).join(', ');
}

export interface Count {
  key: string;
  count: number;
  words: string;
  color: string;
}

/** The numbers of a dry run, or of what was done. */
export function counts(tally: Tally, isDone: boolean): Count[] {
  const all: Count[] = [
    { key: 'created', count: tally.created, words: isDone ? 'new leads' : 'would be new leads', color: 'green' },
    {
      key: 'updated',
      count: tally.updated,
      words: isDone ? 'leads changed' : 'would change a lead that is here',
      color: 'blue',
    },
    { key: 'unchanged', count: tally.unchanged, words: 'say nothing new', color: 'gray' },
    { key: 'repeated', count: tally.repeated, words: 'repeat a row before them', color: 'gray' },
    { key: 'refused', count: tally.refused, words: isDone ? 'made no lead' : 'would make no lead', color: 'red' },
  ];
  return all.filter(({ key, count }) => count > 0 || key === 'created' || key === 'refused');
}

/** What somebody should know before, or look at after. */
export function remarks(tally: Tally): string[] {
  const told: [number, string][] = [
    [tally.unusableEmail, 'the e-mail address cannot be used and is kept as a custom field'],
    [tally.unusablePhone, 'the phone number cannot be used and is kept as it is'],
    [tally.unreachable, 'no usable e-mail address or phone number, so the same row would make a lead again'],
  ];
  return told.filter(([count]) => count > 0).map(([count, words]) => `${plural(count, 'row')}: ${words}.`);
}

/** "About 3 minutes left", once there is something to go by. */
export function timeLeft(job: Job, now: number): string {
  const ran = now - Date.parse(job.startedAt ?? job.createdAt);
  if (job.done === 0 || job.done >= job.total || ran < 2_000) return '';
  const seconds = Math.round(((ran / job.done) * (job.total - job.done)) / 1000);
  return seconds < 60 ? 'less than a minute left' : `about ${plural(Math.round(seconds / 60), 'minute')} left`;
}

export function progressWords(job: Job, now: number): string {
  const ran = (now - Date.parse(job.startedAt ?? job.createdAt)) / 1000;
  const rate = job.done > 0 && ran >= 2 ? `${formatCount(Math.round(job.done / ran))} a second` : '';
  const of = `${formatCount(job.done)} of ${formatCount(job.total)} rows`;
  return [of, rate, timeLeft(job, now)].filter(Boolean).join(' · ');
}

export function stateWords(job: Job | null | undefined): { words: string; color: string } {
  switch (job?.state) {
    case undefined:
      return { words: 'Not begun', color: 'gray' };
    case 'queued':
    case 'running':
      return { words: 'Under way', color: 'blue' };
    case 'done':
      return { words: 'Done', color: 'green' };
    case 'cancelled':
      return { words: 'Stopped', color: 'yellow' };
    case 'undoing':
      return { words: 'Being put back', color: 'blue' };
    case 'undone':
      return { words: 'Put back', color: 'gray' };
    default:
      return { words: 'Failed', color: 'red' };
  }
}
