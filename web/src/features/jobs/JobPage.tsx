import { Progress, SegmentedControl, Skeleton, Table } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { goesOn, JOBS_PAGE, jobQuery, jobResultsQuery } from '@/api/jobs';
import type { Job, JobResult } from '@/api/shapes';
import { usePollInterval } from '@/lib/live';
import { formatCount } from '@/lib/text';
import { Empty, Failure, PageBody, PageHead, State, Time } from '@/ui/basics';
import { Pager } from '@/ui/Pager';
import { Cell, ScrollTable } from '@/ui/ScrollTable';
import { JobActions } from './JobActions';
import classes from './Jobs.module.css';
import type { ResultOutcome } from './search';
import { codeWords, jobPercent, jobTitle, jobWords, STATES } from './words';

const route = getRouteApi('/shell/jobs/$jobId');

/** One job: how far it is, and what became of each row. */
export function JobPage() {
  const { jobId } = route.useParams();
  const refetchInterval = usePollInterval();
  const query = useQuery({ ...jobQuery(jobId), refetchInterval });
  const job = query.data;
  if (query.isError && !job) {
    return (
      <PageBody>
        <Failure error={query.error} retry={() => void query.refetch()} />
      </PageBody>
    );
  }
  if (!job) {
    return (
      <PageBody>
        <Skeleton h={240} />
      </PageBody>
    );
  }
  const { color, word } = STATES[job.state];
  return (
    <PageBody>
      <PageHead title={jobTitle(job)} note={<State color={color}>{word}</State>}>
        <JobActions job={job} />
      </PageHead>
      <p className={classes.standing} aria-live="polite">
        {jobWords(job)}
      </p>
      {goesOn(job) && <Progress value={jobPercent(job)} aria-label={jobTitle(job)} mb="sm" />}
      <p className={classes.dim}>
        Asked for by {job.startedBy} <Time at={job.createdAt} />
        {job.undoneBy && <> · put back by {job.undoneBy}</>}
        {' · '}
        <Link to="/jobs">All jobs</Link>
      </p>
      <Results job={job} />
    </PageBody>
  );
}

function Results({ job }: { job: Job }) {
  const { page = 1, outcome } = route.useSearch();
  const navigate = useNavigate({ from: '/jobs/$jobId' });
  const results = useQuery(jobResultsQuery(job.id, outcome, page));
  return (
    <>
      <div className={classes.tools}>
        <SegmentedControl
          size="xs"
          aria-label="Rows of the job"
          data={tabs(job)}
          value={outcome ?? 'all'}
          onChange={(value) =>
            void navigate({ search: value === 'all' ? {} : { outcome: value as ResultOutcome }, replace: true })
          }
        />
      </div>
      {results.isPending && <Skeleton h={200} />}
      {results.isError && <Failure error={results.error} retry={() => void results.refetch()} />}
      {results.data?.data.length === 0 && <Empty title="No rows">There is nothing of this kind.</Empty>}
      {results.data && results.data.data.length > 0 && (
        <>
          <ScrollTable label="Results">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Lead</Table.Th>
                <Table.Th>What became of it</Table.Th>
                <Table.Th>Put back</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {results.data.data.map((result) => (
                <Row key={result.number} result={result} />
              ))}
            </Table.Tbody>
          </ScrollTable>
          <Pager
            page={page}
            limit={JOBS_PAGE}
            total={results.data.total}
            onPage={(to) => void navigate({ search: (old) => ({ ...old, page: to > 1 ? to : undefined }) })}
          />
        </>
      )}
    </>
  );
}

function tabs({ changed, failed, left, resultCount }: Job) {
  const unchanged = Math.max(0, resultCount - changed - failed);
  const counted = (value: string, word: string, count: number) => ({ value, label: `${word} ${formatCount(count)}` });
  return [
    counted('all', 'All', resultCount),
    counted('changed', 'Changed', changed),
    counted('failed', 'Failed', failed),
    ...(unchanged > 0 ? [counted('unchanged', 'As they were', unchanged)] : []),
    ...(left > 0 ? [counted('left', 'Left alone', left)] : []),
  ];
}

const OUTCOME_WORDS: Record<JobResult['outcome'], { color: string; word: string }> = {
  changed: { color: 'green', word: 'Changed' },
  unchanged: { color: 'gray', word: 'Was so already' },
  failed: { color: 'red', word: 'Not changed' },
};

function Row({ result }: { result: JobResult }) {
  const { leadId, leadName, rowNumber, outcome, code, message, undone, leftCode } = result;
  const { color, word } = OUTCOME_WORDS[outcome];
  const why = message ?? (code ? codeWords(code) : null);
  return (
    <Table.Tr>
      <Cell className={classes.wide}>
        {leadId && leadName ? (
          <Link to="/leads/$leadId" params={{ leadId }}>
            {leadName}
          </Link>
        ) : (
          <span className={classes.dim}>{rowNumber ? `Row ${formatCount(rowNumber)}` : 'A lead that is gone'}</span>
        )}
      </Cell>
      <Cell label="What became of it">
        <State color={color}>{word}</State>
        {why && <div className={classes.dim}>{why}</div>}
      </Cell>
      <Cell label="Put back" beside={undone == null}>
        {undone == null ? '' : undone ? 'Yes' : `No: ${codeWords(leftCode ?? '')}`}
      </Cell>
    </Table.Tr>
  );
}
