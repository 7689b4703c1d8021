import { Drawer, Modal } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { IconCheck } from '@tabler/icons-react';
import type { Stage } from '@/api/shapes';
import { Dot } from '@/ui/basics';
import classes from './Board.module.css';

/** A row of the sheet, and what stands around the rows. */
const STAGE_REM = 2.75;
const SHEET_HEAD_REM = 5.5;

interface MoveToProps {
  name: string;
  stages: Stage[];
  current: string | undefined;
  opened: boolean;
  onClose: () => void;
  onPick: (stageId: string) => void;
}

/** "Move to…": a dialog with the stages, an action sheet from below on a phone. */
export function MoveTo({ name, stages, current, opened, onClose, onPick }: MoveToProps) {
  const isPhone = useMediaQuery('(max-width: 48em)');
  const list = (
    <div>
      {stages.map((stage) => (
        <button
          key={stage.id}
          type="button"
          className={classes.stageButton}
          disabled={stage.id === current}
          data-autofocus={stage.id === stages.find(({ id }) => id !== current)?.id || undefined}
          onClick={() => {
            onClose();
            onPick(stage.id);
          }}
        >
          <Dot color={stage.color} />
          <span>{stage.name}</span>
          {stage.id === current && <IconCheck size={16} aria-label="Current stage" />}
        </button>
      ))}
    </div>
  );
  const title = `Move ${name} to…`;
  if (isPhone) {
    return (
      <Drawer
        opened={opened}
        onClose={onClose}
        title={title}
        position="bottom"
        size={`${stages.length * STAGE_REM + SHEET_HEAD_REM}rem`}
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
