import { Button, Group, Modal, Stack, Text, Textarea } from '@mantine/core';
import { useState } from 'react';
import { messageOf } from '@/api/problem';
import { usePermits } from '@/api/session';
import type { Submission } from '@/api/shapes';
import { PermitButton } from '@/ui/basics';
import { useSplitOff } from './merging';

const REASON_MAX_CHARS = 500;

/** For a submission that was taken for somebody else's: it becomes a lead of its own. */
export function SplitOffButton({ submission }: { submission: Submission }) {
  const why = usePermits().why('leads:manage');
  const [asking, setAsking] = useState(false);
  return (
    <>
      <PermitButton variant="subtle" size="compact-xs" mt={4} why={why} onClick={() => setAsking(true)}>
        Not this person
      </PermitButton>
      <Modal opened={asking} onClose={() => setAsking(false)} title="Make it a lead of its own" size="sm">
        {asking && <Form submission={submission} onClose={() => setAsking(false)} />}
      </Modal>
    </>
  );
}

function Form({ submission, onClose }: { submission: Submission; onClose: () => void }) {
  const [reason, setReason] = useState('');
  const splitOff = useSplitOff(submission.leadId);
  const split = () =>
    splitOff.mutate({ submissionId: submission.id, reason: reason.trim() || null }, { onSuccess: onClose });
  return (
    <Stack gap="md">
      <Text size="sm">
        What this lead has from this submission alone goes with it, and its sender is not taken for this lead again.
      </Text>
      <Textarea
        label="Reason"
        description="Stands on the timelines of both"
        maxLength={REASON_MAX_CHARS}
        autosize
        minRows={2}
        data-autofocus
        value={reason}
        onChange={(event) => setReason(event.currentTarget.value)}
      />
      {splitOff.isError && (
        <Text size="sm" c="var(--bad-text)" role="alert">
          {messageOf(splitOff.error)}
        </Text>
      )}
      <Group justify="flex-end">
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button loading={splitOff.isPending} onClick={split}>
          Split it off
        </Button>
      </Group>
    </Stack>
  );
}
