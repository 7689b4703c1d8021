import { type QueryClient, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { toastError } from '@/ui/toast';
import { api } from './client';
import type { Job, JobHint, JobResult, Page } from './shapes';

const JOBS = '/v1/identity/jobs';

/** Jobs that a page of the list has, and those that are looked at for the ones under way. */
export const JOBS_PAGE = 25;
const RECENT = 10;

export const jobKeys = {
  all: ['jobs'] as const,
  recent: ['jobs', 'recent'] as const,
  list: (page: number) => ['jobs', 'list', page] as const,
  detail: (id: string) => ['jobs', 'detail', id] as const,
  results: (id: string) => ['jobs', 'results', id] as const,
};

/** The latest jobs, whatever became of them. */
export const recentJobsQuery = queryOptions({
  queryKey: jobKeys.recent,
  queryFn: async ({ signal }) => (await api.get<Page<Job>>(JOBS, { limit: RECENT }, signal)).data,
  staleTime: 10_000,
});

export const jobsQuery = (page: number) =>
  queryOptions({
    queryKey: jobKeys.list(page),
    queryFn: ({ signal }) => api.get<Page<Job>>(JOBS, { page, limit: JOBS_PAGE }, signal),
    staleTime: 5_000,
  });

export const jobQuery = (id: string) =>
  queryOptions({
    queryKey: jobKeys.detail(id),
    queryFn: ({ signal }) => api.get<Job>(`${JOBS}/${id}`, {}, signal),
    staleTime: 5_000,
  });

export const jobResultsQuery = (id: string, outcome: string | undefined, page: number) =>
  queryOptions({
    queryKey: [...jobKeys.results(id), outcome, page],
    queryFn: ({ signal }) =>
      api.get<Page<JobResult>>(`${JOBS}/${id}/results`, { outcome, page, limit: JOBS_PAGE }, signal),
    staleTime: 5_000,
  });

export const goesOn = ({ state }: Pick<Job, 'state'>) =>
  state === 'queued' || state === 'running' || state === 'undoing';

/** Puts what the server said of a job into everything that shows it. */
export function keepJob(client: QueryClient, job: Job) {
  client.setQueryData<Job>(jobKeys.detail(job.id), job);
  client.setQueryData<Job[]>(jobKeys.recent, (old) => old && [job, ...old.filter(({ id }) => id !== job.id)]);
  void client.invalidateQueries({ queryKey: jobKeys.all, refetchType: 'none' });
}

/** Moves the bars of a job by what the live stream says; what it ended as is asked for. */
export function applyJobHint(client: QueryClient, { jobId, jobKind: _kind, ...far }: JobHint) {
  const moved = (job: Job): Job => (job.id === jobId ? { ...job, ...far } : job);
  const isKnown = client.getQueryData<Job[]>(jobKeys.recent)?.some(({ id }) => id === jobId) ?? false;
  client.setQueryData<Job>(jobKeys.detail(jobId), (old) => old && moved(old));
  client.setQueryData<Job[]>(jobKeys.recent, (old) => old?.map(moved));
  client.setQueriesData<Page<Job>>(
    { queryKey: ['jobs', 'list'] },
    (old) => old && { ...old, data: old.data.map(moved) },
  );
  if (!isKnown || !goesOn(far)) void client.invalidateQueries({ queryKey: jobKeys.all });
}

export function useUndoJob() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => api.post<Job>(`${JOBS}/${id}/undo`),
    onSuccess: (job) => keepJob(client, job),
    onError: (error) => toastError('It was not put back', error),
  });
}

export function useStopJob() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => api.delete<Job>(`${JOBS}/${id}`),
    onSuccess: (job) => keepJob(client, job),
    onError: (error) => toastError('It was not stopped', error),
    onSettled: () => client.invalidateQueries({ queryKey: jobKeys.all }),
  });
}
