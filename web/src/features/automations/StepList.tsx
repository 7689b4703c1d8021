import { combine } from '@atlaskit/pragmatic-drag-and-drop/combine';
import { draggable, dropTargetForElements } from '@atlaskit/pragmatic-drag-and-drop/element/adapter';
import { attachClosestEdge, extractClosestEdge } from '@atlaskit/pragmatic-drag-and-drop-hitbox/closest-edge';
import { ActionIcon, Button, Select } from '@mantine/core';
import { IconArrowDown, IconArrowUp, IconGripVertical, IconPlus, IconTrash } from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';
import type { MessageTemplate, StepChannel } from '@/api/shapes';
import { announce } from '@/ui/announce';
import { RouteLink } from '@/ui/RouteLink';
import classes from './Automations.module.css';
import {
  CHANNELS,
  channelLabel,
  delayOptions,
  dropPlace,
  emptyStep,
  MOST_STEPS,
  moved,
  type StepDraft,
  withChannel,
  withFallback,
} from './draft';

interface StepListProps {
  steps: StepDraft[];
  templates: MessageTemplate[];
  readOnly: boolean;
  faultAt: (pointer: string) => string | undefined;
  onChange: (steps: StepDraft[]) => void;
}

/** The steps from top to bottom: dragged, or moved by their buttons. */
export function StepList({ steps, templates, readOnly, faultAt, onChange }: StepListProps) {
  const move = (from: number, to: number) => {
    const next = moved(steps, from, to);
    if (next === steps) return;
    onChange(next);
    announce(`The step is step ${to + 1} of ${steps.length} now.`);
  };
  const add = () =>
    onChange([...steps, { ...emptyStep(crypto.randomUUID()), delayMinutes: steps.length > 0 ? 120 : 0 }]);
  return (
    <section aria-label="Steps">
      <h2 className={classes.head}>Steps</h2>
      {faultAt('/steps') && (
        <div className={classes.failure} role="alert">
          {faultAt('/steps')}
        </div>
      )}
      {templates.length === 0 && (
        <p className={classes.note}>
          There are no message templates yet. <RouteLink to="/messaging/templates">Make one</RouteLink>, then choose it
          here.
        </p>
      )}
      <ol className={classes.steps} aria-label="Steps, from top to bottom">
        {steps.map((step, index) => (
          <StepRow
            key={step.key}
            step={step}
            index={index}
            length={steps.length}
            templates={templates}
            readOnly={readOnly}
            faultAt={(field) => faultAt(`/steps/${index}/${field}`)}
            onChange={(next) => onChange(steps.map((one) => (one.key === step.key ? next : one)))}
            onMove={move}
            onRemove={() => {
              onChange(steps.filter(({ key }) => key !== step.key));
              announce(`Step ${index + 1} is removed once you save.`);
            }}
          />
        ))}
      </ol>
      {!readOnly && (
        <Button
          variant="default"
          leftSection={<IconPlus size={14} />}
          disabled={steps.length >= MOST_STEPS}
          onClick={add}
        >
          Add step
        </Button>
      )}
    </section>
  );
}

interface StepRowProps {
  step: StepDraft;
  index: number;
  length: number;
  templates: MessageTemplate[];
  readOnly: boolean;
  faultAt: (field: string) => string | undefined;
  onChange: (step: StepDraft) => void;
  onMove: (from: number, to: number) => void;
  onRemove: () => void;
}

function StepRow(props: StepRowProps) {
  const { step, index, length, templates, readOnly, faultAt, onChange, onMove, onRemove } = props;
  const row = useRef<HTMLLIElement>(null);
  const handle = useRef<HTMLSpanElement>(null);
  const latest = useRef({ index, onMove });
  const [edge, setEdge] = useState<string | null>(null);
  const name = `step ${index + 1}`;

  useEffect(() => {
    latest.current = { index, onMove };
  });

  useEffect(() => {
    const element = row.current;
    const dragHandle = handle.current;
    if (!element || !dragHandle) return;
    return combine(
      draggable({ element, dragHandle, getInitialData: () => ({ kind: 'step', index: latest.current.index }) }),
      dropTargetForElements({
        element,
        canDrop: ({ source }) => source.data.kind === 'step',
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
    <li ref={row} className={classes.step} data-edge={edge ?? undefined}>
      <div className={classes.stepHead}>
        <span
          ref={handle}
          className={classes.handle}
          hidden={readOnly}
          title="Drag to another place"
          aria-hidden="true"
        >
          <IconGripVertical size={16} />
        </span>
        <strong>Step {index + 1}</strong>
        {!readOnly && (
          <span className={classes.stepActions}>
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
              disabled={length === 1}
              onClick={onRemove}
            >
              <IconTrash size={16} />
            </ActionIcon>
          </span>
        )}
      </div>
      <div className={classes.stepFields}>
        <Select
          label="Channel"
          allowDeselect={false}
          readOnly={readOnly}
          data={CHANNELS}
          value={step.channel}
          error={faultAt('channel')}
          onChange={(channel) => channel && onChange(withChannel(step, channel as StepChannel))}
        />
        <Select
          label="Delay"
          allowDeselect={false}
          readOnly={readOnly}
          data={delayOptions(step.delayMinutes)}
          value={String(step.delayMinutes)}
          error={faultAt('delayMinutes')}
          onChange={(minutes) => minutes !== null && onChange({ ...step, delayMinutes: Number(minutes) })}
        />
        <TemplateSelect
          label="Template"
          channel={step.channel}
          templates={templates}
          required
          readOnly={readOnly}
          value={step.templateId}
          fault={faultAt('templateId')}
          onChange={(templateId) => onChange({ ...step, templateId })}
        />
        <Select
          label="Fallback"
          placeholder="None"
          clearable
          readOnly={readOnly}
          data={CHANNELS.filter(({ value }) => value !== step.channel)}
          value={step.fallbackChannel}
          error={faultAt('fallbackChannel')}
          onChange={(channel) => onChange(withFallback(step, channel as StepChannel | null))}
        />
        {step.fallbackChannel && (
          <TemplateSelect
            label={`Template for ${channelLabel(step.fallbackChannel)}`}
            channel={step.fallbackChannel}
            templates={templates}
            required={step.fallbackChannel === 'email'}
            placeholder={step.fallbackChannel === 'email' ? undefined : 'The same text'}
            readOnly={readOnly}
            value={step.fallbackTemplateId}
            fault={faultAt('fallbackTemplateId')}
            onChange={(fallbackTemplateId) => onChange({ ...step, fallbackTemplateId })}
          />
        )}
      </div>
    </li>
  );
}

interface TemplateSelectProps {
  label: string;
  channel: StepChannel;
  templates: MessageTemplate[];
  required: boolean;
  placeholder?: string;
  readOnly: boolean;
  value: string | null;
  fault: string | undefined;
  onChange: (id: string | null) => void;
}

function TemplateSelect({ label, channel, templates, placeholder, value, fault, ...rest }: TemplateSelectProps) {
  const { required, readOnly, onChange } = rest;
  const fitting = templates.filter((template) => template.channel === channel);
  const chosen = templates.find(({ id }) => id === value);
  const warning =
    chosen && chosen.approval !== 'approved'
      ? 'Not approved yet: this step is skipped until it is.'
      : value && !chosen
        ? 'This template was deleted.'
        : undefined;
  return (
    <Select
      label={label}
      required={required}
      clearable={!required}
      allowDeselect={!required}
      searchable
      readOnly={readOnly}
      placeholder={
        placeholder ?? (fitting.length > 0 ? 'Choose a template' : `No template for ${channelLabel(channel)}`)
      }
      nothingFoundMessage="No template has this name"
      data={fitting.map(({ id, name, approval }) => ({
        value: id,
        label: approval === 'approved' ? name : `${name} (${approval})`,
      }))}
      value={value}
      error={fault ?? warning}
      onChange={onChange}
    />
  );
}
