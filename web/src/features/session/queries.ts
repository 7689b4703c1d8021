import { queryOptions } from '@tanstack/react-query';
import { api } from '@/api/client';
import type { OfferedProviders, Session, Setup } from '@/api/shapes';

export const setupQuery = queryOptions({
  queryKey: ['setup'],
  queryFn: ({ signal }) => api.get<Setup>('/v1/setup', {}, signal),
  staleTime: 0,
  retry: false,
});

/** With what people sign in beside a password: with the provider of this workspace, or of the only one that has one. */
export const providersQuery = (workspace: string | undefined) =>
  queryOptions({
    queryKey: ['sign-in', workspace ?? null],
    queryFn: ({ signal }) => api.get<OfferedProviders>('/v1/sign-in', { workspace }, signal),
    staleTime: 60_000,
    retry: false,
  });

export const signInApi = {
  /** Where the browser has to go. */
  begin: (wish: { workspace: string; next?: string | undefined }) => api.post<{ url: string }>('/v1/sign-in', wish),
  finish: (code: string) => api.post<Session>('/v1/sign-in/code', { code }),
};
