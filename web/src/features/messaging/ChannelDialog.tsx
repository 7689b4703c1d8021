import {
  Button,
  Group,
  Modal,
  NumberInput,
  PasswordInput,
  Select,
  Skeleton,
  Stack,
  Text,
  Textarea,
  TextInput,
} from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { api } from '@/api/client';
import { messageOf, Problem } from '@/api/problem';
import type { ChannelKind, MessagingChannel } from '@/api/shapes';
import { kindsQuery, useMessagingWrite } from './queries';
import { fieldWords, type Provider, providerWord } from './words';

interface Props {
  kind: Provider;
  channel: MessagingChannel | null;
  onClose: () => void;
}

/** Making or changing a channel: what its kind wants to know, and how fast it may go. */
export function ChannelDialog({ kind, channel, onClose }: Props) {
  const kinds = useQuery(kindsQuery);
  const fields = kinds.data?.find((one) => one.kind === kind)?.fields;
  const [name, setName] = useState(channel?.name ?? providerWord(kind));
  const [perMinute, setPerMinute] = useState(channel?.perMinute);
  const [values, setValues] = useState<Record<string, string>>({});
  const save = useMessagingWrite((wish: object) =>
    channel
      ? api.patch<MessagingChannel>(`/v1/messaging/channels/${channel.id}`, wish)
      : api.post<MessagingChannel>('/v1/messaging/channels', { kind, ...wish }),
  );
  const problem = save.error instanceof Problem ? save.error : null;
  const fault = (pointer: string) => problem?.errors.find((error) => error.pointer === pointer)?.message;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const chosen = (secret: boolean) =>
      Object.fromEntries(
        (fields ?? [])
          .filter(({ isSecret, name: field }) => isSecret === secret && values[field] !== undefined)
          .map(({ name: field }) => [field, values[field]?.trim() ? values[field] : null]),
      );
    const credentials = chosen(true);
    save.mutate(
      {
        name,
        ...(perMinute !== undefined && { perMinute }),
        settings: chosen(false),
        ...(Object.keys(credentials).length > 0 && { credentials }),
      },
      { onSuccess: onClose },
    );
  };
  return (
    <Modal opened onClose={onClose} title={channel ? `Edit ${channel.name}` : `Add ${providerWord(kind)}`} size="lg">
      <form onSubmit={submit}>
        <Stack gap="sm">
          <TextInput
            label="Name"
            required
            data-autofocus
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
            error={fault('/name')}
          />
          {!fields && <Skeleton h={120} />}
          {fields?.map((field) => (
            <FieldInput
              key={field.name}
              field={field}
              channel={channel}
              value={values[field.name]}
              error={fault(`/${field.isSecret ? 'credentials' : 'settings'}/${field.name}`)}
              set={(value) => setValues((was) => ({ ...was, [field.name]: value }))}
            />
          ))}
          <NumberInput
            label="Messages in a minute"
            description="At most; 0 for as many as there are"
            min={0}
            value={perMinute ?? ''}
            placeholder="As suits the provider"
            onChange={(value) => setPerMinute(typeof value === 'number' ? value : undefined)}
            error={fault('/perMinute')}
          />
          {save.isError && (problem?.errors.length ?? 0) === 0 && <Text c="red">{messageOf(save.error)}</Text>}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={save.isPending} disabled={!fields}>
              Save
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

interface FieldProps {
  field: ChannelKind['fields'][number];
  channel: MessagingChannel | null;
  value: string | undefined;
  error: string | undefined;
  set: (value: string) => void;
}

function FieldInput({ field, channel, value, error, set }: FieldProps) {
  const { label, note, options, lines } = fieldWords(field.name);
  const stored = field.isSecret ? undefined : (channel?.settings as Record<string, string> | undefined)?.[field.name];
  const hint = (channel?.credentials as Record<string, string> | undefined)?.[field.name];
  const shown = value ?? stored ?? field.default ?? '';
  const isRequired = field.isRequired && !hint;
  const common = { label, description: note, error };
  if (options) {
    return (
      <Select
        {...common}
        value={shown}
        onChange={(chosen) => set(chosen ?? '')}
        allowDeselect={false}
        data={Object.entries(options).map(([key, word]) => ({ value: key, label: word }))}
      />
    );
  }
  if (lines) {
    return (
      <Textarea
        {...common}
        autosize
        minRows={2}
        placeholder={hint}
        value={field.isSecret ? (value ?? '') : shown}
        onChange={(event) => set(event.currentTarget.value)}
      />
    );
  }
  if (field.isSecret) {
    return (
      <PasswordInput
        {...common}
        required={isRequired}
        autoComplete="off"
        placeholder={hint ? `${hint}, stays unless you type another` : undefined}
        value={value ?? ''}
        onChange={(event) => set(event.currentTarget.value)}
      />
    );
  }
  return (
    <TextInput {...common} required={isRequired} value={shown} onChange={(event) => set(event.currentTarget.value)} />
  );
}
