import { Checkbox, Group, MultiSelect, NumberInput, Select, Stack, TagsInput } from '@mantine/core';
import type { UseFormReturnType } from '@mantine/form';
import { useQuery } from '@tanstack/react-query';
import { pipelinesQuery, projectsQuery } from '@/api/lookups';
import { humanise } from '@/lib/text';
import type { DestinationValues } from './values';

const SOURCES = ['form', 'widget', 'chat', 'webhook', 'facebook', 'api', 'import', 'manual'];

interface FieldsProps {
  form: UseFormReturnType<DestinationValues>;
}

/** Which leads a destination is told of, and when again. */
export function WhoFields({ form }: FieldsProps) {
  const projects = useQuery(projectsQuery).data ?? [];
  const pipelines = useQuery(pipelinesQuery).data ?? [];
  const stages = pipelines.flatMap(({ name, stages: inside }) =>
    inside.map((stage) => ({
      value: stage.id,
      label: pipelines.length > 1 ? `${name}: ${stage.name}` : stage.name,
    })),
  );
  return (
    <Stack gap="sm">
      <Group grow align="flex-start">
        <Select
          label="Only leads of"
          placeholder="Any project"
          clearable
          data={projects.map(({ id, name }) => ({ value: id, label: name }))}
          {...form.getInputProps('projectId')}
          value={form.values.projectId || null}
          onChange={(id) => form.setFieldValue('projectId', id ?? '')}
        />
        <MultiSelect
          label="From sources"
          placeholder={form.values.sources.length > 0 ? undefined : 'Any kind'}
          data={SOURCES.map((source) => ({ value: source, label: humanise(source) }))}
          {...form.getInputProps('sources')}
        />
      </Group>
      <Group grow align="flex-start">
        <TagsInput
          label="With one of these tags"
          placeholder={form.values.tags.length > 0 ? undefined : 'Any'}
          {...form.getInputProps('tags')}
        />
        <MultiSelect
          label="In one of these stages"
          placeholder={form.values.stageIds.length > 0 ? undefined : 'Any'}
          data={stages}
          {...form.getInputProps('stageIds')}
        />
      </Group>
      <Group grow align="flex-start">
        <NumberInput label="Score at least" placeholder="Any" min={0} max={100} {...form.getInputProps('minScore')} />
        <NumberInput
          label="Suspicion at most"
          placeholder="Any"
          min={0}
          max={100}
          {...form.getInputProps('maxSuspicion')}
        />
      </Group>
      <Group grow align="flex-start">
        <NumberInput
          label="Quiet after a submission, minutes"
          description="A repeat within this time is not told."
          placeholder="None"
          min={0}
          {...form.getInputProps('duplicateWindowMinutes')}
        />
        <NumberInput
          label="Counts as back after, hours"
          description="Empty for the workspace's setting, 0 for never."
          placeholder="As the workspace"
          min={0}
          {...form.getInputProps('reengageAfterHours')}
        />
      </Group>
      <Checkbox label="Also leads that are tests" {...form.getInputProps('includesTests', { type: 'checkbox' })} />
      <Checkbox
        label="Also while this installation runs in development"
        {...form.getInputProps('inDevelopment', { type: 'checkbox' })}
      />
    </Stack>
  );
}

/** How a destination is asked. */
export function HowFields({ form }: FieldsProps) {
  return (
    <Stack gap="sm">
      <Group grow align="flex-start">
        <Select label="Verb" allowDeselect={false} data={['POST', 'PUT', 'PATCH']} {...form.getInputProps('method')} />
        <NumberInput
          label="Time for an answer, seconds"
          placeholder="10"
          min={1}
          max={30}
          {...form.getInputProps('timeoutSeconds')}
        />
      </Group>
      <Group grow align="flex-start">
        <NumberInput
          label="Requests at once"
          min={1}
          max={64}
          disabled={form.values.inOrder}
          {...form.getInputProps('maxInFlight')}
        />
        <NumberInput
          label="Requests a minute"
          placeholder="No limit"
          min={1}
          max={60_000}
          {...form.getInputProps('requestsPerMinute')}
        />
      </Group>
      <Checkbox
        label="Keep the order: each delivery waits until those before it have ended"
        {...form.getInputProps('inOrder', { type: 'checkbox' })}
      />
    </Stack>
  );
}
