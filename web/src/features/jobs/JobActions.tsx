import { goesOn, useStopJob, useUndoJob } from '@/api/jobs';
import { usePermits } from '@/api/session';
import type { Job } from '@/api/shapes';
import { PermitButton } from '@/ui/basics';

/** Stopping a job that goes on, or putting back what one did that has ended. */
export function JobActions({ job }: { job: Job }) {
  const why = usePermits().why(job.needs);
  const stop = useStopJob();
  const undo = useUndoJob();
  if (goesOn(job)) {
    if (!job.canStop) return null;
    return (
      <PermitButton
        variant="default"
        size="compact-sm"
        why={why}
        loading={stop.isPending}
        onClick={() => stop.mutate(job.id)}
      >
        Stop
      </PermitButton>
    );
  }
  if (!job.canUndo) return null;
  return (
    <PermitButton
      variant="default"
      size="compact-sm"
      why={why}
      loading={undo.isPending}
      onClick={() => undo.mutate(job.id)}
    >
      Undo
    </PermitButton>
  );
}
