import type { Automation, AutomationEvent, AutomationStep, NewAutomation, StepChannel, StepKind } from '@/api/shapes';
import { emptyGroup, filterJson, type Group, groupOf } from '@/ui/filter/conditions';

/** A step while somebody builds it. What has not been chosen yet is empty; of what its kind has no use for, nothing is sent. */
export interface StepDraft {
  /** Its place may change; this does not. */
  key: string;
  kind: StepKind;
  delayMinutes: number;
  channel: StepChannel;
  templateId: string | null;
  fallbackChannel: StepChannel | null;
  fallbackTemplateId: string | null;
  onReply: 'go_on' | 'end';
  onTimeout: 'go_on' | 'end';
  conditions: Group;
  otherwise: 'end' | 'skip_next';
  /** Nobody where the assignment rules choose. */
  assignedTo: string | null;
  tag: string;
  stageId: string | null;
  reason: string;
  note: string;
  destinationId: string | null;
}

export interface Draft {
  name: string;
  description: string;
  event: AutomationEvent;
  sourceId: string | null;
  stageId: string | null;
  segmentId: string | null;
  tag: string;
  score: number;
  /** Which leads it starts for; empty for all. */
  conditions: Group;
  steps: StepDraft[];
  safetyLockMinutes: number;
  quiet: { from: string; until: string } | null;
  exitOn: NonNullable<NewAutomation['exitOn']>;
  exitStageId: string | null;
  isActive: boolean;
}

export const MOST_STEPS = 20;
export const MOST_MINUTES = 43_200;

export const CHANNELS: { value: StepChannel; label: string }[] = [
  { value: 'whatsapp', label: 'WhatsApp' },
  { value: 'sms', label: 'SMS' },
  { value: 'email', label: 'E-mail' },
];

export const channelLabel = (channel: string | null | undefined) =>
  CHANNELS.find(({ value }) => value === channel)?.label ?? channel ?? '';

const DELAYS = [0, 5, 15, 30, 60, 120, 1_440];

export const KINDS: { value: StepKind; label: string; group: string }[] = [
  { value: 'message', label: 'Send a message', group: 'Messages' },
  { value: 'wait', label: 'Wait', group: 'Course' },
  { value: 'wait_for_reply', label: 'Wait for a reply', group: 'Course' },
  { value: 'condition', label: 'Go on only if', group: 'Course' },
  { value: 'assign', label: 'Assign the lead', group: 'Lead' },
  { value: 'add_tag', label: 'Add a tag', group: 'Lead' },
  { value: 'remove_tag', label: 'Remove a tag', group: 'Lead' },
  { value: 'move_stage', label: 'Move to a stage', group: 'Lead' },
  { value: 'add_note', label: 'Write a note', group: 'Lead' },
  { value: 'call_destination', label: 'Tell a destination', group: 'Lead' },
];

export const kindLabel = (kind: string | null | undefined) =>
  KINDS.find(({ value }) => value === kind)?.label ?? kind ?? '';

/** Steps that are nothing but a wait. */
export const isWait = (kind: StepKind) => kind === 'wait' || kind === 'wait_for_reply';

/** "Immediate", "5 min", "2 hours". */
export function delayWords(minutes: number): string {
  if (minutes === 0) return 'Immediate';
  if (minutes % 1_440 === 0 && minutes > 1_440) return `${minutes / 1_440} days`;
  if (minutes % 60 === 0) return minutes === 60 ? '1 hour' : `${minutes / 60} hours`;
  return `${minutes} min`;
}

/** The waits that are offered, and the one that is set though it is none of them. */
export function delayOptions(set: number): { value: string; label: string }[] {
  const all = DELAYS.includes(set) ? DELAYS : [...DELAYS, set].sort((a, b) => a - b);
  return all.map((minutes) => ({ value: String(minutes), label: delayWords(minutes) }));
}

export const EVENTS: { value: AutomationEvent; label: string }[] = [
  { value: 'lead.arrived', label: 'A lead arrives' },
  { value: 'lead.created', label: 'A new lead arrives' },
  { value: 'lead.re_engaged', label: 'A lead comes back after a silence' },
  { value: 'lead.stage_changed', label: 'A lead comes into a stage' },
  { value: 'lead.tag_added', label: 'A lead is given a tag' },
  { value: 'lead.score_crossed', label: "A lead's score reaches a number" },
  { value: 'lead.segment_entered', label: 'A lead comes into a segment' },
  { value: 'lead.segment_left', label: 'A lead leaves a segment' },
  { value: 'message.received', label: 'A message comes in' },
];

export const isArrival = (event: AutomationEvent) =>
  event === 'lead.arrived' || event === 'lead.created' || event === 'lead.re_engaged';

export const isOfSegment = (event: AutomationEvent) =>
  event === 'lead.segment_entered' || event === 'lead.segment_left';

export const emptyStep = (key: string, kind: StepKind = 'message'): StepDraft => ({
  key,
  kind,
  channel: 'whatsapp',
  delayMinutes: isWait(kind) ? 1_440 : 0,
  templateId: null,
  fallbackChannel: null,
  fallbackTemplateId: null,
  onReply: 'end',
  onTimeout: 'go_on',
  conditions: emptyGroup(),
  otherwise: 'end',
  assignedTo: null,
  tag: '',
  stageId: null,
  reason: '',
  note: '',
  destinationId: null,
});

export const emptyDraft = (): Draft => ({
  name: '',
  description: '',
  event: 'lead.arrived',
  sourceId: null,
  stageId: null,
  segmentId: null,
  tag: '',
  score: 60,
  conditions: emptyGroup(),
  steps: [emptyStep('first')],
  safetyLockMinutes: 5,
  quiet: null,
  exitOn: [],
  exitStageId: null,
  isActive: true,
});

const clock = (minute: number) =>
  `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;

const minuteOf = (text: string) => {
  const [hours, minutes] = text.split(':').map(Number);
  return (hours ?? 0) * 60 + (minutes ?? 0);
};

export function draftOf(automation: Automation): Draft {
  const { trigger, quietHours } = automation;
  return {
    name: automation.name,
    description: automation.description ?? '',
    event: trigger.event,
    sourceId: automation.webhookSourceId ?? null,
    stageId: trigger.stageId ?? null,
    segmentId: trigger.segmentId ?? null,
    tag: trigger.tag ?? '',
    score: trigger.score ?? 60,
    conditions: groupOf(automation.condition) ?? emptyGroup(),
    steps: automation.steps.map((step, index) => stepOf(step, `saved ${index}`)),
    safetyLockMinutes: automation.safetyLockMinutes,
    quiet: quietHours ? { from: clock(quietHours.fromMinute), until: clock(quietHours.untilMinute) } : null,
    exitOn: automation.exitOn,
    exitStageId: automation.exitStageId ?? null,
    isActive: automation.isActive,
  };
}

function stepOf(step: AutomationStep, key: string): StepDraft {
  const empty = emptyStep(key, step.kind ?? 'message');
  return {
    ...empty,
    channel: step.channel ?? empty.channel,
    delayMinutes: step.delayMinutes ?? 0,
    templateId: step.templateId ?? null,
    fallbackChannel: step.fallbackChannel ?? null,
    fallbackTemplateId: step.fallbackTemplateId ?? null,
    onReply: step.onReply ?? empty.onReply,
    onTimeout: step.onTimeout ?? empty.onTimeout,
    conditions: groupOf(step.filter) ?? empty.conditions,
    otherwise: step.otherwise ?? empty.otherwise,
    assignedTo: step.assignedTo ?? null,
    tag: step.tag ?? '',
    stageId: step.stageId ?? null,
    reason: step.reason ?? '',
    note: step.note ?? '',
    destinationId: step.destinationId ?? null,
  };
}

/** What is missing before it can be saved, by field. */
export function missing(draft: Draft): Record<string, string> {
  const faults: Record<string, string> = {};
  if (draft.name.trim() === '') faults['/name'] = 'Enter a name.';
  if (draft.event === 'lead.arrived' && !draft.sourceId) faults['/webhookSourceId'] = 'Choose a source.';
  if (draft.event === 'lead.stage_changed' && !draft.stageId) faults['/trigger/stageId'] = 'Choose a stage.';
  if (draft.event === 'lead.tag_added' && draft.tag.trim() === '') faults['/trigger/tag'] = 'Enter a tag.';
  if (isOfSegment(draft.event) && !draft.segmentId) faults['/trigger/segmentId'] = 'Choose a segment.';
  draft.steps.forEach((step, index) => {
    for (const [field, fault] of Object.entries(missingOf(step))) faults[`/steps/${index}/${field}`] = fault;
  });
  return faults;
}

function missingOf(step: StepDraft): Record<string, string> {
  switch (step.kind) {
    case 'message':
      return {
        ...(!step.templateId && { templateId: 'Choose a template.' }),
        ...(step.fallbackChannel === 'email' &&
          !step.fallbackTemplateId && { fallbackTemplateId: 'Choose a template for the e-mail.' }),
      };
    case 'wait':
    case 'wait_for_reply':
      return step.delayMinutes > 0 ? {} : { delayMinutes: 'Choose how long.' };
    case 'condition':
      return step.conditions.children.length > 0 ? {} : { filter: 'Add a condition.' };
    case 'add_tag':
    case 'remove_tag':
      return step.tag.trim() === '' ? { tag: 'Enter a tag.' } : {};
    case 'move_stage':
      return step.stageId ? {} : { stageId: 'Choose a stage.' };
    case 'add_note':
      return step.note.trim() === '' ? { note: 'Write what the note says.' } : {};
    case 'call_destination':
      return step.destinationId ? {} : { destinationId: 'Choose a destination.' };
    case 'assign':
      return {};
  }
}

/** A step with the fields that its kind has, and no others. */
function stepBody(step: StepDraft): AutomationStep {
  const { kind, delayMinutes } = step;
  switch (kind) {
    case 'message':
      return {
        channel: step.channel,
        delayMinutes,
        templateId: step.templateId ?? '',
        fallbackChannel: step.fallbackChannel,
        fallbackTemplateId: step.fallbackChannel ? step.fallbackTemplateId : null,
      };
    case 'wait':
      return { kind, delayMinutes };
    case 'wait_for_reply':
      return { kind, delayMinutes, onReply: step.onReply, onTimeout: step.onTimeout };
    case 'condition':
      return { kind, delayMinutes, filter: filterJson(step.conditions) ?? { all: [] }, otherwise: step.otherwise };
    case 'assign':
      return { kind, delayMinutes, ...(step.assignedTo && { assignedTo: step.assignedTo }) };
    case 'add_tag':
    case 'remove_tag':
      return { kind, delayMinutes, tag: step.tag.trim() };
    case 'move_stage':
      return { kind, delayMinutes, stageId: step.stageId, ...(step.reason && { reason: step.reason }) };
    case 'add_note':
      return { kind, delayMinutes, note: step.note.trim() };
    case 'call_destination':
      return { kind, delayMinutes, destinationId: step.destinationId };
  }
}

/** Stands for "by any source" where one has to be chosen. */
export const ANY_SOURCE = 'any';

export function bodyOf(draft: Draft): NewAutomation {
  return {
    name: draft.name.trim(),
    description: draft.description.trim() || null,
    webhookSourceId: isArrival(draft.event) && draft.sourceId && draft.sourceId !== ANY_SOURCE ? draft.sourceId : null,
    trigger: {
      event: draft.event,
      ...(draft.event === 'lead.stage_changed' && { stageId: draft.stageId }),
      ...((draft.event === 'lead.tag_added' || draft.event === 'message.received') && {
        tag: draft.tag.trim() || null,
      }),
      ...(draft.event === 'lead.score_crossed' && { score: draft.score }),
      ...(isOfSegment(draft.event) && { segmentId: draft.segmentId }),
    },
    condition: filterJson(draft.conditions) ?? null,
    steps: draft.steps.map(stepBody),
    safetyLockMinutes: draft.safetyLockMinutes,
    quietHours: draft.quiet && { fromMinute: minuteOf(draft.quiet.from), untilMinute: minuteOf(draft.quiet.until) },
    exitOn: draft.exitOn,
    exitStageId: draft.exitOn.includes('stage_left') ? draft.exitStageId : null,
    isActive: draft.isActive,
  };
}

/** The step without what no longer fits its channels. */
export function withChannel(step: StepDraft, channel: StepChannel): StepDraft {
  if (channel === step.channel) return step;
  const keepsFallback = step.fallbackChannel !== channel;
  return {
    ...step,
    channel,
    templateId: null,
    fallbackChannel: keepsFallback ? step.fallbackChannel : null,
    fallbackTemplateId: keepsFallback ? step.fallbackTemplateId : null,
  };
}

export const withFallback = (step: StepDraft, fallbackChannel: StepChannel | null): StepDraft =>
  fallbackChannel === step.fallbackChannel ? step : { ...step, fallbackChannel, fallbackTemplateId: null };
