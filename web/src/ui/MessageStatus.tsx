import { Tooltip } from '@mantine/core';
import { IconAlertTriangle, IconBan, IconCheck, IconChecks, IconClock, IconQuestionMark } from '@tabler/icons-react';
import classes from './ui.module.css';

const STATUSES = {
  queued: { icon: IconClock, word: 'Waiting', tone: 'dim' },
  sending: { icon: IconClock, word: 'Sending', tone: 'dim' },
  sent: { icon: IconCheck, word: 'Sent', tone: 'dim' },
  delivered: { icon: IconChecks, word: 'Delivered', tone: 'dim' },
  read: { icon: IconChecks, word: 'Read', tone: 'good' },
  failed: { icon: IconAlertTriangle, word: 'Failed', tone: 'bad' },
  unknown: { icon: IconQuestionMark, word: 'Unknown', tone: 'bad' },
  skipped: { icon: IconBan, word: 'Not sent', tone: 'bad' },
} as const;

const EXPLAINED = 'The connection broke while it was sent. It may have gone out, so it is not sent again by itself.';

/** How a message fares: a tick and a word, and why where something went wrong. */
export function MessageStatus({ status, error }: { status: string | null | undefined; error?: string | null }) {
  const known = status ? STATUSES[status as keyof typeof STATUSES] : undefined;
  if (!known) return null;
  const { icon: Icon, word, tone } = known;
  const why = status === 'unknown' ? [error, EXPLAINED].filter(Boolean).join('. ') : error;
  const mark = (
    <span className={classes.messageStatus} data-tone={tone} data-status={status}>
      <Icon size={14} aria-hidden="true" />
      {word}
    </span>
  );
  return why ? (
    <Tooltip label={why} multiline maw={320}>
      <span>{mark}</span>
    </Tooltip>
  ) : (
    mark
  );
}
