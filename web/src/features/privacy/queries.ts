import { keepPreviousData, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api } from '@/api/client';
import { keepJob } from '@/api/jobs';
import type {
  Consent,
  Contact,
  HeldPerson,
  Job,
  Page,
  Retention,
  RetentionPreview,
  Suppression,
  SuppressionWish,
} from '@/api/shapes';

const BASE = '/v1/admin/privacy';

/** Who is found at once; whoever looks for one person narrows the search. */
const FOUND = 10;

/** Entries of the list on one page. */
export const SUPPRESSION_PAGE = 50;

const suppressionKey = ['privacy', 'suppressions'];

export const foundQuery = (search: string) =>
  queryOptions({
    queryKey: ['privacy', 'found', search],
    queryFn: ({ signal }) => api.get<Page<Contact>>('/v1/identity/contacts', { search, limit: FOUND }, signal),
    placeholderData: keepPreviousData,
    enabled: search !== '',
  });

/** Each look is written down in the audit log, so nobody looks again by switching windows. */
export const personQuery = (contactId: string) =>
  queryOptions({
    queryKey: ['privacy', 'person', contactId],
    queryFn: ({ signal }) => api.get<HeldPerson>(`${BASE}/persons/${contactId}`, {}, signal),
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });

export const exportPath = (contactId: string) => `${BASE}/persons/${contactId}/export`;

export const suppressionsQuery = (page: number) =>
  queryOptions({
    queryKey: [...suppressionKey, page],
    queryFn: ({ signal }) =>
      api.get<Page<Suppression>>(`${BASE}/suppressions`, { page, limit: SUPPRESSION_PAGE }, signal),
    placeholderData: keepPreviousData,
  });

export const retentionQuery = queryOptions({
  queryKey: ['privacy', 'retention'],
  queryFn: ({ signal }) => api.get<Retention>(`${BASE}/retention`, {}, signal),
});

/** What would go with these days; with none, what goes as things are. */
export const previewQuery = (wish: Record<string, number>) =>
  queryOptions({
    queryKey: ['privacy', 'retention', 'preview', wish],
    queryFn: () => api.post<RetentionPreview>(`${BASE}/retention/preview`, wish),
    placeholderData: keepPreviousData,
    staleTime: 30_000,
  });

export function useKeep() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (wish: Record<string, number>) => api.patch<Retention>(`${BASE}/retention`, wish),
    onSuccess: (kept) => {
      client.setQueryData(retentionQuery.queryKey, kept);
      void client.invalidateQueries({ queryKey: ['privacy', 'retention', 'preview'] });
    },
  });
}

export function useErase() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (wish: { contactId: string; suppress: boolean }) => api.post<Job>(`${BASE}/erase`, wish),
    onSuccess: (job) => {
      keepJob(client, job);
      void client.invalidateQueries({ queryKey: suppressionKey });
    },
  });
}

/** What lists show is not there any more once the job is done. */
export function useForgetErased() {
  const client = useQueryClient();
  return (contactId: string) => {
    client.removeQueries({ queryKey: ['privacy', 'person', contactId] });
    for (const key of ['privacy', 'contacts', 'leads', 'board']) {
      void client.invalidateQueries({ queryKey: [key] });
    }
  };
}

export function useSuppress() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (wish: SuppressionWish) => api.post<Suppression>(`${BASE}/suppressions`, wish),
    onSuccess: () => client.invalidateQueries({ queryKey: suppressionKey }),
  });
}

export function useUnsuppress() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => api.delete(`${BASE}/suppressions/${id}`),
    onSuccess: () => client.invalidateQueries({ queryKey: ['privacy'] }),
  });
}

export function useWithdraw(contactId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => api.post<Consent>(`${BASE}/consents/${id}/withdraw`),
    onSuccess: (withdrawn) =>
      client.setQueryData(
        personQuery(contactId).queryKey,
        (old) => old && { ...old, consents: old.consents.map((each) => (each.id === withdrawn.id ? withdrawn : each)) },
      ),
  });
}
