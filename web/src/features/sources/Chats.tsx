import { Button, Modal, NumberInput, Text, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useState } from 'react';
import { api } from '@/api/client';
import { fieldErrors } from '@/api/problem';
import type { ChatSource } from '@/api/shapes';
import { plural } from '@/lib/text';
import { CodeBlock } from '@/ui/Copy';
import { toast } from '@/ui/toast';
import { sourceKeys, useDeleteSource, useSourceWrite } from './queries';
import { Card, Received } from './SourceCards';
import { type DialogProps, Frame, ProjectSelect, required } from './SourceDialogs';
import classes from './Sources.module.css';

/** The three requests of a chat, for trying it from a terminal. */
const curlOf = (url: string) =>
  ['{"text":"Hello"}', '{"text":"My address is ada@example.com"}', '{"state":"completed"}']
    .map((body) => `curl -X POST ${url}/chat-1 -H 'Content-Type: application/json' -d '${body}'`)
    .join('\n');

export function ChatCard({ chat, why }: { chat: ChatSource; why?: string }) {
  const remove = useDeleteSource(sourceKeys.chats, '/v1/capture/chats');
  const [showExample, setShowExample] = useState(chat.receivedCount === 0);
  return (
    <Card
      name={chat.name}
      status={<Received {...chat} />}
      url={`${chat.url}/{chat id}`}
      why={why}
      edit={(dialog) => <ChatDialog source={chat} {...dialog} />}
      onDelete={() => remove.mutateAsync(chat)}
      deleting="What is said in its chats will be refused from then on. Its leads and conversations stay."
      actions={
        <Button
          variant="subtle"
          size="compact-xs"
          aria-expanded={showExample}
          onClick={() => setShowExample(!showExample)}
        >
          {showExample ? 'Hide the example' : 'Example requests'}
        </Button>
      }
    >
      <div className={classes.meta}>Completed after {plural(chat.idleMinutes, 'minute')} of silence</div>
      {showExample && (
        <div className={classes.snippet}>
          <CodeBlock text={curlOf(chat.url)} label={`Example requests for ${chat.name}`} />
        </div>
      )}
    </Card>
  );
}

export function ChatDialog({ opened, source, onClose }: DialogProps<ChatSource>) {
  return (
    <Modal opened={opened} onClose={onClose} title={source ? `Edit ${source.name}` : 'New chat'}>
      <ChatFields source={source} onClose={onClose} />
    </Modal>
  );
}

function ChatFields({ source, onClose }: Omit<DialogProps<ChatSource>, 'opened'>) {
  const form = useForm({
    initialValues: {
      name: source?.name ?? '',
      projectId: source?.projectId ?? '',
      idleMinutes: source?.idleMinutes ?? 30,
      defaultCountry: source?.defaultCountry ?? '',
    },
    validate: { name: required },
  });
  const save = useSourceWrite(sourceKeys.chats, (values: typeof form.values) => {
    const body = {
      name: values.name.trim(),
      ...(values.projectId ? { projectId: values.projectId } : {}),
      idleMinutes: Number(values.idleMinutes),
      defaultCountry: values.defaultCountry.trim() || null,
    };
    return source
      ? api.patch<ChatSource>(`/v1/capture/chats/${source.id}`, body)
      : api.post<ChatSource>('/v1/capture/chats', body);
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
      verb={source ? 'Save' : 'Make the chat'}
      onClose={onClose}
      onSubmit={submit}
    >
      <Text size="sm">
        Your chat program tells what is said. A lead appears with the first e-mail address or phone number.
      </Text>
      <TextInput label="Name" placeholder="Live chat" data-autofocus {...form.getInputProps('name')} />
      <ProjectSelect isNew={!source} {...form.getInputProps('projectId')} />
      <NumberInput
        label="Completed after minutes of silence"
        min={1}
        max={10080}
        allowDecimal={false}
        {...form.getInputProps('idleMinutes')}
      />
      <TextInput
        label="Country"
        description="For phone numbers without a country code. Empty: the workspace's own."
        placeholder="DE"
        maxLength={2}
        {...form.getInputProps('defaultCountry')}
      />
    </Frame>
  );
}
