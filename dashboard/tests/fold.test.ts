import { describe, expect, it } from 'vitest';
import type { Alert, Bar, Instrument, Market, Position } from '../src/api/types';
import {
  alertAdded, bounded, folded, marked, nearness, positionsOf, prepended, step, votesOf, withPrice,
} from '../src/state/fold';

const bar = (time: number, close = 10): Bar => ({ time, open: 9, high: 11, low: 8, close, volume: 1 });
const message = (changes: Partial<Market>): Market => ({ symbol: 'SOL-USDC', price: 12, ts: null, forming: null, ...changes });

describe('bars', () => {
  it('updates the bar of the same time and appends the next', () => {
    expect(step(900, bar(900), '15m').kind).toBe('update');
    expect(step(900, bar(1800), '15m').kind).toBe('append');
    expect(step(null, bar(1800), '15m').kind).toBe('append');
  });
  it('ignores an older bar and tells a gap', () => {
    expect(step(1800, bar(900), '15m').kind).toBe('none');
    expect(step(900, bar(2700), '15m').kind).toBe('gap');
  });
  it('joins older bars once', () => {
    expect(prepended([bar(1), bar(2)], [bar(2), bar(3)]).map((it) => it.time)).toEqual([1, 2, 3]);
  });
  it('folds a price into the bar that forms, or begins one', () => {
    expect(folded(bar(3600), 15, 3700, '1h')).toMatchObject({ time: 3600, high: 15, close: 15 });
    expect(folded(bar(3600), 15, 7300, '1h')).toEqual({ time: 7200, open: 15, high: 15, low: 15, close: 15, volume: null });
  });
  it('keeps the newest of too many', () => {
    expect(bounded([1, 2, 3, 4, 5], 4, 2)).toEqual([4, 5]);
    expect(bounded([1, 2, 3], 4, 2)).toEqual([1, 2, 3]);
  });
});

describe('messages', () => {
  const position: Position = {
    id: 'a', symbol: 'SOL-USDC', side: 'LONG', size: 2, entry_price: 10, current_price: 10, pnl: 0, pnl_pct: 0,
    strategy: null, stop: 9, target: null, opened_at: null, risk_at_stop: null,
  };
  it('moves a position with its price', () => {
    expect(marked([position], 'SOL-USDC', 12)[0]).toMatchObject({ pnl: 4, current_price: 12, size: 2 });
    const other = [position];
    expect(marked(other, 'BONK-USDC', 12)).toBe(other);
  });
  it('leaves an unknown size unknown', () => {
    expect(marked([{ ...position, size: null }], 'SOL-USDC', 12)[0]?.pnl).toBe(0);
  });
  it('changes the price of one instrument', () => {
    const all = [{ symbol: 'SOL-USDC', price: 1, stale: true }, { symbol: 'B', price: 2 }] as Instrument[];
    expect(withPrice(all, message({}))[0]).toMatchObject({ price: 12, stale: false });
    expect(withPrice(all, message({ price: null }))).toBe(all);
  });
  it('keeps votes when a message has none', () => {
    expect(votesOf(message({}), null)).toBeNull();
    expect(votesOf(message({ votes: [] }), null)?.symbol).toBe('SOL-USDC');
  });
  it('adds an alert once, newest first', () => {
    const alert = (id: string) => ({ id }) as Alert;
    expect(alertAdded([alert('a')], alert('b'), 2).map((it) => it.id)).toEqual(['b', 'a']);
    expect(alertAdded([alert('a')], alert('a'), 2)).toHaveLength(1);
    expect(alertAdded([alert('a'), alert('b')], alert('c'), 2).map((it) => it.id)).toEqual(['c', 'a']);
  });
  it('finds positions in either form', () => {
    expect(positionsOf({ positions: [position] })).toEqual([position]);
    expect(positionsOf({ id: 1 })).toBeNull();
  });
});

it('tells how near a limit is', () => {
  expect(nearness(0.03, 0.15)).toBe('calm');
  expect(nearness(0.1, 0.15)).toBe('near');
  expect(nearness(0.15, 0.15)).toBe('over');
  expect(nearness(null, 0.15)).toBe('unknown');
});
