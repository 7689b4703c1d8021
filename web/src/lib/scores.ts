import { humanise } from './text';

export type ScoreBand = 'low' | 'fair' | 'good' | 'strong';
export type SuspicionLevel = 'clean' | 'review' | 'suspicious' | 'likely_bot';

export function scoreBand(score: number): ScoreBand {
  if (score <= 20) return 'low';
  if (score <= 45) return 'fair';
  if (score <= 70) return 'good';
  return 'strong';
}

export function suspicionLevel(suspicion: number): SuspicionLevel {
  if (suspicion < 30) return 'clean';
  if (suspicion < 60) return 'review';
  if (suspicion < 85) return 'suspicious';
  return 'likely_bot';
}

const LEVEL_WORDS: Record<SuspicionLevel, string> = {
  clean: 'Clean',
  review: 'Review',
  suspicious: 'Suspicious',
  likely_bot: 'Likely a bot',
};

export const suspicionWord = (level: SuspicionLevel) => LEVEL_WORDS[level];

const SUSPICION_WORDS: Record<string, string> = {
  honeypot_filled: 'Filled the field that people cannot see',
  submitted_under_5_s: 'Sent in under 5 seconds',
  submitted_under_10_s: 'Sent in 5 to 10 seconds',
  no_session: 'No visit was tracked before it was sent',
  no_engagement: 'The visit shows no activity',
  vpn: 'Came through a VPN or a hosting network',
  possible_vpn: 'May have come through a VPN',
  two_submissions_in_24h: 'Two submissions within 24 hours',
  three_submissions_in_24h: 'Three or more submissions within 24 hours',
  competitor_email: 'The e-mail address belongs to a competitor',
  disposable_email: 'The e-mail address is a throwaway',
  phone_not_valid: 'The phone number is not valid for its country',
  links: 'Links in the message or the name',
  form_token_missing: 'The form token is missing',
  form_token_forged: 'The form token is forged',
  form_token_expired: 'The form token is too old',
  automated_user_agent: 'The browser looks automated',
  timezone_far_from_ip: "The browser's time zone is far from its country",
};

/** Why something is suspicious, for people. */
export const suspicionReason = ({ code }: { code: string; points?: number }) => SUSPICION_WORDS[code] ?? humanise(code);
