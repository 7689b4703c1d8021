import { Alert, Button, Group, Modal, Select, Stack, Text, TextInput } from '@mantine/core';
import { useState } from 'react';
import { messageOf } from '@/api/problem';
import { plural } from '@/lib/text';
import { needsTarget } from './pipelineQueries';

interface TargetDialogProps {
  title: string;
  verb: string;
  /** How many leads need a place, as far as is known. */
  leads: number;
  /** Where they may go. */
  pipelines: { id: string; name: string; stages: { id: string; name: string }[] }[];
  /** Must be typed where it cannot be taken back. */
  confirmName?: string;
  onClose: () => void;
  onConfirm: (moveLeadsTo: string | undefined) => Promise<unknown>;
}

/** Asks where the leads of something that goes should go. */
export function TargetDialog({ title, verb, leads, pipelines, confirmName, onClose, onConfirm }: TargetDialogProps) {
  const [target, setTarget] = useState<string | null>(null);
  const [typed, setTyped] = useState('');
  const [failure, setFailure] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const mustChoose = leads > 0 || needsTarget(failure);
  const isReady = (!mustChoose || target !== null) && (!confirmName || typed.trim() === confirmName);
  const confirm = async () => {
    setBusy(true);
    try {
      await onConfirm(target ?? undefined);
      onClose();
    } catch (error) {
      setFailure(error);
    } finally {
      setBusy(false);
    }
  };
  const options = pipelines.map(({ name, stages }) => ({
    group: name,
    items: stages.map((stage) => ({ value: stage.id, label: stage.name })),
  }));
  return (
    <Modal opened onClose={onClose} title={title} size="sm">
      <Stack gap="md">
        {failure !== null && <Alert color="red">{messageOf(failure)}</Alert>}
        {mustChoose ? (
          <Select
            label={leads > 0 ? `Where do ${plural(leads, 'lead')} go?` : 'Where do its leads go?'}
            placeholder="Choose a stage"
            data-autofocus
            searchable
            data={options}
            value={target}
            onChange={setTarget}
          />
        ) : (
          <Text size="sm">No lead is in it.</Text>
        )}
        {confirmName && (
          <TextInput
            label={`Type ${confirmName} to confirm`}
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
          />
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button color="red.9" loading={busy} disabled={!isReady} onClick={() => void confirm()}>
            {verb}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
