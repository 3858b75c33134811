import { describe, expect, it } from 'vitest';
import {
  anything, compact, decimalsFor, duration, limitPercent, micros, minute, number, percent, price, second, signed,
  signedPercent, size, words,
} from '../src/lib/format';

describe('numbers', () => {
  it('shows a dash for what is not known, never 0', () => {
    for (const text of [number, signed, percent, price, size, compact, micros, duration]) {
      expect(text(null, 2)).toBe('–');
      expect(text(undefined, 2)).toBe('–');
      expect(text(Number.NaN, 2)).toBe('–');
    }
  });
  it('uses a true minus and no negative zero', () => {
    expect(number(-17.678)).toBe('−17.68');
    expect(number(-0.001)).toBe('0.00');
    expect(signed(204.5)).toBe('+204.50');
    expect(signed(-0.001)).toBe('0.00');
    expect(signedPercent(-0.031)).toBe('−3.1%');
    expect(limitPercent(0.15)).toBe('15%');
    expect(limitPercent(0.125)).toBe('12.5%');
  });
  it('keeps the precision of an instrument', () => {
    expect(price(0.00002291, 8)).toBe('0.00002291');
    expect(price(141.3, 2)).toBe('141.30');
    expect(decimalsFor(0.00002291)).toBe(9);
    expect(decimalsFor(141.3)).toBe(2);
  });
  it('shows sizes of any magnitude', () => {
    expect(size(88_412_000)).toBe('88,412,000');
    expect(size(138.2)).toBe('138.20');
    expect(size(0.00451)).toBe('0.00451');
    expect(compact(14_040)).toBe('14.04K');
  });
  it('picks the unit of a duration', () => {
    expect(micros(0.767)).toBe('0.8 µs');
    expect(micros(26_214)).toBe('26 ms');
    expect(duration(0.4)).toBe('0.4 s');
    expect(duration(250)).toBe('4 m 10 s');
    expect(duration(4320)).toBe('1 h 12 m');
    expect(duration(90_000)).toBe('1 d 1 h');
    expect(duration(-3)).toBe('0.0 s');
  });
});

describe('times and words', () => {
  it('shows UTC', () => {
    expect(minute('2024-06-28T14:45:07.123Z')).toBe('2024-06-28 14:45');
    expect(second(1_719_585_907)).toBe('2024-06-28 14:45:07');
    expect(minute('yesterday')).toBe('–');
  });
  it('turns names into words', () => {
    expect(words('LOW_PARTICIPATION')).toBe('low participation');
    expect(anything(true)).toBe('yes');
    expect(anything({ a: 1 })).toBe('{"a":1}');
  });
});
