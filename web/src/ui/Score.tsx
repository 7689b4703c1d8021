import { scoreBand, suspicionLevel, suspicionWord } from '@/lib/scores';
import classes from './ui.module.css';

/** A board shows hundreds of these: what they say under the mouse is a `data-hint`, which one tooltip serves. */
export function Score({ score }: { score: number }) {
  const band = scoreBand(score);
  return (
    <span className={classes.score} data-band={band} data-hint={`Score ${score} of 100: ${band}`}>
      <span className={classes.scoreBar} aria-hidden="true" />
      {score}
      <span className="visually-hidden">, {band} score</span>
    </span>
  );
}

/** Nothing for a clean lead; a word for the rest. */
export function Suspicion({ suspicion }: { suspicion: number }) {
  const level = suspicionLevel(suspicion);
  if (level === 'clean') return null;
  return (
    <span className={classes.suspicion} data-level={level} data-hint={`Suspicion ${suspicion} of 100`}>
      {suspicionWord(level)}
    </span>
  );
}
