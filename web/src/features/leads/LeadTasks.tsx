import { Button } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useSession } from '@/api/session';
import { tasksQuery } from '@/api/tasks';
import { Failure } from '@/ui/basics';
import { TaskDialog } from '@/ui/TaskDialog';
import { TaskList } from '@/ui/TaskList';
import { Block } from './LeadParts';

/** What is to be done about a lead. */
export function LeadTasks({ leadId, why }: { leadId: string; why: string | undefined }) {
  const me = useSession().user.id;
  const tasks = useQuery(tasksQuery({ leadId }));
  const [adding, setAdding] = useState(false);
  const rows = tasks.data?.data ?? [];
  // Who cannot add any has nothing to see where there are none.
  if (why && rows.length === 0) return null;
  return (
    <Block title="Tasks">
      {tasks.isError && <Failure error={tasks.error} retry={() => void tasks.refetch()} />}
      <TaskList label="Tasks of this lead" tasks={rows} why={why} me={me} />
      {!why && (
        <Button variant="default" size="xs" leftSection={<IconPlus size={13} />} onClick={() => setAdding(true)}>
          Add task
        </Button>
      )}
      {adding && <TaskDialog leadId={leadId} onClose={() => setAdding(false)} />}
    </Block>
  );
}
