import { expect, test } from 'vitest';
import { formatMoney, fromMilli, percentOf, toMilli, worthOf } from './money';

test('amounts are added without losing a coin', () => {
  expect(fromMilli(toMilli('0.10') + toMilli('0.20'))).toBe('0.30');
  expect(fromMilli(toMilli('999999999999.999') * 1000n)).toBe('999999999999999.00');
  expect(fromMilli(toMilli('1.00') - toMilli('3.005'))).toBe('-2.005');
});

test('a part of an amount is rounded to the nearest thousandth', () => {
  expect(fromMilli(percentOf(toMilli('100.10'), 20))).toBe('20.02');
  expect(percentOf(5n, 50)).toBe(3n);
});

test('what is no amount counts as nothing', () => {
  expect([toMilli(null), toMilli(''), toMilli('1e3')]).toEqual([0n, 0n, 0n]);
});

test('a sale counts more than a quote', () => {
  expect(worthOf({ quoteValue: '5.00', salesValue: '4.00' })).toBe('4.00');
  expect(worthOf({ quoteValue: '5.00', salesValue: null })).toBe('5.00');
  expect(worthOf({})).toBeNull();
});

test('money is short where there is little room', () => {
  expect(formatMoney('1250.50', 'EUR')).toContain('1,250.50');
  expect(formatMoney('1250.00', 'EUR')).toMatch(/1,250$/);
  expect(formatMoney('1464.765', 'EUR', { short: true })).toMatch(/1,465$/);
  expect(formatMoney('965.708', 'EUR', { short: true })).toMatch(/965\.71$/);
  expect(formatMoney('1250000.00', 'EUR', { short: true })).toMatch(/1\.3M|1\.2M|1\.25M/);
});
