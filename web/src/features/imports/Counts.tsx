import type { Tally } from '@/api/shapes';
import { formatCount } from '@/lib/text';
import { Dot } from '@/ui/basics';
import classes from './Imports.module.css';
import { counts, remarks } from './words';

/** Refused rows that are named; the file of them has all. */
const SHOWN = 5;

/** The numbers of a file, what to look at, and the first rows that make no lead. */
export function Counts({ tally, isDone }: { tally: Tally; isDone: boolean }) {
  const told = remarks(tally);
  return (
    <>
      <ul className={classes.counts}>
        {counts(tally, isDone).map(({ key, count, words, color }) => (
          <li key={key}>
            <Dot color={color} />
            <b>{formatCount(count)}</b> {words}
          </li>
        ))}
      </ul>
      {(told.length > 0 || tally.refusedRows.length > 0) && (
        <ul className={classes.remarks}>
          {told.map((words) => (
            <li key={words}>{words}</li>
          ))}
          {tally.refusedRows.slice(0, SHOWN).map(({ row, reason }) => (
            <li key={row}>{`Row ${formatCount(row)}: ${reason}.`}</li>
          ))}
        </ul>
      )}
    </>
  );
}
