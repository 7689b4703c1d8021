import { Button, Group, Modal, Stack } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { pipelinesQuery } from '@/api/lookups';
import type { Pipeline, Stage } from '@/api/shapes';
import { closingOf } from './closing';

interface Asked {
  pipeline: Pipeline;
  stage: Stage;
  go: (reason: string | null) => void;
}

/** Asks why a lead is won or lost, where its pipeline wants to know, before it is moved. */
export function useReason(): { ask: (from: string[], to: string, go: Asked['go']) => void; dialog: ReactNode } {
  const pipelines = useQuery(pipelinesQuery).data ?? [];
  const [asked, setAsked] = useState<Asked | null>(null);
  const ask = (from: string[], to: string, go: Asked['go']) => {
    const pipeline = pipelines.find(({ stages }) => stages.some(({ id }) => id === to));
    const stage = pipeline?.stages.find(({ id }) => id === to);
    const stays = from.includes(to);
    if (!pipeline || !stage || stays || closingOf(pipeline, stage.kind).reasons.length === 0) return go(null);
    setAsked({ pipeline, stage, go });
  };
  const dialog = asked && <ReasonDialog {...asked} onClose={() => setAsked(null)} />;
  return { ask, dialog };
}

function ReasonDialog({ pipeline, stage, go, onClose }: Asked & { onClose: () => void }) {
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
