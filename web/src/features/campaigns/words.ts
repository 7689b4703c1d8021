import type { Campaign, CampaignFigures } from '@/api/shapes';
import { formatCount } from '@/lib/text';

export const STATES = ['draft', 'scheduled', 'running', 'paused', 'finished', 'cancelled'] as const;
export type StateName = (typeof STATES)[number];

const STATE_WORDS: Record<string, { word: string; color: string }> = {
  draft: { word: 'Draft', color: 'gray' },
  scheduled: { word: 'Scheduled', color: 'blue' },
  running: { word: 'Sending', color: 'blue' },
  paused: { word: 'Paused', color: 'yellow' },
  finished: { word: 'Finished', color: 'green' },
  cancelled: { word: 'Cancelled', color: 'gray' },
};

export const stateWords = (state: string) => STATE_WORDS[state] ?? { word: state, color: 'gray' };

export const isOpen = ({ state }: Campaign) => state === 'draft' || state === 'scheduled';
export const isUnderWay = ({ state }: Campaign) => state === 'running' || state === 'paused';

/** "12 (3.4 %)" of so many; without a share where there is nothing to share. */
export function share(part: number, whole: number): string {
  if (whole <= 0 || part <= 0) return formatCount(part);
  const percent = (part / whole) * 100;
  return `${formatCount(part)} (${percent < 10 ? percent.toFixed(1) : Math.round(percent)} %)`;
}

export function audienceWords({ audience }: Campaign): string {
  if (!audience) return 'Nobody yet';
  const name = audience.name ?? 'something that was deleted';
  if (audience.kind === 'segment') return `Segment: ${name}`;
  if (audience.kind === 'unanswered') return `No answer to ${name}`;
  return `Audience: ${name}`;
}

/** How many recipients are through, of all. */
export function doneOf({ progress }: Campaign): { done: number; all: number; percent: number } {
  const done = progress.asked + progress.skipped;
  const all = Math.max(progress.recipients, done);
  return { done, all, percent: all === 0 ? 0 : Math.round((done / all) * 100) };
}

const REASONS: Record<string, string> = {
  no_email: 'No e-mail address',
  no_phone: 'No phone number',
  suppressed: 'On the suppression list',
  lead_deleted: 'The lead was deleted',
  no_channel: 'No channel',
  channel_inactive: 'The channel was switched off',
  channel_deleted: 'The channel was deleted',
  template_deleted: 'The template was deleted',
  template_not_approved: 'The template was not approved',
  window_closed: 'WhatsApp’s 24 hours were over',
  empty_message: 'The message was empty',
  cancelled: 'The campaign was cancelled',
  cut_off: 'Cut off while it was sent',
  prefetch: 'Fetched ahead of time',
  program: 'Calls itself a program',
  mailbox: 'Fetched by the mailbox itself',
  data_centre: 'Came from a data centre',
  too_soon: 'Sooner than anybody reads',
  several_at_once: 'Several links at once',
  every_link: 'Every link, one by one',
};

export const reasonWords = (reason: string | null | undefined): string =>
  reason ? (REASONS[reason] ?? reason.replaceAll('_', ' ')) : '';

const STATUS_WORDS: Record<string, string> = {
  waiting: 'Waiting for their turn',
  queued: 'In the queue',
  sending: 'Being sent',
  sent: 'Sent',
  delivered: 'Delivered',
  read: 'Read',
  failed: 'Failed',
  unknown: 'Unknown',
  skipped: 'Left out',
};

export const statusWords = (status: string): string => STATUS_WORDS[status] ?? status;

export interface FunnelStep {
  key: string;
  label: string;
  value: number;
  /** What a machine did beside it. */
  machine?: number;
}

/** From who is meant to who answered. */
export function funnel(campaign: Campaign, figures: CampaignFigures): FunnelStep[] {
  const isLetter = campaign.channel === 'email';
  return [
    { key: 'recipients', label: 'Recipients', value: campaign.progress.recipients },
    { key: 'sent', label: 'Sent', value: figures.sent },
    { key: 'delivered', label: 'Delivered', value: figures.delivered },
    ...(isLetter
      ? [
          { key: 'opened', label: 'Opened', value: figures.humanOpens, machine: figures.machineOpens },
          { key: 'clicked', label: 'Clicked', value: figures.humanClicks, machine: figures.machineClicks },
        ]
      : [{ key: 'read', label: 'Read', value: figures.read }]),
    { key: 'replied', label: 'Replied', value: figures.replied },
  ];
}

export const WHICH = [
  { value: '', label: 'Everybody' },
  { value: 'waiting', label: 'Waiting' },
  { value: 'sent', label: 'Sent' },
  { value: 'delivered', label: 'Delivered' },
  { value: 'read', label: 'Read' },
  { value: 'opened', label: 'Opened' },
  { value: 'clicked', label: 'Clicked' },
  { value: 'machine', label: 'Only machines looked' },
  { value: 'replied', label: 'Replied' },
  { value: 'unsubscribed', label: 'Unsubscribed' },
  { value: 'failed', label: 'Failed' },
  { value: 'unknown', label: 'Unknown' },
  { value: 'skipped', label: 'Left out' },
] as const;
export type Which = (typeof WHICH)[number]['value'];

const OF_LETTERS: readonly string[] = ['opened', 'clicked', 'machine'];

/** Which recipients one can ask for: letters are opened and their links followed, other messages are read. */
export const whichOf = ({ channel }: Pick<Campaign, 'channel'>) =>
  WHICH.filter(({ value }) => (channel === 'email' ? value !== 'read' : !OF_LETTERS.includes(value)));

/** What the screens of campaigns show; lives in the URL. */
export interface CampaignsSearch {
  tab?: 'messages';
  page?: number;
}

export interface CampaignSearch {
  which?: Which;
  page?: number;
}

const pageOf = (raw: unknown): { page?: number } => {
  const page = Number(raw);
  return Number.isInteger(page) && page > 1 ? { page } : {};
};

export const readCampaignsSearch = (raw: Record<string, unknown>): CampaignsSearch => ({
  ...(raw.tab === 'messages' ? { tab: 'messages' as const } : {}),
  ...pageOf(raw.page),
});

export const readCampaignSearch = (raw: Record<string, unknown>): CampaignSearch => {
  const which = WHICH.find(({ value }) => value !== '' && value === raw.which)?.value;
  return { ...(which ? { which } : {}), ...pageOf(raw.page) };
};
