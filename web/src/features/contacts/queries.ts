import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { api } from '@/api/client';
import type { Contact, Page } from '@/api/shapes';

export const CONTACT_PAGE = 50;

export const contactsQuery = (search: string, page: number) =>
  queryOptions({
    queryKey: ['contacts', { search, page }],
    queryFn: ({ signal }) =>
      api.get<Page<Contact>>('/v1/identity/contacts', { search, page, limit: CONTACT_PAGE }, signal),
    placeholderData: keepPreviousData,
  });
