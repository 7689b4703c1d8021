import { queryOptions, useSuspenseQuery } from '@tanstack/react-query';
import { api, isAnothers, rememberSession, startOver } from './client';
import type { Session } from './shapes';

export const sessionQuery = queryOptions({
  queryKey: ['session'],
  queryFn: async ({ signal }) => {
    const session = await api.get<Session>('/v1/session', {}, signal);
    if (isAnothers(session.user.id, session.workspace.id)) startOver();
    return remember(session);
  },
  staleTime: 5 * 60_000,
  retry: false,
});

/** Takes a session that was just read or made for that of this page. */
export function remember(session: Session): Session {
  rememberSession(session);
  return session;
}

/** The session; only for screens behind the sign-in. */
export function useSession(): Session {
  return useSuspenseQuery(sessionQuery).data;
}

const NEEDS: Record<string, string> = {
  'leads:manage': 'change leads',
  'leads:delete': 'delete leads',
  'sources:manage': 'change sources',
  'destinations:view': 'see destinations',
  'destinations:manage': 'change destinations',
  'deliveries:replay': 'replay deliveries',
  'settings:view': 'see settings',
  'settings:manage': 'change settings',
  'users:manage': 'manage users',
  'tokens:manage': 'manage all tokens',
  'audit:view': 'read the audit log',
};

export interface Permits {
  can: (permission: string) => boolean;
  /** Why a control is off, or `undefined` when it is on. */
  why: (permission: string) => string | undefined;
}

export function usePermits(): Permits {
  const session = useSession();
  const can = (permission: string) => session.permissions.includes(permission);
  const why = (permission: string) =>
    can(permission) ? undefined : `Your role (${session.roleLabel}) may not ${NEEDS[permission] ?? permission}.`;
  return { can, why };
}
