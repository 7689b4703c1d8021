import { Progress } from '@mantine/core';
import type { Job, Tally } from '@/api/shapes';
import { Section } from '@/ui/basics';
import { Counts } from './Counts';
import classes from './Imports.module.css';
import { goesOn } from './queries';
import { progressWords } from './words';

interface DryRunProps {
  job: Job;
  tally: Tally | null | undefined;
  /** Whether something else was chosen since. */
  isStale: boolean;
}

/** What would become of the rows. */
export function DryRun({ job, tally, isStale }: DryRunProps) {
  const aside = isStale ? <span className={classes.small}>Of what was chosen before</span> : undefined;
  return (
    <Section title="What would happen" aside={aside}>
      <div aria-live="polite">
        {goesOn(job) && (
          <>
            <Progress value={(100 * job.done) / Math.max(job.total, 1)} aria-label="Rows that were tried" />
            <p className={classes.small}>{progressWords(job, Date.now())}</p>
          </>
        )}
        {job.error && <p className={classes.why}>{`It could not go on: ${job.error}`}</p>}
        {!goesOn(job) && tally && <Counts tally={tally} isDone={false} />}
      </div>
    </Section>
  );
}
