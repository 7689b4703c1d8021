/** Whose tasks, and which; lives in the URL. */
export interface TasksSearch {
  who?: 'all';
  state?: 'done';
  page?: number;
}

export function readTasksSearch(raw: Record<string, unknown>): TasksSearch {
  const page = Number(raw.page);
  return {
    ...(raw.who === 'all' ? { who: 'all' as const } : {}),
    ...(raw.state === 'done' ? { state: 'done' as const } : {}),
    ...(Number.isInteger(page) && page > 1 ? { page } : {}),
  };
}
