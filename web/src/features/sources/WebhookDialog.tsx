import { Modal, Text, Textarea, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { api } from '@/api/client';
import { fieldErrors } from '@/api/problem';
import type { InboundWebhook } from '@/api/shapes';
import { toast } from '@/ui/toast';
import { sourceKeys, useSourceWrite } from './queries';
import { ReceptionFields, receptionBody, receptionOf } from './Reception';
import { type DialogProps, type FieldsProps, Frame, ProjectSelect, required, titleOf } from './SourceDialogs';

export function WebhookDialog({ opened, source, onClose }: DialogProps<InboundWebhook>) {
  return (
    <Modal opened={opened} onClose={onClose} size="lg" title={titleOf(source, 'New inbound webhook')}>
      <WebhookFields source={source} onClose={onClose} />
    </Modal>
  );
}

/** Lines of "theirs = ours" as an object; a line without "=" is an error. */
export function parseMapping(text: string): Record<string, string> | null {
  const mapping: Record<string, string> = {};
  for (const line of text.split('\n').filter((each) => each.trim() !== '')) {
    const [from, to, ...rest] = line.split('=').map((part) => part.trim());
    if (!from || !to || rest.length > 0) return null;
    mapping[from] = to;
  }
  return mapping;
}

/** The other way round, for editing. */
export const mappingText = (mapping: Record<string, string>) =>
  Object.entries(mapping)
    .map(([from, to]) => `${from} = ${to}`)
    .join('\n');

/** Whether two mappings say the same, in whatever order. */
export const isSameMapping = (one: Record<string, string>, other: Record<string, string>) =>
  Object.keys(one).length === Object.keys(other).length &&
  Object.entries(one).every(([from, to]) => other[from] === to);

function WebhookFields({ source, onClose }: FieldsProps<InboundWebhook>) {
  const form = useForm({
    initialValues: {
      name: source?.name ?? '',
      projectId: source?.projectId ?? '',
      fieldMapping: mappingText(source?.fieldMapping ?? {}),
      ...receptionOf(source),
    },
    validate: {
      name: required,
      fieldMapping: (value) => (parseMapping(value) ? null : 'Write one "their_field = our_field" a line.'),
    },
  });
  const save = useSourceWrite(sourceKeys.webhooks, (values: typeof form.values) => {
    const body = {
      name: values.name.trim(),
      ...(values.projectId ? { projectId: values.projectId } : {}),
      fieldMapping: parseMapping(values.fieldMapping) ?? {},
      ...receptionBody(values),
    };
    return source
      ? api.patch<InboundWebhook>(`/v1/identity/lead-webhooks/${source.id}`, body)
      : api.post<InboundWebhook>('/v1/identity/lead-webhooks', body);
  });
  const submit = form.onSubmit((values) =>
    save.mutate(values, {
      onSuccess: ({ name }) => {
        toast(source ? `Saved ${name}` : `Made ${name}; copy its address`);
        onClose();
      },
      onError: (error) => form.setErrors(fieldErrors(error)),
    }),
  );
  return (
    <Frame
      error={save.error}
      hasFieldErrors={Object.keys(form.errors).length > 0}
      pending={save.isPending}
      verb={source ? 'Save' : 'Make the webhook'}
      onClose={onClose}
      onSubmit={submit}
    >
      <Text size="sm">
        It takes JSON or form fields by POST. Usual names such as email and phone are recognised, and so is what the
        products below send.
      </Text>
      <TextInput label="Name" placeholder="Zapier" data-autofocus {...form.getInputProps('name')} />
      <ProjectSelect isNew={!source} {...form.getInputProps('projectId')} />
      <Textarea
        label="Field mapping"
        description="Only for names that are not recognised; one a line."
        placeholder="job_title = title"
        autosize
        minRows={2}
        {...form.getInputProps('fieldMapping')}
      />
      <ReceptionFields source={source} values={form.values} inputProps={form.getInputProps} />
    </Frame>
  );
}
