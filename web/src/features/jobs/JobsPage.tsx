import { Progress, Skeleton, Table } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { goesOn, JOBS_PAGE, jobsQuery } from '@/api/jobs';
import type { Job } from '@/api/shapes';
import { usePollInterval } from '@/lib/live';
import { Empty, Failure, PageBody, PageHead, State, Time } from '@/ui/basics';
import { Pager } from '@/ui/Pager';
import { ActionsHead, Cell, ScrollTable } from '@/ui/ScrollTable';
import { JobActions } from './JobActions';
import classes from './Jobs.module.css';
import { jobPercent, jobTitle, jobWords, STATES } from './words';

const route = getRouteApi('/shell/jobs');

/** Long work that somebody here asked for, the latest first. */
export function JobsPage() {
  const { page = 1 } = route.useSearch();
  const navigate = useNavigate({ from: '/jobs' });
  const refetchInterval = usePollInterval();
  const jobs = useQuery({ ...jobsQuery(page), refetchInterval });
  return (
    <PageBody>
      <PageHead title="Jobs" note={<span className={classes.dim}>Kept for 30 days after their end.</span>} />
      {jobs.isPending && <Skeleton h={240} />}
      {jobs.isError && <Failure error={jobs.error} retry={() => void jobs.refetch()} />}
      {jobs.data?.total === 0 && (
        <Empty title="No jobs yet">
          Select leads in the table, or all that match a filter, and do something to them: it is listed here and can be
          put back.
        </Empty>
      )}
      {jobs.data && jobs.data.total > 0 && (
        <>
          <ScrollTable label="Jobs">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>What</Table.Th>
                <Table.Th>State</Table.Th>
                <Table.Th>By</Table.Th>
                <Table.Th>When</Table.Th>
                <ActionsHead />
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {jobs.data.data.map((job) => (
                <Row key={job.id} job={job} />
              ))}
            </Table.Tbody>
          </ScrollTable>
          <Pager
            page={page}
            limit={JOBS_PAGE}
            total={jobs.data.total}
            totalIsCapped={jobs.data.totalIsCapped}
            onPage={(to) => void navigate({ search: to > 1 ? { page: to } : {} })}
          />
        </>
      )}
    </PageBody>
  );
}

function Row({ job }: { job: Job }) {
  const { color, word } = STATES[job.state];
  return (
    <Table.Tr>
      <Cell className={classes.wide}>
        <Link to="/jobs/$jobId" params={{ jobId: job.id }}>
          {jobTitle(job)}
        </Link>
        <div className={classes.dim}>{jobWords(job)}</div>
        {goesOn(job) && <Progress mt={4} value={jobPercent(job)} aria-label={jobTitle(job)} />}
      </Cell>
      <Cell label="State">
        <State color={color}>{word}</State>
      </Cell>
      <Cell label="By">{job.startedBy}</Cell>
      <Cell label="When">
        <Time at={job.createdAt} />
      </Cell>
      <Cell actions>
        <JobActions job={job} />
      </Cell>
    </Table.Tr>
  );
}
