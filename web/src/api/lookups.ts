import { queryOptions } from '@tanstack/react-query';
import { api, rowsOf } from './client';
import type { Availability, FilterField, Member, Page, Pipeline, Project, Segment } from './shapes';

/** What many screens name by id: people, projects, pipelines. */
const LOOKUP_STALE_MS = 60_000;

export const membersQuery = queryOptions({
  queryKey: ['members'],
  queryFn: async ({ signal }) => rowsOf(await api.get<Member[] | Page<Member>>('/v1/admin/members', {}, signal)),
  staleTime: LOOKUP_STALE_MS,
});

export const availabilityQuery = queryOptions({
  queryKey: ['availability'],
  queryFn: async ({ signal }) => (await api.get<Page<Availability>>('/v1/identity/availability', {}, signal)).data,
  staleTime: LOOKUP_STALE_MS,
});

export const projectsQuery = queryOptions({
  queryKey: ['projects'],
  queryFn: async ({ signal }) => rowsOf(await api.get<Page<Project>>('/v1/capture/projects', { limit: 200 }, signal)),
  staleTime: LOOKUP_STALE_MS,
});

export const pipelinesQuery = queryOptions({
  queryKey: ['pipelines'],
  queryFn: async ({ signal }) =>
    rowsOf(await api.get<Page<Pipeline>>('/v1/identity/lead-pipelines', { limit: 200 }, signal)),
  staleTime: LOOKUP_STALE_MS,
});

/** What leads can be filtered by. */
export const filterFieldsQuery = queryOptions({
  queryKey: ['filterFields'],
  queryFn: async ({ signal }) => (await api.get<Page<FilterField>>('/v1/identity/filter-fields', {}, signal)).data,
  staleTime: 60_000,
});

export const segmentsQuery = queryOptions({
  queryKey: ['segments', 'list'],
  queryFn: async ({ signal }) => (await api.get<Page<Segment>>('/v1/identity/segments', {}, signal)).data,
  staleTime: LOOKUP_STALE_MS,
});

export const defaultPipeline = (pipelines: Pipeline[]): Pipeline | undefined =>
  pipelines.find((pipeline) => pipeline.isDefault) ?? pipelines[0];
