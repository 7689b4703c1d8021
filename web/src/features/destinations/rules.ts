import type { Destination } from '@/api/shapes';
import { DEFAULT_IN_FLIGHT } from './values';

/** What a destination asks for beside its events, where that is not the usual. */
export function ruleWords(destination: Destination): string[] {
  const { sources = [], sourceIds = [], tags = [], stageIds = [], minScore, maxSuspicion } = destination.filter;
  const { duplicateWindowMinutes, reengageAfterHours, timeoutSeconds, requestsPerMinute, maxInFlight } = destination;
  return [
    sources.length > 0 && `from ${sources.join(', ')}`,
    sourceIds.length > 0 && `from ${counted(sourceIds.length, 'source')} of your choice`,
    tags.length > 0 && `tagged ${tags.join(' or ')}`,
    stageIds.length > 0 && `in ${counted(stageIds.length, 'stage')} of your choice`,
    minScore != null && `score at least ${minScore}`,
    maxSuspicion != null && `suspicion at most ${maxSuspicion}`,
    destination.includesTests && 'tests too',
    destination.inDevelopment && 'also in development',
    Boolean(duplicateWindowMinutes) && `no repeats within ${counted(Number(duplicateWindowMinutes), 'minute')}`,
    reengageAfterHours != null &&
      (reengageAfterHours > 0 ? `back after ${counted(reengageAfterHours, 'hour')}` : 'never counts as back'),
    destination.method !== 'POST' && destination.method,
    timeoutSeconds != null && `${counted(timeoutSeconds, 'second')} for an answer`,
    requestsPerMinute != null && `${requestsPerMinute} a minute`,
    destination.inOrder && 'in order',
    !destination.inOrder && maxInFlight !== DEFAULT_IN_FLIGHT && `${maxInFlight} at once`,
  ].filter((words): words is string => Boolean(words));
}

const counted = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`;
