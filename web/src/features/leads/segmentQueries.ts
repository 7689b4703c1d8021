import { keepPreviousData, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api } from '@/api/client';
import type { Card, NewSegment, Page, Segment, SegmentChange, SegmentCount, SegmentDetail } from '@/api/shapes';

const SEGMENTS = '/v1/identity/segments';
const EXAMPLES = 5;

/** One segment with how many are in it now. */
export const segmentQuery = (id: string) =>
  queryOptions({
    queryKey: ['segments', 'count', id],
    queryFn: ({ signal }) => api.get<SegmentDetail>(`${SEGMENTS}/${id}`, {}, signal),
  });

type Json = Record<string, unknown>;

/** Who would be in a segment of these conditions. */
export const draftCountQuery = (filter: Json) =>
  queryOptions({
    queryKey: ['segments', 'count', 'draft', JSON.stringify(filter)],
    queryFn: () => api.post<SegmentCount>(`${SEGMENTS}/count`, { filter }),
    placeholderData: keepPreviousData,
    retry: false,
  });

export const draftExamplesQuery = (filter: Json) =>
  queryOptions({
    queryKey: ['segments', 'count', 'examples', JSON.stringify(filter)],
    queryFn: ({ signal }) =>
      api.get<Page<Card>>('/v1/identity/leads', { filter: JSON.stringify(filter), limit: EXAMPLES }, signal),
    placeholderData: keepPreviousData,
    retry: false,
  });

export function useSegmentWrites() {
  const client = useQueryClient();
  const onSuccess = () => client.invalidateQueries({ queryKey: ['segments'] });
  const make = useMutation({
    mutationFn: (segment: NewSegment) => api.post<Segment>(SEGMENTS, segment),
    onSuccess,
  });
  const change = useMutation({
    mutationFn: ({ id, ...change }: SegmentChange & { id: string }) => api.patch<Segment>(`${SEGMENTS}/${id}`, change),
    onSuccess,
  });
  const remove = useMutation({ mutationFn: (id: string) => api.delete(`${SEGMENTS}/${id}`), onSuccess });
  return { make, change, remove };
}
