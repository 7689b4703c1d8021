import { Table, Tooltip } from '@mantine/core';
import type { Figures } from '@/api/shapes';
import { formatMoney } from '@/lib/money';
import { Cell } from '@/ui/ScrollTable';
import classes from './Reports.module.css';
import { ChangeWords } from './Tiles';
import { change, duration, percent } from './words';

const HEADS = [
  ['Leads', 'Leads that came in these days.'],
  ['Open', 'Those of them that are still being worked on.'],
  ['Won', 'Those that are in a stage that means won.'],
  ['Lost', 'Those that are in a stage that means lost.'],
  ['Win rate', 'The won among those that are won or lost.'],
  ['Sales value', 'What those that were won were sold for.'],
  ['Per lead', 'What was sold, for each lead that came.'],
  ['Quoted', 'What was quoted to all of them.'],
  ['Response', 'How long half of those that were answered waited at most.'],
] as const;

export const FigureHeads = () =>
  HEADS.map(([name, says]) => (
    <Table.Th key={name} className={classes.number}>
      <Tooltip label={says} multiline w={240}>
        <span>{name}</span>
      </Tooltip>
    </Table.Th>
  ));

interface FigureCellsProps {
  figures: Figures;
  before?: Figures | null;
  currency: string;
}

export function FigureCells({ figures, before, currency }: FigureCellsProps) {
  const more = change(figures.leads, before?.leads);
  const money = (value: string) => formatMoney(value, currency, { short: true });
  const rest: [string, string][] = [
    ['Open', figures.open.toLocaleString()],
    ['Won', figures.won.toLocaleString()],
    ['Lost', figures.lost.toLocaleString()],
    ['Win rate', percent(figures.winRate)],
    ['Sales value', money(figures.salesValue)],
    ['Per lead', figures.valuePerLead ? money(figures.valuePerLead) : '–'],
    ['Quoted', money(figures.quoteValue)],
    ['Response', duration(figures.medianResponseMs)],
  ];
  return (
    <>
      <Cell label="Leads" className={classes.number}>
        {figures.leads.toLocaleString()}{' '}
        {more && (
          <span className={classes.small}>
            <ChangeWords changed={more} />
          </span>
        )}
      </Cell>
      {rest.map(([name, value]) => (
        <Cell key={name} label={name} className={classes.number} beside={value === '0' || value === '–'}>
          {value}
        </Cell>
      ))}
    </>
  );
}
