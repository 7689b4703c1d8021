import type { MessageKind } from '@/api/messaging';
import type { Campaign, MessageTemplate, NewCampaign } from '@/api/shapes';

export interface VariableDraft {
  /** What stands in place of the placeholder: the variable itself, another one, or words. */
  kind: 'own' | 'field' | 'text';
  field: string;
  text: string;
  fallback: string;
}

/** A campaign while somebody writes it. */
export interface Draft {
  name: string;
  channel: MessageKind;
  channelId: string | null;
  templateId: string | null;
  audience: string | null;
  subject: string;
  otherSubject: string;
  isTest: boolean;
  percent: number;
  metric: 'opens' | 'clicks';
  afterMinutes: number;
  variables: Record<string, VariableDraft>;
  tracking: { opens: boolean; clicks: boolean; textLinks: boolean };
  perMinute: number;
  quiet: { from: string; until: string } | null;
  at: string | null;
  timezone: string;
}

export const NIGHT = { from: '21:00', until: '08:00' };

export const OWN: VariableDraft = { kind: 'own', field: '', text: '', fallback: '' };

const clock = (minutes: number) =>
  `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;

const minutesOf = (text: string) => {
  const [hours = 0, minutes = 0] = text.split(':').map(Number);
  return hours * 60 + minutes;
};

export const ownTimezone = () => Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';

/** The moment as a clock in the timezone shows it, as an input of date and time has it. */
export function localTime(iso: string, timezone: string): string {
  const parts = new Intl.DateTimeFormat('en-CA', {
    timeZone: timezone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  }).formatToParts(new Date(iso));
  const of = (type: string) => parts.find((part) => part.type === type)?.value ?? '';
  return `${of('year')}-${of('month')}-${of('day')}T${of('hour')}:${of('minute')}`;
}

export const emptyDraft = (channel: MessageKind = 'email'): Draft => ({
  name: '',
  channel,
  channelId: null,
  templateId: null,
  audience: null,
  subject: '',
  otherSubject: '',
  isTest: false,
  percent: 20,
  metric: 'opens',
  afterMinutes: 120,
  variables: {},
  tracking: { opens: true, clicks: true, textLinks: false },
  perMinute: 0,
  quiet: null,
  at: null,
  timezone: ownTimezone(),
});

function audienceOf({ audience }: Campaign): string | null {
  if (!audience) return null;
  return `${audience.kind}:${audience.audienceId ?? audience.segmentId ?? audience.campaignId}`;
}

export function draftOf(campaign: Campaign): Draft {
  const timezone = campaign.timezone ?? ownTimezone();
  return {
    name: campaign.name,
    channel: campaign.channel,
    channelId: campaign.channelId ?? null,
    templateId: campaign.templateId ?? null,
    audience: audienceOf(campaign),
    subject: campaign.subjects[0] ?? '',
    otherSubject: campaign.subjects[1] ?? '',
    isTest: Boolean(campaign.test),
    percent: campaign.test?.percent ?? 20,
    metric: campaign.test?.metric ?? 'opens',
    afterMinutes: campaign.test?.afterMinutes ?? 120,
    variables: Object.fromEntries(
      Object.entries(campaign.variables).map(([name, { field, text, fallback }]) => [
        name,
        {
          kind: text ? 'text' : field && field !== name ? 'field' : 'own',
          field: field ?? '',
          text: text ?? '',
          fallback: fallback ?? '',
        },
      ]),
    ),
    tracking: { ...campaign.tracking, textLinks: campaign.tracking.textLinks ?? false },
    perMinute: campaign.perMinute,
    quiet: campaign.quietHours
      ? { from: clock(campaign.quietHours.fromMinute), until: clock(campaign.quietHours.untilMinute) }
      : null,
    at: campaign.startsAt ? localTime(campaign.startsAt, timezone) : null,
    timezone,
  };
}

/** The placeholders of a template that may be filled in another way, each once. */
export function placeholdersOf(template: MessageTemplate | undefined, subjects: string[]): string[] {
  const texts = [template?.subject, template?.body, template?.html, ...subjects];
  const found = texts.flatMap((text) => [...(text ?? '').matchAll(/\{\{\s*([\w.-]+)/g)].map((match) => match[1] ?? ''));
  return [...new Set(found)].filter((name) => name !== '' && name !== 'unsubscribe_url').sort();
}

function audienceBody(text: string | null): NewCampaign['audience'] {
  const [kind, id] = (text ?? '').split(':');
  if (!id) return null;
  if (kind === 'segment') return { segmentId: id };
  if (kind === 'unanswered') return { unansweredCampaignId: id };
  return { audienceId: id };
}

function variablesBody(draft: Draft, names: string[]): NonNullable<NewCampaign['variables']> {
  const chosen: NonNullable<NewCampaign['variables']> = {};
  for (const name of names) {
    const variable = draft.variables[name];
    if (!variable) continue;
    const fallback = variable.fallback.trim() || null;
    if (variable.kind === 'text') chosen[name] = { text: variable.text, fallback };
    else if (variable.kind === 'field' && variable.field) chosen[name] = { field: variable.field, fallback };
    else if (fallback) chosen[name] = { field: name, fallback };
  }
  return chosen;
}

export function bodyOf(draft: Draft, names: string[]): NewCampaign {
  const isLetter = draft.channel === 'email';
  const isTest = isLetter && draft.isTest;
  const subjects = isTest ? [draft.subject, draft.otherSubject] : draft.subject.trim() ? [draft.subject] : [];
  return {
    name: draft.name,
    channel: draft.channel,
    channelId: draft.channelId,
    templateId: draft.templateId,
    audience: audienceBody(draft.audience),
    subjects: isLetter ? subjects : [],
    variables: variablesBody(draft, names),
    tracking: draft.tracking,
    perMinute: draft.perMinute,
    quietHours: draft.quiet
      ? { fromMinute: minutesOf(draft.quiet.from), untilMinute: minutesOf(draft.quiet.until) }
      : null,
    test: isTest ? { percent: draft.percent, metric: draft.metric, afterMinutes: draft.afterMinutes } : null,
    start: draft.at ? { at: draft.at, timezone: draft.timezone } : null,
  };
}

/** What is missing before it can go out, by the field it is about. */
export function missing(draft: Draft, isStart: boolean): Record<string, string> {
  const faults: Record<string, string> = {};
  if (!draft.name.trim()) faults['/name'] = 'A campaign needs a name';
  if (draft.channel === 'email' && draft.isTest) {
    if (!draft.subject.trim()) faults['/subjects/0'] = 'The first subject is missing';
    if (!draft.otherSubject.trim()) faults['/subjects/1'] = 'The second subject is missing';
  }
  if (isStart && !draft.templateId) faults['/templateId'] = 'Choose what it says';
  if (isStart && !draft.audience) faults['/audience'] = 'Choose to whom it goes';
  return faults;
}
