import { Drawer, Modal } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { IconCheck } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { pipelinesQuery } from '@/api/lookups';
import type { Stage } from '@/api/shapes';
import { Dot } from '@/ui/basics';
import classes from './Board.module.css';

/** A row of the sheet, and what stands around the rows. */
const STAGE_REM = 2.75;
const SHEET_HEAD_REM = 5.5;

interface MoveToProps {
  name: string;
  pipelineId: string;
  stages: Stage[];
  current: string | undefined;
  opened: boolean;
  onClose: () => void;
  onPick: (stage: Stage) => void;
}

/** "Move to…": a dialog with the stages, an action sheet from below on a phone. */
export default function MoveTo({ name, pipelineId, stages, current, opened, onClose, onPick }: MoveToProps) {
  const isPhone = useMediaQuery('(max-width: 48em)');
  const others = (useQuery(pipelinesQuery).data ?? []).filter(({ id }) => id !== pipelineId);
  const rows = (of: Stage[]) =>
    of.map((stage) => (
      <button
        key={stage.id}
        type="button"
        className={classes.stageButton}
        disabled={stage.id === current}
        data-autofocus={stage.id === stages.find(({ id }) => id !== current)?.id || undefined}
        onClick={() => {
          onClose();
          onPick(stage);
        }}
      >
        <Dot color={stage.color} />
        <span>{stage.name}</span>
        {stage.id === current && <IconCheck size={16} aria-label="Current stage" />}
      </button>
    ));
  const list = (
    <div>
      {rows(stages)}
      {others.map((pipeline) => (
        <section key={pipeline.id} aria-label={pipeline.name}>
          <h3 className={classes.otherPipeline}>{pipeline.name}</h3>
          {rows(pipeline.stages)}
        </section>
      ))}
    </div>
  );
  const count = stages.length + others.reduce((sum, pipeline) => sum + pipeline.stages.length + 1, 0);
  const title = `Move ${name} to…`;
  if (isPhone) {
    return (
      <Drawer
        opened={opened}
        onClose={onClose}
        title={title}
        position="bottom"
        size={`min(90dvh, ${count * STAGE_REM + SHEET_HEAD_REM}rem)`}
      >
        {list}
      </Drawer>
    );
  }
  return (
    <Modal opened={opened} onClose={onClose} title={title} size="xs">
      {list}
    </Modal>
  );
}
