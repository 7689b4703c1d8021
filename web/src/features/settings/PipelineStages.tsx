import { combine } from '@atlaskit/pragmatic-drag-and-drop/combine';
import { draggable, dropTargetForElements } from '@atlaskit/pragmatic-drag-and-drop/element/adapter';
import { attachClosestEdge, extractClosestEdge } from '@atlaskit/pragmatic-drag-and-drop-hitbox/closest-edge';
import { ActionIcon, Button, Menu, NumberInput, Select, TextInput } from '@mantine/core';
import { IconArrowDown, IconArrowUp, IconGripVertical, IconPlus, IconTrash } from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';
import type { Pipeline } from '@/api/shapes';
import { humanise, plural } from '@/lib/text';
import { announce } from '@/ui/announce';
import { Dot } from '@/ui/basics';
import classes from './Pipelines.module.css';
import {
  COLORS,
  dropPlace,
  KINDS,
  LEAST_STAGES,
  MOST_STAGES,
  moved,
  type StageDraft,
  withKind,
  withStage,
} from './pipelineDraft';

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
  const row = useRef<HTMLLIElement>(null);
  const handle = useRef<HTMLSpanElement>(null);
  const latest = useRef({ index, onMove });
  const [edge, setEdge] = useState<string | null>(null);
  const name = stage.name || `stage ${index + 1}`;

  useEffect(() => {
    latest.current = { index, onMove };
  });

  useEffect(() => {
    const element = row.current;
    const dragHandle = handle.current;
    if (!element || !dragHandle) return;
    return combine(
      draggable({ element, dragHandle, getInitialData: () => ({ kind: 'stage', index: latest.current.index }) }),
      dropTargetForElements({
        element,
        canDrop: ({ source }) => source.data.kind === 'stage',
        getData: ({ input }) => attachClosestEdge({}, { element, input, allowedEdges: ['top', 'bottom'] }),
        onDrag: ({ self }) => setEdge(extractClosestEdge(self.data)),
        onDragLeave: () => setEdge(null),
        onDrop: ({ self, source }) => {
          setEdge(null);
          const from = Number(source.data.index);
          const side = extractClosestEdge(self.data) === 'bottom' ? 'bottom' : 'top';
          latest.current.onMove(from, dropPlace(from, latest.current.index, side));
        },
      }),
    );
  }, []);

  return (
    <li ref={row} className={classes.stage} data-edge={edge ?? undefined}>
      <span ref={handle} className={classes.handle} hidden={readOnly} title="Drag to another place" aria-hidden="true">
        <IconGripVertical size={16} />
      </span>
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
        <span className={classes.actions}>
          <ActionIcon
            variant="subtle"
            color="gray"
            aria-label={`Move ${name} up`}
            disabled={index === 0}
            onClick={() => onMove(index, index - 1)}
          >
            <IconArrowUp size={16} />
          </ActionIcon>
          <ActionIcon
            variant="subtle"
            color="gray"
            aria-label={`Move ${name} down`}
            disabled={index === length - 1}
            onClick={() => onMove(index, index + 1)}
          >
            <IconArrowDown size={16} />
          </ActionIcon>
          <ActionIcon
            variant="subtle"
            color="gray"
            aria-label={`Remove ${name}`}
            title={length <= LEAST_STAGES ? 'A pipeline keeps at least two stages' : undefined}
            disabled={length <= LEAST_STAGES}
            onClick={onRemove}
          >
            <IconTrash size={16} />
          </ActionIcon>
        </span>
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
