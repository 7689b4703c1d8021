import { useMutation, useQueryClient } from '@tanstack/react-query';
import { api } from '@/api/client';
import { pipelinesQuery } from '@/api/lookups';
import { Problem } from '@/api/problem';
import type { Pipeline } from '@/api/shapes';
import type { bodyOf } from './pipelineDraft';

const PIPELINES = '/v1/identity/lead-pipelines';

export const pipelineApi = {
  add: (name: string) => api.post<Pipeline>(PIPELINES, { name }),
  save: ({ id, ...change }: { id: string } & Partial<ReturnType<typeof bodyOf>> & { isDefault?: boolean }) =>
    api.patch<Pipeline>(`${PIPELINES}/${id}`, change),
  remove: ({ id, moveLeadsTo }: { id: string; moveLeadsTo?: string }) =>
    api.delete(`${PIPELINES}/${id}${moveLeadsTo ? `?moveLeadsTo=${encodeURIComponent(moveLeadsTo)}` : ''}`),
};

/** A write on pipelines. Boards and leads show their stages, so they are read again too. */
export function usePipelineWrite<Input, Answer>(write: (input: Input) => Promise<Answer>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: write,
    onSuccess: async () => {
      void client.invalidateQueries({ queryKey: ['leads'] });
      void client.invalidateQueries({ queryKey: ['projects'] });
      await client.invalidateQueries({ queryKey: pipelinesQuery.queryKey });
    },
  });
}

const pointsAt = (error: unknown, pointer: string) =>
  error instanceof Problem && error.status === 409 && error.errors.some((each) => each.pointer === pointer);

/** Somebody else changed the pipeline since it was read. */
export const isChangedMeanwhile = (error: unknown) => pointsAt(error, '/version');

/** Leads came into a stage that was thought empty. */
export const needsTarget = (error: unknown) => pointsAt(error, '/moveLeadsTo');
