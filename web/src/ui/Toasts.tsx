import '@mantine/notifications/styles.css';
import { Button, Group, Text } from '@mantine/core';
import { Notifications, notifications } from '@mantine/notifications';

/** Where the messages of toast.tsx are shown; fetched with the first of them. */

const UNDO_MS = 8000;
const PLAIN_MS = 4000;
/** The cross has no words of its own. */
const closeButtonProps = { 'aria-label': 'Close the message' };

export default function Toasts() {
  return <Notifications position="bottom-right" limit={4} zIndex={400} />;
}

export function showToast(message: string) {
  notifications.show({ message, autoClose: PLAIN_MS, withBorder: true, color: 'gray', closeButtonProps });
}

export function showError(title: string, message: string) {
  notifications.show({ title, message, color: 'red', autoClose: UNDO_MS, withBorder: true, closeButtonProps });
}

let lastUndo: string | null = null;

export function showUndo(message: string, undo: () => void) {
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
