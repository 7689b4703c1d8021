import { MutationCache, QueryCache, QueryClient } from '@tanstack/react-query';
import { rememberSession } from '@/api/client';
import { Problem } from '@/api/problem';
import { sessionQuery } from '@/api/session';

const MAX_RETRIES = 2;

/** What is answered to somebody who signs in, and not to somebody whose session has ended. */
const WHILE_SIGNING_IN = ['wrong_credentials', 'second_factor_needed', 'wrong_code'];

const isSignedOut = (error: unknown) =>
  error instanceof Problem && error.status === 401 && !WHILE_SIGNING_IN.includes(error.code);

/** The role changed since the session was read, or a second factor is wanted now. */
const isOtherwiseAllowed = (error: unknown) =>
  error instanceof Problem && error.status === 403 && ['forbidden', 'second_factor_required'].includes(error.code);

/** Retries what may pass by itself; a session that ended anywhere leads to the sign-in. */
export function makeQueryClient(onSignedOut: () => void): QueryClient {
  const onError = (error: unknown) => {
    if (isOtherwiseAllowed(error)) void client.invalidateQueries({ queryKey: sessionQuery.queryKey });
    if (!isSignedOut(error)) return;
    rememberSession(null);
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
