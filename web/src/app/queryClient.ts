import { MutationCache, QueryCache, QueryClient } from '@tanstack/react-query';
import { rememberCsrfToken } from '@/api/client';
import { Problem } from '@/api/problem';
import { sessionQuery } from '@/api/session';

const MAX_RETRIES = 2;

const isSignedOut = (error: unknown) =>
  error instanceof Problem && error.status === 401 && error.code !== 'wrong_credentials';

/** Retries what may pass by itself; a session that ended anywhere leads to the sign-in. */
export function makeQueryClient(onSignedOut: () => void): QueryClient {
  const onError = (error: unknown) => {
    if (!isSignedOut(error)) return;
    rememberCsrfToken(null);
    client.removeQueries({ queryKey: sessionQuery.queryKey });
    onSignedOut();
  };
  const client: QueryClient = new QueryClient({
    queryCache: new QueryCache({
      onError: (error, query) => {
        if (query.queryKey[0] !== 'session') onError(error);
      },
    }),
    mutationCache: new MutationCache({ onError }),
    defaultOptions: {
      queries: {
        retry: (count, error) =>
          count < MAX_RETRIES && error instanceof Problem && (error.status === 0 || error.status >= 500),
        networkMode: 'always',
      },
      mutations: { networkMode: 'always' },
    },
  });
  return client;
}
