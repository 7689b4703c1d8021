import type { Destination } from '@/api/shapes';
import { plural } from '@/lib/text';
import classes from './Destinations.module.css';

type Hour = Destination['health']['hours'][number];

const WIDTH = 96;
const HEIGHT = 22;
/** Where anything happened there is something to see. */
const LEAST = 2;

/** The last 24 hours, a bar each: what arrived, and on top of it what did not. */
export function Sparkline({ hours }: { hours: Hour[] }) {
  const most = Math.max(1, ...hours.map(({ delivered, failed }) => delivered + failed));
  const step = WIDTH / Math.max(1, hours.length);
  const sum = (key: 'delivered' | 'failed') => hours.reduce((total, hour) => total + hour[key], 0);
  const words = `Last 24 hours: ${plural(sum('delivered'), 'attempt')} arrived, ${sum('failed')} failed`;
  return (
    <svg className={classes.sparkline} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={words}>
      <title>{words}</title>
      {hours.map(({ at, delivered, failed }, index) => {
        const [good, bad] = [barHeight(delivered, most), barHeight(failed, most)];
        return (
          <g key={at}>
            <title>{hourWords({ at, delivered, failed })}</title>
            <rect x={index * step} y={0} width={step} height={HEIGHT} className={classes.sparkSpace} />
            <rect
              x={index * step + 0.5}
              y={HEIGHT - good}
              width={step - 1}
              height={good}
              className={classes.sparkGood}
            />
            <rect
              x={index * step + 0.5}
              y={HEIGHT - good - bad}
              width={step - 1}
              height={bad}
              className={classes.sparkBad}
            />
          </g>
        );
      })}
      <line x1={0} y1={HEIGHT - 0.5} x2={WIDTH} y2={HEIGHT - 0.5} className={classes.sparkLine} />
    </svg>
  );
}

const barHeight = (count: number, most: number) =>
  count === 0 ? 0 : Math.max(LEAST, ((HEIGHT - 2 * LEAST) * count) / most);

const hourWords = ({ at, delivered, failed }: Hour) =>
  `${new Date(at).toLocaleTimeString(undefined, { timeStyle: 'short' })}: ${delivered} arrived, ${failed} failed`;
