import { Button, Menu, SegmentedControl, Select, Textarea, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, type KeyboardEvent, useEffect, useRef, useState } from 'react';
import { api } from '@/api/client';
import { templatesQuery } from '@/api/messaging';
import { usePermits, useSession } from '@/api/session';
import type { Attachment, CannedReply, SentMessage } from '@/api/shapes';
import { usePageKeys } from '@/lib/keys';
import { announce } from '@/ui/announce';
import { PermitButton } from '@/ui/basics';
import { toastError } from '@/ui/toast';
import { AttachFiles } from './Attachments';
import classes from './Messaging.module.css';
import { cannedQuery, useMessagingWrite } from './queries';

const DAY_MS = 24 * 3_600_000;

interface Props {
  id: string;
  kind: string;
  lastInboundAt?: string | null;
}

interface Answer {
  path: 'replies' | 'notes';
  body: Record<string, string | string[] | undefined>;
}

interface Unsent {
  mode: 'reply' | 'note';
  text: string;
}

/** What somebody began and did not send, by person and conversation: who looks at another one finds it again. */
const unsent = new Map<string, Unsent>();

/** Answering, by words or by a template, or leaving a note for the team. */
export function Composer({ id, kind, lastInboundAt }: Props) {
  const key = `${useSession().user.id} ${id}`;
  const [{ mode, text }, setWords] = useState<Unsent>(() => unsent.get(key) ?? { mode: 'reply', text: '' });
  const write = (part: Partial<Unsent>) => setWords((was) => ({ ...was, ...part }));
  const [subject, setSubject] = useState('');
  const [templateId, setTemplateId] = useState<string | null>(null);
  const [files, setFiles] = useState<Attachment[]>([]);
  const [requestId, setRequestId] = useState(() => crypto.randomUUID());
  const permits = usePermits();
  const templates = useQuery(templatesQuery).data ?? [];
  const why = permits.why('messaging:send');
  const send = useMessagingWrite(async ({ path, body }: Answer) => {
    // Words that are on their way are no draft any more, also for who goes elsewhere meanwhile; refused they are again.
    unsent.delete(key);
    try {
      return await api.post<SentMessage>(`/v1/messaging/conversations/${id}/${path}`, body);
    } catch (error) {
      unsent.set(key, { mode, text });
      throw error;
    }
  });
  const isNote = mode === 'note' || kind === 'chat';
  const fitting = templates.filter(({ channel, approval }) => channel === kind && approval === 'approved');
  const takesFiles = !isNote && (kind === 'email' || (kind === 'whatsapp' && !templateId));
  const isWindowClosed =
    kind === 'whatsapp' && (!lastInboundAt || Date.now() - Date.parse(lastInboundAt) >= DAY_MS) && !templateId;

  useEffect(() => {
    if (text.trim()) unsent.set(key, { mode, text });
    else unsent.delete(key);
  }, [key, mode, text]);

  const form = useRef<HTMLFormElement>(null);
  const field = useRef<HTMLTextAreaElement>(null);
  /** Counts how often the field was asked for, which may have to be drawn first. */
  const [calls, setCalls] = useState(0);
  const toField = () => setCalls((count) => count + 1);
  useEffect(() => {
    if (calls > 0) (field.current ?? form.current?.querySelector('input'))?.focus();
  }, [calls]);
  const turnTo = (to: Unsent['mode']) => () => {
    write({ mode: to });
    toField();
  };
  usePageKeys({ r: turnTo('reply'), n: turnTo('note') });

  const isEmpty = (isNote || !templateId) && text.trim() === '' && (isNote || files.length === 0);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (isEmpty || why !== undefined || send.isPending) return;
    const words = templateId ? { templateId } : { message: text, subject: subject.trim() || undefined };
    const attachmentIds = files.map((file) => file.id);
    const answer: Answer = isNote
      ? { path: 'notes', body: { value: text } }
      : { path: 'replies', body: { ...words, attachmentIds, requestId } };
    send.mutate(answer, {
      onSuccess: () => {
        write({ text: '' });
        setTemplateId(null);
        setFiles([]);
        setRequestId(crypto.randomUUID());
        announce(isNote ? 'The note was kept.' : 'The message was sent.');
        // The button that was pressed is off until something is written again.
        if (form.current?.contains(document.activeElement) || document.activeElement === document.body) toField();
      },
      onError: (error) => toastError(isNote ? 'The note was not kept' : 'The message was not sent', error),
    });
  };

  /** What was typed stays around it. */
  const takeCanned = (body: string) => {
    const { selectionStart: from, selectionEnd: to } = field.current ?? {};
    const [before, after] = [text.slice(0, from), text.slice(to ?? text.length)];
    setTemplateId(null);
    write({ text: before + (before === '' || /\s$/.test(before) ? '' : ' ') + body + after });
    toField();
  };
  const sendByKey = (event: KeyboardEvent) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form.current?.requestSubmit();
  };

  return (
    <form ref={form} className={classes.composer} onSubmit={submit} onKeyDown={sendByKey}>
      <div className={classes.composerHead}>
        {kind !== 'chat' && (
          <SegmentedControl
            size="xs"
            aria-label="Answer or note"
            value={mode}
            onChange={(value) => write({ mode: value as Unsent['mode'] })}
            data={[
              { value: 'reply', label: 'Answer' },
              { value: 'note', label: 'Note' },
            ]}
          />
        )}
        {!isNote && fitting.length > 0 && (
          <Select
            size="xs"
            aria-label="Template"
            placeholder="In my own words"
            clearable
            value={templateId}
            onChange={setTemplateId}
            data={fitting.map(({ id: value, name }) => ({ value, label: name }))}
          />
        )}
        {!isNote && why === undefined && <Canned text={text} use={takeCanned} />}
      </div>
      {!isNote && kind === 'email' && !templateId && (
        <TextInput
          aria-label="Subject"
          placeholder="Subject"
          value={subject}
          onChange={(event) => setSubject(event.currentTarget.value)}
        />
      )}
      {isWindowClosed && !isNote && (
        <p className={classes.dim}>
          The person has not written within 24 hours. WhatsApp takes only an approved template now; a sandbox takes
          anything.
        </p>
      )}
      {(isNote || !templateId) && (
        <Textarea
          aria-label={isNote ? 'Note' : 'Message'}
          ref={field}
          placeholder={isNote ? 'Only your team sees this; Ctrl+Enter keeps it' : 'Write an answer; Ctrl+Enter sends'}
          autosize
          minRows={2}
          maxRows={8}
          value={text}
          onChange={(event) => write({ text: event.currentTarget.value })}
        />
      )}
      {takesFiles && why === undefined && (
        <AttachFiles conversationId={id} most={kind === 'email' ? 10 : 1} files={files} setFiles={setFiles} />
      )}
      <PermitButton type="submit" why={why} loading={send.isPending} disabled={isEmpty}>
        {isNote ? 'Keep the note' : 'Send'}
      </PermitButton>
    </form>
  );
}

function Canned({ text, use }: { text: string; use: (text: string) => void }) {
  const replies = useQuery(cannedQuery).data ?? [];
  const [isEditing, setEditing] = useState(false);
  const [isTaken, setTaken] = useState(false);
  const remove = useMessagingWrite((id: string) => api.delete(`/v1/messaging/canned-replies/${id}`));
  const save = useMessagingWrite((body: string) =>
    api.post<CannedReply>('/v1/messaging/canned-replies', { name: nameOf(body), body }),
  );
  return (
    // With a reply that was taken the focus goes where it stands now, else back to the button.
    <Menu returnFocus={!isTaken} onOpen={() => setTaken(false)} onClose={() => setEditing(false)}>
      <Menu.Target>
        <Button size="xs" variant="default">
          Canned replies
        </Button>
      </Menu.Target>
      <Menu.Dropdown mah={320} style={{ overflow: 'auto' }}>
        {replies.map(({ id, name, body }) =>
          isEditing ? (
            <Menu.Item
              key={id}
              closeMenuOnClick={false}
              color="red"
              onClick={() => remove.mutate(id, { onError: (error) => toastError('It was not deleted', error) })}
            >
              Delete “{name}”
            </Menu.Item>
          ) : (
            <Menu.Item
              key={id}
              onClick={() => {
                setTaken(true);
                use(body);
              }}
            >
              {name}
            </Menu.Item>
          ),
        )}
        {replies.length === 0 && <Menu.Label>None yet</Menu.Label>}
        <Menu.Divider />
        <Menu.Item
          disabled={text.trim() === ''}
          onClick={() => save.mutate(text, { onError: (error) => toastError('It was not kept', error) })}
        >
          Keep what I wrote
        </Menu.Item>
        {replies.length > 0 && (
          <Menu.Item closeMenuOnClick={false} onClick={() => setEditing((was) => !was)}>
            {isEditing ? 'Done' : 'Delete some'}
          </Menu.Item>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}

/** The first words name it. */
const nameOf = (body: string) => body.trim().replace(/\s+/g, ' ').slice(0, 60);
