import type { Pipeline, Stage } from '@/api/shapes';

/** What a pipeline asks of a lead that comes into a stage of this kind. */
export function closingOf(pipeline: Pipeline, kind: Stage['kind']): { reasons: string[]; required: boolean } {
  switch (kind) {
    case 'open':
      return { reasons: [], required: false };
    case 'won':
      return { reasons: pipeline.wonReasons, required: pipeline.wonReasonRequired };
    case 'lost':
      return { reasons: pipeline.lostReasons, required: pipeline.lostReasonRequired };
  }
}
