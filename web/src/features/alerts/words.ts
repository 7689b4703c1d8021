import type { Alert } from '@/api/shapes';
import { plural } from '@/lib/text';

const numberOf = (value: unknown): number => (typeof value === 'number' ? value : 0);
const textOf = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);

/** "2 h", "3 days": how long, in the largest unit that fits. */
export function span(minutes: number): string {
  if (minutes < 60) return plural(minutes, 'minute');
  if (minutes < 48 * 60) return plural(Math.floor(minutes / 60), 'hour');
  return plural(Math.floor(minutes / 1440), 'day');
}

/** What an alert says, in a heading and a sentence. */
export function wordsOf({ kind, subjectName, data }: Alert): { title: string; text: string } {
  switch (kind) {
    case 'source.silent':
      return {
        title: `${subjectName} is silent`,
        text: `No lead came for ${span(numberOf(data.silentMinutes))} in which leads are to be expected.`,
      };
    case 'destination.failing':
      return { title: `${subjectName} is failing`, text: failureOf(data) };
    case 'ledger.differs':
      return {
        title: 'The ledger does not add up',
        text: `${plural(Math.abs(numberOf(data.missing)), 'submission')} differ between what was accepted and what is stored.`,
      };
    case 'retention.held':
      return {
        title: `The clock leapt ${plural(numberOf(data.days), 'day')} ahead`,
        text: 'Nothing is deleted because of it. If the clock is right, run "leadline retention confirm" on the server.',
      };
    case 'dead_letters.leaving': {
      const count = numberOf(data.count);
      const some =
        data.isCapped === true
          ? `More than ${count.toLocaleString()} deliveries`
          : plural(count, 'delivery', 'deliveries');
      return {
        title: 'Dead letters are about to go',
        text: `${some} that did not arrive will be deleted within ${span(numberOf(data.hours) * 60)}. Send them again before, or keep them for longer.`,
      };
    }
    default:
      return { title: subjectName, text: kind };
  }
}

function failureOf(data: Alert['data']): string {
  const disabled = textOf(data.disabledReason);
  if (disabled) return `It was switched off: ${disabled}.`;
  const why = textOf(data.error) ?? (numberOf(data.status) > 0 ? `HTTP ${numberOf(data.status)}` : 'no answer');
  return `Nothing arrives there any more: ${why}.`;
}

/** Where to look into it. */
export function placeOf({ kind, subjectId }: Alert): string | null {
  switch (kind) {
    case 'source.silent':
      return '/sources';
    case 'destination.failing':
      return subjectId ? `/destinations/${subjectId}` : '/destinations';
    case 'ledger.differs':
      return '/settings/ledger';
    case 'dead_letters.leaving':
      return '/destinations?tab=dead';
    default:
      return null;
  }
}
