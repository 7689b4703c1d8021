import { CloseButton, Progress } from '@mantine/core';
import { useLocalStorage } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';
import { goesOn, recentJobsQuery, useUndoJob } from '@/api/jobs';
import type { Job, JobState } from '@/api/shapes';
import { usePollInterval } from '@/lib/live';
import { toastUndo } from '@/ui/toast';
import { JobActions } from './JobActions';
import classes from './Jobs.module.css';
import { isTold, jobPercent, jobTitle, jobWords } from './words';

/** As many as are shown at once; the rest stands in the list. */
const SHOWN = 3;
const REMEMBERED = 20;

/** What one's own long work is at, on every page; it goes on when the page is left, and is here when it is loaded anew. */
export default function JobsStrip() {
  const refetchInterval = usePollInterval();
  const jobs = useQuery({ ...recentJobsQuery, refetchInterval }).data;
  const [closed, setClosed] = useLocalStorage<string[]>({ key: 'leadline-jobs-closed', defaultValue: [] });
  useEnds(jobs);
  const told = (jobs ?? []).filter((job) => isTold(job, Date.now()) && (goesOn(job) || !closed.includes(job.id)));
  if (told.length === 0) return null;
  return (
    <section className={classes.strip} aria-label="Jobs">
      {told.slice(0, SHOWN).map((job) => (
        <div key={job.id} className={classes.job}>
          <div className={classes.words}>
            <Link to="/jobs/$jobId" params={{ jobId: job.id }}>
              {jobTitle(job)}
            </Link>{' '}
            <span aria-live="polite">{jobWords(job)}</span>
          </div>
          {goesOn(job) && <Progress value={jobPercent(job)} aria-label={jobTitle(job)} className={classes.bar} />}
          <div className={classes.actions}>
            {job.failed > 0 && !goesOn(job) && (
              <Link to="/jobs/$jobId" params={{ jobId: job.id }} search={{ outcome: 'failed' }}>
                Show the failed ones
              </Link>
            )}
            <JobActions job={job} />
            {!goesOn(job) && (
              <CloseButton
                size="sm"
                aria-label={`Close: ${jobTitle(job)}`}
                onClick={() => setClosed((old) => [job.id, ...old].slice(0, REMEMBERED))}
              />
            )}
          </div>
        </div>
      ))}
    </section>
  );
}

/** Says when one's own job is done, and offers to take it back. */
function useEnds(jobs: Job[] | undefined) {
  const before = useRef(new Map<string, JobState>());
  const undo = useUndoJob().mutate;
  useEffect(() => {
    for (const job of jobs ?? []) {
      const was = before.current.get(job.id);
      before.current.set(job.id, job.state);
      const hasJustEnded = (was === 'queued' || was === 'running') && job.state === 'done';
      if (hasJustEnded && job.isMine && job.canUndo) {
        toastUndo(`${jobTitle(job)}: ${jobWords(job)}`, () => undo(job.id));
      }
    }
  }, [jobs, undo]);
}
