import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api, rowsOf } from '@/api/client';
import type {
  AlertMails,
  AlertMailsTest,
  Analysis,
  AnalysisChange,
  AnalysisSettings,
  CustomField,
  CustomFieldChange,
  NewCustomField,
  Page,
  RoleView,
  SessionEntry,
  Token,
  User,
  Workspace,
} from '@/api/shapes';
import { toastError } from '@/ui/toast';

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
  staleTime: Number.POSITIVE_INFINITY,
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

export type SettingsList = 'workspace' | 'analysis' | 'alert-mails' | 'users' | 'tokens' | 'sessions';

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
  addToken: (token: { name: string; role?: string; expiresAt?: string }) => api.post<Token>(`${BASE}/tokens`, token),
  revokeToken: (id: string) => api.delete(`${BASE}/tokens/${id}`),
  revokeSession: (id: string) => api.delete(`${BASE}/sessions/${id}`),
  revokeOthers: () => api.post(`${BASE}/sessions/revoke-others`),
};
