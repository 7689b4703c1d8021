import { Alert, Button, type ButtonProps, Group, Modal, Select, Stack, Text, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '@/api/client';
import { fieldErrors, messageOf } from '@/api/problem';
import type { BlockedIp } from '@/api/shapes';
import { PermitButton } from './basics';
import { toast } from './toast';

const EXPIRIES = [
  { value: '1', label: 'In a day' },
  { value: '7', label: 'In a week' },
  { value: '30', label: 'In 30 days' },
  { value: '', label: 'Never' },
];

const DAY_MS = 86_400_000;

interface BlockIpButtonProps extends ButtonProps {
  /** The address to begin with; none where it is to be typed. */
  ip?: string | null;
  why: string | undefined;
}

/** Opens the question how long, and then turns the address away. */
export function BlockIpButton({ ip, why, children, ...rest }: BlockIpButtonProps) {
  const [opened, setOpened] = useState(false);
  return (
    <>
      <PermitButton why={why} onClick={() => setOpened(true)} {...rest}>
        {children ?? 'Block IP'}
      </PermitButton>
      <Modal opened={opened} onClose={() => setOpened(false)} title="Block an IP address" size="sm">
        <BlockIpForm ip={ip ?? ''} onClose={() => setOpened(false)} />
      </Modal>
    </>
  );
}

function BlockIpForm({ ip, onClose }: { ip: string; onClose: () => void }) {
  const client = useQueryClient();
  const form = useForm({
    initialValues: { range: ip, reason: '', days: '30' },
    validate: { range: (value) => (value.trim() ? null : 'Give an address or a network.') },
  });
  const block = useMutation({
    mutationFn: (wish: { range: string; reason?: string; expiresAt?: string }) =>
      api.post<BlockedIp>('/v1/capture/blocked-ips', wish),
    onSuccess: ({ range }) => {
      toast(`${range} is blocked`);
      onClose();
      return client.invalidateQueries({ queryKey: ['fraud', 'blocked'] });
    },
    onError: (error) => form.setErrors(fieldErrors(error)),
  });
  const submit = form.onSubmit(({ range, reason, days }) =>
    block.mutate({
      range: range.trim(),
      ...(reason.trim() ? { reason: reason.trim() } : {}),
      ...(days ? { expiresAt: new Date(Date.now() + Number(days) * DAY_MS).toISOString() } : {}),
    }),
  );
  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="sm">
        {block.isError && Object.keys(form.errors).length === 0 && <Alert color="red">{messageOf(block.error)}</Alert>}
        <TextInput
          label="Address or network"
          placeholder="203.0.113.9 or 203.0.113.0/24"
          data-autofocus
          {...form.getInputProps('range')}
        />
        <TextInput label="Reason" placeholder="Optional" maxLength={500} {...form.getInputProps('reason')} />
        <Select label="Ends" allowDeselect={false} data={EXPIRIES} {...form.getInputProps('days')} />
        <Text size="xs" c="dimmed">
          Whoever sends a form from there sees the same answer as everybody else. It is recorded and becomes no lead.
        </Text>
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={block.isPending}>
            Block
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
