import {
  ActionIcon,
  Alert,
  Button,
  Group,
  Menu,
  Modal,
  PasswordInput,
  Select,
  Skeleton,
  Stack,
  Table,
  TextInput,
} from '@mantine/core';
import { useForm } from '@mantine/form';
import { IconDots } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { fieldErrors, messageOf } from '@/api/problem';
import { useSession } from '@/api/session';
import type { User } from '@/api/shapes';
import { Failure, Section, State, Time } from '@/ui/basics';
import { Confirm } from '@/ui/Confirm';
import { ActionsHead, Cell, ScrollTable } from '@/ui/ScrollTable';
import { SecretOnce } from '@/ui/SecretOnce';
import { toast } from '@/ui/toast';
import { Invitations } from './Invitations';
import { rolesQuery, settingsApi, usersQuery, useSettingsWrite } from './queries';
import { mayGrant, useRoleOptions } from './roleOptions';
import classes from './Settings.module.css';

export function Users() {
  const users = useQuery(usersQuery);
  const [adding, setAdding] = useState(false);
  const [inviting, setInviting] = useState(false);
  const [created, setCreated] = useState<User | null>(null);
  return (
    <Stack gap="md">
      <Section
        title="Users"
        flush
        actions={
          <Group gap="xs">
            <Button variant="default" onClick={() => setAdding(true)}>
              Add user
            </Button>
            <Button onClick={() => setInviting(true)}>Invite</Button>
          </Group>
        }
      >
        {users.isPending && <Skeleton h={160} />}
        {users.isError && <Failure error={users.error} retry={() => void users.refetch()} />}
        {users.data && (
          <ScrollTable label="Table of users">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Name</Table.Th>
                <Table.Th>E-mail</Table.Th>
                <Table.Th>Role</Table.Th>
                <Table.Th>State</Table.Th>
                <Table.Th>Second factor</Table.Th>
                <Table.Th>Last seen</Table.Th>
                <ActionsHead />
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {users.data.map((user) => (
                <UserRow key={user.id} user={user} />
              ))}
            </Table.Tbody>
          </ScrollTable>
        )}
        <Modal opened={adding} onClose={() => setAdding(false)} title="New user" size="sm">
          <AddUserForm
            onClose={() => setAdding(false)}
            onAdded={(user) => {
              setAdding(false);
              if (user.password) setCreated(user);
              else toast(`Added ${user.name}`);
            }}
          />
        </Modal>
        <SecretOnce
          title={`The password of ${created?.name ?? ''}`}
          what="Hand it over; it can be changed after signing in."
          secret={created?.password ?? null}
          onStored={() => setCreated(null)}
        />
      </Section>
      <Invitations inviting={inviting} onInvited={() => setInviting(false)} />
    </Stack>
  );
}

function UserRow({ user }: { user: User }) {
  const session = useSession();
  const roles = useRoleOptions();
  const change = useSettingsWrite('users', settingsApi.changeUser, `${user.name} was not changed`);
  const remove = useSettingsWrite('users', settingsApi.removeUser);
  const reset = useSettingsWrite('users', settingsApi.resetSecondFactor);
  const [removing, setRemoving] = useState(false);
  const [resetting, setResetting] = useState(false);
  const isSelf = user.id === session.user.id;
  const role = useQuery(rolesQuery).data?.find(({ name }) => name === user.role);
  const protectedRole = role !== undefined && !mayGrant(session, role);
  const { disabled } = user;
  return (
    <Table.Tr>
      <Cell>
        {user.name}
        {isSelf && <span className={classes.dim}> (you)</span>}
      </Cell>
      <Cell label="E-mail">{user.email}</Cell>
      <Cell label="Role">
        <Select
          size="xs"
          w={140}
          aria-label={`Role of ${user.name}`}
          allowDeselect={false}
          disabled={isSelf || protectedRole || change.isPending}
          title={isSelf ? 'You cannot change your own role.' : undefined}
          data={roles}
          value={user.role}
          onChange={(role) => role && change.mutate({ id: user.id, role })}
        />
      </Cell>
      <Cell label="State">{disabled ? <State color="gray">Disabled</State> : <State color="green">Active</State>}</Cell>
      <Cell label="Second factor" beside={!user.hasSecondFactor}>
        {user.hasSecondFactor ? <State color="green">On</State> : <span className={classes.dim}>Off</span>}
      </Cell>
      <Cell label="Last seen" beside={!user.lastSeenAt}>
        {user.lastSeenAt ? <Time at={user.lastSeenAt} /> : <span className={classes.dim}>Never</span>}
      </Cell>
      <Cell actions>
        {!isSelf && !protectedRole && (
          <Menu position="bottom-end">
            <Menu.Target>
              <ActionIcon variant="subtle" color="gray" aria-label={`More for ${user.name}`}>
                <IconDots size={16} />
              </ActionIcon>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Item onClick={() => change.mutate({ id: user.id, disabled: !disabled })}>
                {disabled ? 'Enable' : 'Disable'}
              </Menu.Item>
              {user.hasSecondFactor && (
                <Menu.Item onClick={() => setResetting(true)}>Reset the second factor…</Menu.Item>
              )}
              <Menu.Item onClick={() => setRemoving(true)}>Remove…</Menu.Item>
            </Menu.Dropdown>
          </Menu>
        )}
        <Confirm
          opened={removing}
          title={`Remove ${user.name}`}
          verb="Remove"
          onClose={() => setRemoving(false)}
          onConfirm={() => remove.mutateAsync(user.id)}
        >
          The user loses access to this workspace at once. What the user did stays in the timelines.
        </Confirm>
        <Confirm
          opened={resetting}
          title={`Reset the second factor of ${user.name}`}
          verb="Reset it"
          onClose={() => setResetting(false)}
          onConfirm={() => reset.mutateAsync(user.id)}
        >
          For somebody who has lost their phone and recovery codes. Make sure that it is really them who ask: with it
          gone, the password alone signs in. Their sessions end.
        </Confirm>
      </Cell>
    </Table.Tr>
  );
}

function AddUserForm({ onClose, onAdded }: { onClose: () => void; onAdded: (user: User) => void }) {
  const roles = useRoleOptions();
  const form = useForm({
    initialValues: { name: '', email: '', role: 'agent', password: '' },
    validate: {
      name: (value) => (value.trim() ? null : 'Enter a name.'),
      email: (value) => (value.includes('@') ? null : 'Enter an e-mail address.'),
      password: (value) => (value === '' || value.length >= 10 ? null : 'Use at least 10 characters.'),
    },
  });
  const add = useSettingsWrite('users', settingsApi.addUser);
  const submit = form.onSubmit(({ password, ...user }) =>
    add.mutate(password ? { ...user, password } : user, {
      onSuccess: onAdded,
      onError: (error) => form.setErrors(fieldErrors(error)),
    }),
  );
  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="sm">
        {add.isError && Object.keys(form.errors).length === 0 && <Alert color="red">{messageOf(add.error)}</Alert>}
        <TextInput label="Name" data-autofocus {...form.getInputProps('name')} />
        <TextInput label="E-mail" type="email" {...form.getInputProps('email')} />
        <Select label="Role" allowDeselect={false} data={roles} {...form.getInputProps('role')} />
        <PasswordInput
          label="Password"
          description="Empty: one is made and shown to you once."
          autoComplete="new-password"
          {...form.getInputProps('password')}
        />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={add.isPending}>
            Add the user
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
