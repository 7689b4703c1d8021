import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api } from '@/api/client';
import type { LatestRescore, Page, Rescore, Scoring, ScoringPreview, ScoringVersion } from '@/api/shapes';
import type { proposal } from './scoringWords';

const BASE = '/v1/identity/scoring';
const ALL = ['settings', 'scoring'] as const;

/** While leads are scored again the live stream tells of it; this is for when it is not connected. */
const POLL_MS = 2_000;

type Proposal = ReturnType<typeof proposal>;

export const scoringQuery = queryOptions({
  queryKey: [...ALL, 'current'],
  queryFn: ({ signal }) => api.get<Scoring>(BASE, {}, signal),
});

export const versionsQuery = queryOptions({
  queryKey: [...ALL, 'versions'],
  queryFn: ({ signal }) => api.get<Page<ScoringVersion>>(`${BASE}/versions`, { limit: 50 }, signal),
});

export const goesOn = (job: Rescore | null | undefined) => job?.state === 'queued' || job?.state === 'running';

export const rescoreQuery = queryOptions({
  queryKey: [...ALL, 'rescore'],
  queryFn: ({ signal }) => api.get<LatestRescore>(`${BASE}/rescore`, {}, signal),
  refetchInterval: ({ state }) => (goesOn(state.data?.job) ? POLL_MS : false),
});

export const scoringApi = {
  save: (body: Proposal & { version: number; note: string | null }) => api.put<Scoring>(BASE, body),
  restore: ({ version, current }: { version: number; current: number }) =>
    api.post<Scoring>(`${BASE}/versions/${version}/restore`, { version: current }),
  preview: (body: Proposal) => api.post<ScoringPreview>(`${BASE}/preview`, body),
  rescore: () => api.post<Rescore>(`${BASE}/rescore`),
  cancel: () => api.delete<LatestRescore>(`${BASE}/rescore`),
};

/** A write on the scoring, all of which is read again afterwards. */
export function useScoringWrite<Input, Answer>(write: (input: Input) => Promise<Answer>) {
  const client = useQueryClient();
  return useMutation({ mutationFn: write, onSettled: () => client.invalidateQueries({ queryKey: ALL }) });
}
