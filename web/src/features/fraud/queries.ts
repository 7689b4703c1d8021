import { keepPreviousData, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api } from '@/api/client';
import type { BlockedAttempt, BlockedIp, Page, QuarantineEntry } from '@/api/shapes';
import { toast, toastError } from '@/ui/toast';

const BASE = '/v1/capture';
export const FRAUD_PAGE = 50;

export const quarantineQuery = (all: boolean, page: number) =>
  queryOptions({
    queryKey: ['fraud', 'quarantine', { all, page }],
    queryFn: ({ signal }) =>
      api.get<Page<QuarantineEntry>>(
        `${BASE}/quarantine`,
        { state: all ? 'all' : 'waiting', page, limit: FRAUD_PAGE },
        signal,
      ),
    placeholderData: keepPreviousData,
  });

export const blockedQuery = (page: number) =>
  queryOptions({
    queryKey: ['fraud', 'blocked', { page }],
    queryFn: ({ signal }) => api.get<Page<BlockedIp>>(`${BASE}/blocked-ips`, { page, limit: FRAUD_PAGE }, signal),
    placeholderData: keepPreviousData,
  });

export const attemptsQuery = (page: number) =>
  queryOptions({
    queryKey: ['fraud', 'attempts', { page }],
    queryFn: ({ signal }) =>
      api.get<Page<BlockedAttempt>>(`${BASE}/blocked-attempts`, { page, limit: FRAUD_PAGE }, signal),
    placeholderData: keepPreviousData,
  });

/** Lets an entry out: it becomes a lead. */
export function useRelease() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => api.post<QuarantineEntry>(`${BASE}/quarantine/${id}/release`),
    onSuccess: (entry) => {
      toast(entry.leadId ? 'Released: it is a lead now' : 'Released: it becomes a lead when the database is back');
      return Promise.all([
        client.invalidateQueries({ queryKey: ['fraud'] }),
        client.invalidateQueries({ queryKey: ['leads'] }),
        client.invalidateQueries({ queryKey: ['board'] }),
      ]);
    },
    onError: (error) => toastError('It was not released', error),
  });
}

export function useUnblock() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => api.delete(`${BASE}/blocked-ips/${id}`),
    onSuccess: () => client.invalidateQueries({ queryKey: ['fraud', 'blocked'] }),
  });
}
