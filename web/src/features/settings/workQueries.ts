import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api } from '@/api/client';
import type { AlertWish, Availability, AvailabilityChange, Page, WorkSettings, WorkSettingsChange } from '@/api/shapes';
import { toastError } from '@/ui/toast';

export const workSettingsQuery = queryOptions({
  queryKey: ['settings', 'work'],
  queryFn: ({ signal }) => api.get<WorkSettings>('/v1/admin/work-settings', {}, signal),
});

export function useSaveWorkSettings() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (change: WorkSettingsChange) => api.patch<WorkSettings>('/v1/admin/work-settings', change),
    onSuccess: (saved) => client.setQueryData(workSettingsQuery.queryKey, saved),
  });
}

export const alertWishesQuery = queryOptions({
  queryKey: ['settings', 'alert-wishes'],
  queryFn: async ({ signal }) => (await api.get<Page<AlertWish>>('/v1/identity/alert-wishes', {}, signal)).data,
});

export const saveWish = (wish: AlertWish) => api.patch<Page<AlertWish>>('/v1/identity/alert-wishes', wish);

/** Says when somebody works; oneself where nobody is named. */
export function useSaveAvailability() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ userId, ...change }: AvailabilityChange & { userId?: string }) =>
      api.patch<Availability>(userId ? `/v1/admin/availability/${userId}` : '/v1/identity/availability', change),
    onSuccess: () => client.invalidateQueries({ queryKey: ['availability'] }),
    onError: (error) => toastError('The times were not saved', error),
  });
}
