import { keepPreviousData, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api } from '@/api/client';
import type { Import, ImportRow, Job, Page } from '@/api/shapes';
import { upload } from '@/api/upload';

export const IMPORT_PAGE = 25;

/** How often it is looked how far a job is. */
const LOOK_MS = 700;

const PATH = '/v1/identity/imports';

/** Whether there is a job, and it has not ended. */
export const goesOn = (job: Job | null | undefined): boolean => job != null && !job.finishedAt;

const lookAgain = (rows: (ImportRow | Import)[]): number | false =>
  rows.some((row) => goesOn(row.job) || ('checkJob' in row && goesOn(row.checkJob))) && LOOK_MS;

export const importsQuery = (page: number) =>
  queryOptions({
    queryKey: ['imports', 'list', page],
    queryFn: ({ signal }) => api.get<Page<ImportRow>>(PATH, { page, limit: IMPORT_PAGE }, signal),
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) => lookAgain(state.data?.data ?? []),
  });

export const importQuery = (id: string) =>
  queryOptions({
    queryKey: ['imports', 'one', id],
    queryFn: ({ signal }) => api.get<Import>(`${PATH}/${id}`, {}, signal),
    refetchInterval: ({ state }) => lookAgain(state.data ? [state.data] : []),
  });

/** How a file is to be read, where somebody says so. */
export interface Reading {
  encoding?: string;
  delimiter?: string;
  sheet?: string;
  hasHeader?: 'true' | 'false';
}

/** Files that were brought while this page is open: one can be read again in another way. */
const brought = new Map<string, File>();

export const broughtFile = (id: string): File | undefined => brought.get(id);

export async function bring(file: File, reading: Reading, onSent: (part: number) => void): Promise<Import> {
  const made = await upload<Import>(PATH, { fileName: file.name, ...reading }, file, onSent);
  brought.set(made.id, file);
  return made;
}

export interface ColumnChoice {
  target: string;
  name?: string | null;
  key?: string | null;
}

export interface Choice {
  columns: ColumnChoice[];
  options: {
    projectId: string | null;
    stageId: string | null;
    tags: string[];
    onMatch: string;
    tellsDestinations: boolean;
  };
}

/** A write after which the import is as the answer says. */
export function useImportWrite<Asked>(write: (asked: Asked) => Promise<Import>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: write,
    onSuccess: (made) => {
      client.setQueryData(importQuery(made.id).queryKey, made);
      void client.invalidateQueries({ queryKey: ['imports', 'list'] });
    },
  });
}

export const importApi = {
  choose: (id: string, choice: Choice) => api.patch<Import>(`${PATH}/${id}`, choice),
  dryRun: (id: string) => api.post<Import>(`${PATH}/${id}/dry-run`),
  start: (id: string) => api.post<Import>(`${PATH}/${id}/start`),
  drop: (id: string) => api.delete(`${PATH}/${id}`),
  stop: (job: Job) => api.delete(`/v1/identity/jobs/${job.id}`),
  undo: (job: Job) => api.post(`/v1/identity/jobs/${job.id}/undo`),
  errorsPath: (id: string) => `${PATH}/${id}/errors.csv`,
};
