/** How an analysis came about, in words. */

interface Made {
  method: string;
  model: string;
}

export const analysisLabel = ({ method, model }: Made) =>
  method === 'endpoint' ? `Answer of ${model}` : 'Offline estimate';

const REASONS: Record<string, string> = {
  timeout: 'did not answer in time',
  refused: 'refused',
  malformed: 'gave an answer that cannot be used',
  unreachable: 'could not be reached',
  resting: 'had failed several times and was left alone',
  unusable: 'is not set up completely',
};

export const fallbackWords = ({ reason, detail }: { reason: string; detail: string }) =>
  `The endpoint ${REASONS[reason] ?? `failed (${detail})`}, so this was estimated here.`;
