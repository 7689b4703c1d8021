/** Figures in words. */

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

export const NOTHING = '–';

/** "4 min", "3.5 h", "2.1 days"; nothing where there is none. */
export function duration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return NOTHING;
  if (ms < MINUTE_MS) return 'under 1 min';
  if (ms < HOUR_MS) return `${Math.round(ms / MINUTE_MS)} min`;
  if (ms < 2 * DAY_MS) return `${short(ms / HOUR_MS)} h`;
  return `${short(ms / DAY_MS)} days`;
}

const short = (value: number) => value.toLocaleString(undefined, { maximumFractionDigits: value < 10 ? 1 : 0 });

/** "33 %", with a tenth where that says more. */
export function percent(share: number | null | undefined): string {
  if (share === null || share === undefined) return NOTHING;
  return share.toLocaleString(undefined, { style: 'percent', maximumFractionDigits: share < 0.1 ? 1 : 0 });
}

export interface Change {
  /** In short, with a sign: "+12%". */
  text: string;
  /** In a sentence. */
  words: string;
  isMore: boolean;
}

/** How much more something is than before; nothing where that cannot be said. */
export function change(now: number | null | undefined, before: number | null | undefined): Change | null {
  if (now === null || now === undefined || before === null || before === undefined) return null;
  if (before === 0) {
    return now === 0 ? null : { text: 'new', words: 'none before', isMore: true };
  }
  const share = (now - before) / before;
  const size = percent(Math.abs(share));
  if (now === before) return { text: '±0%', words: 'as before', isMore: false };
  return {
    text: `${share > 0 ? '+' : '−'}${size}`,
    words: `${size} ${share > 0 ? 'more' : 'less'} than before`,
    isMore: share > 0,
  };
}

/** The same of shares, in points of percent. */
export function pointsChange(now: number | null | undefined, before: number | null | undefined): Change | null {
  if (now === null || now === undefined || before === null || before === undefined) return null;
  const points = (now - before) * 100;
  const size = `${Math.abs(points).toLocaleString(undefined, { maximumFractionDigits: 1 })} points`;
  if (Math.abs(points) < 0.05) return { text: '±0', words: 'as before', isMore: false };
  return {
    text: `${points > 0 ? '+' : '−'}${size}`,
    words: `${size} ${points > 0 ? 'more' : 'less'} than before`,
    isMore: points > 0,
  };
}

/** "Mar 4", "Mar 4 – 10", "March": the days of a column. */
export function daysLabel(from: string, to: string, interval: string): string {
  const at = (day: string) => new Date(`${day}T12:00:00`);
  const format = (day: string, options: Intl.DateTimeFormatOptions) => at(day).toLocaleDateString(undefined, options);
  if (interval === 'month') return format(from, { month: 'short', year: '2-digit' });
  const first = format(from, { month: 'short', day: 'numeric' });
  return from === to ? first : `${first} – ${format(to, { month: 'short', day: 'numeric' })}`;
}

/** A round number at or above the largest value, for the end of an axis. */
export function niceTop(most: number): number {
  if (most <= 4) return 4;
  const size = 10 ** Math.floor(Math.log10(most));
  const step = [1, 2, 2.5, 4, 5, 8, 10].find((factor) => factor * size >= most) ?? 10;
  return step * size;
}
