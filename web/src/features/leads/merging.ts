import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api } from '@/api/client';
import type { DuplicateList, Merge, MergePreview, MergeSide, Page, SplitOff, SplitOffRequest } from '@/api/shapes';
import { formatCount } from '@/lib/text';
import { toast, toastError, toastUndo } from '@/ui/toast';
import { leadKeys } from './queries';

export type SameBy = 'email' | 'phone' | 'name';

export interface DuplicateSearch {
  by?: Exclude<SameBy, 'email'>;
  after?: string;
}

export function readDuplicateSearch(raw: Record<string, unknown>): DuplicateSearch {
  return {
    ...(raw.by === 'phone' || raw.by === 'name' ? { by: raw.by } : {}),
    ...(typeof raw.after === 'string' && raw.after ? { after: raw.after } : {}),
  };
}

export const duplicatesQuery = (by: SameBy, after: string | undefined) =>
  queryOptions({
    queryKey: [...leadKeys.all, 'duplicates', by, after],
    queryFn: ({ signal }) => api.get<DuplicateList>('/v1/identity/lead-duplicates', { by, after }, signal),
    staleTime: 5_000,
  });

export const mergesQuery = (leadId: string) =>
  queryOptions({
    queryKey: [...leadKeys.all, 'merges', leadId],
    queryFn: async ({ signal }) => (await api.get<Page<Merge>>(`/v1/identity/leads/${leadId}/merges`, {}, signal)).data,
    staleTime: 10_000,
  });

export interface MergeWish {
  winnerId: string;
  loserId: string;
  fields: Record<string, MergeSide>;
}

export const previewQuery = ({ winnerId, loserId }: Omit<MergeWish, 'fields'>) =>
  queryOptions({
    queryKey: [...leadKeys.all, 'merge-preview', winnerId, loserId],
    queryFn: () => api.post<MergePreview>(`/v1/identity/leads/${winnerId}/merge-preview`, { loserId }),
    staleTime: 0,
  });

/** Makes a lead of its own of one of a lead's submissions. Merging the two takes that back. */
export function useSplitOff(leadId: string) {
  const client = useQueryClient();
  const refresh = () => client.invalidateQueries({ queryKey: leadKeys.all });
  const putBack = useMutation({
    mutationFn: (madeId: string) =>
      api.post<Merge>(`/v1/identity/leads/${leadId}/merge`, { loserId: madeId, fields: {} }),
    onSuccess: refresh,
    onError: (error) => toastError('The submission was not put back', error),
  });
  return useMutation({
    mutationFn: (wish: SplitOffRequest) => api.post<SplitOff>(`/v1/identity/leads/${leadId}/split-off`, wish),
    onSuccess: ({ leadId: madeId }) => {
      void refresh();
      toastUndo('The submission is a lead of its own now', () => putBack.mutate(madeId));
    },
  });
}

export function useMerge() {
  const client = useQueryClient();
  const split = useSplit();
  return useMutation({
    mutationFn: ({ winnerId, loserId, fields }: MergeWish) =>
      api.post<Merge>(`/v1/identity/leads/${winnerId}/merge`, { loserId, fields }),
    onSuccess: (merge) => {
      void client.invalidateQueries({ queryKey: leadKeys.all });
      toastUndo(`Merged ${merge.loserName} into the other lead`, () => split.mutate(merge.id));
    },
    onError: (error) => toastError('The leads were not merged', error),
  });
}

export function useSplit() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => api.post<Merge>(`/v1/identity/lead-merges/${id}/split`),
    onSuccess: ({ loserName, left }) => {
      void client.invalidateQueries({ queryKey: leadKeys.all });
      const rest = left?.length ? `; ${formatCount(left.length)} fields were changed since and stay` : '';
      toast(`${loserName} is a lead of its own again${rest}`);
    },
    onError: (error) => toastError('The leads were not split', error),
  });
}
