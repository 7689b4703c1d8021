import { queryOptions } from '@tanstack/react-query';
import { api } from '@/api/client';
import type { SignInProvider, SignInProviderCheck, SignInProviderWish } from '@/api/shapes';

const PATH = '/v1/admin/sign-in-provider';

export const signInProviderQuery = queryOptions({
  queryKey: ['settings', 'sign-in'],
  queryFn: ({ signal }) => api.get<SignInProvider>(PATH, {}, signal),
});

export const signInProviderApi = {
  save: (wish: SignInProviderWish) => api.put<SignInProvider>(PATH, wish),
  remove: () => api.delete(PATH),
  check: (issuer: string) => api.post<SignInProviderCheck>(`${PATH}/check`, { issuer }),
};
