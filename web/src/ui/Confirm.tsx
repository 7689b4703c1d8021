import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { messageOf } from '@/api/problem';

interface ConfirmProps {
  opened: boolean;
  title: string;
  verb: string;
  onClose: () => void;
  onConfirm: () => Promise<unknown>;
  children: string;
}

/** Asked only for what cannot be taken back. */
export function Confirm({ opened, title, verb, onClose, onConfirm, children }: ConfirmProps) {
  const [failure, setFailure] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const confirm = async () => {
    setBusy(true);
    try {
      await onConfirm();
      onClose();
    } catch (error) {
      setFailure(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Modal opened={opened} onClose={onClose} title={title} size="sm">
      <Stack gap="md">
        <Text size="sm">{children}</Text>
        {failure !== null && (
          <Text size="sm" c="var(--bad-text)" role="alert">
            {messageOf(failure)}
          </Text>
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button color="red.9" loading={busy} onClick={() => void confirm()}>
            {verb}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
