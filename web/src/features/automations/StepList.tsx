import { Button, Menu } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';
import type { MessageTemplate, StepKind } from '@/api/shapes';
import { moved } from '@/lib/order';
import { announce } from '@/ui/announce';
import { DragHandle, OrderButtons, useOrderedRow } from '@/ui/ordered';
import { RouteLink } from '@/ui/RouteLink';
import classes from './Automations.module.css';
import { emptyStep, KINDS, kindLabel, MOST_STEPS, type StepDraft } from './draft';
import { StepFields } from './StepFields';

interface StepListProps {
  steps: StepDraft[];
  templates: MessageTemplate[];
  readOnly: boolean;
  tried: boolean;
  faultAt: (pointer: string) => string | undefined;
  onChange: (steps: StepDraft[]) => void;
}

/** The steps from top to bottom: dragged, or moved by their buttons. */
export function StepList({ steps, templates, readOnly, tried, faultAt, onChange }: StepListProps) {
  const move = (from: number, to: number) => {
    const next = moved(steps, from, to);
    if (next === steps) return;
    onChange(next);
    announce(`The step is step ${to + 1} of ${steps.length} now.`);
  };
  const list = useRef<HTMLOListElement>(null);
  const isAdded = useRef(false);
  useEffect(() => {
    if (steps.length === 0 || !isAdded.current) return;
    isAdded.current = false;
    const [head, ...fields] = list.current?.lastElementChild?.children ?? [];
    const controls = fields.flatMap((field) => [
      ...field.querySelectorAll<HTMLElement>('input, select, textarea, button'),
    ]);
    (controls[0] ?? head?.querySelector('button'))?.focus();
  }, [steps.length]);
  const add = (kind: StepKind) => {
    isAdded.current = true;
    const step = emptyStep(crypto.randomUUID(), kind);
    const isFollowUp = kind === 'message' && steps.length > 0;
    onChange([...steps, isFollowUp ? { ...step, delayMinutes: 120 } : step]);
    announce(`Step ${steps.length + 1} was added: ${kindLabel(kind).toLowerCase()}.`);
  };
  const needsTemplates = templates.length === 0 && steps.some(({ kind }) => kind === 'message');
  return (
    <section aria-label="Steps">
      <h2 className={classes.head}>Steps</h2>
      {faultAt('/steps') && (
        <div className={classes.failure} role="alert">
          {faultAt('/steps')}
        </div>
      )}
      {needsTemplates && (
        <p className={classes.note}>
          There are no message templates yet. <RouteLink to="/messaging/templates">Make one</RouteLink>, then choose it
          here.
        </p>
      )}
      <ol ref={list} className={classes.steps} aria-label="Steps, from top to bottom">
        {steps.map((step, index) => (
          <StepRow
            key={step.key}
            step={step}
            index={index}
            length={steps.length}
            templates={templates}
            readOnly={readOnly}
            tried={tried}
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
      {!readOnly && <AddStep disabled={steps.length >= MOST_STEPS} onAdd={add} />}
    </section>
  );
}

function AddStep({ disabled, onAdd }: { disabled: boolean; onAdd: (kind: StepKind) => void }) {
  const groups = [...new Set(KINDS.map(({ group }) => group))];
  const [isChosen, setChosen] = useState(false);
  return (
    // After a choice the focus is in the new step, else it goes back to the button.
    <Menu position="bottom-start" returnFocus={!isChosen} onOpen={() => setChosen(false)}>
      <Menu.Target>
        <Button variant="default" leftSection={<IconPlus size={14} />} disabled={disabled}>
          Add step
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {groups.map((group) => (
          <div key={group}>
            <Menu.Label>{group}</Menu.Label>
            {KINDS.filter((kind) => kind.group === group).map(({ value, label }) => (
              <Menu.Item
                key={value}
                onClick={() => {
                  setChosen(true);
                  onAdd(value);
                }}
              >
                {label}
              </Menu.Item>
            ))}
          </div>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

interface StepRowProps {
  step: StepDraft;
  index: number;
  length: number;
  templates: MessageTemplate[];
  readOnly: boolean;
  tried: boolean;
  faultAt: (field: string) => string | undefined;
  onChange: (step: StepDraft) => void;
  onMove: (from: number, to: number) => void;
  onRemove: () => void;
}

function StepRow({
  step,
  index,
  length,
  templates,
  readOnly,
  tried,
  faultAt,
  onChange,
  onMove,
  onRemove,
}: StepRowProps) {
  const { row, handle, edge } = useOrderedRow('step', index, onMove);
  return (
    <li ref={row} className={classes.step} data-edge={edge}>
      <div className={classes.stepHead}>
        <DragHandle handle={handle} hidden={readOnly} />
        <strong>Step {index + 1}</strong>
        <span className={classes.note}>{kindLabel(step.kind)}</span>
        {!readOnly && (
          <OrderButtons
            name={`step ${index + 1}`}
            index={index}
            length={length}
            canRemove={length > 1}
            onMove={onMove}
            onRemove={onRemove}
          />
        )}
      </div>
      <StepFields
        step={step}
        templates={templates}
        readOnly={readOnly}
        tried={tried}
        faultAt={faultAt}
        onChange={onChange}
      />
    </li>
  );
}
