import { Button, Group, Modal, SegmentedControl, Select, Stack, Text, Textarea, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { api } from '@/api/client';
import { channelsQuery, kindWord, MESSAGING, type MessageKind, sendableKinds, templatesQuery } from '@/api/messaging';
import { messageOf, Problem } from '@/api/problem';
import type { QuickSendResult } from '@/api/shapes';
import { plural } from '@/lib/text';
import { Empty } from '@/ui/basics';
import { RouteLink } from '@/ui/RouteLink';
import { toast } from '@/ui/toast';

interface Props {
  leadIds: string[];
  onClose: () => void;
}

/** A message to the chosen leads, at once: in one's own words or by a template. */
export function QuickSend({ leadIds, onClose }: Props) {
  const channels = useQuery(channelsQuery);
  const templates = useQuery(templatesQuery).data ?? [];
  const kinds = sendableKinds(channels.data ?? []);
  const [chosen, setKind] = useState<MessageKind | null>(null);
  const kind = chosen ?? kinds[0];
  const [templateId, setTemplateId] = useState<string | null>(null);
  const [subject, setSubject] = useState('');
  const [message, setMessage] = useState('');
  // The same dialog sends once, however often it is pressed.
  const [requestId] = useState(() => crypto.randomUUID());
  const client = useQueryClient();
  const send = useMutation({
    mutationFn: (body: object) => api.post<QuickSendResult>('/v1/identity/leads/broadcast/quick-send', body),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: [MESSAGING] });
      void client.invalidateQueries({ queryKey: ['conversations'] });
    },
  });
  const problem = send.error instanceof Problem ? send.error : null;
  const fault = (pointer: string) => problem?.errors.find((error) => error.pointer === pointer)?.message;
  const fitting = templates.filter(({ channel, approval }) => channel === kind && approval === 'approved');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const words = templateId ? { templateId } : { message, subject: kind === 'email' ? subject : undefined };
    send.mutate(
      { leadIds, channel: kind, requestId, ...words },
      {
        onSuccess: ({ queued, skipped }) => {
          if (skipped > 0) return;
          toast(queued === 1 ? 'The message is on its way' : `${plural(queued, 'message')} on their way`);
          onClose();
        },
      },
    );
  };
  const title = leadIds.length === 1 ? 'Quick send' : `Quick send to ${plural(leadIds.length, 'lead')}`;
  return (
    <Modal opened onClose={onClose} title={title}>
      {channels.data && kinds.length === 0 ? (
        <Empty title="No channel can send yet" action={<RouteLink to="/messaging/channels">Set one up</RouteLink>}>
          The sandbox works at once: what you send arrives at a phone inside Leadline.
        </Empty>
      ) : send.data && send.data.skipped > 0 ? (
        <Outcome result={send.data} onClose={onClose} />
      ) : (
        <form onSubmit={submit}>
          <Stack gap="sm">
            <SegmentedControl
              aria-label="Channel"
              value={kind ?? ''}
              onChange={(value) => {
                setKind(value as MessageKind);
                setTemplateId(null);
              }}
              data={kinds.map((value) => ({ value, label: kindWord(value) }))}
            />
            {fitting.length > 0 && (
              <Select
                label="Template"
                placeholder="In my own words"
                clearable
                value={templateId}
                onChange={setTemplateId}
                data={fitting.map(({ id, name }) => ({ value: id, label: name }))}
                error={fault('/templateId')}
              />
            )}
            {!templateId && kind === 'email' && (
              <TextInput
                label="Subject"
                required
                value={subject}
                onChange={(event) => setSubject(event.currentTarget.value)}
                error={fault('/subject')}
              />
            )}
            {!templateId && (
              <Textarea
                label="Message"
                description="{{firstName}} and the like stand for each lead’s own details"
                required
                autosize
                minRows={3}
                maxRows={10}
                value={message}
                onChange={(event) => setMessage(event.currentTarget.value)}
                error={fault('/message')}
              />
            )}
            {send.isError && (problem?.errors.length ?? 0) === 0 && <Text c="red">{messageOf(send.error)}</Text>}
            <Group justify="flex-end">
              <Button variant="default" onClick={onClose}>
                Cancel
              </Button>
              <Button type="submit" loading={send.isPending} disabled={!kind}>
                Send
              </Button>
            </Group>
          </Stack>
        </form>
      )}
    </Modal>
  );
}

/** Who got nothing, and why. */
function Outcome({ result, onClose }: { result: QuickSendResult; onClose: () => void }) {
  const reasons = new Map<string, number>();
  for (const { reason } of result.results) if (reason) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  return (
    <Stack gap="sm">
      <Text>
        {plural(result.queued, 'message')} on the way, {plural(result.skipped, 'lead')} skipped:
      </Text>
      <ul>
        {[...reasons].map(([reason, count]) => (
          <li key={reason}>
            {count} because {reason}
          </li>
        ))}
      </ul>
      <Button onClick={onClose} style={{ alignSelf: 'end' }}>
        Close
      </Button>
    </Stack>
  );
}
