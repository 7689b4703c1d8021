/** How it stands with the first answer to a lead, in a few words. */

interface Standing {
  dueAt: string;
  answeredAt?: string | null;
  answeredByName?: string | null;
  answeredInMinutes?: number | null;
}

export type ResponseTone = 'waiting' | 'soon' | 'overdue' | 'answered';

const MINUTE = 60_000;
/** Within so much of its time it is urgent. */
const SOON_MS = 10 * MINUTE;

/** "12 min", "3 h", "2 days". */
export function shortSpan(minutes: number): string {
  if (minutes < 60) return `${minutes} min`;
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h`;
  return `${Math.floor(minutes / (24 * 60))} days`;
}

interface ResponseWords {
  tone: ResponseTone;
  words: string;
  /** For a card: "due 12 min", "overdue". */
  short: string;
}

export function responseState(response: Standing, now: number = Date.now()): ResponseWords {
  if (response.answeredAt) {
    const span = shortSpan(response.answeredInMinutes ?? 0);
    return { tone: 'answered', words: `Answered in ${span}`, short: span };
  }
  const left = new Date(response.dueAt).getTime() - now;
  if (left < 0) {
    const span = shortSpan(Math.floor(-left / MINUTE));
    return { tone: 'overdue', words: `Answer overdue by ${span}`, short: 'overdue' };
  }
  const tone = left < SOON_MS ? 'soon' : 'waiting';
  if (left < MINUTE) return { tone, words: 'Answer due now', short: 'due now' };
  const span = shortSpan(Math.floor(left / MINUTE));
  return { tone, words: `Answer due in ${span}`, short: `due ${span}` };
}
