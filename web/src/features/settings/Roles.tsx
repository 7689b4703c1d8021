import {
  ActionIcon,
  Alert,
  Button,
  Checkbox,
  Group,
  Menu,
  Modal,
  Select,
  Skeleton,
  Stack,
  Table,
  Text,
  TextInput,
} from '@mantine/core';
import { useForm } from '@mantine/form';
import { IconCheck, IconDots } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { fieldErrors, messageOf } from '@/api/problem';
import { usePermits, useSession } from '@/api/session';
import type { PermissionView, RoleView } from '@/api/shapes';
import { plural } from '@/lib/text';
import { Failure, PermitButton, Section } from '@/ui/basics';
import { Cell, ScrollTable } from '@/ui/ScrollTable';
import { toast } from '@/ui/toast';
import { permissionsQuery, rolesQuery, settingsApi, useSettingsWrite } from './queries';
import { mayGrant, useRoleOptions } from './roleOptions';
import classes from './Settings.module.css';
import { useTicks } from './ticks';

export function Roles() {
  const roles = useQuery(rolesQuery);
  const permissions = useQuery(permissionsQuery);
  const why = usePermits().why('users:manage');
  const [adding, setAdding] = useState(false);
  if (roles.isError) return <Failure error={roles.error} retry={() => void roles.refetch()} />;
  if (permissions.isError) return <Failure error={permissions.error} retry={() => void permissions.refetch()} />;
  if (roles.isPending || permissions.isPending) return <Skeleton h={320} />;
  return (
    <Section
      title="What each role may do"
      flush
      actions={
        <PermitButton why={why} onClick={() => setAdding(true)}>
          New role
        </PermitButton>
      }
    >
      <ScrollTable label="Roles and permissions" stack="chips">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Permission</Table.Th>
            {roles.data.map((role) => (
              <Table.Th key={role.name}>
                <RoleHead role={role} />
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {permissions.data.map((permission) => (
            <Table.Tr key={permission.name}>
              <Cell title={permission.name}>{permission.meaning}</Cell>
              {roles.data.map((role) => (
                <PermissionCell key={role.name} role={role} permission={permission} />
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </ScrollTable>
      <Modal opened={adding} onClose={() => setAdding(false)} title="New role" size="sm">
        <AddRoleForm roles={roles.data} onClose={() => setAdding(false)} />
      </Modal>
    </Section>
  );
}

/** Whether somebody may change a role: those that every workspace has stay, and nobody touches more than they have. */
function useMayChange(role: RoleView) {
  const session = useSession();
  const permits = usePermits();
  return !role.isBuiltIn && permits.can('users:manage') && mayGrant(session, role);
}

function PermissionCell({ role, permission }: { role: RoleView; permission: PermissionView }) {
  const mayChange = useMayChange(role);
  const permits = usePermits();
  const tick = useTicks({
    queryKey: rolesQuery.queryKey,
    idOf: (each: RoleView) => each.name,
    write: ({ name, permissions }) => settingsApi.changeRole({ id: name, permissions }),
    failure: `${role.label} was not changed`,
  });
  const has = role.permissions.includes(permission.name);
  if (!mayChange) {
    return (
      <Cell label={role.label} beside={!has}>
        {has ? (
          <IconCheck size={15} aria-label="Yes" />
        ) : (
          <span className={classes.dim}>
            <span aria-hidden="true">–</span>
            <span className="visually-hidden">No</span>
          </span>
        )}
      </Cell>
    );
  }
  const wanted = has
    ? role.permissions.filter((name) => name !== permission.name)
    : [...role.permissions, permission.name];
  return (
    <Cell label={role.label}>
      <Checkbox
        size="xs"
        aria-label={`${role.label}: ${permission.meaning}`}
        checked={has}
        disabled={!permits.can(permission.name)}
        onChange={() => tick({ ...role, permissions: wanted })}
      />
    </Cell>
  );
}

function RoleHead({ role }: { role: RoleView }) {
  const mayChange = useMayChange(role);
  const [renaming, setRenaming] = useState(false);
  const [removing, setRemoving] = useState(false);
  return (
    <span className={classes.roleHead}>
      <span title={plural(role.members, 'member')}>{role.label}</span>
      {mayChange && (
        <Menu position="bottom-end">
          <Menu.Target>
            <ActionIcon variant="subtle" color="gray" size="sm" aria-label={`More for the role ${role.label}`}>
              <IconDots size={14} />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item onClick={() => setRenaming(true)}>Rename…</Menu.Item>
            <Menu.Item onClick={() => setRemoving(true)}>Delete…</Menu.Item>
          </Menu.Dropdown>
        </Menu>
      )}
      <Modal opened={renaming} onClose={() => setRenaming(false)} title={`Rename ${role.label}`} size="sm">
        <RenameForm role={role} onClose={() => setRenaming(false)} />
      </Modal>
      <Modal opened={removing} onClose={() => setRemoving(false)} title={`Delete ${role.label}`} size="sm">
        <RemoveForm role={role} onClose={() => setRemoving(false)} />
      </Modal>
    </span>
  );
}

function AddRoleForm({ roles, onClose }: { roles: RoleView[]; onClose: () => void }) {
  const options = useRoleOptions();
  const form = useForm({
    initialValues: { name: '', like: 'viewer' },
    validate: { name: (value) => (value.trim() ? null : 'Give the role a name.') },
  });
  const add = useSettingsWrite('roles', settingsApi.addRole);
  const submit = form.onSubmit(({ name, like }) => {
    const permissions = roles.find((role) => role.name === like)?.permissions ?? [];
    add.mutate(
      { name: name.trim(), permissions },
      {
        onSuccess: (role) => {
          onClose();
          toast(`Made the role ${role.label}; tick what it may do`);
        },
        onError: (error) => form.setErrors(fieldErrors(error)),
      },
    );
  });
  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="sm">
        {add.isError && Object.keys(form.errors).length === 0 && <Alert color="red">{messageOf(add.error)}</Alert>}
        <TextInput label="Name" placeholder="Night shift" data-autofocus {...form.getInputProps('name')} />
        <Select
          label="Begins like"
          description="It has a column of its own then, in which you tick what it may do."
          allowDeselect={false}
          data={options}
          {...form.getInputProps('like')}
        />
        <Buttons verb="Make the role" busy={add.isPending} onClose={onClose} />
      </Stack>
    </form>
  );
}

function RenameForm({ role, onClose }: { role: RoleView; onClose: () => void }) {
  const form = useForm({
    initialValues: { name: role.label },
    validate: { name: (value) => (value.trim() ? null : 'Give the role a name.') },
  });
  const change = useSettingsWrite('roles', settingsApi.changeRole);
  const submit = form.onSubmit(({ name }) =>
    change.mutate(
      { id: role.name, name: name.trim() },
      { onSuccess: onClose, onError: (error) => form.setErrors(fieldErrors(error)) },
    ),
  );
  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="sm">
        {change.isError && Object.keys(form.errors).length === 0 && (
          <Alert color="red">{messageOf(change.error)}</Alert>
        )}
        <TextInput label="Name" data-autofocus {...form.getInputProps('name')} />
        <Buttons verb="Rename" busy={change.isPending} onClose={onClose} />
      </Stack>
    </form>
  );
}

function RemoveForm({ role, onClose }: { role: RoleView; onClose: () => void }) {
  const others = useRoleOptions().filter(({ value }) => value !== role.name);
  const [moveTo, setMoveTo] = useState<string | null>(role.members > 0 ? 'viewer' : null);
  const remove = useSettingsWrite('roles', settingsApi.removeRole);
  const submit = () =>
    remove.mutate(
      { id: role.name, moveTo },
      {
        onSuccess: () => {
          onClose();
          toast(`Deleted the role ${role.label}`);
        },
      },
    );
  return (
    <Stack gap="sm">
      <Text size="sm">
        {role.members > 0
          ? `${plural(role.members, 'member')} ${role.members === 1 ? 'has' : 'have'} this role and ${role.members === 1 ? 'gets' : 'get'} another.`
          : 'No member has this role. Tokens and invitations may: they get another.'}
      </Text>
      {remove.isError && <Alert color="red">{messageOf(remove.error)}</Alert>}
      <Select
        label="They get"
        placeholder="Nobody has it"
        clearable={role.members === 0}
        allowDeselect={false}
        data={others}
        value={moveTo}
        onChange={setMoveTo}
      />
      <Group justify="flex-end">
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button color="red.9" loading={remove.isPending} onClick={submit}>
          Delete
        </Button>
      </Group>
    </Stack>
  );
}

function Buttons({ verb, busy, onClose }: { verb: string; busy: boolean; onClose: () => void }) {
  return (
    <Group justify="flex-end">
      <Button variant="default" onClick={onClose}>
        Cancel
      </Button>
      <Button type="submit" loading={busy}>
        {verb}
      </Button>
    </Group>
  );
}
