import { Button } from '@mantine/core';
import { messageOf } from '@/api/problem';
import { formatCount } from '@/lib/text';
import classes from './Table.module.css';

interface DepthProps {
  /** How many of the newest leads were looked through, where that is not all of them. */
  lookedThrough: number | undefined;
  /** Whether all leads are asked for. */
  isExact: boolean;
  isLooking: boolean;
  error: unknown;
  /** Looks through all leads, or does so again. */
  look: () => void;
}

/** Tells of which leads of a large workspace a list is, and looks through all of them for whoever wants that. */
export function Depth({ lookedThrough, isExact, isLooking, error, look }: DepthProps) {
  if (!isExact && lookedThrough === undefined) return null;
  const words = () => {
    if (isLooking) return 'Looking through all leads…';
    if (error) return `All leads could not be looked through. ${messageOf(error)}`;
    if (isExact) return 'All leads were looked through; what changed since is not seen here.';
    return `Only the newest ${formatCount(lookedThrough ?? 0)} leads were looked through.`;
  };
  return (
    <div className={classes.everything} aria-live="polite">
      {words()}
      <Button variant="subtle" size="compact-sm" loading={isLooking} onClick={look}>
        {isExact ? 'Look again' : 'Look through all'}
      </Button>
    </div>
  );
}
