import { Button, Group, Modal, Stack } from '@mantine/core';
import type { Pipeline, Stage } from '@/api/shapes';
import { closingOf } from './closing';

export interface Asked {
  pipeline: Pipeline;
  stage: Stage;
  go: (reason: string | null) => void;
}

export default function ReasonDialog({ pipeline, stage, go, onClose }: Asked & { onClose: () => void }) {
  const { reasons, required } = closingOf(pipeline, stage.kind);
  const choose = (reason: string | null) => {
    onClose();
    go(reason);
  };
  return (
    <Modal opened onClose={onClose} title={stage.kind === 'won' ? 'Why was it won?' : 'Why was it lost?'} size="xs">
      <Stack gap="xs">
        {reasons.map((reason, index) => (
          <Button
            key={reason}
            variant="default"
            justify="flex-start"
            data-autofocus={index === 0 || undefined}
            onClick={() => choose(reason)}
          >
            {reason}
          </Button>
        ))}
        <Group justify="flex-end" mt="xs">
          <Button variant="subtle" onClick={onClose}>
            Cancel
          </Button>
          {!required && (
            <Button variant="subtle" onClick={() => choose(null)}>
              Without a reason
            </Button>
          )}
        </Group>
      </Stack>
    </Modal>
  );
}
