import {
  Alert,
  Button,
  Group,
  Modal,
  MultiSelect,
  Select,
  Skeleton,
  Stack,
  Table,
  Text,
  TextInput,
} from '@mantine/core';
import { useForm } from '@mantine/form';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { membersQuery } from '@/api/lookups';
import { fieldErrors, messageOf } from '@/api/problem';
import { useSession } from '@/api/session';
import type { Token } from '@/api/shapes';
import { plural } from '@/lib/text';
import { dayOf } from '@/lib/time';
import { Empty, Failure, Section, Time } from '@/ui/basics';
import { Confirm } from '@/ui/Confirm';
import { ActionsHead, Cell, ScrollTable } from '@/ui/ScrollTable';
import { SecretOnce } from '@/ui/SecretOnce';
import { permissionsQuery, rolesQuery, settingsApi, tokensQuery, useSettingsWrite } from './queries';
import { useRoleOptions } from './roleOptions';
import classes from './Settings.module.css';

const EXPIRIES = [
  { value: '30', label: 'In 30 days' },
  { value: '90', label: 'In 90 days' },
  { value: '365', label: 'In a year' },
  { value: '', label: 'Never' },
];

const DAY_MS = 86_400_000;

export function Tokens() {
  const tokens = useQuery(tokensQuery);
  const [adding, setAdding] = useState(false);
  const [created, setCreated] = useState<Token | null>(null);
  return (
    <Section title="API tokens" flush actions={<Button onClick={() => setAdding(true)}>New token</Button>}>
      {tokens.isPending && <Skeleton h={120} />}
      {tokens.isError && <Failure error={tokens.error} retry={() => void tokens.refetch()} />}
      {tokens.data?.length === 0 && (
        <Empty title="No tokens">
          A token lets a script use the API in your name, with your role or a smaller one.
        </Empty>
      )}
      {tokens.data && tokens.data.length > 0 && (
        <ScrollTable label="Table of tokens">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Name</Table.Th>
              <Table.Th>Role</Table.Th>
              <Table.Th>Ends in</Table.Th>
              <Table.Th>Last used</Table.Th>
              <Table.Th>Expires</Table.Th>
              <ActionsHead />
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {tokens.data.map((token) => (
              <TokenRow key={token.id} token={token} />
            ))}
          </Table.Tbody>
        </ScrollTable>
      )}
      <Modal opened={adding} onClose={() => setAdding(false)} title="New API token" size="sm">
        <AddTokenForm
          onClose={() => setAdding(false)}
          onAdded={(token) => {
            setAdding(false);
            setCreated(token);
          }}
        />
      </Modal>
      <SecretOnce
        title={`The token ${created?.name ?? ''}`}
        what="Send it as Authorization: Bearer."
        secret={created?.token ?? null}
        onStored={() => setCreated(null)}
      />
    </Section>
  );
}

function TokenRow({ token }: { token: Token }) {
  const revoke = useSettingsWrite('tokens', settingsApi.revokeToken);
  const [revoking, setRevoking] = useState(false);
  const session = useSession();
  const members = useQuery(membersQuery).data ?? [];
  const owner = token.userId === session.user.id ? undefined : members.find(({ id }) => id === token.userId)?.name;
  return (
    <Table.Tr>
      <Cell>
        {token.name}
        {owner && <span className={classes.dim}> · {owner}</span>}
      </Cell>
      <Cell label="Role">
        {token.roleLabel}
        {token.scopes && (
          <span className={classes.dim} title={token.scopes.join(', ')}>
            {' '}
            · {plural(token.scopes.length, 'permission')}
          </span>
        )}
      </Cell>
      <Cell label="Ends in">{token.last4}</Cell>
      <Cell label="Last used">{token.lastUsedAt ? <Time at={token.lastUsedAt} /> : 'Never'}</Cell>
      <Cell label="Expires">{token.expiresAt ? dayOf(token.expiresAt) : 'Never'}</Cell>
      <Cell actions>
        <Button variant="default" size="compact-xs" onClick={() => setRevoking(true)}>
          Revoke
        </Button>
        <Confirm
          opened={revoking}
          title={`Revoke ${token.name}`}
          verb="Revoke"
          onClose={() => setRevoking(false)}
          onConfirm={() => revoke.mutateAsync(token.id)}
        >
          Whatever uses this token is refused at once.
        </Confirm>
      </Cell>
    </Table.Tr>
  );
}

function AddTokenForm({ onClose, onAdded }: { onClose: () => void; onAdded: (token: Token) => void }) {
  const session = useSession();
  const roles = useQuery(rolesQuery).data ?? [];
  const options = useRoleOptions().filter(({ disabled }) => !disabled);
  const meanings = useQuery(permissionsQuery).data ?? [];
  const form = useForm({
    initialValues: { name: '', role: session.role, scopes: [] as string[], days: '90' },
    validate: { name: (value) => (value.trim() ? null : 'Say what it is for.') },
  });
  const ofRole = roles.find(({ name }) => name === form.values.role)?.permissions ?? [];
  const add = useSettingsWrite('tokens', settingsApi.addToken);
  const submit = form.onSubmit(({ name, role, scopes, days }) => {
    const expiresAt = days ? new Date(Date.now() + Number(days) * DAY_MS).toISOString() : undefined;
    add.mutate(
      { name: name.trim(), role, ...(scopes.length > 0 ? { scopes } : {}), ...(expiresAt ? { expiresAt } : {}) },
      { onSuccess: onAdded, onError: (error) => form.setErrors(fieldErrors(error)) },
    );
  });
  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="sm">
        {add.isError && Object.keys(form.errors).length === 0 && <Alert color="red">{messageOf(add.error)}</Alert>}
        <TextInput label="Name" placeholder="Website import" data-autofocus {...form.getInputProps('name')} />
        <Select
          label="Role"
          allowDeselect={false}
          data={options}
          {...form.getInputProps('role')}
          onChange={(role) => role && form.setValues({ role, scopes: [] })}
        />
        <MultiSelect
          label="Only these permissions"
          description="None chosen: all that its role has."
          searchable
          clearable
          data={ofRole.map((name) => ({
            value: name,
            label: meanings.find((each) => each.name === name)?.meaning ?? name,
          }))}
          {...form.getInputProps('scopes')}
        />
        <Select label="Expires" allowDeselect={false} data={EXPIRIES} {...form.getInputProps('days')} />
        <Text size="xs" c="dimmed">
          It can do what its role can, and nothing more than you.
        </Text>
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={add.isPending}>
            Make the token
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
