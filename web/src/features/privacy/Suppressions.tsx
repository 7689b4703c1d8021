import { Button, Group, Modal, SegmentedControl, Skeleton, Stack, Table, Text, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { fieldErrors, messageOf } from '@/api/problem';
import { usePermits } from '@/api/session';
import type { Suppression } from '@/api/shapes';
import { kindWords, reasonWords } from '@/lib/suppression';
import { Empty, Failure, PermitButton, Section, Time } from '@/ui/basics';
import { Confirm } from '@/ui/Confirm';
import { Pager } from '@/ui/Pager';
import { ActionsHead, Cell, ScrollTable } from '@/ui/ScrollTable';
import { toast } from '@/ui/toast';
import { SUPPRESSION_PAGE, suppressionsQuery, useSuppress, useUnsuppress } from './queries';

/** Whom nobody may write to. Nobody can read out of it who that is. */
export function Suppressions({ page }: { page: number }) {
  const navigate = useNavigate();
  const permits = usePermits();
  const [adding, setAdding] = useState(false);
  const list = useQuery(suppressionsQuery(page));
  const why = permits.can('settings:manage') ? undefined : 'This needs the permission to change settings.';
  const add = (
    <PermitButton why={why} onClick={() => setAdding(true)}>
      Add an address
    </PermitButton>
  );
  return (
    <>
      {list.isPending && <Skeleton h={200} />}
      {list.isError && <Failure error={list.error} retry={() => void list.refetch()} />}
      {list.data?.total === 0 && (
        <Empty title="Everybody may be written to" action={add}>
          Whoever is in this list gets no messages, whatever is planned. Only keyed hashes are kept, so it survives an
          erasure. What they send is accepted as before.
        </Empty>
      )}
      {list.data && list.data.total > 0 && (
        <Section title="Must not be written to" flush actions={add}>
          <ScrollTable label="Suppression list" isOld={list.isPlaceholderData}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>What</Table.Th>
                <Table.Th>Fingerprint</Table.Th>
                <Table.Th>Why</Table.Th>
                <Table.Th>By</Table.Th>
                <Table.Th>Since</Table.Th>
                <ActionsHead />
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {list.data.data.map((entry) => (
                <Row key={entry.id} entry={entry} why={why} />
              ))}
            </Table.Tbody>
          </ScrollTable>
          <Pager
            page={page}
            limit={SUPPRESSION_PAGE}
            total={list.data.total}
            totalIsCapped={list.data.totalIsCapped}
            onPage={(next) => void navigate({ to: '/settings/privacy', search: { show: 'suppressions', page: next } })}
          />
        </Section>
      )}
      <Modal opened={adding} onClose={() => setAdding(false)} title="Never write to" size="sm">
        <AddForm onClose={() => setAdding(false)} />
      </Modal>
    </>
  );
}

function Row({ entry, why }: { entry: Suppression; why: string | undefined }) {
  const [asking, setAsking] = useState(false);
  const remove = useUnsuppress();
  return (
    <Table.Tr>
      <Cell>{kindWords(entry.kind)}</Cell>
      <Cell label="Fingerprint">
        <code>{entry.fingerprint}</code>
      </Cell>
      <Cell label="Why">{entry.note ?? reasonWords(entry.reason)}</Cell>
      <Cell label="By">{entry.addedBy}</Cell>
      <Cell label="Since">
        <Time at={entry.addedAt} />
      </Cell>
      <Cell actions>
        <PermitButton
          why={why}
          variant="default"
          size="compact-xs"
          aria-label={`Remove ${entry.fingerprint}`}
          onClick={() => setAsking(true)}
        >
          Remove
        </PermitButton>
        <Confirm
          opened={asking}
          title="Let them be written to again?"
          verb="Remove"
          onClose={() => setAsking(false)}
          onConfirm={() => remove.mutateAsync(entry.id)}
        >
          Whoever this is may get messages again. Nobody can tell from here who it is.
        </Confirm>
      </Cell>
    </Table.Tr>
  );
}

function AddForm({ onClose }: { onClose: () => void }) {
  const [kind, setKind] = useState<'email' | 'phone'>('email');
  const [value, setValue] = useState('');
  const [note, setNote] = useState('');
  const suppress = useSuppress();
  const wrong = suppress.isError ? fieldErrors(suppress.error) : {};
  const submit = () =>
    suppress.mutate(
      { [kind]: value.trim(), note: note.trim() || null },
      {
        onSuccess: () => {
          toast('Nobody will write to them');
          onClose();
        },
      },
    );
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <Stack gap="sm">
        <SegmentedControl
          size="xs"
          aria-label="What it is"
          value={kind}
          data={[
            { value: 'email', label: 'E-mail address' },
            { value: 'phone', label: 'Phone number' },
          ]}
          onChange={(next) => setKind(next as 'email' | 'phone')}
        />
        <TextInput
          label={kindWords(kind)}
          description={kind === 'phone' ? 'With its calling code, such as +44 20 7946 0001.' : undefined}
          type={kind === 'email' ? 'email' : 'tel'}
          value={value}
          error={wrong[kind]}
          data-autofocus
          onChange={(event) => setValue(event.currentTarget.value)}
        />
        <TextInput
          label="Note"
          description="Why, in a few words. Name nobody: it is shown in the list."
          value={note}
          error={wrong.note}
          onChange={(event) => setNote(event.currentTarget.value)}
        />
        {suppress.isError && Object.keys(wrong).length === 0 && (
          <Text size="sm" c="var(--bad-text)" role="alert">
            {messageOf(suppress.error)}
          </Text>
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" disabled={value.trim() === ''} loading={suppress.isPending}>
            Add
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
