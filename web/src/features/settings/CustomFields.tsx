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
  TagsInput,
  TextInput,
} from '@mantine/core';
import { useForm } from '@mantine/form';
import { IconDots } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { fieldErrors, messageOf } from '@/api/problem';
import { usePermits } from '@/api/session';
import type { CustomField, CustomFieldType } from '@/api/shapes';
import { formatCount } from '@/lib/text';
import { Empty, Failure, PermitButton, Section, Time } from '@/ui/basics';
import { Confirm } from '@/ui/Confirm';
import { ActionsHead, Cell, ScrollTable } from '@/ui/ScrollTable';
import { toast } from '@/ui/toast';
import { customFieldsApi, customFieldsQuery } from './queries';
import classes from './Settings.module.css';

const TYPES: { value: CustomFieldType; label: string }[] = [
  { value: 'text', label: 'Text' },
  { value: 'number', label: 'Number' },
  { value: 'date', label: 'Date' },
  { value: 'select', label: 'Select' },
  { value: 'multi_select', label: 'Multi-select' },
  { value: 'url', label: 'URL' },
  { value: 'boolean', label: 'Yes or no' },
];

const typeLabel = (type: string) => TYPES.find(({ value }) => value === type)?.label ?? type;

export function CustomFields() {
  const permits = usePermits();
  const fields = useQuery(customFieldsQuery);
  const [editing, setEditing] = useState<CustomField | 'new' | null>(null);
  const why = permits.can('settings:manage') ? undefined : 'You need the permission to manage settings.';
  return (
    <Section
      title="Custom fields"
      flush
      actions={
        <PermitButton why={why} onClick={() => setEditing('new')}>
          Add field
        </PermitButton>
      }
    >
      {fields.isPending && <Skeleton h={160} />}
      {fields.isError && <Failure error={fields.error} retry={() => void fields.refetch()} />}
      {fields.data?.length === 0 && (
        <Empty title="There are no custom fields yet">
          What forms and webhooks send beside name, e-mail and the like appears here by itself. You can also add fields
          of your own.
        </Empty>
      )}
      {fields.data && fields.data.length > 0 && (
        <ScrollTable label="Table of custom fields">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Name</Table.Th>
              <Table.Th>Key</Table.Th>
              <Table.Th>Type</Table.Th>
              <Table.Th>On cards</Table.Th>
              <Table.Th>Received</Table.Th>
              <Table.Th>Last received</Table.Th>
              <ActionsHead />
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {fields.data.map((field) => (
              <FieldRow key={field.key} field={field} why={why} onEdit={() => setEditing(field)} />
            ))}
          </Table.Tbody>
        </ScrollTable>
      )}
      <Modal
        opened={editing !== null}
        onClose={() => setEditing(null)}
        title={editing === 'new' || editing === null ? 'New field' : editing.name}
        size="sm"
      >
        {editing && <FieldForm field={editing === 'new' ? null : editing} onClose={() => setEditing(null)} />}
      </Modal>
    </Section>
  );
}

function FieldRow({ field, why, onEdit }: { field: CustomField; why: string | undefined; onEdit: () => void }) {
  const client = useQueryClient();
  const [removing, setRemoving] = useState(false);
  const remove = useMutation({
    mutationFn: () => customFieldsApi.remove(field.key),
    onSuccess: () => refresh(client),
  });
  const isDefined = field.type !== null && field.type !== undefined;
  return (
    <Table.Tr>
      <Cell>{field.name}</Cell>
      <Cell label="Key">
        <code>{field.key}</code>
      </Cell>
      <Cell label="Type">{field.type ? typeLabel(field.type) : <span className={classes.dim}>Not defined</span>}</Cell>
      <Cell label="On cards">{field.onCard ? 'Yes' : ''}</Cell>
      <Cell label="Received">{field.seenCount > 0 ? formatCount(field.seenCount) : ''}</Cell>
      <Cell label="Last received">{field.lastSeenAt && <Time at={field.lastSeenAt} />}</Cell>
      <Cell actions>
        {!why && (
          <Menu position="bottom-end">
            <Menu.Target>
              <ActionIcon variant="subtle" color="gray" aria-label={`More for ${field.name}`}>
                <IconDots size={16} />
              </ActionIcon>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Item onClick={onEdit}>{isDefined ? 'Edit…' : 'Define…'}</Menu.Item>
              <Menu.Item onClick={() => setRemoving(true)}>
                {isDefined ? 'Remove the definition…' : 'Take off the list…'}
              </Menu.Item>
            </Menu.Dropdown>
          </Menu>
        )}
        <Confirm
          opened={removing}
          title={isDefined ? `Remove the definition of ${field.name}` : `Take ${field.name} off the list`}
          verb={isDefined ? 'Remove' : 'Take off'}
          onClose={() => setRemoving(false)}
          onConfirm={() => remove.mutateAsync()}
        >
          {`Leads keep their values. ${isDefined ? 'Anything can be entered again.' : 'It appears again when it is sent again.'}`}
        </Confirm>
      </Cell>
    </Table.Tr>
  );
}

function refresh(client: ReturnType<typeof useQueryClient>) {
  void client.invalidateQueries({ queryKey: ['filterFields'] });
  void client.invalidateQueries({ queryKey: ['leads'] });
  return client.invalidateQueries({ queryKey: customFieldsQuery.queryKey });
}

function FieldForm({ field, onClose }: { field: CustomField | null; onClose: () => void }) {
  const client = useQueryClient();
  const form = useForm({
    initialValues: {
      name: field?.name ?? '',
      type: (field?.type ?? 'text') as CustomFieldType,
      options: field?.options ?? [],
      onCard: field?.onCard ?? false,
    },
    validate: {
      name: (value) => (value.trim() ? null : 'Enter a name.'),
      options: (value, { type }) => (hasOptions(type) && value.length === 0 ? 'Enter at least one option.' : null),
    },
  });
  const save = useMutation({
    mutationFn: (values: typeof form.values) => {
      const said = { ...values, options: hasOptions(values.type) ? values.options : [] };
      return field ? customFieldsApi.change(field.key, said) : customFieldsApi.add(said);
    },
    onSuccess: async (saved) => {
      await refresh(client);
      toast(`Saved ${saved.name}`);
      onClose();
    },
    onError: (error) => form.setErrors(fieldErrors(error)),
  });
  return (
    <form onSubmit={form.onSubmit((values) => save.mutate(values))} noValidate>
      <Stack gap="sm">
        {save.isError && Object.keys(form.errors).length === 0 && <Alert color="red">{messageOf(save.error)}</Alert>}
        <TextInput label="Name" data-autofocus maxLength={100} {...form.getInputProps('name')} />
        <Select
          label="Type"
          description="Checked when people edit a lead. What visitors send is kept as it came."
          allowDeselect={false}
          data={TYPES}
          {...form.getInputProps('type')}
        />
        {hasOptions(form.values.type) && (
          <TagsInput label="Options" placeholder="Enter after each" {...form.getInputProps('options')} />
        )}
        <Checkbox label="Show on cards of the board" {...form.getInputProps('onCard', { type: 'checkbox' })} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={save.isPending}>
            {field ? 'Save' : 'Add the field'}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

const hasOptions = (type: string) => type === 'select' || type === 'multi_select';
