import { humanise } from '@/lib/text';

const CLASSES: Record<string, string> = {
  contacts: 'Contact records',
  leads: 'Leads',
  consents: 'Consents',
  submissions: 'Submissions',
  captures: 'Raw requests',
  conversations: 'Conversations',
  messages: 'Messages',
  hits: 'Requests of links and pictures',
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

const KEPT: Record<string, { name: string; about: string }> = {
  captures: {
    name: 'Raw requests',
    about: 'What arrived as it was sent, with address and browser, and what a webhook refused.',
  },
  quarantine: { name: 'Quarantine', about: 'Submissions that were held back.' },
  blockedRequests: { name: 'Blocked addresses', about: 'What came from addresses that are turned away.' },
  deliveries: { name: 'Delivery log', about: 'Deliveries that arrived, with what was answered.' },
  deadLetters: {
    name: 'Dead letters',
    about: 'Deliveries that were given up. They can be sent again until they go.',
  },
  audit: { name: 'Audit log', about: 'Who did what, when and from where.' },
};

export const keptWords = (name: string) => KEPT[name] ?? { name: humanise(name), about: '' };

export const goingWords = (going: { count: number; isCapped: boolean } | undefined) => {
  if (!going) return '…';
  if (going.count === 0) return 'Nothing';
  return going.isCapped ? `More than ${going.count.toLocaleString()}` : going.count.toLocaleString();
};
