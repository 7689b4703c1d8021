import { Button, Group, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { messageOf } from '@/api/problem';

const UNDO_MS = 8000;
const PLAIN_MS = 4000;
/** The cross has no words of its own. */
const closeButtonProps = { 'aria-label': 'Close the message' };

export function toast(message: string) {
  notifications.show({ message, autoClose: PLAIN_MS, withBorder: true, color: 'gray', closeButtonProps });
}

export function toastError(what: string, error: unknown) {
  notifications.show({
    title: what,
    message: messageOf(error),
    color: 'red',
    autoClose: UNDO_MS,
    withBorder: true,
    closeButtonProps,
  });
}

let lastUndo: string | null = null;

/** Says what was done and offers to take it back. Only the last one is offered: moving ten cards must not pile up. */
export function toastUndo(message: string, undo: () => void) {
  const id = crypto.randomUUID();
  if (lastUndo) notifications.hide(lastUndo);
  lastUndo = id;
  notifications.show({
    id,
    autoClose: UNDO_MS,
    withBorder: true,
    color: 'gray',
    closeButtonProps,
    message: (
      <Group justify="space-between" wrap="nowrap">
        <Text size="sm">{message}</Text>
        <Button
          variant="default"
          onClick={() => {
            notifications.hide(id);
            undo();
          }}
        >
          Undo
        </Button>
      </Group>
    ),
  });
}
