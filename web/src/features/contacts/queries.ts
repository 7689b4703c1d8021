import { keepPreviousData, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api, rowsOf } from '@/api/client';
import type { Contact, ContactChange, ContactDetail, Conversation, Page, Submission, Visit } from '@/api/shapes';
import { type ContactsSearch, contactsQueryOf } from './search';

export const CONTACT_PAGE = 50;

export const contactsQuery = (search: ContactsSearch) =>
  queryOptions({
    queryKey: ['contacts', 'list', search],
    queryFn: ({ signal }) =>
      api.get<Page<Contact>>(
        '/v1/identity/contacts',
        { ...contactsQueryOf(search), page: search.page ?? 1, limit: CONTACT_PAGE },
        signal,
      ),
    placeholderData: keepPreviousData,
  });

const detailKey = (id: string) => ['contacts', 'detail', id];

export const contactQuery = (id: string) =>
  queryOptions({
    queryKey: detailKey(id),
    queryFn: ({ signal }) => api.get<ContactDetail>(`/v1/identity/contacts/${id}`, {}, signal),
  });

export const contactCapturesQuery = (contactId: string) =>
  queryOptions({
    queryKey: ['contacts', 'captures', contactId],
    queryFn: ({ signal }) => api.get<Page<Submission>>('/v1/capture/submissions', { contactId, limit: 50 }, signal),
  });

export const contactConversationsQuery = (contactId: string) =>
  queryOptions({
    queryKey: ['contacts', 'conversations', contactId],
    queryFn: async ({ signal }) =>
      rowsOf(await api.get<Page<Conversation>>('/v1/messaging/conversations', { contactId }, signal)),
  });

export const contactVisitsQuery = (contactId: string) =>
  queryOptions({
    queryKey: ['contacts', 'visits', contactId],
    queryFn: ({ signal }) => api.get<Page<Visit>>(`/v1/identity/contacts/${contactId}/sessions`, { limit: 50 }, signal),
  });

/** Changes go by the version that is seen, so that nobody's change is written over unseen. */
export function useUpdateContact(contact: ContactDetail) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (change: ContactChange) =>
      api.patch<ContactDetail>(`/v1/identity/contacts/${contact.id}`, { ...change, version: contact.version }),
    onSuccess: (changed) => {
      client.setQueryData(detailKey(contact.id), changed);
      void client.invalidateQueries({ queryKey: ['contacts', 'list'] });
    },
    // What somebody else wrote is shown beside what was typed.
    onError: () => client.invalidateQueries({ queryKey: detailKey(contact.id) }),
  });
}
