import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import { CodeBlock } from './Copy';

interface SecretOnceProps {
  title: string;
  what: string;
  secret: string | null;
  onStored: () => void;
}

/** Shows a secret the one time there is, and goes away only when told it is stored. */
export function SecretOnce({ title, what, secret, onStored }: SecretOnceProps) {
  return (
    <Modal
      opened={secret !== null}
      onClose={onStored}
      title={title}
      withCloseButton={false}
      closeOnClickOutside={false}
      closeOnEscape={false}
    >
      <Stack gap="sm">
        <Text size="sm">{what} It is shown this once; Leadline cannot show it again.</Text>
        <CodeBlock text={secret ?? ''} label="Secret" wrap />
        <Group justify="flex-end">
          <Button onClick={onStored}>I stored it</Button>
        </Group>
      </Stack>
    </Modal>
  );
}
