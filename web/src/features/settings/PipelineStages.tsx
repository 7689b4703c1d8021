import { ActionIcon, Button, Menu, NumberInput, Select, TextInput } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useState } from 'react';
import type { Pipeline } from '@/api/shapes';
import { moved } from '@/lib/order';
import { humanise, plural } from '@/lib/text';
import { announce } from '@/ui/announce';
import { Dot } from '@/ui/basics';
import { DragHandle, OrderButtons, useOrderedRow } from '@/ui/ordered';
import classes from './Pipelines.module.css';
import { COLORS, KINDS, LEAST_STAGES, MOST_STAGES, type StageDraft, withKind, withStage } from './pipelineDraft';

interface PipelineStagesProps {
  pipeline: Pipeline;
  stages: StageDraft[];
  readOnly: boolean;
  faultAt: (pointer: string) => string | undefined;
  onChange: (stages: StageDraft[]) => void;
}

/** The columns of the board from left to right, each a row: dragged, or moved by its buttons. */
export function PipelineStages({ pipeline, stages, readOnly, faultAt, onChange }: PipelineStagesProps) {
  const [added, setAdded] = useState<string | null>(null);
  const counts = new Map(pipeline.stages.map(({ id, leadCount }) => [id, leadCount ?? 0]));
  const move = (from: number, to: number) => {
    const next = moved(stages, from, to);
    if (next === stages) return;
    onChange(next);
    announce(`${stages[from]?.name || 'The stage'} is stage ${to + 1} of ${stages.length} now.`);
  };
  const add = () => {
    const key = crypto.randomUUID();
    setAdded(key);
    onChange(withStage(stages, key));
  };
  return (
    <div>
      {faultAt('/stages') && (
        <div className={classes.fault} role="alert">
          {faultAt('/stages')}
        </div>
      )}
      <p className={classes.hint}>
        Each stage has a type, how likely a lead in it is won, and the days after which a lead in it is marked as stale.
      </p>
      <ol className={classes.stages} aria-label="Stages, from left to right">
        {stages.map((stage, index) => (
          <StageRow
            key={stage.key}
            stage={stage}
            index={index}
            length={stages.length}
            leads={stage.id ? (counts.get(stage.id) ?? 0) : 0}
            readOnly={readOnly}
            focused={stage.key === added}
            faultAt={(field) => faultAt(`/stages/${index}/${field}`)}
            onChange={(next) => onChange(stages.map((one) => (one.key === stage.key ? next : one)))}
            onMove={move}
            onRemove={() => {
              onChange(stages.filter(({ key }) => key !== stage.key));
              announce(`${stage.name || 'The stage'} is removed once you save.`);
            }}
          />
        ))}
      </ol>
      {!readOnly && (
        <Button
          variant="default"
          leftSection={<IconPlus size={14} />}
          disabled={stages.length >= MOST_STAGES}
          onClick={add}
        >
          Add stage
        </Button>
      )}
    </div>
  );
}

interface StageRowProps {
  stage: StageDraft;
  index: number;
  length: number;
  leads: number;
  readOnly: boolean;
  focused: boolean;
  faultAt: (field: string) => string | undefined;
  onChange: (stage: StageDraft) => void;
  onMove: (from: number, to: number) => void;
  onRemove: () => void;
}

function StageRow(props: StageRowProps) {
  const { stage, index, length, leads, readOnly, focused, faultAt, onChange, onMove, onRemove } = props;
  const { row, handle, edge } = useOrderedRow('stage', index, onMove);
  const name = stage.name || `stage ${index + 1}`;

  return (
    <li ref={row} className={classes.stage} data-edge={edge}>
      <DragHandle handle={handle} hidden={readOnly} />
      <ColorPicker
        name={name}
        color={stage.color}
        readOnly={readOnly}
        onPick={(color) => onChange({ ...stage, color })}
      />
      <TextInput
        className={classes.stageName}
        size="xs"
        aria-label={`Name of stage ${index + 1}`}
        placeholder="Name of the stage"
        maxLength={80}
        readOnly={readOnly}
        data-autofocus={focused || undefined}
        ref={(input) => {
          if (focused && input && stage.name === '') input.focus();
        }}
        error={faultAt('name')}
        value={stage.name}
        onChange={(event) => onChange({ ...stage, name: event.currentTarget.value })}
      />
      <Select
        size="xs"
        className={classes.kind}
        aria-label={`Type of ${name}`}
        allowDeselect={false}
        readOnly={readOnly}
        data={KINDS}
        value={stage.kind}
        onChange={(kind) => kind && onChange(withKind(stage, kind as StageDraft['kind']))}
      />
      <NumberInput
        size="xs"
        className={classes.number}
        aria-label={`Probability of ${name}`}
        title="How likely a lead in this stage is won"
        suffix=" %"
        min={0}
        max={100}
        clampBehavior="strict"
        allowDecimal={false}
        readOnly={readOnly}
        error={faultAt('probability')}
        value={stage.probability}
        onChange={(value) => onChange({ ...stage, probability: Number(value) || 0 })}
      />
      <NumberInput
        size="xs"
        className={classes.number}
        aria-label={`Days until leads in ${name} are stale`}
        title="After how many days in this stage a lead is marked as stale; empty for never"
        placeholder="never stale"
        suffix=" days"
        min={1}
        max={3650}
        allowDecimal={false}
        readOnly={readOnly}
        disabled={stage.kind !== 'open'}
        error={faultAt('staleAfterDays')}
        value={stage.staleAfterDays ?? ''}
        onChange={(value) => onChange({ ...stage, staleAfterDays: value === '' ? null : Number(value) })}
      />
      <span className={classes.leads}>{stage.id ? plural(leads, 'lead') : 'new'}</span>
      {!readOnly && (
        <OrderButtons
          name={name}
          index={index}
          length={length}
          canRemove={length > LEAST_STAGES}
          whyKept={length <= LEAST_STAGES ? 'A pipeline keeps at least two stages' : undefined}
          onMove={onMove}
          onRemove={onRemove}
        />
      )}
    </li>
  );
}

interface ColorPickerProps {
  name: string;
  color: string;
  readOnly: boolean;
  onPick: (color: string) => void;
}

function ColorPicker({ name, color, readOnly, onPick }: ColorPickerProps) {
  return (
    <Menu position="bottom-start" disabled={readOnly}>
      <Menu.Target>
        <ActionIcon variant="default" size={30} aria-label={`Colour of ${name}: ${color}`}>
          <Dot color={color} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {COLORS.map((each) => (
          <Menu.Item key={each} leftSection={<Dot color={each} />} onClick={() => onPick(each)}>
            {humanise(each)}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
