import { humanise } from '@/lib/text';

const CLASSES: Record<string, string> = {
  contacts: 'Contact records',
  leads: 'Leads',
  consents: 'Consents',
  submissions: 'Submissions',
  captures: 'Raw requests',
  conversations: 'Conversations',
  messages: 'Messages',
  timeline: 'Timeline entries',
  visits: 'Visits to websites',
  deliveries: 'Deliveries',
  attempts: 'Delivery attempts',
  analyses: 'Analyses of messages',
  scores: 'Score history',
  merges: 'Merges',
};

export const classWords = (name: string) => CLASSES[name] ?? humanise(name);

const PURPOSES: Record<string, string> = {
  marketing: 'Marketing',
  messages: 'Messages and calls',
  contact: 'Being contacted',
  privacy: 'Use of data',
  terms: 'Terms',
};

export const purposeWords = (purpose: string) => PURPOSES[purpose] ?? humanise(purpose);

const REASONS: Record<string, string> = { erased: 'Erased', asked: 'Added by hand', bounced: 'Bounced' };

export const reasonWords = (reason: string) => REASONS[reason] ?? humanise(reason);

export const kindWords = (kind: string) => (kind === 'email' ? 'E-mail address' : 'Phone number');
