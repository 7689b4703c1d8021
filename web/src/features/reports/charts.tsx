import { useElementSize } from '@mantine/hooks';
import classes from './Reports.module.css';
import { niceTop } from './words';

/** Parts of a column or a bar; each has its own colour and its own word. */
export type Tone = 'main' | 'good' | 'bad' | 'soft';

interface Part {
  name: string;
  value: number;
  tone: Tone;
}

export interface ColumnData {
  key: string;
  label: string;
  parts: Part[];
  /** What it was before; a mark beside the column. */
  before?: number | null;
}

interface ColumnsProps {
  label: string;
  data: ColumnData[];
  format?: (value: number) => string;
  /** The end of the axis, where it is not the largest value. */
  top?: number;
}

const HEIGHT = 232;
const LEFT = 44;
const BOTTOM = 24;
const TOP = 8;

const count = (value: number) => value.toLocaleString();

/** Columns over time, parts on top of each other. The table below says the same in words. */
export function Columns({ label, data, format = count, top }: ColumnsProps) {
  const { ref, width } = useElementSize();
  const sums = data.map(({ parts }) => parts.reduce((sum, { value }) => sum + value, 0));
  const most = top ?? niceTop(Math.max(0, ...sums, ...data.map(({ before }) => before ?? 0)));
  const space = Math.max(1, width - LEFT);
  const step = space / Math.max(1, data.length);
  const bar = Math.max(1, Math.min(48, step * 0.72));
  const y = (value: number) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / most);
  const every = Math.max(1, Math.ceil(data.length / Math.max(1, Math.floor(space / 76))));
  const ticks = [0, most / 2, most];
  return (
    <div ref={ref} className={classes.chart}>
      <svg width="100%" height={HEIGHT} role="img" aria-label={label}>
        {ticks.map((tick) => (
          <g key={tick}>
            <line x1={LEFT} x2="100%" y1={y(tick)} y2={y(tick)} className={classes.grid} />
            <text x={LEFT - 8} y={y(tick) + 4} textAnchor="end" className={classes.axis}>
              {format(tick)}
            </text>
          </g>
        ))}
        {width > 0 &&
          data.map((column, index) => {
            const x = LEFT + step * index + (step - bar) / 2;
            return (
              <g key={column.key}>
                <title>{said(column, format)}</title>
                <rect
                  x={LEFT + step * index}
                  y={TOP}
                  width={step}
                  height={HEIGHT - TOP - BOTTOM}
                  className={classes.hit}
                />
                {stacked(column.parts).map(({ name, tone, from, to }) => (
                  <rect key={name} x={x} y={y(to)} width={bar} height={y(from) - y(to)} data-tone={tone} />
                ))}
                {Boolean(column.before) && (
                  <line
                    x1={x - 2}
                    x2={x + bar + 2}
                    y1={y(column.before ?? 0)}
                    y2={y(column.before ?? 0)}
                    className={classes.before}
                  />
                )}
                {index % every === 0 && (
                  <text x={x + bar / 2} y={HEIGHT - 6} textAnchor={anchor(index, data.length)} className={classes.axis}>
                    {column.label}
                  </text>
                )}
              </g>
            );
          })}
      </svg>
    </div>
  );
}

/** The first label must not leave the chart on its left, nor the last on its right. */
const anchor = (index: number, length: number) => (length > 1 && index === length - 1 ? 'end' : 'middle');

function stacked(parts: Part[]) {
  let from = 0;
  return parts
    .filter(({ value }) => value > 0)
    .map((part) => {
      const below = from;
      from += part.value;
      return { ...part, from: below, to: from };
    });
}

function said({ label, parts, before }: ColumnData, format: (value: number) => string): string {
  const now = parts.map(({ name, value }) => `${name} ${format(value)}`).join(', ');
  return typeof before === 'number' ? `${label}: ${now}; before ${format(before)}` : `${label}: ${now}`;
}

export interface BarData {
  key: string;
  label: string;
  parts: Part[];
  before?: number | null;
  /** What stands behind the bar. */
  says: string;
}

const ROW = 44;
const BAR = 16;

/** Bars from the left, the name above each. */
export function Bars({ label, data }: { label: string; data: BarData[] }) {
  const { ref, width } = useElementSize();
  const sum = (parts: Part[]) => parts.reduce((total, { value }) => total + value, 0);
  const most = Math.max(1, ...data.map(({ parts, before }) => Math.max(sum(parts), before ?? 0)));
  const x = (value: number) => (width * value) / most;
  return (
    <div ref={ref} className={classes.chart}>
      <svg width="100%" height={ROW * data.length} role="img" aria-label={label}>
        {width > 0 &&
          data.map((bar, index) => (
            <g key={bar.key} transform={`translate(0 ${ROW * index})`}>
              <title>{said(bar, count)}</title>
              <text x={0} y={15} className={classes.barName}>
                {bar.label}
              </text>
              <text x={width} y={15} textAnchor="end" className={classes.barSays}>
                {bar.says}
              </text>
              <rect x={0} y={21} width={width} height={BAR} rx={3} className={classes.track} />
              {stacked(bar.parts).map(({ name, tone, from, to }) => (
                <rect
                  key={name}
                  x={x(from)}
                  y={21}
                  width={Math.max(1, x(to) - x(from))}
                  height={BAR}
                  data-tone={tone}
                />
              ))}
              {typeof bar.before === 'number' && (
                <line x1={x(bar.before)} x2={x(bar.before)} y1={18} y2={21 + BAR + 3} className={classes.before} />
              )}
            </g>
          ))}
      </svg>
    </div>
  );
}

/** What the colours mean, in words. */
export function Legend({ parts, isCompared }: { parts: { name: string; tone: Tone }[]; isCompared: boolean }) {
  return (
    <ul className={classes.legend} aria-label="What the colours mean">
      {parts.map(({ name, tone }) => (
        <li key={name}>
          <svg width={10} height={10} aria-hidden="true">
            <rect width={10} height={10} rx={2} data-tone={tone} />
          </svg>
          {name}
        </li>
      ))}
      {isCompared && (
        <li>
          <svg width={14} height={10} aria-hidden="true">
            <line x1={0} x2={14} y1={5} y2={5} className={classes.before} />
          </svg>
          Before
        </li>
      )}
    </ul>
  );
}
