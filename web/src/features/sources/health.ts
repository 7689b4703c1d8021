import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api, rowsOf } from '@/api/client';
import type { SourceHealth } from '@/api/shapes';

/** Silence grows with time alone. */
const POLL_MS = 60_000;

export const healthQuery = queryOptions({
  queryKey: ['sources', 'health'],
  queryFn: async ({ signal }) => rowsOf(await api.get<{ data: SourceHealth[] }>('/v1/capture/health', {}, signal)),
  refetchInterval: POLL_MS,
});

export interface WatchInput {
  watched: boolean;
  silentAfterMinutes?: number;
  cooldownMinutes?: number;
  businessHours?: { days: number[]; from: string; until: string } | null;
}

export function useWatch(sourceId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (input: WatchInput) => api.patch<SourceHealth>(`/v1/capture/health/${sourceId}`, input),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['alerts'] });
      return client.invalidateQueries({ queryKey: healthQuery.queryKey });
    },
  });
}
