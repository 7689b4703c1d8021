import type { Figures, ReportPeriod } from '@/api/shapes';
import { formatMoney } from '@/lib/money';
import classes from './Reports.module.css';
import { type Change, change, duration, percent, pointsChange } from './words';

interface TilesProps {
  period: ReportPeriod;
  totals: Figures;
  before?: Figures | null;
}

/** What one wants to know first. */
export function Tiles({ period, totals, before }: TilesProps) {
  const money = (value: string) => formatMoney(value, period.currency, { short: true });
  return (
    <dl className={classes.tiles} aria-label="In short">
      <Tile name="Leads" value={totals.leads.toLocaleString()} change={change(totals.leads, before?.leads)} />
      <Tile
        name="Win rate"
        value={percent(totals.winRate)}
        says={`${totals.won.toLocaleString()} won, ${totals.lost.toLocaleString()} lost`}
        change={pointsChange(totals.winRate, before?.winRate)}
      />
      <Tile
        name="Sales value"
        value={money(totals.salesValue)}
        says={totals.valuePerLead ? `${money(totals.valuePerLead)} a lead` : undefined}
        change={change(Number(totals.salesValue), before ? Number(before.salesValue) : undefined)}
      />
      <Tile
        name="Median response"
        value={duration(totals.medianResponseMs)}
        says={`${percent(totals.withinTarget)} within ${duration(period.targetMinutes * 60_000)}`}
        change={change(totals.medianResponseMs, before?.medianResponseMs)}
        lessIsGood
      />
    </dl>
  );
}

interface TileProps {
  name: string;
  value: string;
  says?: string;
  change: Change | null;
  lessIsGood?: boolean;
}

function Tile({ name, value, says, change: changed, lessIsGood = false }: TileProps) {
  return (
    <div className={classes.tile}>
      <dt>{name}</dt>
      <dd>
        {value}
        <span className={classes.change}>
          {changed && <ChangeWords changed={changed} lessIsGood={lessIsGood} />}
          {changed && says ? ' · ' : ''}
          {says}
        </span>
      </dd>
    </div>
  );
}

/** A change in short, and in a sentence for those who hear it. */
export function ChangeWords({ changed, lessIsGood = false }: { changed: Change; lessIsGood?: boolean }) {
  const isSame = changed.words === 'as before';
  const tone = changed.isMore === lessIsGood ? classes.bad : classes.good;
  return (
    <span className={isSame ? undefined : tone} title={changed.words}>
      <span aria-hidden="true">{changed.text}</span>
      <span className="visually-hidden">{changed.words}</span>
    </span>
  );
}
