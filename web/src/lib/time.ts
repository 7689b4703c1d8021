import { once } from './once';

const absoluteFormat = once(() => new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' }));
const dayFormat = once(() => new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' }));
const relativeFormat = once(() => new Intl.RelativeTimeFormat('en', { numeric: 'auto' }));

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export const absoluteTime = (iso: string) => absoluteFormat().format(new Date(iso));
export const dayOf = (iso: string) => dayFormat().format(new Date(iso));

/** "just now", "5 minutes ago", "yesterday", and the date after a month. */
export function relativeTime(iso: string, now: number = Date.now()): string {
  const delta = new Date(iso).getTime() - now;
  const size = Math.abs(delta);
  if (size < 45 * SECOND) return delta > 5 * SECOND ? 'in a moment' : 'just now';
  if (size < HOUR) return relativeFormat().format(Math.round(delta / MINUTE), 'minute');
  if (size < DAY) return relativeFormat().format(Math.round(delta / HOUR), 'hour');
  if (size < 30 * DAY) return relativeFormat().format(Math.round(delta / DAY), 'day');
  return dayOf(iso);
}

/** The age in one short word for a card: "4m", "3h", "12d". */
export function shortAge(iso: string, now: number = Date.now()): string {
  const size = Math.max(0, now - new Date(iso).getTime());
  if (size < MINUTE) return 'now';
  if (size < HOUR) return `${Math.floor(size / MINUTE)}m`;
  if (size < DAY) return `${Math.floor(size / HOUR)}h`;
  return `${Math.floor(size / DAY)}d`;
}

/** "41 s", "3 min 5 s", "2 h 10 min". */
export function spentTime(seconds: number): string {
  if (seconds < 60) return `${seconds} s`;
  const [minutes, rest] = [Math.floor(seconds / 60), seconds % 60];
  if (minutes < 60) return rest === 0 ? `${minutes} min` : `${minutes} min ${rest} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** "87 ms", "2.3 s", "41 s". */
export function duration(ms: number): string {
  if (ms < SECOND) return `${Math.round(ms)} ms`;
  if (ms < 10 * SECOND) return `${(ms / SECOND).toFixed(1)} s`;
  if (ms < 2 * MINUTE) return `${Math.round(ms / SECOND)} s`;
  return `${Math.round(ms / MINUTE)} min`;
}

/** How long until then, "in 6 days", and whether that is less than a day. */
export function timeLeft(iso: string, now: number = Date.now()): { words: string; isSoon: boolean } {
  const left = new Date(iso).getTime() - now;
  if (left <= MINUTE) return { words: 'any moment', isSoon: true };
  if (left < HOUR) return { words: relativeFormat().format(Math.floor(left / MINUTE), 'minute'), isSoon: true };
  if (left < DAY) return { words: relativeFormat().format(Math.floor(left / HOUR), 'hour'), isSoon: true };
  return { words: relativeFormat().format(Math.floor(left / DAY), 'day'), isSoon: false };
}
