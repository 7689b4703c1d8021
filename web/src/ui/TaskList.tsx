import { ActionIcon, Checkbox } from '@mantine/core';
import { IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import type { Task } from '@/api/shapes';
import { useTaskWrites } from '@/api/tasks';
import { groupOfTask } from '@/lib/taskGroups';
import { absoluteTime, relativeTime } from '@/lib/time';
import { RouteLink } from './RouteLink';
import { TaskDialog } from './TaskDialog';
import classes from './Tasks.module.css';

interface TaskListProps {
  label: string;
  tasks: Task[];
  /** Why they cannot be changed. */
  why: string | undefined;
  /** Whether each names its lead, or its lead's page is where they stand. */
  withLead?: boolean;
  me?: string;
}

/** Tasks to tick off, change and delete. */
export function TaskList({ label, tasks, why, withLead, me }: TaskListProps) {
  const [editing, setEditing] = useState<Task | null>(null);
  return (
    <>
      <ul className={classes.list} aria-label={label}>
        {tasks.map((task) => (
          <Row key={task.id} task={task} why={why} withLead={withLead} me={me} onEdit={() => setEditing(task)} />
        ))}
      </ul>
      {editing && <TaskDialog task={editing} onClose={() => setEditing(null)} />}
    </>
  );
}

interface RowProps extends Omit<TaskListProps, 'label' | 'tasks'> {
  task: Task;
  onEdit: () => void;
}

function Row({ task, why, withLead, me, onEdit }: RowProps) {
  const { tick, isDone, remove } = useTaskWrites();
  const isOverdue = !task.doneAt && groupOfTask(task) === 'overdue';
  return (
    <li className={classes.task}>
      <Checkbox
        aria-label={`Done: ${task.title}`}
        checked={isDone(task)}
        disabled={why !== undefined}
        onChange={() => tick(task)}
      />
      <div className={classes.body}>
        <button
          type="button"
          className={classes.title}
          data-done={Boolean(task.doneAt) || undefined}
          disabled={why !== undefined}
          onClick={onEdit}
        >
          {task.title}
        </button>
        <div className={classes.meta}>
          {task.doneAt && (
            <span title={absoluteTime(task.doneAt)}>
              Done {relativeTime(task.doneAt)} by {task.doneByName}
            </span>
          )}
          {!task.doneAt && task.dueAt && (
            <span className={isOverdue ? classes.overdue : undefined} title={absoluteTime(task.dueAt)}>
              {isOverdue ? 'Overdue, was due' : 'Due'} {relativeTime(task.dueAt)}
            </span>
          )}
          {!task.doneAt && task.remindAt && (
            <span title={absoluteTime(task.remindAt)}>Reminder {relativeTime(task.remindAt)}</span>
          )}
          {withLead && task.leadId && (
            <RouteLink to="/leads/$leadId" params={{ leadId: task.leadId }}>
              {task.leadName}
            </RouteLink>
          )}
          {task.assigneeId !== me && task.assigneeName && <span>{task.assigneeName}</span>}
        </div>
      </div>
      {!why && (
        <ActionIcon
          variant="subtle"
          color="gray"
          aria-label={`Delete the task ${task.title}`}
          loading={remove.isPending}
          onClick={() => remove.mutate(task)}
        >
          <IconTrash size={15} />
        </ActionIcon>
      )}
    </li>
  );
}
