import { Select, Textarea, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { filterFieldsQuery, membersQuery, pipelinesQuery } from '@/api/lookups';
import type { MessageTemplate, StepChannel } from '@/api/shapes';
import type { Group } from '@/ui/filter/conditions';
import { GroupFields, knownFields } from '@/ui/filter/FilterBuilder';
import classes from './Automations.module.css';
import { CHANNELS, channelLabel, delayOptions, isWait, type StepDraft, withChannel, withFallback } from './draft';
import { destinationsQuery } from './queries';
import { TemplateSelect } from './TemplateSelect';

interface StepFieldsProps {
  step: StepDraft;
  templates: MessageTemplate[];
  readOnly: boolean;
  tried: boolean;
  faultAt: (field: string) => string | undefined;
  onChange: (step: StepDraft) => void;
}

const RULES = 'rules';

/** What a step says, by its kind. */
export function StepFields(props: StepFieldsProps) {
  const { step, readOnly, faultAt, onChange } = props;
  const delay = (
    <Select
      label={isWait(step.kind) ? (step.kind === 'wait' ? 'For' : 'For at most') : 'Delay'}
      allowDeselect={false}
      readOnly={readOnly}
      data={delayOptions(step.delayMinutes).filter(({ value }) => !isWait(step.kind) || value !== '0')}
      value={String(step.delayMinutes)}
      error={faultAt('delayMinutes')}
      onChange={(minutes) => minutes !== null && onChange({ ...step, delayMinutes: Number(minutes) })}
    />
  );
  switch (step.kind) {
    case 'message':
      return <MessageFields {...props}>{delay}</MessageFields>;
    case 'wait':
      return <div className={classes.stepFields}>{delay}</div>;
    case 'wait_for_reply':
      return (
        <div className={classes.stepFields}>
          {delay}
          <ThenSelect
            label="If the person replies"
            readOnly={readOnly}
            value={step.onReply}
            onChange={(onReply) => onChange({ ...step, onReply })}
          />
          <ThenSelect
            label="If nobody replies by then"
            readOnly={readOnly}
            value={step.onTimeout}
            onChange={(onTimeout) => onChange({ ...step, onTimeout })}
          />
        </div>
      );
    case 'condition':
      return <ConditionFields {...props}>{delay}</ConditionFields>;
    case 'assign':
      return (
        <div className={classes.stepFields}>
          <AssignSelect {...props} />
          {delay}
        </div>
      );
    case 'add_tag':
    case 'remove_tag':
      return (
        <div className={classes.stepFields}>
          <TextInput
            label="Tag"
            required
            maxLength={60}
            readOnly={readOnly}
            value={step.tag}
            error={faultAt('tag')}
            onChange={(event) => onChange({ ...step, tag: event.currentTarget.value })}
          />
          {delay}
        </div>
      );
    case 'move_stage':
      return (
        <div className={classes.stepFields}>
          <StageFields {...props} />
          {delay}
        </div>
      );
    case 'add_note':
      return (
        <div className={classes.stepFields}>
          <Textarea
            className={classes.wide}
            label="Note"
            required
            maxLength={2000}
            autosize
            minRows={2}
            readOnly={readOnly}
            value={step.note}
            error={faultAt('note')}
            onChange={(event) => onChange({ ...step, note: event.currentTarget.value })}
          />
          {delay}
        </div>
      );
    case 'call_destination':
      return (
        <div className={classes.stepFields}>
          <DestinationSelect {...props} />
          {delay}
        </div>
      );
  }
}

interface WithDelay extends StepFieldsProps {
  children: React.ReactNode;
}

function MessageFields({ step, templates, readOnly, faultAt, onChange, children }: WithDelay) {
  return (
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
      {children}
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
  );
}

function ConditionFields({ step, readOnly, tried, faultAt, onChange, children }: WithDelay) {
  return (
    <>
      <ConditionsBox
        group={step.conditions}
        readOnly={readOnly}
        tried={tried}
        fault={faultAt('filter')}
        onChange={(conditions) => onChange({ ...step, conditions })}
      />
      <div className={classes.stepFields}>
        <Select
          label="With other leads"
          allowDeselect={false}
          readOnly={readOnly}
          data={[
            { value: 'end', label: 'End here' },
            { value: 'skip_next', label: 'Leave out the next step' },
          ]}
          value={step.otherwise}
          onChange={(otherwise) => otherwise && onChange({ ...step, otherwise: otherwise as StepDraft['otherwise'] })}
        />
        {children}
      </div>
    </>
  );
}

interface ConditionsBoxProps {
  group: Group;
  readOnly: boolean;
  tried: boolean;
  fault: string | undefined;
  onChange: (group: Group) => void;
}

/** Conditions on the lead, as lists and segments have them. */
export function ConditionsBox({ group, readOnly, tried, fault, onChange }: ConditionsBoxProps) {
  const fields = useQuery(filterFieldsQuery);
  return (
    <div className={classes.conditions}>
      <fieldset className={classes.bare} disabled={readOnly}>
        <GroupFields
          group={group}
          fields={knownFields(fields.data ?? [])}
          depth={1}
          tried={tried}
          onChange={onChange}
        />
      </fieldset>
      {fault && (
        <div role="alert" className={classes.failure}>
          {fault}
        </div>
      )}
    </div>
  );
}

interface ThenSelectProps {
  label: string;
  readOnly: boolean;
  value: 'go_on' | 'end';
  onChange: (then: 'go_on' | 'end') => void;
}

function ThenSelect({ label, readOnly, value, onChange }: ThenSelectProps) {
  return (
    <Select
      label={label}
      allowDeselect={false}
      readOnly={readOnly}
      data={[
        { value: 'go_on', label: 'Go on' },
        { value: 'end', label: 'End here' },
      ]}
      value={value}
      onChange={(then) => then && onChange(then as 'go_on' | 'end')}
    />
  );
}

function AssignSelect({ step, readOnly, faultAt, onChange }: StepFieldsProps) {
  const members = useQuery(membersQuery).data ?? [];
  return (
    <Select
      label="To"
      searchable
      allowDeselect={false}
      readOnly={readOnly}
      data={[
        { value: RULES, label: 'By the assignment rules' },
        ...members.map(({ id, name }) => ({ value: id, label: name })),
      ]}
      value={step.assignedTo ?? RULES}
      error={faultAt('assignedTo')}
      onChange={(to) => onChange({ ...step, assignedTo: to === RULES ? null : to })}
    />
  );
}

function StageFields({ step, readOnly, faultAt, onChange }: StepFieldsProps) {
  const pipelines = useQuery(pipelinesQuery).data ?? [];
  const pipeline = pipelines.find(({ stages }) => stages.some(({ id }) => id === step.stageId));
  const kind = pipeline?.stages.find(({ id }) => id === step.stageId)?.kind;
  const reasons = kind === 'won' ? pipeline?.wonReasons : kind === 'lost' ? pipeline?.lostReasons : undefined;
  return (
    <>
      <StageSelect
        label="Stage"
        required
        readOnly={readOnly}
        value={step.stageId}
        fault={faultAt('stageId')}
        onChange={(stageId) => onChange({ ...step, stageId, reason: '' })}
      />
      {((reasons ?? []).length > 0 || step.reason) && (
        <Select
          label="Reason"
          placeholder="None"
          clearable
          readOnly={readOnly}
          data={reasons ?? []}
          value={step.reason || null}
          error={faultAt('reason')}
          onChange={(reason) => onChange({ ...step, reason: reason ?? '' })}
        />
      )}
    </>
  );
}

interface StageSelectProps {
  label: string;
  required?: boolean;
  placeholder?: string;
  readOnly: boolean;
  value: string | null;
  fault: string | undefined;
  onChange: (id: string | null) => void;
}

/** A stage, of whichever pipeline. */
export function StageSelect({ label, required, placeholder, readOnly, value, fault, onChange }: StageSelectProps) {
  const pipelines = useQuery(pipelinesQuery).data ?? [];
  return (
    <Select
      label={label}
      required={required}
      clearable={!required}
      allowDeselect={!required}
      readOnly={readOnly}
      placeholder={placeholder ?? 'Choose a stage'}
      data={pipelines.map((pipeline) => ({
        group: pipeline.name,
        items: pipeline.stages.map(({ id, name }) => ({ value: id, label: name })),
      }))}
      value={value}
      error={fault}
      onChange={onChange}
    />
  );
}

function DestinationSelect({ step, readOnly, faultAt, onChange }: StepFieldsProps) {
  const destinations = useQuery(destinationsQuery).data ?? [];
  return (
    <Select
      label="Destination"
      description="It is told of the lead once, whatever events it chose."
      required
      searchable
      allowDeselect={false}
      readOnly={readOnly}
      placeholder={destinations.length > 0 ? 'Choose a destination' : 'There are no destinations yet'}
      data={destinations.map(({ id, name }) => ({ value: id, label: name }))}
      value={step.destinationId}
      error={faultAt('destinationId')}
      onChange={(destinationId) => onChange({ ...step, destinationId })}
    />
  );
}
