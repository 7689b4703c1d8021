import { Alert, Button, Checkbox, Group, Modal, Stack, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { messageOf } from '@/api/problem';
import { usePermits } from '@/api/session';
import type { SavedView } from '@/api/shapes';

interface SaveFormProps {
  save: (named: { name: string; isShared: boolean }) => Promise<SavedView>;
  onSaved: (view: SavedView) => void;
  onClose: () => void;
}

/** Asks how a new view is called, and who has it. */
export function SaveViewDialog({ opened, onClose, save, onSaved }: SaveFormProps & { opened: boolean }) {
  const onSavedNow = (view: SavedView) => {
    onClose();
    onSaved(view);
  };
  return (
    <Modal opened={opened} onClose={onClose} title="New view" size="sm">
      <SaveForm onClose={onClose} save={save} onSaved={onSavedNow} />
    </Modal>
  );
}

function SaveForm({ save, onSaved, onClose }: SaveFormProps) {
  const permits = usePermits();
  const [name, setName] = useState('');
  const [isShared, setShared] = useState(false);
  const saving = useMutation({ mutationFn: save, onSuccess: onSaved });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (name.trim()) saving.mutate({ name, isShared });
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        {saving.isError && <Alert color="red">{messageOf(saving.error)}</Alert>}
        <TextInput
          label="Name"
          data-autofocus
          maxLength={80}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <Checkbox
          label="Share with everybody in the workspace"
          disabled={!permits.can('leads:manage')}
          checked={isShared}
          onChange={(event) => setShared(event.currentTarget.checked)}
        />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" disabled={!name.trim()} loading={saving.isPending}>
            Save the view
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
