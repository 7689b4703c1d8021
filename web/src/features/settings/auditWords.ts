import { asText, humanise } from '@/lib/text';

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

const said = (value: unknown) => (Array.isArray(value) ? value.map(asText).join(', ') : asText(value)) || 'none';

/** What stands beside an entry, in one line: what changed from what to what, or only its names. */
export function changeWords(data: Record<string, unknown>): string {
  const parts: string[] = [];
  for (const [name, value] of Object.entries(data)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === 'changes' && typeof value === 'object') {
      for (const [field, change] of Object.entries(value)) {
        if (isChange(change)) parts.push(`${humanise(field)}: ${said(change.from)} → ${said(change.to)}`);
      }
    } else if (name === 'changed' && Array.isArray(value)) {
      if (value.length > 0)
        parts.push(`Changed: ${value.map((field) => humanise(asText(field)).toLowerCase()).join(', ')}`);
    } else if (value === true) {
      parts.push(humanise(name));
    } else {
      parts.push(`${humanise(name)}: ${said(value)}`);
    }
  }
  return parts.join(' · ');
}
