import { Alert, Button, Group, Modal, Select, Stack, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useQuery } from '@tanstack/react-query';
import { membersQuery } from '@/api/lookups';
import { fieldErrors, messageOf } from '@/api/problem';
import { useSession } from '@/api/session';
import type { Task } from '@/api/shapes';
import { useTaskWrites } from '@/api/tasks';
import { localTime, momentOf } from '@/lib/taskGroups';
import { toast } from './toast';

interface TaskDialogProps {
  /** The task that is changed; a new one is made where there is none. */
  task?: Task;
  /** The lead that a new one is about. */
  leadId?: string;
  onClose: () => void;
}

/** A task with its times and whose it is. */
export function TaskDialog({ task, leadId, onClose }: TaskDialogProps) {
  const me = useSession().user.id;
  const members = useQuery(membersQuery).data ?? [];
  const { add, change } = useTaskWrites();
  const form = useForm({
    initialValues: {
      title: task?.title ?? '',
      assigneeId: task?.assigneeId ?? me,
      dueAt: localTime(task?.dueAt),
      remindAt: localTime(task?.remindAt),
    },
    validate: { title: (title) => (title.trim() === '' ? 'Say what is to be done.' : null) },
  });
  const failure = add.error ?? change.error;
  const submit = form.onSubmit(({ title, assigneeId, dueAt, remindAt }) => {
    const said = { title: title.trim(), assigneeId, dueAt: momentOf(dueAt), remindAt: momentOf(remindAt) };
    const handlers = {
      onSuccess: () => {
        toast(task ? 'Saved the task' : 'Added the task');
        onClose();
      },
      onError: (error: unknown) => form.setErrors(fieldErrors(error)),
    };
    if (task) change.mutate({ id: task.id, version: task.version, ...said }, handlers);
    else add.mutate({ ...said, leadId: leadId ?? null }, handlers);
  });
  return (
    <Modal opened onClose={onClose} title={task ? 'Task' : 'New task'} size="sm">
      <form onSubmit={submit} noValidate>
        <Stack gap="sm">
          {failure && <Alert color="red">{messageOf(failure)}</Alert>}
          <TextInput label="What" required maxLength={200} data-autofocus {...form.getInputProps('title')} />
          <TextInput type="datetime-local" label="Due" {...form.getInputProps('dueAt')} />
          <TextInput
            type="datetime-local"
            label="Remind me"
            description="Under the bell, and by e-mail where that is set up"
            {...form.getInputProps('remindAt')}
          />
          <Select
            label="Who"
            searchable
            allowDeselect={false}
            data={members.map(({ id, name }) => ({ value: id, label: id === me ? `${name} (me)` : name }))}
            {...form.getInputProps('assigneeId')}
          />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={add.isPending || change.isPending}>
              {task ? 'Save' : 'Add the task'}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
