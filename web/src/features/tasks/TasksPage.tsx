import { Group, Kbd, SegmentedControl, Skeleton } from '@mantine/core';
import { useHotkeys } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useState } from 'react';
import { usePermits, useSession } from '@/api/session';
import type { Task } from '@/api/shapes';
import { tasksQuery } from '@/api/tasks';
import { groupTasks } from '@/lib/taskGroups';
import { formatCount } from '@/lib/text';
import { Empty, Failure, PageBody, PageHead, PermitButton } from '@/ui/basics';
import { Pager } from '@/ui/Pager';
import { TaskDialog } from '@/ui/TaskDialog';
import { TaskList } from '@/ui/TaskList';
import classes from '@/ui/Tasks.module.css';

const route = getRouteApi('/shell/tasks');

/** What is to be done: one's own or everybody's, by urgency. */
export function TasksPage() {
  const { who, state, page = 1 } = route.useSearch();
  const navigate = route.useNavigate();
  const why = usePermits().why('leads:manage');
  const [adding, setAdding] = useState(false);
  const tasks = useQuery(tasksQuery({ assignee: who === 'all' ? undefined : 'me', state: state ?? 'open' }, page));
  useHotkeys([['n', () => !why && setAdding(true)]]);
  const rows = tasks.data?.data ?? [];
  const make = (
    <PermitButton
      why={why}
      onClick={() => setAdding(true)}
      rightSection={<Kbd size="xs">N</Kbd>}
      className={classes.keyed}
    >
      New task
    </PermitButton>
  );
  return (
    <PageBody>
      <PageHead
        title="Tasks"
        note={tasks.data && <span>{formatCount(tasks.data.total, tasks.data.totalIsCapped)}</span>}
      >
        {make}
      </PageHead>
      <Group gap="sm" mb="sm">
        <SegmentedControl
          size="xs"
          aria-label="Whose tasks"
          value={who ?? 'mine'}
          data={[
            { value: 'mine', label: 'Mine' },
            { value: 'all', label: 'Everybody’s' },
          ]}
          onChange={(value) => void navigate({ search: { who: value === 'all' ? 'all' : undefined, state } })}
        />
        <SegmentedControl
          size="xs"
          aria-label="Which tasks"
          value={state ?? 'open'}
          data={[
            { value: 'open', label: 'To do' },
            { value: 'done', label: 'Done' },
          ]}
          onChange={(value) => void navigate({ search: { who, state: value === 'done' ? 'done' : undefined } })}
        />
      </Group>
      {tasks.isPending && <Skeleton h={240} />}
      {tasks.isError && <Failure error={tasks.error} retry={() => void tasks.refetch()} />}
      {tasks.data && rows.length === 0 && (
        <Empty title={state === 'done' ? 'Nothing done yet' : 'Nothing to do'} action={state ? undefined : make}>
          A task is something you mean to do, such as calling a lead back on Tuesday. It can remind you, and it shows on
          the lead it is about.
        </Empty>
      )}
      <div aria-busy={tasks.isPlaceholderData}>
        <Groups tasks={rows} isDone={state === 'done'} why={why} />
      </div>
      {tasks.data && (
        <Pager
          page={page}
          limit={tasks.data.limit}
          total={tasks.data.total}
          onPage={(next) => void navigate({ search: { who, state, page: next > 1 ? next : undefined } })}
        />
      )}
      {adding && <TaskDialog onClose={() => setAdding(false)} />}
    </PageBody>
  );
}

function Groups({ tasks, isDone, why }: { tasks: Task[]; isDone: boolean; why: string | undefined }) {
  const me = useSession().user.id;
  if (isDone) return <TaskList label="Done" tasks={tasks} why={why} withLead me={me} />;
  return (
    <>
      {groupTasks(tasks).map(({ group, label, tasks: some }) => (
        <section key={group} aria-label={label}>
          <h2 className={classes.group}>{label}</h2>
          <TaskList label={label} tasks={some} why={why} withLead me={me} />
        </section>
      ))}
    </>
  );
}
