import { Button, Group, Modal, Select, Stack, Text, Textarea, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { api } from '@/api/client';
import { KINDS, kindWord } from '@/api/messaging';
import { messageOf, Problem } from '@/api/problem';
import type { MessageTemplate } from '@/api/shapes';
import classes from './Messaging.module.css';
import { previewQuery, useMessagingWrite } from './queries';

const PREVIEW_DELAY_MS = 300;

/** Writing a template, with what it would say beside it. */
export function TemplateDialog({ template, onClose }: { template: MessageTemplate | null; onClose: () => void }) {
  const [channel, setChannel] = useState<string>(template?.channel ?? 'sms');
  const [name, setName] = useState(template?.name ?? '');
  const [language, setLanguage] = useState(template?.language ?? 'en');
  const [subject, setSubject] = useState(template?.subject ?? '');
  const [body, setBody] = useState(template?.body ?? '');
  const [html, setHtml] = useState(template?.html ?? '');
  const [approval, setApproval] = useState<string>(template?.approval ?? 'approved');
  const [providerName, setProviderName] = useState(template?.providerName ?? '');
  const isEmail = channel === 'email';
  const save = useMessagingWrite((wish: object) =>
    template
      ? api.patch<MessageTemplate>(`/v1/messaging/templates/${template.id}`, wish)
      : api.post<MessageTemplate>('/v1/messaging/templates', wish),
  );
  const problem = save.error instanceof Problem ? save.error : null;
  const fault = (pointer: string) => problem?.errors.find((error) => error.pointer === pointer)?.message;
  const texts = { body, ...(isEmail && { subject, html: html || undefined }) };
  const [shown] = useDebouncedValue(texts, PREVIEW_DELAY_MS);
  const preview = useQuery(previewQuery(shown));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const wish = {
      channel,
      name,
      language,
      body,
      approval,
      subject: isEmail ? subject : null,
      html: isEmail && html.trim() ? html : null,
      providerName: channel === 'whatsapp' && providerName.trim() ? providerName : null,
    };
    save.mutate(wish, { onSuccess: onClose });
  };
  return (
    <Modal opened onClose={onClose} title={template ? 'Edit the template' : 'New template'} size="xl">
      <form onSubmit={submit}>
        <div className={classes.editor}>
          <Stack gap="sm">
            <Select
              label="Channel"
              value={channel}
              onChange={(value) => setChannel(value ?? 'sms')}
              allowDeselect={false}
              data={KINDS.map((kind) => ({ value: kind, label: kindWord(kind) }))}
            />
            <TextInput
              label="Name"
              required
              data-autofocus
              value={name}
              onChange={(event) => setName(event.currentTarget.value)}
              error={fault('/name')}
            />
            {isEmail && (
              <TextInput
                label="Subject"
                required
                value={subject}
                onChange={(event) => setSubject(event.currentTarget.value)}
                error={fault('/subject')}
              />
            )}
            <Textarea
              label="Text"
              required
              description="{{firstName}}, {{lastName}}, {{name}}, {{email}}, {{phone}}, {{company}}, {{title}}, {{project}}, {{customFields.key}}; with | default:'there' for who has none"
              autosize
              minRows={4}
              maxRows={14}
              value={body}
              onChange={(event) => setBody(event.currentTarget.value)}
              error={fault('/body')}
            />
            {isEmail && (
              <Textarea
                label="Page (HTML)"
                description="Shown where the reader’s program can; the text goes out beside it"
                autosize
                minRows={3}
                maxRows={14}
                value={html}
                onChange={(event) => setHtml(event.currentTarget.value)}
                error={fault('/html')}
              />
            )}
            {channel === 'whatsapp' && (
              <TextInput
                label="Name at Meta"
                description="Of the template that Meta approved. Its placeholders are filled in the order of yours"
                value={providerName}
                onChange={(event) => setProviderName(event.currentTarget.value)}
                error={fault('/providerName')}
              />
            )}
            <Group grow>
              <TextInput
                label="Language"
                value={language}
                onChange={(event) => setLanguage(event.currentTarget.value)}
                error={fault('/language')}
              />
              <Select
                label="State"
                value={approval}
                onChange={(value) => setApproval(value ?? 'approved')}
                allowDeselect={false}
                data={[
                  { value: 'draft', label: 'Draft' },
                  { value: 'pending', label: 'Pending' },
                  { value: 'approved', label: 'Approved' },
                  { value: 'rejected', label: 'Rejected' },
                ]}
              />
            </Group>
          </Stack>
          <section className={classes.preview} aria-label="Preview">
            <Text fw={600}>What Ada Lovelace would get</Text>
            {preview.isError && <Text c="red">{messageOf(preview.error)}</Text>}
            {preview.data?.subject && <strong>{preview.data.subject}</strong>}
            {preview.data && body.trim() !== '' && <p className={classes.bubble}>{preview.data.body}</p>}
            {preview.data?.html && <LetterFrame html={preview.data.html} />}
          </section>
        </div>
        {save.isError && (problem?.errors.length ?? 0) === 0 && <Text c="red">{messageOf(save.error)}</Text>}
        <Group justify="flex-end" mt="md">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={save.isPending}>
            Save
          </Button>
        </Group>
      </form>
    </Modal>
  );
}

/** A letter's page, in which nothing runs and from which nothing is fetched. */
export const LetterFrame = ({ html }: { html: string }) => (
  <iframe
    className={classes.letter}
    title="The letter as a page"
    sandbox=""
    srcDoc={`<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">${html}`}
  />
);
