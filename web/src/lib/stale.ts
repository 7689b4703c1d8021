import type { Card, Stage } from '@/api/shapes';

const DAY_MS = 86_400_000;

/** Whether a lead has stood in its stage for longer than the stage wants; only in an open one. */
export function isStale(
  { stageEnteredAt }: Pick<Card, 'stageEnteredAt'>,
  stage: Pick<Stage, 'kind' | 'staleAfterDays'> | undefined,
  now: number = Date.now(),
): boolean {
  if (stage?.kind !== 'open' || stage.staleAfterDays == null) return false;
  return now - new Date(stageEnteredAt).getTime() > stage.staleAfterDays * DAY_MS;
}
