import { describe, expect, it } from 'vitest';
import type { FilterField } from '@/api/shapes';
import {
  conditionsOf,
  conditionWords,
  type Group,
  isComplete,
  isSameFilter,
  newCondition,
  readFilter,
  withOperator,
  writeFilter,
} from './conditions';

const score: FilterField = { name: 'score', label: 'Score', group: 'Numbers', kind: 'number', options: [] };
const created: FilterField = { name: 'createdAt', label: 'Created', group: 'Dates', kind: 'date', options: [] };
const name = (_field: string, value: string) => value;

describe('filters in the URL', () => {
  const nested: Group = {
    match: 'all',
    children: [
      { field: 'score', op: 'at_least', value: 50 },
      {
        match: 'any',
        children: [
          { field: 'tags', op: 'any_of', value: ['a', 'b'] },
          { field: 'email', op: 'empty' },
        ],
      },
    ],
  };

  it('come back as they were written', () => {
    expect(readFilter(writeFilter(nested))).toEqual(nested);
    expect(conditionsOf(nested)).toHaveLength(3);
  });

  it('leave nothing behind when they are empty', () => {
    expect(writeFilter({ match: 'any', children: [] })).toBeUndefined();
    expect(writeFilter({ match: 'all', children: [{ match: 'any', children: [] }] })).toBeUndefined();
  });

  it('stand in a group even when somebody wrote one condition', () => {
    expect(readFilter('{"field":"score","op":"is","value":1}')).toEqual({
      match: 'all',
      children: [{ field: 'score', op: 'is', value: 1 }],
    });
  });

  it.each(['', '{', '[]', 'null', '{"all":{}}', '{"all":[1]}', '{"field":"a"}'])('%s is no filter', (text) => {
    expect(readFilter(text)).toBeNull();
  });

  it('are the same however they are spaced', () => {
    expect(isSameFilter('{ "all": [ {"field":"a","op":"empty"} ] }', { field: 'a', op: 'empty' })).toBe(true);
    expect(isSameFilter(undefined, null)).toBe(true);
    expect(isSameFilter(undefined, { field: 'a', op: 'empty' })).toBe(false);
  });
});

describe('building a condition', () => {
  it('begins with what the kind asks first', () => {
    expect(newCondition(score)).toEqual({ field: 'score', op: 'at_least', value: '' });
    expect(newCondition(created)).toEqual({ field: 'createdAt', op: 'in_last', value: { amount: 7, unit: 'days' } });
  });

  it('keeps a value that is entered in the same way', () => {
    const condition = { field: 'score', op: 'at_least', value: 5 };

    expect(withOperator(condition, 'number', 'at_most').value).toBe(5);
    expect(withOperator(condition, 'number', 'between').value).toEqual(['', '']);
    expect(withOperator(condition, 'number', 'empty')).toEqual({ field: 'score', op: 'empty' });
  });

  it('is complete with a value', () => {
    expect(isComplete({ field: 'a', op: 'is', value: ' ' }, 'text')).toBe(false);
    expect(isComplete({ field: 'a', op: 'between', value: [1, ''] }, 'numbers')).toBe(false);
    expect(isComplete({ field: 'a', op: 'is', value: 0 }, 'number')).toBe(true);
    expect(isComplete({ field: 'a', op: 'empty' }, 'none')).toBe(true);
  });

  it('says itself in words', () => {
    expect(conditionWords({ field: 'score', op: 'between', value: [1, 5] }, score, name)).toBe(
      'Score is between 1 and 5',
    );
    expect(
      conditionWords({ field: 'createdAt', op: 'in_last', value: { amount: 1, unit: 'days' } }, created, name),
    ).toBe('Created in the last 1 day');
    expect(conditionWords({ field: 'x', op: 'y', value: 'z' }, undefined, name)).toBe('x y z');
  });
});
