import { Group, Progress, Skeleton, Stack, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { usePermits } from '@/api/session';
import type { Rescore as Job } from '@/api/shapes';
import { Failure, PermitButton, Time } from '@/ui/basics';
import { toastError } from '@/ui/toast';
import classes from './Scoring.module.css';
import { goesOn, rescoreQuery, scoringApi, useScoringWrite } from './scoringQueries';

/** Scoring leads that were here before again; it goes on when the page is left. */
export function Rescore({ version }: { version: number }) {
  const why = usePermits().why('settings:manage');
  const latest = useQuery(rescoreQuery);
  const start = useScoringWrite(scoringApi.rescore);
  const cancel = useScoringWrite(scoringApi.cancel);
  const job = latest.data?.job;
  const isUnderWay = goesOn(job);
  return (
    <Stack gap="xs" align="flex-start" component="section" aria-label="Leads that are here already">
      <Title order={2}>Leads that are here already</Title>
      <p className={classes.small}>
        They keep their scores until something is heard of them, or until you score all leads again.
      </p>
      {latest.isPending && <Skeleton h={40} />}
      {latest.isError && <Failure error={latest.error} retry={() => void latest.refetch()} />}
      {job && <Standing job={job} />}
      <Group gap="xs">
        {isUnderWay ? (
          <PermitButton
            variant="default"
            size="sm"
            why={why}
            loading={cancel.isPending}
            onClick={() => cancel.mutate(undefined, { onError: (error) => toastError('It was not stopped', error) })}
          >
            Stop
          </PermitButton>
        ) : (
          <PermitButton
            variant="default"
            size="sm"
            why={why}
            loading={start.isPending}
            onClick={() => start.mutate(undefined, { onError: (error) => toastError('It was not begun', error) })}
          >
            {`Score all leads again by ${version === 0 ? 'the documentation' : `version ${version}`}`}
          </PermitButton>
        )}
      </Group>
    </Stack>
  );
}

function Standing({ job }: { job: Job }) {
  const percent = job.total === 0 ? 100 : Math.floor((100 * job.done) / job.total);
  return (
    <div className={classes.standing} aria-live="polite">
      {goesOn(job) && <Progress value={percent} aria-label="Leads scored again" />}
      <p className={classes.small}>
        {standingWords(job)}
        {job.finishedAt && (
          <>
            {' · '}
            <Time at={job.finishedAt} />
          </>
        )}
      </p>
    </div>
  );
}

function standingWords({ state, done, total, changed, cause, startedBy }: Job): string {
  const what = cause === 'silence' ? 'The daily look at silence' : `The re-score by ${startedBy}`;
  switch (state) {
    case 'queued':
      return `${what} begins in a moment.`;
    case 'running':
      return `${what}: ${done} of ${total} leads, ${changed} changed so far.`;
    case 'done':
      return `${what} changed ${changed} of ${total} leads.`;
    case 'cancelled':
      return `${what} was stopped after ${done} of ${total} leads.`;
    default:
      return `${what} could not go on after ${done} of ${total} leads. The server's log says why.`;
  }
}
