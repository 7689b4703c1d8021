import { describe, expect, test } from 'vitest';
import type { Scoring } from '@/api/shapes';
import { draftOf, isSame, proposal, weightWords } from './scoringWords';

const weight = (code: string, value: number) => ({ code, group: 'fit', value, documented: 10, least: 0, most: 100 });

const SCORING: Scoring = {
  version: 2,
  weights: [weight('email', 25), weight('name', 10)],
  rules: [{ field: 'title', test: 'contains', value: 'head', points: 5 }],
};

describe('a draft of the weights', () => {
  test('sends what differs from the documentation', () => {
    const draft = draftOf(SCORING);
    expect(proposal(draft, SCORING).weights).toEqual({ email: 25 });
    expect(proposal({ ...draft, weights: { email: 10, name: '' } }, SCORING).weights).toEqual({});
  });

  test('names a custom field only where the rule is about one', () => {
    const rule = { field: 'title', test: 'is', value: 'x', points: 1, customField: 'budget' } as const;
    expect(proposal({ weights: {}, rules: [rule] }, SCORING).rules).toEqual([{ ...rule, customField: null }]);
  });

  test('is the same until something differs', () => {
    const draft = draftOf(SCORING);
    expect(isSame(draft, SCORING)).toBe(true);
    expect(isSame({ ...draft, rules: [] }, SCORING)).toBe(false);
    expect(isSame({ ...draft, weights: { ...draft.weights, name: 11 } }, SCORING)).toBe(false);
  });

  test('has words for reasons of suspicion too', () => {
    expect(weightWords('links')).toBe('Links in the message or the name');
  });
});
