import { Alert, Button, Checkbox, Group, Modal, Select, Stack, Textarea, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useQuery } from '@tanstack/react-query';
import { projectsQuery } from '@/api/lookups';
import { fieldErrors, messageOf } from '@/api/problem';
import type { Destination } from '@/api/shapes';
import { humanise } from '@/lib/text';
import { FORMATS, formatOf } from './formats';
import { type DestinationInput, eventsQuery, useSaveDestination } from './queries';

interface DestinationDialogProps {
  opened: boolean;
  /** The one to edit; a new one when absent. */
  destination?: Destination;
  onClose: () => void;
  onSaved: (destination: Destination) => void;
}

export function DestinationDialog(props: DestinationDialogProps) {
  const { opened, destination, onClose } = props;
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={destination ? `Edit ${destination.name}` : 'New destination'}
      size="lg"
    >
      <DestinationForm {...props} />
    </Modal>
  );
}

const RETRY_PLANS = [
  { value: 'standard', label: 'Standard: three quick tries, then up to a day' },
  { value: 'fast', label: 'Fast: three quick tries only' },
  { value: 'none', label: 'None: one try' },
];

/** Lines of "Name: value" as an object; `null` when a line has no colon. */
export function parseHeaders(text: string): Record<string, string> | null {
  const headers: Record<string, string> = {};
  for (const line of text.split('\n').filter((each) => each.trim() !== '')) {
    const at = line.indexOf(':');
    if (at < 1) return null;
    headers[line.slice(0, at).trim()] = line.slice(at + 1).trim();
  }
  return headers;
}

function DestinationForm({ destination, onClose, onSaved }: DestinationDialogProps) {
  const events = useQuery(eventsQuery);
  const projects = useQuery(projectsQuery).data ?? [];
  const save = useSaveDestination(destination?.id);
  const form = useForm({
    initialValues: {
      name: destination?.name ?? '',
      url: destination?.url ?? '',
      events: destination?.events ?? ['lead.created'],
      format: destination?.format ?? FORMATS[0].value,
      retryPlan: destination?.retryPlan ?? 'standard',
      projectId: destination?.projectId ?? '',
      headers: '',
    },
    validate: {
      name: (value) => (value.trim() ? null : 'Give it a name.'),
      url: (value) => (/^https?:\/\/.+/i.test(value.trim()) ? null : 'Enter an address that begins with https://.'),
      events: (value) => (value.length > 0 ? null : 'Choose at least one event.'),
      headers: (value) => (parseHeaders(value) ? null : 'Write one "Name: value" a line.'),
    },
  });
  const submit = form.onSubmit((values) => {
    const headers = parseHeaders(values.headers) ?? {};
    const input: DestinationInput = {
      name: values.name.trim(),
      url: values.url.trim(),
      events: values.events,
      format: values.format,
      retryPlan: values.retryPlan,
    };
    if (values.projectId !== (destination?.projectId ?? '')) input.projectId = values.projectId || null;
    if (Object.keys(headers).length > 0) input.headers = headers;
    save.mutate(input, { onSuccess: onSaved, onError: (error) => form.setErrors(fieldErrors(error)) });
  });
  const kept = destination?.headerNames ?? [];
  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="sm">
        {save.isError && Object.keys(form.errors).length === 0 && <Alert color="red">{messageOf(save.error)}</Alert>}
        <TextInput label="Name" placeholder="CRM" data-autofocus {...form.getInputProps('name')} />
        <TextInput
          label="URL"
          type="url"
          placeholder="https://example.com/hooks/leads"
          {...form.getInputProps('url')}
        />
        <Checkbox.Group label="Events" {...form.getInputProps('events')}>
          <Group gap="xs" mt={4}>
            {(events.data ?? form.values.events).map((event) => (
              <Checkbox key={event} size="xs" value={event} label={humanise(event)} title={event} />
            ))}
          </Group>
        </Checkbox.Group>
        <Group grow align="flex-start">
          <Select
            label="Format"
            description={formatOf(form.values.format)?.says}
            inputWrapperOrder={['label', 'input', 'description', 'error']}
            allowDeselect={false}
            data={FORMATS.map(({ value, label }) => ({ value, label }))}
            {...form.getInputProps('format')}
          />
          <Select label="Retry plan" allowDeselect={false} data={RETRY_PLANS} {...form.getInputProps('retryPlan')} />
        </Group>
        <Select
          label="Only leads of"
          placeholder="Any project"
          clearable
          data={projects.map(({ id, name }) => ({ value: id, label: name }))}
          {...form.getInputProps('projectId')}
        />
        <Textarea
          label="Headers"
          description={
            kept.length > 0
              ? `Set: ${kept.join(', ')}. Their values are not shown; what you write here replaces all of them.`
              : 'Sent with each delivery; one a line. Values are stored encrypted.'
          }
          placeholder="Authorization: Bearer …"
          autosize
          minRows={2}
          {...form.getInputProps('headers')}
        />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={save.isPending}>
            {destination ? 'Save' : 'Add the destination'}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
