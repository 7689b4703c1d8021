import { Tooltip } from '@mantine/core';
import type { Delivery, Destination } from '@/api/shapes';
import { relativeTime } from '@/lib/time';
import { State } from '@/ui/basics';

/** How a destination does, in a word; the rest on hover. */
export function Health({ destination }: { destination: Destination }) {
  const { isActive, disabledReason, health } = destination;
  if (!isActive) {
    return (
      <Tooltip label={disabledReason ?? 'Paused by hand. Events wait until it is resumed.'}>
        <span>
          <State color={disabledReason ? 'red' : 'gray'}>{disabledReason ? 'Disabled' : 'Paused'}</State>
        </span>
      </Tooltip>
    );
  }
  if (health.breaker) {
    return (
      <Tooltip
        label={`20 attempts in a row failed. Deliveries wait, and one is tried ${relativeTime(health.breaker.nextProbeAt)}.`}
      >
        <span>
          <State color="red">Held back</State>
        </span>
      </Tooltip>
    );
  }
  if (!health.lastAttemptAt) return <State color="gray">No delivery yet</State>;
  const failing = health.lastError != null || (health.lastStatus ?? 0) >= 300;
  if (!failing) return <State color="green">Healthy</State>;
  return (
    <Tooltip label={failureText(health.lastStatus, health.lastError)}>
      <span>
        <State color="red">Failing</State>
      </span>
    </Tooltip>
  );
}

/** The status and the error in one, without saying the status twice. */
export function failureText(status: number | null | undefined, error: string | null | undefined): string {
  if (error && (status == null || error.includes(String(status)))) return error;
  return [status && `HTTP ${status}`, error].filter(Boolean).join(': ') || 'No answer';
}

/** The share of attempts that arrived: "99.8 %", and never 100 where one failed. */
export function rateWords({ successRate, failed24h }: Destination['health']): string {
  if (successRate == null) return '–';
  const percent = failed24h === 0 ? 100 : Math.min(99.9, Math.floor(successRate * 1000) / 10);
  return `${percent} %`;
}

const STATE_WORDS = {
  pending: { color: 'amber', word: 'Waiting' },
  delivered: { color: 'green', word: 'Delivered' },
  dead: { color: 'red', word: 'Dead' },
  cancelled: { color: 'gray', word: 'Cancelled' },
  skipped: { color: 'gray', word: 'Skipped' },
} as const;

export const stateWord = (state: Delivery['state']) => STATE_WORDS[state].word;

export const DeliveryStateView = ({ state }: { state: Delivery['state'] }) => (
  <State color={STATE_WORDS[state].color}>{STATE_WORDS[state].word}</State>
);
