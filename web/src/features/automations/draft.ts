import type { Automation, AutomationEvent, NewAutomation, StepChannel } from '@/api/shapes';

/** An automation while somebody builds it. What has not been chosen yet is empty. */
export interface StepDraft {
  /** Its place may change; this does not. */
  key: string;
  channel: StepChannel;
  delayMinutes: number;
  templateId: string | null;
  fallbackChannel: StepChannel | null;
  fallbackTemplateId: string | null;
}

export interface Draft {
  name: string;
  description: string;
  event: AutomationEvent;
  sourceId: string | null;
  stageId: string | null;
  tag: string;
  score: number;
  steps: StepDraft[];
  safetyLockMinutes: number;
  quiet: { from: string; until: string } | null;
  exitOn: NonNullable<NewAutomation['exitOn']>;
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
  { value: 'message.received', label: 'A message comes in' },
];

export const isArrival = (event: AutomationEvent) =>
  event === 'lead.arrived' || event === 'lead.created' || event === 'lead.re_engaged';

export const emptyStep = (key: string): StepDraft => ({
  key,
  channel: 'whatsapp',
  delayMinutes: 0,
  templateId: null,
  fallbackChannel: null,
  fallbackTemplateId: null,
});

export const emptyDraft = (): Draft => ({
  name: '',
  description: '',
  event: 'lead.arrived',
  sourceId: null,
  stageId: null,
  tag: '',
  score: 60,
  steps: [emptyStep('first')],
  safetyLockMinutes: 5,
  quiet: null,
  exitOn: [],
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
    tag: trigger.tag ?? '',
    score: trigger.score ?? 60,
    steps: automation.steps.map((step, index) => ({
      key: `saved ${index}`,
      channel: step.channel,
      delayMinutes: step.delayMinutes ?? 0,
      templateId: step.templateId,
      fallbackChannel: step.fallbackChannel ?? null,
      fallbackTemplateId: step.fallbackTemplateId ?? null,
    })),
    safetyLockMinutes: automation.safetyLockMinutes,
    quiet: quietHours ? { from: clock(quietHours.fromMinute), until: clock(quietHours.untilMinute) } : null,
    exitOn: automation.exitOn,
    isActive: automation.isActive,
  };
}

/** What is missing before it can be saved, by field. */
export function missing(draft: Draft): Record<string, string> {
  const faults: Record<string, string> = {};
  if (draft.name.trim() === '') faults['/name'] = 'Enter a name.';
  if (draft.event === 'lead.arrived' && !draft.sourceId) faults['/webhookSourceId'] = 'Choose a source.';
  if (draft.event === 'lead.stage_changed' && !draft.stageId) faults['/trigger/stageId'] = 'Choose a stage.';
  if (draft.event === 'lead.tag_added' && draft.tag.trim() === '') faults['/trigger/tag'] = 'Enter a tag.';
  draft.steps.forEach((step, index) => {
    if (!step.templateId) faults[`/steps/${index}/templateId`] = 'Choose a template.';
    if (step.fallbackChannel === 'email' && !step.fallbackTemplateId) {
      faults[`/steps/${index}/fallbackTemplateId`] = 'Choose a template for the e-mail.';
    }
  });
  return faults;
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
    },
    steps: draft.steps.map(({ channel, delayMinutes, templateId, fallbackChannel, fallbackTemplateId }) => ({
      channel,
      delayMinutes,
      templateId: templateId ?? '',
      fallbackChannel,
      fallbackTemplateId: fallbackChannel ? fallbackTemplateId : null,
    })),
    safetyLockMinutes: draft.safetyLockMinutes,
    quietHours: draft.quiet && { fromMinute: minuteOf(draft.quiet.from), untilMinute: minuteOf(draft.quiet.until) },
    exitOn: draft.exitOn,
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

/** The list with one of its rows in another place. */
export function moved<T>(list: T[], from: number, to: number): T[] {
  const item = list[from];
  if (item === undefined || to < 0 || to >= list.length || from === to) return list;
  const rest = list.filter((_, index) => index !== from);
  return [...rest.slice(0, to), item, ...rest.slice(to)];
}

/** The place of a dropped row once it is taken out from above. */
export const dropPlace = (from: number, over: number, edge: 'top' | 'bottom'): number => {
  const gap = edge === 'bottom' ? over + 1 : over;
  return from < gap ? gap - 1 : gap;
};
