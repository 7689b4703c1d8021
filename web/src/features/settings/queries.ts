import { keepPreviousData, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api, rowsOf, withQuery } from '@/api/client';
import type {
  AlertMails,
  AlertMailsTest,
  Analysis,
  AnalysisChange,
  AnalysisSettings,
  AuditEntry,
  CustomField,
  CustomFieldChange,
  Invitation,
  NewCustomField,
  Page,
  PermissionView,
  RecoveryCodes,
  RoleView,
  SecondFactor,
  SessionEntry,
  Token,
  User,
  Workspace,
} from '@/api/shapes';
import { toastError } from '@/ui/toast';
import { type AuditSearch, auditAsked } from './auditSearch';

const BASE = '/v1/admin';
const ALL = { limit: 200 };

type Rows<T> = T[] | Page<T>;

export const workspaceQuery = queryOptions({
  queryKey: ['settings', 'workspace'],
  queryFn: ({ signal }) => api.get<Workspace>(`${BASE}/workspace`, {}, signal),
});

export const analysisQuery = queryOptions({
  queryKey: ['settings', 'analysis'],
  queryFn: ({ signal }) => api.get<AnalysisSettings>(`${BASE}/analysis`, {}, signal),
});

export const alertMailsQuery = queryOptions({
  queryKey: ['settings', 'alert-mails'],
  queryFn: ({ signal }) => api.get<AlertMails>(`${BASE}/alert-mails`, {}, signal),
});

export const usersQuery = queryOptions({
  queryKey: ['settings', 'users'],
  queryFn: async ({ signal }) => rowsOf(await api.get<Rows<User>>(`${BASE}/users`, ALL, signal)),
});

export const rolesQuery = queryOptions({
  queryKey: ['settings', 'roles'],
  queryFn: async ({ signal }) => rowsOf(await api.get<Rows<RoleView>>(`${BASE}/roles`, {}, signal)),
});

/** Those that the server knows. */
export const permissionsQuery = queryOptions({
  queryKey: ['settings', 'permissions'],
  queryFn: async ({ signal }) => rowsOf(await api.get<Rows<PermissionView>>(`${BASE}/permissions`, {}, signal)),
  staleTime: Number.POSITIVE_INFINITY,
});

export const invitationsQuery = queryOptions({
  queryKey: ['settings', 'invitations'],
  queryFn: async ({ signal }) => rowsOf(await api.get<Rows<Invitation>>(`${BASE}/invitations`, {}, signal)),
});

export const secondFactorQuery = queryOptions({
  queryKey: ['settings', 'second-factor'],
  queryFn: ({ signal }) => api.get<SecondFactor>('/v1/session/second-factor', {}, signal),
});

export const auditQuery = (search: AuditSearch) =>
  queryOptions({
    queryKey: ['settings', 'audit', search],
    queryFn: ({ signal }) => api.get<Page<AuditEntry>>(`${BASE}/audit`, auditAsked(search), signal),
    placeholderData: keepPreviousData,
  });

export const tokensQuery = queryOptions({
  queryKey: ['settings', 'tokens'],
  queryFn: async ({ signal }) => rowsOf(await api.get<Rows<Token>>(`${BASE}/tokens`, ALL, signal)),
});

export const sessionsQuery = queryOptions({
  queryKey: ['settings', 'sessions'],
  queryFn: async ({ signal }) => rowsOf(await api.get<Rows<SessionEntry>>(`${BASE}/sessions`, ALL, signal)),
});

export const customFieldsQuery = queryOptions({
  queryKey: ['settings', 'customFields'],
  queryFn: async ({ signal }) => (await api.get<Page<CustomField>>('/v1/identity/custom-fields', {}, signal)).data,
});

const FIELDS = '/v1/identity/custom-fields';

export const customFieldsApi = {
  add: (field: NewCustomField) => api.post<CustomField>(FIELDS, field),
  change: (key: string, change: CustomFieldChange) =>
    api.patch<CustomField>(`${FIELDS}/${encodeURIComponent(key)}`, change),
  remove: (key: string) => api.delete(`${FIELDS}/${encodeURIComponent(key)}`),
};

export type SettingsList =
  | 'workspace'
  | 'analysis'
  | 'alert-mails'
  | 'users'
  | 'roles'
  | 'invitations'
  | 'tokens'
  | 'sessions'
  | 'second-factor'
  | 'sign-in';

/** A write on one part of the settings, which is read again afterwards. */
export function useSettingsWrite<Input, Answer>(
  list: SettingsList,
  write: (input: Input) => Promise<Answer>,
  failure?: string,
) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: write,
    onSuccess: () => {
      if (list === 'users') void client.invalidateQueries({ queryKey: ['members'] });
      // Members, tokens and invitations name their role.
      if (list === 'roles') void client.invalidateQueries({ queryKey: ['settings'] });
      if (list === 'second-factor') void client.invalidateQueries({ queryKey: ['session'] });
      return client.invalidateQueries({ queryKey: ['settings', list] });
    },
    onError: failure ? (error) => toastError(failure, error) : undefined,
  });
}

export const settingsApi = {
  saveFraud: (settings: Partial<Workspace['settings']>) => api.patch<Workspace>(`${BASE}/workspace`, { settings }),
  saveWorkspace: (change: { name?: string; settings?: Partial<Workspace['settings']> }) =>
    api.patch<Workspace>(`${BASE}/workspace`, change),
  saveAnalysis: (change: AnalysisChange) => api.patch<AnalysisSettings>(`${BASE}/analysis`, change),
  tryAnalysis: (message: string) => api.post<Analysis>(`${BASE}/analysis/try`, { message }),
  saveAlertMails: (wanted: boolean) => api.patch<AlertMails>(`${BASE}/alert-mails`, { wanted }),
  testAlertMails: () => api.post<AlertMailsTest>(`${BASE}/alert-mails/test`),
  addUser: (user: { email: string; name: string; role: string; password?: string }) =>
    api.post<User>(`${BASE}/users`, user),
  changeUser: ({ id, ...change }: { id: string; role?: string; name?: string; disabled?: boolean }) =>
    api.patch<User>(`${BASE}/users/${id}`, change),
  removeUser: (id: string) => api.delete(`${BASE}/users/${id}`),
  resetSecondFactor: (id: string) => api.delete(`${BASE}/users/${id}/second-factor`),
  invite: (invitation: { email: string; role: string }) => api.post<Invitation>(`${BASE}/invitations`, invitation),
  resendInvitation: (id: string) => api.post<Invitation>(`${BASE}/invitations/${id}/resend`),
  revokeInvitation: (id: string) => api.delete(`${BASE}/invitations/${id}`),
  addRole: (role: { name: string; permissions: string[] }) => api.post<RoleView>(`${BASE}/roles`, role),
  changeRole: ({ id, ...change }: { id: string; name?: string; permissions?: string[] }) =>
    api.patch<RoleView>(`${BASE}/roles/${id}`, change),
  removeRole: ({ id, moveTo }: { id: string; moveTo: string | null }) =>
    api.delete(withQuery(`${BASE}/roles/${id}`, { moveTo })),
  removeSecondFactor: (password: string) => api.post('/v1/session/second-factor/remove', { password }),
  renewRecoveryCodes: (password: string) =>
    api.post<RecoveryCodes>('/v1/session/second-factor/recovery-codes', { password }),
  addToken: (token: { name: string; role?: string; scopes?: string[]; expiresAt?: string }) =>
    api.post<Token>(`${BASE}/tokens`, token),
  revokeToken: (id: string) => api.delete(`${BASE}/tokens/${id}`),
  revokeSession: (id: string) => api.delete(`${BASE}/sessions/${id}`),
  revokeOthers: () => api.post(`${BASE}/sessions/revoke-others`),
};
