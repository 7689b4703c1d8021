import { asText, humanise } from '@/lib/text';
import { absoluteTime } from '@/lib/time';

const DEEDS: Record<string, string> = {
  'session.opened': 'Signed in',
  'session.refused': 'Failed to sign in',
  'session.ended': 'Ended a session',
  'session.others_ended': 'Ended all other sessions',
  'session.moved': 'Went on in another workspace',
  'user.created': 'Added a user',
  'user.updated': 'Changed a user',
  'user.removed': 'Removed a user',
  'user.password_changed': 'Changed their password',
  'user.linked': 'Came by the sign-in provider for the first time',
  'invitation.created': 'Invited somebody',
  'invitation.resent': 'Sent an invitation again',
  'invitation.revoked': 'Took an invitation back',
  'invitation.accepted': 'Accepted an invitation',
  'role.created': 'Made a role',
  'role.updated': 'Changed a role',
  'role.deleted': 'Deleted a role',
  'token.created': 'Made a token',
  'token.revoked': 'Revoked a token',
  'second_factor.added': 'Set up a second factor',
  'second_factor.removed': 'Removed their second factor',
  'second_factor.reset': 'Reset a second factor',
  'second_factor.codes_renewed': 'Made new recovery codes',
  'sign_in_provider.created': 'Set up the sign-in provider',
  'sign_in_provider.updated': 'Changed the sign-in provider',
  'sign_in_provider.removed': 'Removed the sign-in provider',
  'workspace.created': 'Made the workspace',
  'workspace.updated': 'Changed the settings',
  'analysis.updated': 'Changed the analysis',
  'scoring.updated': 'Changed the scoring',
  'source.created': 'Made a source',
  'source.updated': 'Changed a source',
  'source.deleted': 'Deleted a source',
  'source.watch_changed': 'Changed the watch over a source',
  'project.created': 'Made a project',
  'project.updated': 'Changed a project',
  'project.deleted': 'Deleted a project',
  'site.created': 'Made a site',
  'site.updated': 'Changed a site',
  'site.deleted': 'Deleted a site',
  'pipeline.created': 'Made a pipeline',
  'pipeline.updated': 'Changed a pipeline',
  'pipeline.deleted': 'Deleted a pipeline',
  'custom_field.created': 'Defined a field',
  'custom_field.updated': 'Changed a field',
  'custom_field.deleted': 'Deleted a field',
  'automation.created': 'Made an automation',
  'automation.updated': 'Changed an automation',
  'automation.deleted': 'Deleted an automation',
  'destination.created': 'Made a destination',
  'destination.updated': 'Changed a destination',
  'destination.deleted': 'Deleted a destination',
  'destination.tested': 'Sent a test to a destination',
  'destination.secret_renewed': "Renewed a destination's secret",
  'delivery.replayed': 'Sent a delivery again',
  'replay.started': 'Began to send deliveries again',
  'replay.cancelled': 'Stopped sending deliveries again',
  'quarantine.released': 'Released a submission',
  'blocked_ip.created': 'Blocked an address',
  'blocked_ip.deleted': 'Unblocked an address',
  'alert.acknowledged': 'Acknowledged an alert',
  'export.made': 'Exported a table',
  'person.viewed': 'Looked at what is held of a person',
  'person.exported': 'Exported a person',
  'person.erased': 'Erased a person',
  'retention.updated': 'Changed how long things are kept',
  'suppression.added': 'Added to the suppression list',
  'suppression.removed': 'Took out of the suppression list',
  'consent.withdrawn': 'Withdrew a consent',
  'work_settings.updated': 'Changed working hours and times to answer',
  'assignment_rule.created': 'Made a rule of assignment',
  'assignment_rule.updated': 'Changed a rule of assignment',
  'assignment_rule.deleted': 'Deleted a rule of assignment',
  'availability.updated': 'Changed when somebody works',
  'alert_mails.changed': 'Changed their mails of alerts',
  'alert_mails.tested': 'Sent themselves a test mail',
  'scoring.rescore_started': 'Began to score all leads again',
  'channel.created': 'Added a channel',
  'channel.updated': 'Changed a channel',
  'channel.deleted': 'Deleted a channel',
  'channel.tested': 'Tested a channel',
  'message.sent': 'Sent a message to leads',
  'message_template.created': 'Made a message template',
  'message_template.updated': 'Changed a message template',
  'message_template.deleted': 'Deleted a message template',
  'message_template.submitted': 'Submitted a template to Meta',
  'message_templates.synced': 'Asked Meta how templates stand',
  'canned_reply.saved': 'Kept a canned reply',
  'canned_reply.deleted': 'Deleted a canned reply',
  'attachment.uploaded': 'Attached a file',
  'attachment.removed': 'Took a file out',
  'audience.created': 'Made an audience',
  'campaign.created': 'Made a campaign',
  'campaign.updated': 'Changed a campaign',
  'campaign.scheduled': 'Scheduled a campaign',
  'campaign.started': 'Started a campaign',
  'campaign.paused': 'Paused a campaign',
  'campaign.resumed': 'Let a campaign go on',
  'campaign.cancelled': 'Cancelled a campaign',
  'campaign.deleted': 'Deleted a campaign',
};

/** What one can ask for: all that was done to one kind of thing. */
export const KINDS = [
  { value: 'session.', label: 'Signing in' },
  { value: 'session.refused', label: 'Failures to sign in' },
  { value: 'user.', label: 'Users' },
  { value: 'invitation.', label: 'Invitations' },
  { value: 'role.', label: 'Roles' },
  { value: 'token.', label: 'Tokens' },
  { value: 'second_factor.', label: 'Second factors' },
  { value: 'sign_in_provider.', label: 'Sign-in provider' },
  { value: 'workspace.', label: 'Workspace settings' },
  { value: 'retention.', label: 'Retention' },
  { value: 'source.', label: 'Sources' },
  { value: 'automation.', label: 'Automations' },
  { value: 'destination.', label: 'Destinations' },
  { value: 'blocked_ip.', label: 'Blocked addresses' },
  { value: 'export.', label: 'Exports' },
  { value: 'person.', label: "Persons' data" },
  { value: 'suppression.', label: 'Suppression list' },
] as const;

/** What was done, in a few words. */
export const deedWords = (action: string) => DEEDS[action] ?? humanise(action);

interface Change {
  from: unknown;
  to: unknown;
}

const isChange = (value: unknown): value is Change =>
  typeof value === 'object' && value !== null && ('from' in value || 'to' in value);

/** The names of what an entry knows only by its id, such as the people of the workspace. */
export type Names = ReadonlyMap<string, string>;

const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}/;
/** As the server calls one of several ways, such as `round_robin`. */
const CODE = /^[a-z]+(_[a-z]+)+$/;
const DAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A tree of conditions on leads, one of them, or hours of the week; anything else by its names. */
function toldOf(value: Record<string, unknown>, names: Names): string {
  const { all, any, field, op, days, from, until } = value;
  const children = Array.isArray(all) ? all : any;
  if (Array.isArray(children)) {
    if (children.length === 0) return all ? 'every lead' : 'no lead';
    return children.map((child) => said(child, names)).join(all ? ' and ' : ' or ');
  }
  if (typeof field === 'string' && typeof op === 'string') {
    const than = value.value === undefined ? '' : ` ${said(value.value, names)}`;
    return `${humanise(field).toLowerCase()} ${humanise(op).toLowerCase()}${than}`;
  }
  if (Array.isArray(days) && typeof from === 'string' && typeof until === 'string') {
    return `${days.map((day) => DAYS[Number(day) - 1] ?? asText(day)).join(', ')} from ${from} until ${until}`;
  }
  return Object.entries(value)
    .map(([name, part]) => `${humanise(name).toLowerCase()} ${said(part, names)}`)
    .join(', ');
}

function said(value: unknown, names: Names): string {
  if (Array.isArray(value)) return value.map((one) => said(one, names)).join(', ') || 'none';
  if (isRecord(value)) return toldOf(value, names) || 'none';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  const text = asText(value);
  if (INSTANT.test(text) && !Number.isNaN(Date.parse(text))) return absoluteTime(text);
  return names.get(text) ?? (CODE.test(text) ? text.replaceAll('_', ' ') : text || 'none');
}

/** What an id of somebody says is not part of the name of what holds it. */
const titleOf = (name: string) => humanise(name.replace(/Ids?$/, ''));

/** What stands beside an entry, in one line: what changed from what to what, or only its names. */
export function changeWords(data: Record<string, unknown>, names: Names = new Map()): string {
  const parts: string[] = [];
  for (const [name, value] of Object.entries(data)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === 'changes' && typeof value === 'object') {
      for (const [field, change] of Object.entries(value)) {
        if (isChange(change)) parts.push(`${titleOf(field)}: ${said(change.from, names)} → ${said(change.to, names)}`);
      }
    } else if (name === 'changed' && Array.isArray(value)) {
      if (value.length > 0)
        parts.push(`Changed: ${value.map((field) => humanise(asText(field)).toLowerCase()).join(', ')}`);
    } else if (value === true) {
      parts.push(humanise(name));
    } else {
      parts.push(`${titleOf(name)}: ${said(value, names)}`);
    }
  }
  return parts.join(' · ');
}
