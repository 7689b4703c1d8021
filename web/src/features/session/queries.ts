import { queryOptions } from '@tanstack/react-query';
import { api } from '@/api/client';
import type { Setup } from '@/api/shapes';

export const setupQuery = queryOptions({
  queryKey: ['setup'],
  queryFn: ({ signal }) => api.get<Setup>('/v1/setup', {}, signal),
  staleTime: 0,
  retry: false,
});
