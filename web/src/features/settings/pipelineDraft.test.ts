import { expect, test } from 'vitest';
import type { Pipeline, Stage } from '@/api/shapes';
import { bodyOf, crowdedRemovals, draftOf, isChanged, withKind, withStage } from './pipelineDraft';

const stage = (id: string, kind: Stage['kind'], leadCount = 0): Stage => ({
  id,
  name: id,
  color: 'blue',
  kind,
  position: 0,
  probability: 50,
  staleAfterDays: null,
  leadCount,
});

const pipeline: Pipeline = {
  id: 'p',
  name: 'Leads',
  isDefault: true,
  version: 3,
  createdAt: '2026-01-01T00:00:00Z',
  stages: [stage('new', 'open', 4), stage('talk', 'open'), stage('won', 'won')],
  wonReasons: [],
  lostReasons: [],
  wonReasonRequired: false,
  lostReasonRequired: false,
};

test('a new stage stands behind the open ones in a colour of its own', () => {
  const stages = withStage(draftOf(pipeline).stages, 'fresh');

  expect(stages.map(({ key }) => key)).toEqual(['new', 'talk', 'fresh', 'won']);
  expect(stages[2]?.color).not.toBe('blue');
});

test('a stage that becomes won is certain', () => {
  const [open] = draftOf(pipeline).stages;

  expect(open && withKind(open, 'won').probability).toBe(100);
  expect(open && withKind(open, 'open').probability).toBe(50);
});

test('only removed stages with leads need a target', () => {
  const draft = draftOf(pipeline);
  const without = (...gone: string[]) => ({ ...draft, stages: draft.stages.filter(({ key }) => !gone.includes(key)) });

  expect(crowdedRemovals(pipeline, without('talk'))).toEqual([]);
  expect(crowdedRemovals(pipeline, without('new', 'talk')).map(({ id }) => id)).toEqual(['new']);
});

test('the version that was seen goes along', () => {
  const draft = { ...draftOf(pipeline), name: ' Sales ' };
  const body = bodyOf(pipeline, draft, 'talk');

  expect([body.version, body.name, body.moveLeadsTo]).toEqual([3, 'Sales', 'talk']);
  expect(body.stages[0]).not.toHaveProperty('key');
  expect([isChanged(pipeline, draft), isChanged(pipeline, draftOf(pipeline))]).toEqual([true, false]);
});
