import { Button, Group, Modal, Radio, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { messageOf } from '@/api/problem';
import { useRegenerateSecret } from './queries';

/** How long the old secret signs beside the new one, and what that means for the receiver. */
export const OVERLAPS = [
  {
    hours: 0,
    label: 'Not at all',
    says: 'The old secret is worth nothing at once: right when somebody else knows it.',
  },
  { hours: 1, label: 'For 1 hour', says: 'Time to put the new secret in place now.' },
  { hours: 24, label: 'For 24 hours', says: 'Time for a release of the receiver.' },
  { hours: 168, label: 'For 7 days', says: 'Time for somebody else to do it.' },
] as const;

interface RenewSecretProps {
  destinationId: string;
  opened: boolean;
  onClose: () => void;
  onRenewed: (secret: string | null) => void;
}

/** Asks how long the old secret goes on signing, and makes a new one. */
export function RenewSecret({ opened, onClose, ...rest }: RenewSecretProps) {
  return (
    <Modal opened={opened} onClose={onClose} title="Regenerate the secret">
      <RenewSecretForm opened={opened} onClose={onClose} {...rest} />
    </Modal>
  );
}

function RenewSecretForm({ destinationId, onClose, onRenewed }: RenewSecretProps) {
  const [hours, setHours] = useState('0');
  const regenerate = useRegenerateSecret();
  const renew = () =>
    regenerate.mutate(
      { id: destinationId, overlapHours: Number(hours) },
      {
        onSuccess: ({ secret }) => {
          onClose();
          onRenewed(secret ?? null);
        },
      },
    );
  return (
    <Stack gap="md">
      <Text size="sm">
        Deliveries are signed with the new secret at once. Until the receiver knows it, it refuses them, unless the old
        secret signs as well.
      </Text>
      <Radio.Group label="The old secret signs as well" value={hours} onChange={setHours}>
        <Stack gap="xs" mt="xs">
          {OVERLAPS.map(({ hours: each, label, says }) => (
            <Radio key={each} value={String(each)} label={label} description={says} />
          ))}
        </Stack>
      </Radio.Group>
      {hours !== '0' && (
        <Text size="sm" c="dimmed">
          Both signatures stand in webhook-signature. X-Leadline-Signature holds one, the new secret’s: a receiver that
          checks that one needs both secrets meanwhile.
        </Text>
      )}
      {regenerate.isError && (
        <Text size="sm" c="var(--bad-text)" role="alert">
          {messageOf(regenerate.error)}
        </Text>
      )}
      <Group justify="flex-end">
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button color="red.9" loading={regenerate.isPending} onClick={renew}>
          Regenerate
        </Button>
      </Group>
    </Stack>
  );
}
