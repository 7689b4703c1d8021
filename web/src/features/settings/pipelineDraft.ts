import type { Pipeline, Stage } from '@/api/shapes';

/** Pure changes to a pipeline while it is edited. */

export interface StageDraft {
  /** Tells rows apart, also new ones. */
  key: string;
  id?: string;
  name: string;
  color: string;
  kind: Stage['kind'];
  probability: number;
  staleAfterDays: number | null;
}

export interface PipelineDraft {
  name: string;
  stages: StageDraft[];
  wonReasons: string[];
  lostReasons: string[];
  wonReasonRequired: boolean;
  lostReasonRequired: boolean;
}

export const LEAST_STAGES = 2;
export const MOST_STAGES = 30;
export const COLORS = ['blue', 'amber', 'purple', 'pink', 'green', 'red', 'gray', 'teal', 'indigo', 'orange'];
export const KINDS: { value: Stage['kind']; label: string }[] = [
  { value: 'open', label: 'Open' },
  { value: 'won', label: 'Won' },
  { value: 'lost', label: 'Lost' },
];

const USUAL_PROBABILITY = { open: 50, won: 100, lost: 0 };

export function draftOf(pipeline: Pipeline): PipelineDraft {
  const { name, wonReasons, lostReasons, wonReasonRequired, lostReasonRequired } = pipeline;
  const stages = pipeline.stages.map((stage) => ({
    key: stage.id,
    id: stage.id,
    name: stage.name,
    color: stage.color,
    kind: stage.kind,
    probability: stage.probability,
    staleAfterDays: stage.staleAfterDays ?? null,
  }));
  return { name, stages, wonReasons, lostReasons, wonReasonRequired, lostReasonRequired };
}

export const isChanged = (pipeline: Pipeline, draft: PipelineDraft) =>
  JSON.stringify(draftOf(pipeline)) !== JSON.stringify(draft);

/** A new stage goes behind the last open one. */
export function withStage(stages: StageDraft[], key: string): StageDraft[] {
  const at = stages.findLastIndex(({ kind }) => kind === 'open') + 1;
  const used = new Set(stages.map(({ color }) => color));
  const color = COLORS.find((one) => !used.has(one)) ?? 'gray';
  const stage: StageDraft = { key, name: '', color, kind: 'open', probability: 50, staleAfterDays: null };
  return [...stages.slice(0, at), stage, ...stages.slice(at)];
}

/** What is won is certain, and what is lost is lost. */
export const withKind = (stage: StageDraft, kind: Stage['kind']): StageDraft =>
  kind === stage.kind ? stage : { ...stage, kind, probability: USUAL_PROBABILITY[kind] };

/** The stages that go although leads are in them. */
export const crowdedRemovals = (pipeline: Pipeline, draft: PipelineDraft): Stage[] =>
  pipeline.stages.filter(({ id, leadCount }) => !draft.stages.some((stage) => stage.id === id) && (leadCount ?? 0) > 0);

/** What is sent: all of it, on the version that was seen. */
export const bodyOf = (pipeline: Pipeline, draft: PipelineDraft, moveLeadsTo?: string) => ({
  ...draft,
  version: pipeline.version,
  name: draft.name.trim(),
  stages: draft.stages.map(({ key: _key, ...stage }) => ({ ...stage, name: stage.name.trim() })),
  ...(moveLeadsTo ? { moveLeadsTo } : {}),
});
