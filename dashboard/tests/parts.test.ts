import { describe, expect, it } from 'vitest';
import { backoff } from '../src/lib/backoff';
import { Rolling } from '../src/lib/indicators';
import { anchored, visible } from '../src/lib/windowing';
import { rows } from '../src/api/http';

describe('rolling mean', () => {
  it('is unknown before enough values', () => {
    const mean = new Rolling(3);
    mean.push(1);
    mean.push(2);
    expect(mean.mean()).toBeNull();
    expect(mean.mean(3)).toBe(2);
    expect(mean.mean()).toBeNull();
  });
  it('forgets the oldest, and a peek changes nothing', () => {
    const mean = new Rolling(3);
    for (const value of [1, 2, 3, 4]) mean.push(value);
    expect(mean.mean()).toBe(3);
    expect(mean.mean(10)).toBeCloseTo((3 + 4 + 10) / 3, 12);
    expect(mean.mean()).toBe(3);
  });
  it('gives the population deviation', () => {
    const mean = new Rolling(4);
    for (const value of [2, 4, 4, 6]) mean.push(value);
    // Squares of -2, 0, 0, 2 sum to 8: the square root of 8/4
    expect(mean.spread(2)).toBeCloseTo(2 * Math.SQRT2, 12);
  });
});

describe('long lists', () => {
  it('draws only what is in view, with some around', () => {
    expect(visible({ top: 3400, height: 340, row: 34, count: 5000 })).toEqual({ first: 94, end: 116 });
    expect(visible({ top: 0, height: 340, row: 34, count: 3 })).toEqual({ first: 0, end: 3 });
    expect(visible({ top: 9999, height: 340, row: 34, count: 0 })).toEqual({ first: 0, end: 0 });
  });
  it('stays at what is read when rows come in above', () => {
    expect(anchored(340, 2, 34)).toBe(408);
    expect(anchored(0, 2, 34)).toBe(0);
  });
});

it('waits longer each time, up to a limit', () => {
  expect(backoff(0, 500, 10_000, 1)).toBe(500);
  expect(backoff(3, 500, 10_000, 1)).toBe(4000);
  expect(backoff(40, 500, 10_000, 1)).toBe(10_000);
  expect(backoff(0, 500, 10_000, 0)).toBe(250);
});

it('takes a list, or an object that holds it', () => {
  expect(rows([1], 'trades')).toEqual([1]);
  expect(rows({ trades: [2] }, 'trades')).toEqual([2]);
  expect(rows(null, 'trades')).toEqual([]);
});
