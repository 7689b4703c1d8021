import { useElementSize } from '@mantine/hooks';
import type { CampaignOutcome } from '@/api/shapes';
import { formatCount } from '@/lib/text';
import { absoluteTime } from '@/lib/time';
import classes from './Campaigns.module.css';
import { type FunnelStep, share } from './words';

/** From who was meant to who answered; what machines did stands behind what people did. */
export function Funnel({ steps, hasMachines }: { steps: FunnelStep[]; hasMachines: boolean }) {
  const whole = Math.max(1, ...steps.map(({ value }) => value));
  const sent = steps.find(({ key }) => key === 'sent')?.value ?? 0;
  const width = (value: number) => `${Math.min(100, (value / whole) * 100)}%`;
  return (
    <>
      <ul className={classes.funnel}>
        {steps.map(({ key, label, value, machine = 0 }) => (
          <li key={key} title={machine > 0 ? `${label}: ${value} by people, ${machine} by machines` : undefined}>
            <span>{label}</span>
            <svg className={classes.track} width="100%" height="20" aria-hidden="true">
              <rect x="0" y="0" height="20" width={width(Math.max(machine, 0))} data-tone="machines" />
              <rect x="0" y="0" height="20" width={width(value)} data-tone="people" />
            </svg>
            <span className={classes.value}>
              {key === 'recipients' || key === 'sent' ? formatCount(value) : share(value, sent)}
              {machine > 0 && <span className="visually-hidden"> by people, {formatCount(machine)} by machines</span>}
            </span>
          </li>
        ))}
      </ul>
      {hasMachines && (
        <p className={classes.legend}>
          <span data-tone="people">People</span>
          <span data-tone="machines">Machines</span>
        </p>
      )}
    </>
  );
}

const HEIGHT = 200;
const LEFT = 40;
const BOTTOM = 22;
const TOP = 8;
/** A label that would be cut at the right edge is left out. */
const HALF_LABEL_PX = 42;
/** More columns than this are nobody's to read: the first days say it. */
const MOST_HOURS = 72;

/** What happened by the hour. The funnel beside it says the sums in words. */
export function Hours({ hours, isLetter }: { hours: CampaignOutcome['hours']; isLetter: boolean }) {
  const { ref, width } = useElementSize();
  const shown = filled(hours).slice(0, MOST_HOURS);
  const values = shown.map(({ figures }) =>
    isLetter ? [figures.humanOpens, figures.humanClicks] : [figures.sent, figures.read],
  );
  const names = isLetter ? ['Opened', 'Clicked'] : ['Sent', 'Read'];
  const most = niceTop(Math.max(0, ...values.flat()));
  const step = Math.max(1, width - LEFT) / Math.max(1, shown.length);
  const bar = Math.max(1, Math.min(18, step * 0.36));
  const y = (value: number) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / most);
  const every = Math.max(1, Math.ceil(shown.length / Math.max(1, Math.floor(width / 90))));
  if (shown.length === 0) return <p className={classes.note}>Nothing was sent yet.</p>;
  return (
    <div ref={ref} className={classes.chart}>
      <svg width="100%" height={HEIGHT} role="img" aria-label={`${names.join(' and ')}, by the hour`}>
        {[0, most / 2, most].map((tick) => (
          <g key={tick}>
            <line x1={LEFT} x2="100%" y1={y(tick)} y2={y(tick)} />
            <text x={LEFT - 6} y={y(tick) + 4} textAnchor="end">
              {formatCount(tick)}
            </text>
          </g>
        ))}
        {width > 0 &&
          shown.map(({ at }, index) => {
            const middle = LEFT + step * (index + 0.5);
            const [first = 0, second = 0] = values[index] ?? [];
            return (
              <g key={at}>
                <title>{`${absoluteTime(at)}: ${names[0]} ${first}, ${names[1]} ${second}`}</title>
                <rect x={middle - bar} y={y(first)} width={bar} height={y(0) - y(first)} data-tone="soft" />
                <rect x={middle} y={y(second)} width={bar} height={y(0) - y(second)} data-tone="people" />
                {index % every === 0 && middle + HALF_LABEL_PX <= width && (
                  <text x={middle} y={HEIGHT - 5} textAnchor="middle">
                    {hourLabel(at)}
                  </text>
                )}
              </g>
            );
          })}
      </svg>
      <p className={classes.legend}>
        <span data-tone="machines">{names[0]}</span>
        <span data-tone="people">{names[1]}</span>
      </p>
    </div>
  );
}

const hourFormat = new Intl.DateTimeFormat(undefined, { weekday: 'short', hour: '2-digit', minute: '2-digit' });
const hourLabel = (at: string) => hourFormat.format(new Date(at));

const HOUR_MS = 60 * 60 * 1000;

/** With the hours in between in which nothing happened. */
export function filled(hours: CampaignOutcome['hours']): CampaignOutcome['hours'] {
  const all: CampaignOutcome['hours'] = [];
  for (const hour of hours) {
    let last = all.at(-1);
    while (last && Date.parse(hour.at) - Date.parse(last.at) > HOUR_MS && all.length < MOST_HOURS) {
      const zero = Object.fromEntries(Object.keys(hour.figures).map((name) => [name, 0])) as typeof hour.figures;
      last = { at: new Date(Date.parse(last.at) + HOUR_MS).toISOString(), figures: zero };
      all.push(last);
    }
    all.push(hour);
  }
  return all;
}

/** The end of an axis: 2, 4, 10, 20, 40, … */
function niceTop(most: number): number {
  let top = 2;
  for (const factor of [2, 2.5, 2]) {
    if (top >= most) return top;
    top *= factor;
  }
  return top >= most ? top : 20 * 10 ** Math.max(0, Math.ceil(Math.log10(most / 20)));
}
