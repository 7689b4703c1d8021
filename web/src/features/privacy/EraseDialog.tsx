import { Button, Checkbox, Group, Modal, Progress, Stack, Text, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { goesOn, jobQuery } from '@/api/jobs';
import { messageOf } from '@/api/problem';
import type { HeldPerson, Job } from '@/api/shapes';
import { formatCount } from '@/lib/text';
import { toast } from '@/ui/toast';
import classes from './Privacy.module.css';
import { useErase, useForgetErased } from './queries';
import { classWords } from './words';

/** How often a job is asked for while nothing is heard of it. */
const ASK_MS = 1_000;

interface EraseDialogProps {
  person: HeldPerson;
  opened: boolean;
  onClose: () => void;
}

/** Cannot be taken back, so the name is typed. */
export function EraseDialog({ person, opened, onClose }: EraseDialogProps) {
  const erase = useErase();
  return (
    <Modal opened={opened} onClose={onClose} title={`Erase ${person.displayName}?`} size="md">
      {erase.data ? (
        <Under job={erase.data} contactId={person.contactId} />
      ) : (
        <Ask person={person} onClose={onClose} erase={erase} />
      )}
    </Modal>
  );
}

interface AskProps {
  person: HeldPerson;
  onClose: () => void;
  erase: ReturnType<typeof useErase>;
}

function Ask({ person, onClose, erase }: AskProps) {
  const [typed, setTyped] = useState('');
  const [suppress, setSuppress] = useState(true);
  const isSure = typed.trim() === person.displayName.trim();
  const held = person.held.filter(({ count }) => count > 0);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (isSure) erase.mutate({ contactId: person.contactId, suppress });
      }}
    >
      <Stack gap="sm">
        <Text size="sm">This goes for good, in every list, log and file of this workspace:</Text>
        <ul className={classes.list}>
          {held.map(({ class: name, count, isCapped }) => (
            <li key={name}>
              {classWords(name)}: {formatCount(count, isCapped)}
            </li>
          ))}
          <li>
            Whatever else names them: quarantine, refused requests, imports, saved filters, details in the audit log
          </li>
        </ul>
        <Text size="sm">What destinations were sent is theirs: ask them to erase it as well.</Text>
        <Checkbox
          checked={suppress}
          onChange={(event) => setSuppress(event.currentTarget.checked)}
          label="Never write to them again"
          description="Keeps a keyed hash of their address and number, which tells nobody whose it is."
        />
        <TextInput
          label={`Type the name to confirm: ${person.displayName}`}
          autoComplete="off"
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
        />
        {erase.isError && (
          <Text size="sm" c="var(--bad-text)" role="alert">
            {messageOf(erase.error)}
          </Text>
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" color="red.9" disabled={!isSure} loading={erase.isPending}>
            Erase for good
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function Under({ job: asked, contactId }: { job: Job; contactId: string }) {
  const navigate = useNavigate();
  const forget = useForgetErased();
  const found = useQuery({
    ...jobQuery(asked.id),
    refetchInterval: ({ state }) => (state.data && !goesOn(state.data) ? false : ASK_MS),
  });
  const job = found.data ?? asked;
  const isOver = !goesOn(job);
  const leave = () => {
    forget(contactId);
    if (job.state === 'done') toast('The person is erased');
    void navigate({ to: '/settings/privacy', search: {} });
  };
  const copies = job.about.remains === true;
  return (
    <Stack gap="sm">
      <Text size="sm" role="status">
        {job.state === 'done'
          ? 'Erased. Nothing of them is left here.'
          : isOver
            ? `It could not go on. ${job.error ?? ''}`
            : 'Erasing. It goes on by itself when you leave this page.'}
      </Text>
      {!isOver && (
        <Progress value={Math.max(5, (100 * job.done) / Math.max(1, job.total))} aria-label="How far it is" />
      )}
      {job.state === 'done' && copies && (
        <Text size="sm">
          The database file is too large to be written anew on the side. Its free space is overwritten; have the
          operator run VACUUM to be rid of the last copies.
        </Text>
      )}
      <Group justify="flex-end">
        <Button onClick={leave}>{isOver ? 'Done' : 'Leave'}</Button>
      </Group>
    </Stack>
  );
}
