import { kindWord } from '@/api/messaging';
import type { Activity, MatchReason, Reason, Touch } from '@/api/shapes';
import { shortSpan } from '@/lib/response';
import { suspicionReason } from '@/lib/scores';
import { asText, humanise } from '@/lib/text';

export { suspicionReason };

/** Codes of the API as sentences for people. */

const SCORE_WORDS: Record<string, string> = {
  email: 'Gave an e-mail address',
  work_email: 'The address is not at a free-mail provider',
  phone: 'Gave a valid phone number',
  name: 'Gave a name',
  company: 'Named a company',
  title: 'Named a job title',
  message: 'Wrote a message of 20 characters or more',
  rules: 'Points from your own rules',
  silence: 'Nothing was heard for a while',
  duration: 'Time spent on your site',
  scroll: 'How far the pages were read',
  clicks: 'Clicks on your site',
  returns: 'Came back to your site',
};

export const scoreReason = ({ code }: Reason) => SCORE_WORDS[code] ?? suspicionReason({ code });

const CAUSES: Record<string, string> = {
  created: 'The lead was made',
  submission: 'Sent another submission',
  edit: 'Somebody changed the lead',
  visit: 'Visited your site',
  rescore: 'All leads were scored again',
  silence: 'Nothing was heard for a while',
};

/** Why a score changed. */
export const scoreCause = (cause: string) => CAUSES[cause] ?? humanise(cause);

/** Where a visit came from, in a few words. */
export function originWords(touch: Touch | null | undefined): string {
  const campaign = [touch?.utmSource, touch?.utmMedium, touch?.utmCampaign].filter(Boolean);
  if (campaign.length > 0) return `from ${campaign.join(' / ')}`;
  const [clickId] = Object.keys(touch?.clickIds ?? {});
  if (clickId) return `from an ad (${clickId})`;
  return touch?.referrer ? `from ${siteOf(touch.referrer)}` : 'came directly';
}

const siteOf = (url: string) => url.replace(/^\w+:\/\/(www\.)?/, '').replace(/[/?#].*$/, '');

const MATCHED_BY: Record<string, string> = {
  new: 'Made this lead: nobody known matched',
  record: 'Joined this lead: the same record of the sender',
  visitor: 'Joined this lead: the same visitor',
  email: 'Joined this lead: the same e-mail address',
  phone: 'Joined this lead: the same phone number',
  ip: 'Joined this lead: the same network address a moment before',
  manual: 'Added by hand',
};

const KEY_WORDS: Record<string, string> = {
  record: 'the record of the sender',
  visitor: 'the visitor',
  email: 'the e-mail address',
  phone: 'the phone number',
  ip: 'the network address',
};

const BECAUSE: Record<string, string> = {
  email_differs: 'the e-mail address differs',
  phone_differs: 'the phone number differs',
  too_long_ago: 'too much time had passed',
};

/** Why a submission belongs to its lead. */
export function matchWords(reason: MatchReason): string {
  const head = MATCHED_BY[reason.by] ?? `Joined this lead by ${humanise(reason.by).toLowerCase()}`;
  const refused = (reason.refused ?? []).map(
    ({ by, because }) =>
      `Another lead matched by ${KEY_WORDS[by] ?? humanise(by).toLowerCase()}, and was refused because ${BECAUSE[because] ?? humanise(because).toLowerCase()}`,
  );
  const split = reason.splitFrom ? ['Somebody made it a lead of its own since'] : [];
  return [head, ...refused, ...split].map((sentence) => `${sentence}.`).join(' ');
}

const text = (data: Record<string, unknown>, key: string) => asText(data[key]);
const list = (value: unknown) => (Array.isArray(value) ? value.map(asText).join(', ') : asText(value));

interface FieldChange {
  field: string;
  from: unknown;
  to: unknown;
}

const isFieldChange = (value: unknown): value is FieldChange =>
  typeof value === 'object' && value !== null && 'field' in value;

function changeWords({ field, from, to }: FieldChange): string {
  const name = humanise(field).toLowerCase();
  if (to === null || to === undefined) return `took ${name} away (${asText(from)})`;
  if (from === null || from === undefined) return `set ${name} to ${asText(to)}`;
  return `changed ${name} from ${asText(from)} to ${asText(to)}`;
}

function updatedWords(data: Record<string, unknown>): string {
  const changes = Array.isArray(data.changes) ? data.changes.filter(isFieldChange) : [];
  return changes.length === 0 ? 'Changed the lead' : capitalised(changes.map(changeWords).join(', '));
}

/** What stands behind a line, where anything does. */
const colon = (words: string) => (words === '' ? '' : `: ${words}`);

const capitalised = (sentence: string) => sentence.charAt(0).toUpperCase() + sentence.slice(1);

function tagWords(data: Record<string, unknown>): string {
  const added = list(data.added);
  const removed = list(data.removed);
  const parts = [added && `added the tags ${added}`, removed && `removed the tags ${removed}`].filter(Boolean);
  return capitalised(parts.join(' and ') || 'changed the tags');
}

function assignedWords(data: Record<string, unknown>): string {
  const to = text(data, 'toName');
  const rule = text(data, 'ruleName');
  if (to) return rule ? `Assigned to ${to} by the rule ${rule}` : `Assigned to ${to}`;
  const from = text(data, 'fromName');
  return from ? `Took the assignment from ${from}` : 'Took the assignment away';
}

/** One line of the timeline; a note's text stands below it. */
export function activityWords({ kind, data }: Pick<Activity, 'kind' | 'data'>): string {
  switch (kind) {
    case 'lead.created':
      return 'Lead created';
    case 'lead.resubmitted':
      return 'Sent another submission';
    case 'lead.re_engaged':
      return 'Came back after a while';
    case 'import.undone':
      return 'An import was undone: what it had changed is as before';
    case 'lead.updated':
      if (text(data, 'importId')) return 'Changed by an imported file';
      return text(data, 'submissionId') ? 'The source sent an update' : updatedWords(data);
    case 'lead.reordered':
      return 'Moved within the stage';
    case 'lead.persistence_failed':
      return 'Kept aside while the database was away';
    case 'lead.stage_changed':
      return `Moved from ${text(data, 'fromStageName') || 'another stage'} to ${text(data, 'toStageName') || 'a stage'}${because(data)}`;
    case 'lead.assigned':
      return assignedWords(data);
    case 'note.added':
      return 'Note';
    case 'tags.changed':
      return tagWords(data);
    case 'automation.triggered':
      return 'Automation triggered';
    case 'automation.step_sent':
      return `Step ${text(data, 'step')} sent`;
    case 'automation.step_done':
      return `Step ${text(data, 'step')} done${colon(text(data, 'words'))}`;
    case 'segment.entered':
      return `Came into the segment ${text(data, 'segmentName') || ''}`.trimEnd();
    case 'segment.left':
      return `Left the segment ${text(data, 'segmentName') || ''}`.trimEnd();
    case 'automation.step_failed':
      return `Step ${text(data, 'step')} failed${colon(text(data, 'error') || humanise(text(data, 'reason')))}`;
    case 'automation.fallback':
      return 'Fallback to another channel';
    case 'automation.completed':
      return 'Automation completed';
    case 'automation.skipped':
      return `${text(data, 'step') ? `Step ${text(data, 'step')} skipped` : 'Automation skipped'}${colon(text(data, 'words') || humanise(text(data, 'reason')))}`;
    case 'automation.exited':
      return `Automation ended early${colon(text(data, 'words'))}`;
    case 'automation.retried':
      return `Tried step ${text(data, 'step')} again`;
    case 'lead.deleted':
      return 'Deleted the lead';
    case 'lead.restored':
      return 'Restored the lead';
    case 'lead.merged':
      return `${text(data, 'name') || 'Another lead'} was merged into this lead`;
    case 'lead.split':
      return `${text(data, 'name') || 'Another lead'} was split off again`;
    case 'lead.split_off':
      return `Split from ${text(data, 'name') || 'another lead'} again`;
    case 'submission.split_off':
      return `A submission was made a lead of its own${colon(text(data, 'reason'))}`;
    case 'lead.made_by_split':
      return `Made of a submission that was another lead's${colon(text(data, 'reason'))}`;
    case 'lead.converted':
      return 'Converted to a contact';
    case 'delivery.delivered':
      return `Delivered to ${text(data, 'destinationName') || 'a destination'}`;
    case 'delivery.exhausted':
      return `Delivery to ${text(data, 'destinationName') || 'a destination'} gave up${failureOf(data)}`;
    case 'message.sent':
      return `Sent by ${kindWord(text(data, 'channel'))}`;
    case 'message.received':
      return `Wrote by ${kindWord(text(data, 'channel'))}`;
    case 'message.failed':
      return `Message by ${kindWord(text(data, 'channel'))} failed${whyOf(data)}`;
    case 'message.skipped':
      return `Message by ${kindWord(text(data, 'channel'))} not sent${whyOf(data)}`;
    case 'message.unknown':
      return `Nobody knows whether a message by ${kindWord(text(data, 'channel'))} went out`;
    case 'message.clicked':
      return 'Followed a link of a message';
    case 'message.unsubscribed':
      return `Unsubscribed from ${kindWord(text(data, 'channel'))}`;
    case 'crm.linked':
      return linkedWords(data);
    case 'response.overdue':
      return `Nobody answered within ${shortSpan(Number(data.targetMinutes) || 0)}`;
    case 'response.escalated':
      return 'Still nobody answered; others were told';
    case 'task.added':
      return `Added the task ${quoted(data)}${text(data, 'assigneeName') ? ` for ${text(data, 'assigneeName')}` : ''}`;
    case 'task.done':
      return `Did the task ${quoted(data)}`;
    case 'task.reopened':
      return `Opened the task ${quoted(data)} again`;
    default:
      return humanise(kind);
  }
}

const quoted = (data: Record<string, unknown>) => (text(data, 'title') ? `“${text(data, 'title')}”` : '');
const whyOf = (data: Record<string, unknown>) => (text(data, 'error') ? `: ${text(data, 'error')}` : '');

const because = (data: Record<string, unknown>) => (text(data, 'reason') ? `: ${text(data, 'reason')}` : '');

function linkedWords(data: Record<string, unknown>): string {
  const where = text(data, 'destinationName') || 'A destination';
  const id = text(data, 'crmLeadId');
  return id ? `${where} calls the lead ${id}` : `${where} told where the lead is`;
}

function failureOf(data: Record<string, unknown>): string {
  const status = text(data, 'status');
  const error = text(data, 'error');
  if (status) return ` (HTTP ${status})`;
  return error ? ` (${error})` : '';
}

export const TIMELINE_FILTERS = [
  { value: 'all', label: 'All' },
  { value: 'notes', label: 'Notes' },
  { value: 'changes', label: 'Changes' },
  { value: 'deliveries', label: 'Deliveries' },
] as const;

export type TimelineFilter = (typeof TIMELINE_FILTERS)[number]['value'];

export function inTimeline(filter: TimelineFilter, kind: string): boolean {
  if (filter === 'all') return true;
  if (filter === 'notes') return kind === 'note.added';
  if (filter === 'deliveries') return isOfDeliveries(kind);
  return kind !== 'note.added' && !isOfDeliveries(kind);
}

const isOfDeliveries = (kind: string) => kind.startsWith('delivery.') || kind === 'crm.linked';
