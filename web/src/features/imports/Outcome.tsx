import { Button, Progress } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { usePermits } from '@/api/session';
import type { Import, Job } from '@/api/shapes';
import { formatCount, plural } from '@/lib/text';
import { absoluteTime } from '@/lib/time';
import { PermitButton, Section, State } from '@/ui/basics';
import { Confirm } from '@/ui/Confirm';
import { RouteLink } from '@/ui/RouteLink';
import { toastError } from '@/ui/toast';
import { Counts } from './Counts';
import classes from './Imports.module.css';
import { goesOn, importApi, importQuery } from './queries';
import { progressWords, stateWords } from './words';

/** How far the import is, what became of the rows, and the way back. */
export function Outcome({ file, job }: { file: Import; job: Job }) {
  const client = useQueryClient();
  const permits = usePermits();
  const why = permits.why('leads:manage');
  const [asking, setAsking] = useState(false);
  const refresh = () => client.invalidateQueries({ queryKey: importQuery(file.id).queryKey });
  const stop = useMutation({
    mutationFn: () => importApi.stop(job),
    onSettled: refresh,
    onError: (error) => toastError('It was not stopped', error),
  });
  useRefreshAtTheEnd(goesOn(job));
  const state = stateWords(job);
  return (
    <Section title="Import" aside={<State color={state.color}>{state.words}</State>}>
      <div aria-live="polite">
        {goesOn(job) && <Standing job={job} />}
        {job.error && <p className={classes.why}>{`It could not go on: ${job.error}`}</p>}
        {file.tally && job.state !== 'undoing' && job.state !== 'undone' && <Counts tally={file.tally} isDone />}
        {job.state === 'undone' && <p>{undoneWords(job)}</p>}
      </div>
      <div className={classes.actions}>
        {goesOn(job) ? (
          <PermitButton why={why} variant="default" loading={stop.isPending} onClick={() => stop.mutate()}>
            Stop
          </PermitButton>
        ) : (
          <>
            <RouteLink to="/leads" search={{ source: 'import' }}>
              Show imported leads
            </RouteLink>
            {job.failed > 0 && permits.can('pii:view') && (
              <Button component="a" href={importApi.errorsPath(file.id)} download variant="default">
                {`Download ${plural(job.failed, 'refused row')}`}
              </Button>
            )}
            {job.canUndo && (
              <PermitButton why={why} variant="default" onClick={() => setAsking(true)}>
                Undo the import
              </PermitButton>
            )}
            {file.undoUntil && (
              <span className={classes.small}>{`It can be undone until ${absoluteTime(file.undoUntil)}`}</span>
            )}
          </>
        )}
      </div>
      <Confirm
        opened={asking}
        title="Undo the import?"
        verb="Undo"
        onClose={() => setAsking(false)}
        onConfirm={async () => {
          await importApi.undo(job);
          await refresh();
        }}
      >
        Leads that it made go for good, unless somebody worked with them or they came again since. Leads that it changed
        are as before, field by field, where nobody changed them since.
      </Confirm>
    </Section>
  );
}

function Standing({ job }: { job: Job }) {
  if (job.state === 'undoing') {
    const done = job.undone + job.left;
    return (
      <>
        <Progress value={(100 * done) / Math.max(job.changed, 1)} aria-label="Rows that were put back" />
        <p className={classes.small}>{`${formatCount(done)} of ${formatCount(job.changed)} rows put back`}</p>
      </>
    );
  }
  return (
    <>
      <Progress value={(100 * job.done) / Math.max(job.total, 1)} aria-label="Rows that were imported" />
      <p className={classes.small}>{progressWords(job, Date.now())}</p>
    </>
  );
}

const undoneWords = ({ undone, left }: Job) =>
  left === 0
    ? `${plural(undone, 'row')} put back.`
    : `${plural(undone, 'row')} put back. ${formatCount(left)} left alone: somebody changed them since, or they came again.`;

/** Boards and lists hear nothing of each single lead of a file. */
function useRefreshAtTheEnd(isUnderWay: boolean) {
  const client = useQueryClient();
  const was = useRef(isUnderWay);
  useEffect(() => {
    if (was.current && !isUnderWay) {
      void client.invalidateQueries({
        predicate: ({ queryKey }) => !['session', 'imports'].includes(String(queryKey[0])),
      });
    }
    was.current = isUnderWay;
  }, [client, isUnderWay]);
}
