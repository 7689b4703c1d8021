import { Skeleton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useId } from 'react';
import type { LeadScore } from '@/api/shapes';
import { Failure, Time } from '@/ui/basics';
import classes from './Lead.module.css';
import { scoresQuery } from './queries';
import { scoreCause } from './words';

const WIDTH = 240;
const HEIGHT = 40;
const SHOWN = 6;

/** What the score was and why it changed, newest first, under a line of its course. */
export function ScoreHistory({ leadId }: { leadId: string }) {
  const scores = useQuery(scoresQuery(leadId));
  const title = useId();
  if (scores.isPending) return <Skeleton h={96} mt="sm" />;
  if (scores.isError) return <Failure error={scores.error} retry={() => void scores.refetch()} />;
  const { data, total } = scores.data;
  if (data.length < 2) return null;
  return (
    <section className={classes.history} aria-labelledby={title}>
      <h3 id={title}>How the score changed</h3>
      <Course scores={data} />
      <ol className={classes.changes}>
        {data.slice(0, SHOWN).map((entry, place) => (
          <li key={`${entry.at} ${entry.score} ${entry.cause}`}>
            <span className={classes.changeScore}>{entry.score}</span>
            <span>{changeWords(entry, data[place + 1])}</span>
            <span className={classes.small}>
              <Time at={entry.at} />
            </span>
          </li>
        ))}
      </ol>
      {total > SHOWN && <div className={classes.small}>{`${total} changes in all.`}</div>}
    </section>
  );
}

function changeWords(entry: LeadScore, before: LeadScore | undefined): string {
  const words = scoreCause(entry.cause);
  if (!before || before.score === entry.score) return words;
  const moved = entry.score - before.score;
  return `${words} (${moved > 0 ? `+${moved}` : moved})`;
}

/** The list below says the same in words. */
function Course({ scores }: { scores: LeadScore[] }) {
  const oldestFirst = scores.toReversed();
  const step = WIDTH / (oldestFirst.length - 1);
  const points = oldestFirst.map(({ score }, place) => `${place * step},${HEIGHT - (score / 100) * HEIGHT}`);
  return (
    <svg
      className={classes.course}
      viewBox={`0 -2 ${WIDTH} ${HEIGHT + 4}`}
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      <polyline points={points.join(' ')} />
    </svg>
  );
}
