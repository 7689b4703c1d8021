import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api } from '@/api/client';
import type { Alert, Page } from '@/api/shapes';
import { toastError } from '@/ui/toast';

/** The live stream tells of most; the rest can wait for a minute. */
const POLL_MS = 60_000;

export const alertsQuery = queryOptions({
  queryKey: ['alerts'],
  queryFn: ({ signal }) => api.get<Page<Alert>>('/v1/admin/alerts', { limit: 200 }, signal),
  refetchInterval: POLL_MS,
});

export function useAcknowledge() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => api.post<Alert>(`/v1/admin/alerts/${id}/acknowledge`),
    onSuccess: () => client.invalidateQueries({ queryKey: alertsQuery.queryKey }),
    onError: (error) => toastError('The alert was not marked as seen', error),
  });
}
