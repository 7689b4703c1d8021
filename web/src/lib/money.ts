/** Amounts come as exact decimals in texts; they are counted here in thousandths, as the server does. */

const MILLI = 1000n;

export function toMilli(decimal: string | null | undefined): bigint {
  const match = /^(-?)(\d+)(?:\.(\d{1,3}))?$/.exec(decimal ?? '');
  if (!match) return 0n;
  const milli = BigInt(match[2] ?? '0') * MILLI + BigInt((match[3] ?? '').padEnd(3, '0'));
  return match[1] ? -milli : milli;
}

export function fromMilli(milli: bigint): string {
  const size = milli < 0n ? -milli : milli;
  const rest = String(size % MILLI).padStart(3, '0');
  return `${milli < 0n ? '-' : ''}${size / MILLI}.${rest.endsWith('0') ? rest.slice(0, 2) : rest}`;
}

/** A part of an amount, in percent, to the nearest thousandth. */
export const percentOf = (milli: bigint, percent: number): bigint => (milli * BigInt(percent) + 50n) / 100n;

interface Worth {
  quoteValue?: string | null;
  salesValue?: string | null;
}

/** What a lead is worth: what it was sold for, or else what was quoted. */
export const worthOf = ({ quoteValue, salesValue }: Worth): string | null => salesValue ?? quoteValue ?? null;

/** "€1,250.50"; whole amounts without cents. In short, thousands have none either, and what is very large is "€1.3M". */
export function formatMoney(decimal: string, currency: string, { short = false } = {}): string {
  const value = Number(decimal);
  const isWhole = Number.isInteger(value) || (short && Math.abs(value) >= 1_000);
  const isLong = short && Math.abs(value) >= 100_000;
  return moneyFormat(currency, isLong ? 'compact' : isWhole ? 'whole' : short ? 'usual' : 'exact').format(value);
}

const FORMS = {
  compact: { notation: 'compact', maximumFractionDigits: 1 },
  whole: { minimumFractionDigits: 0, maximumFractionDigits: 0 },
  usual: {},
  exact: { minimumFractionDigits: 2, maximumFractionDigits: 3 },
} as const;

/** Kept, for making one takes longer than drawing the card that the amount stands on. */
const formats = new Map<string, Intl.NumberFormat>();

function moneyFormat(currency: string, form: keyof typeof FORMS): Intl.NumberFormat {
  const key = `${currency} ${form}`;
  const known = formats.get(key);
  if (known) return known;
  const format = new Intl.NumberFormat(undefined, { style: 'currency', currency, ...FORMS[form] });
  formats.set(key, format);
  return format;
}
