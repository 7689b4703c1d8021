import { keepPreviousData, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { toastError, toastUndo } from '@/ui/toast';
import { api } from './client';
import type { NewTask, Page, Task, TaskChange } from './shapes';

/** Tasks are shown on a page of their own and on their lead's. */

const TASKS = '/v1/identity/tasks';
/** The lists are short, and what is behind so many nobody scrolls to. */
const SHOWN = 200;

export interface TaskFilters {
  assignee?: string;
  leadId?: string;
  state?: 'open' | 'done';
}

export const tasksQuery = (filters: TaskFilters, page = 1) =>
  queryOptions({
    queryKey: ['tasks', { ...filters, page }],
    queryFn: ({ signal }) => api.get<Page<Task>>(TASKS, { ...filters, page, limit: SHOWN }, signal),
    placeholderData: keepPreviousData,
  });

export function useTaskWrites() {
  const client = useQueryClient();
  const refresh = (task?: Task) => {
    void client.invalidateQueries({ queryKey: ['alerts'] });
    if (task?.leadId) void client.invalidateQueries({ queryKey: ['leads', 'detail', task.leadId] });
    return client.invalidateQueries({ queryKey: ['tasks'] });
  };
  const add = useMutation({ mutationFn: (task: NewTask) => api.post<Task>(TASKS, task), onSuccess: refresh });
  const change = useMutation({
    mutationFn: ({ id, ...change }: TaskChange & { id: string }) => api.patch<Task>(`${TASKS}/${id}`, change),
    onSuccess: refresh,
  });
  const remove = useMutation({
    mutationFn: (task: Task) => api.delete(`${TASKS}/${task.id}`),
    onSuccess: (_answer, task) => refresh(task),
    onError: (error) => toastError('The task was not deleted', error),
  });
  const tick = (task: Task) => {
    const done = !task.doneAt;
    change.mutate(
      { id: task.id, done },
      {
        onSuccess: () => {
          if (done) toastUndo(`Done: ${task.title}`, () => change.mutate({ id: task.id, done: false }));
        },
        onError: (error) => toastError('The task was not changed', error),
      },
    );
  };
  /** Whether a task is done, by what is on its way to be said of it, or else by what is known. */
  const isDone = (task: Task) => {
    const said = change.isPending && change.variables.id === task.id ? change.variables.done : undefined;
    return said ?? Boolean(task.doneAt);
  };
  return { add, change, remove, tick, isDone };
}
