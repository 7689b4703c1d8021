import { Alert, Button, Group, Modal, Select, Stack, TagsInput, Textarea, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useQuery } from '@tanstack/react-query';
import { defaultPipeline, pipelinesQuery, projectsQuery } from '@/api/lookups';
import { fieldErrors, messageOf } from '@/api/problem';
import type { Lead } from '@/api/shapes';
import { useCreateLead } from './mutations';

const EMPTY = {
  name: '',
  email: '',
  phone: '',
  company: '',
  title: '',
  message: '',
  projectId: '',
  stageId: '',
  quoteValue: '',
  tags: [] as string[],
};

interface AddLeadProps {
  opened: boolean;
  /** The pipeline that is shown; the lead begins there. */
  pipelineId?: string;
  onClose: () => void;
  onAdded: (lead: Lead) => void;
}

export default function AddLead({ opened, pipelineId, onClose, onAdded }: AddLeadProps) {
  return (
    <Modal opened={opened} onClose={onClose} title="Add a lead" size="lg">
      <AddLeadForm pipelineId={pipelineId} onClose={onClose} onAdded={onAdded} />
    </Modal>
  );
}

function AddLeadForm({ pipelineId, onClose, onAdded }: Omit<AddLeadProps, 'opened'>) {
  const projects = useQuery(projectsQuery).data ?? [];
  const pipelines = useQuery(pipelinesQuery);
  const shown = pipelines.data?.find(({ id }) => id === pipelineId);
  const stages = (shown ?? defaultPipeline(pipelines.data ?? []))?.stages ?? [];
  // Without a stage the project says where it begins, so another board than the usual one must name its own.
  const first = shown && !shown.isDefault ? stages[0]?.id : undefined;
  const create = useCreateLead();
  const form = useForm({
    initialValues: EMPTY,
    validate: {
      name: (value, { email, phone }) =>
        value.trim() || email.trim() || phone.trim() ? null : 'Give a name, an e-mail address or a phone number.',
    },
  });
  const submit = form.onSubmit(({ tags, name, ...values }) => {
    const rest = { ...values, stageId: values.stageId || first };
    const given = Object.fromEntries(Object.entries(rest).filter(([, value]) => value?.trim()));
    const body = { ...given, name: name.trim(), ...(tags.length > 0 ? { tags } : {}) };
    create.mutate(body, {
      onSuccess: (lead) => {
        onClose();
        if (!('stored' in lead)) onAdded(lead);
      },
      onError: (error) => form.setErrors(fieldErrors(error)),
    });
  });
  const options = (list: { id: string; name: string }[]) => list.map(({ id, name }) => ({ value: id, label: name }));
  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="sm">
        {create.isError && Object.keys(form.errors).length === 0 && (
          <Alert color="red">{messageOf(create.error)}</Alert>
        )}
        <TextInput label="Name" data-autofocus {...form.getInputProps('name')} />
        <Group grow align="flex-start">
          <TextInput label="E-mail" type="email" {...form.getInputProps('email')} />
          <TextInput label="Phone" type="tel" {...form.getInputProps('phone')} />
        </Group>
        <Group grow align="flex-start">
          <TextInput label="Company" {...form.getInputProps('company')} />
          <TextInput label="Title" {...form.getInputProps('title')} />
        </Group>
        <Group grow align="flex-start">
          <Select
            label="Stage"
            placeholder={stages[0]?.name}
            data={options(stages)}
            clearable
            {...form.getInputProps('stageId')}
          />
          <Select
            label="Project"
            placeholder={projects[0]?.name}
            data={options(projects)}
            clearable
            {...form.getInputProps('projectId')}
          />
        </Group>
        <TextInput label="Quote value" inputMode="decimal" {...form.getInputProps('quoteValue')} />
        <TagsInput label="Tags" size="sm" {...form.getInputProps('tags')} />
        <Textarea label="Message" autosize minRows={2} maxRows={8} {...form.getInputProps('message')} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={create.isPending || (pipelineId !== undefined && pipelines.isPending)}>
            Add the lead
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
