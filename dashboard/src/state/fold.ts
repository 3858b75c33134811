/** How messages change what the page knows. Pure: everything here is tested without a browser. */

import type { Alert, Bar, Instrument, Market, Position, Timeframe, Votes } from '../api/types';

export const SECONDS: Record<Timeframe, number> = {
  '1m': 60, '5m': 300, '15m': 900, '1h': 3600, '4h': 14_400, '1d': 86_400,
};

/** Bars kept in a chart, and how many are left when there are more. */
export const BARS_MAX = 4000;
export const BARS_KEPT = 3000;

export type Step =
  | { kind: 'update'; bar: Bar }
  | { kind: 'append'; bar: Bar }
  | { kind: 'gap' }
  | { kind: 'none' };

/**
 * What a bar of the live connection means for a chart whose last bar opened at `last`.
 * A bar later than the next one means that messages were left out: the chart must load again.
 */
export function step(last: number | null, bar: Bar, timeframe: Timeframe): Step {
  if (last === null) return { kind: 'append', bar };
  if (bar.time < last) return { kind: 'none' };
  if (bar.time === last) return { kind: 'update', bar };
  return bar.time - last > SECONDS[timeframe] ? { kind: 'gap' } : { kind: 'append', bar };
}

/** Joins older bars before those that are there, each time once. */
export function prepended(older: Bar[], bars: Bar[]): Bar[] {
  const first = bars[0]?.time ?? Number.POSITIVE_INFINITY;
  return [...older.filter((bar) => bar.time < first), ...bars];
}

/** Drops the oldest bars when there are too many. */
export function bounded<T>(items: T[], most: number, kept = most): T[] {
  return items.length > most ? items.slice(items.length - kept) : items;
}

/** A last price as the close of a forming bar of another timeframe than the message's own. */
export function folded(forming: Bar | null, price: number, at: number, timeframe: Timeframe): Bar {
  const open = Math.floor(at / SECONDS[timeframe]) * SECONDS[timeframe];
  if (!forming || forming.time < open) {
    return { time: open, open: price, high: price, low: price, close: price, volume: null };
  }
  return {
    ...forming,
    high: Math.max(forming.high, price),
    low: Math.min(forming.low, price),
    close: price,
  };
}

export function withPrice(all: Instrument[], message: Market): Instrument[] {
  const at = all.findIndex((it) => it.symbol === message.symbol);
  const before = all[at];
  if (!before || message.price == null) return all;
  const next = all.slice();
  next[at] = { ...before, price: message.price, age_s: 0, stale: false };
  return next;
}

/** A position at a new price: its result moves with it; size and entry do not. */
export function marked(all: Position[], symbol: string, price: number): Position[] {
  if (!all.some((it) => it.symbol === symbol)) return all;
  return all.map((it) => {
    if (it.symbol !== symbol || it.size == null || it.entry_price == null) return it;
    return {
      ...it,
      current_price: price,
      pnl: (price - it.entry_price) * it.size,
      pnl_pct: it.entry_price > 0 ? price / it.entry_price - 1 : null,
    };
  });
}

export function votesOf(message: Market, before: Votes | null): Votes | null {
  if (!message.votes) return before;
  return {
    symbol: message.symbol,
    bar_time: message.closed?.time ?? (before?.symbol === message.symbol ? before.bar_time : null),
    timeframe: message.timeframe ?? null,
    votes: message.votes,
    decision: message.decision ?? null,
  };
}

/** Puts a new row first, once. */
export function alertAdded(all: Alert[], alert: Alert, most: number): Alert[] {
  if (all.some((it) => it.id === alert.id)) return all;
  return [alert, ...all].slice(0, most);
}

/** Positions of a message, which holds them all or the one that changed. */
export function positionsOf(data: unknown): Position[] | null {
  const held = (data as { positions?: unknown } | null)?.positions ?? data;
  return Array.isArray(held) ? (held as Position[]) : null;
}

/** How close a value is to its limit. */
export type Nearness = 'unknown' | 'calm' | 'near' | 'over';

export function nearness(value: number | null | undefined, limit: number | null | undefined): Nearness {
  if (value == null || limit == null || !Number.isFinite(value) || limit <= 0) return 'unknown';
  if (value >= limit) return 'over';
  return value >= (limit * 2) / 3 ? 'near' : 'calm';
}
