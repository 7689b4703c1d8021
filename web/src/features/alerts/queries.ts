import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api } from '@/api/client';
import type { Alert, Page, PersonalAlert } from '@/api/shapes';
import { toastError } from '@/ui/toast';

/** The live stream tells of most; the rest can wait for a minute. */
const POLL_MS = 60_000;

export const alertsQuery = queryOptions({
  queryKey: ['alerts', 'workspace'],
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

/** What the one who looks should look at, and nobody else. */
export const personalAlertsQuery = queryOptions({
  queryKey: ['alerts', 'personal'],
  queryFn: ({ signal }) => api.get<Page<PersonalAlert>>('/v1/identity/alerts', { limit: 50 }, signal),
  refetchInterval: POLL_MS,
});

/** Marks one of one's own alerts as seen, or all of them. */
export function useSee() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string | null) =>
      api.post(id === null ? '/v1/identity/alerts/seen' : `/v1/identity/alerts/${id}/seen`),
    onSuccess: () => client.invalidateQueries({ queryKey: personalAlertsQuery.queryKey }),
    onError: (error) => toastError('The alert was not marked as seen', error),
  });
}
