import { useQuery } from '@tanstack/react-query';
import { useSession } from '@/api/session';
import type { RoleView, Session } from '@/api/shapes';
import { rolesQuery } from './queries';

/** Nobody hands out more than they have, and only a super admin makes super admins. */
export const mayGrant = (
  session: Pick<Session, 'role' | 'permissions'>,
  role: Pick<RoleView, 'name' | 'permissions'>,
) =>
  (role.name !== 'super_admin' || session.role === 'super_admin') &&
  role.permissions.every((permission) => session.permissions.includes(permission));

/** The roles for a choice; those beyond one's own can be seen and not chosen. */
export function useRoleOptions() {
  const session = useSession();
  return (useQuery(rolesQuery).data ?? []).map((role) => ({
    value: role.name,
    label: role.label,
    disabled: !mayGrant(session, role),
  }));
}
