import { humanise } from './text';

const REASONS: Record<string, string> = {
  erased: 'Erased',
  asked: 'Added by hand',
  bounced: 'Bounced',
  unsubscribed: 'Unsubscribed',
};

export const reasonWords = (reason: string) => REASONS[reason] ?? humanise(reason);

export const kindWords = (kind: string) => (kind === 'email' ? 'E-mail address' : 'Phone number');
