import type { Scoring } from '@/api/shapes';
import { suspicionReason } from '@/lib/scores';

/** What the numbers of the formulas are called on the screen, and how a draft of them becomes a request. */

export const GROUPS = [
  {
    group: 'fit',
    title: 'Fit',
    text: 'Points for what is known of a lead, up to 100.',
  },
  {
    group: 'engagement',
    title: 'Engagement',
    text: 'Points for visits to your sites, up to 100. Known only where a site tracks.',
  },
  {
    group: 'suspicion',
    title: 'Suspicion',
    text: 'Points for what bots and throwaway submissions show, up to 100.',
  },
  {
    group: 'total',
    title: 'The score',
    text: 'Engagement and fit make the score together; suspicion is taken off.',
  },
  {
    group: 'silence',
    title: 'Silence',
    text: 'A lead without a submission or visit loses points each week. Scores are brought up to date once a day.',
  },
] as const;

const WORDS: Record<string, string> = {
  email: 'E-mail address',
  work_email: 'Address is not at a free-mail provider',
  phone: 'Valid phone number',
  name: 'Name',
  company: 'Company',
  title: 'Job title',
  message: 'Message of 20 characters or more',
  rules: 'Most that your own rules add together',
  duration: 'Most for time on the site',
  seconds_per_point: 'Seconds on the site for each point',
  scroll: 'A page read to its end',
  clicks: 'Most for clicks, one point each',
  returns: 'Most for coming back',
  points_per_return: 'Points for each time',
  engagement_share: 'Share of engagement, in percent',
  suspicion_share: 'Share of suspicion that is taken off, in percent',
  silence: 'Points lost each week of silence',
  silence_grace_days: 'Days of silence that cost nothing',
};

export const weightWords = (code: string) => WORDS[code] ?? suspicionReason({ code });

export const RULE_FIELDS = [
  { value: 'emailDomain', label: 'E-mail domain' },
  { value: 'country', label: 'Country of the phone' },
  { value: 'source', label: 'Source' },
  { value: 'company', label: 'Company' },
  { value: 'title', label: 'Job title' },
  { value: 'message', label: 'Message' },
  { value: 'customField', label: 'Custom field' },
] as const;

export const RULE_TESTS = [
  { value: 'is', label: 'is' },
  { value: 'contains', label: 'contains' },
  { value: 'startsWith', label: 'starts with' },
] as const;

export type Rule = Scoring['rules'][number];

/** What somebody has typed: a number that is being typed may be empty. */
export interface Draft {
  weights: Record<string, number | string>;
  rules: Rule[];
}

export const draftOf = ({ weights, rules }: Scoring): Draft => ({
  weights: Object.fromEntries(weights.map(({ code, value }) => [code, value])),
  rules,
});

/** Only what differs from the documentation is sent; an empty field is as documented. */
export function proposal({ weights, rules }: Draft, scoring: Scoring) {
  const differing = scoring.weights.filter(({ code, documented }) => {
    const value = weights[code];
    return value !== '' && value !== undefined && Number(value) !== documented;
  });
  return {
    weights: Object.fromEntries(differing.map(({ code }) => [code, Number(weights[code])])),
    rules: rules.map((rule) => ({ ...rule, customField: rule.field === 'customField' ? rule.customField : null })),
  };
}

export const isSame = (draft: Draft, scoring: Scoring) =>
  JSON.stringify(proposal(draft, scoring)) === JSON.stringify(proposal(draftOf(scoring), scoring));
