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
