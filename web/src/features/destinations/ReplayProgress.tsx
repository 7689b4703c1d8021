import { Progress } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { usePermits } from '@/api/session';
import type { ReplayJob } from '@/api/shapes';
import { formatCount, plural } from '@/lib/text';
import { PermitButton } from '@/ui/basics';
import classes from './Destinations.module.css';
import { goesOn, latestReplayQuery, useStopReplay } from './queries';

/** How long the end of a replay is told. */
const TOLD_MS = 10 * 60_000;

/** Sending many again: how far it is, and a way to stop it. It goes on when the page is left. */
export function ReplayProgress() {
  const why = usePermits().why('deliveries:replay');
  const job = useQuery(latestReplayQuery).data;
  const stop = useStopReplay();
  if (!job || !isTold(job, Date.now())) return null;
  const percent = job.total === 0 ? 100 : Math.floor((100 * job.done) / job.total);
  return (
    <section className={classes.replay} aria-label="Sending many again">
      <div className={classes.replayWords} aria-live="polite">
        {replayWords(job)}
      </div>
      {goesOn(job) && (
        <>
          <Progress value={percent} aria-label="Deliveries put back into the queue" className={classes.replayBar} />
          <PermitButton
            variant="default"
            size="compact-sm"
            why={why}
            loading={stop.isPending}
            onClick={() => stop.mutate(job.id)}
          >
            Stop
          </PermitButton>
        </>
      )}
    </section>
  );
}

export const isTold = (job: ReplayJob, now: number) =>
  goesOn(job) || (job.finishedAt != null && now - Date.parse(job.finishedAt) < TOLD_MS);

export function replayWords({ state, total, done, replayed, skipped }: ReplayJob): string {
  const left = skipped === 0 ? '' : `, ${formatCount(skipped)} left out: they or their destination are gone`;
  switch (state) {
    case 'queued':
      return `${plural(total, 'delivery', 'deliveries')} will be sent again in a moment.`;
    case 'running':
      return `Sending again: ${formatCount(done)} of ${formatCount(total)} are in the queue${left}.`;
    case 'done':
      return `${plural(replayed, 'delivery is', 'deliveries are')} in the queue again${left}.`;
    case 'cancelled':
      return `Stopped after ${formatCount(done)} of ${formatCount(total)}. What is in the queue is sent.`;
    default:
      return `It could not go on after ${formatCount(done)} of ${formatCount(total)}. The server's log says why.`;
  }
}
