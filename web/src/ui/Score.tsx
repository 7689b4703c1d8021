import { Tooltip } from '@mantine/core';
import { scoreBand, suspicionLevel, suspicionWord } from '@/lib/scores';
import classes from './ui.module.css';

export function Score({ score }: { score: number }) {
  const band = scoreBand(score);
  return (
    <Tooltip label={`Score ${score} of 100: ${band}`}>
      <span className={classes.score} data-band={band}>
        <span className={classes.scoreBar} aria-hidden="true" />
        {score}
        <span className="visually-hidden">, {band} score</span>
      </span>
    </Tooltip>
  );
}

/** Nothing for a clean lead; a word for the rest. */
export function Suspicion({ suspicion }: { suspicion: number }) {
  const level = suspicionLevel(suspicion);
  if (level === 'clean') return null;
  return (
    <Tooltip label={`Suspicion ${suspicion} of 100`}>
      <span className={classes.suspicion} data-level={level}>
        {suspicionWord(level)}
      </span>
    </Tooltip>
  );
}
