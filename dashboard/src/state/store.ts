/** What the page knows. Signals, so that a change redraws only what shows it. */

import { computed, signal } from '@preact/signals';
import type { Link } from '../api/socket';
import type {
  Alert, Bars, Breaker, Component, Decision, EquityPoint, Feed, Instrument, Marker, Market, Maybe, Order,
  Performance, Position, Refusal, Stage, Summary, Timeframe, Trade, Votes,
} from '../api/types';
import { millis } from '../lib/format';

export const TIMEFRAMES: readonly Timeframe[] = ['1m', '5m', '15m', '1h', '4h', '1d'];

/** Most rows kept of any list: the page's memory does not grow with the session. */
export const ROWS_MAX = 5000;

export const link = signal<Link>('connecting');
export const needsKey = signal<null | 'missing' | 'wrong'>(null);
/** Why the last request of each kind failed; empty when all is well. */
export const faults = signal<ReadonlyMap<string, string>>(new Map());

export const summary = signal<Summary | null>(null);
/** `performance.now()` of the last summary. */
export const summaryAt = signal(0);
export const instruments = signal<Instrument[] | null>(null);
export const instrumentsAt = signal(0);
export const positions = signal<Position[] | null>(null);
export const orders = signal<Order[] | null>(null);
export const trades = signal<Trade[] | null>(null);
export const tradesTotal = signal<number | null>(null);
export const decisions = signal<Decision[] | null>(null);
export const refusals = signal<Refusal[] | null>(null);
export const alerts = signal<Alert[] | null>(null);
export const equity = signal<EquityPoint[] | null>(null);
export const performanceFigures = signal<Performance | null>(null);
export const votes = signal<Votes | null>(null);
export const breakers = signal<Breaker[] | null>(null);
export const stages = signal<Stage[] | null>(null);
export const feeds = signal<Feed[] | null>(null);
export const feedsAt = signal(0);
export const components = signal<Component[] | null>(null);
export const bars = signal<Bars | null>(null);
export const markers = signal<Marker[]>([]);
/** Last `market` message of the selected instrument, for the chart. */
export const market = signal<Market | null>(null);

export const symbol = signal<string | null>(null);
export const timeframe = signal<Timeframe>('15m');
export type Tab = 'positions' | 'orders' | 'trades' | 'decisions' | 'refusals' | 'alerts' | 'results' | 'machine';
export const tab = signal<Tab>('positions');

/** Market time of what is known, Unix milliseconds; it stands still when nothing comes. */
export const clock = computed(() => millis(summary.value?.as_of));

/** `performance.now()`, once a second: ages on the page follow it. */
export const tick = signal(performance.now());

/** Seconds since the summary came. */
export const silence = computed(() => Math.max(0, (tick.value - summaryAt.value) / 1000));
export const STALE_AFTER_S = 5;
/** Nothing on the page may look live when this is true. */
export const stale = computed(
  () => summary.value === null || silence.value > STALE_AFTER_S || (summary.value.age_s ?? 0) > STALE_AFTER_S,
);
/** Seconds since the trading process spoke, as far as the page knows. */
export const quiet = computed(() => silence.value + (summary.value?.age_s ?? 0));

export const held = computed(
  () => positions.value?.find((it) => it.symbol === symbol.value) ?? null,
);

/** Decimals of prices by symbol. Apart from the instruments, whose prices change all the time. */
const decimalsBySymbol = signal<ReadonlyMap<string, number>>(new Map());

export function noteDecimals(all: Instrument[]): void {
  const next = all.flatMap((it): [string, number][] => (it.price_decimals == null ? [] : [[it.symbol, it.price_decimals]]));
  if (next.every(([name, places]) => decimalsBySymbol.value.get(name) === places)) return;
  decimalsBySymbol.value = new Map(next);
}

/** Decimals of an instrument's prices; null lets the formatter choose. */
export function decimalsOf(name: Maybe<string>): number | null {
  return name == null ? null : (decimalsBySymbol.value.get(name) ?? null);
}

/** Decimals of the selected instrument's prices. */
export const decimals = computed(() => decimalsOf(symbol.value));

export function noteFault(kind: string, message: string | null): void {
  const before = faults.value.get(kind) ?? null;
  if (before === message) return;
  const next = new Map(faults.value);
  if (message === null) next.delete(kind);
  else next.set(kind, message);
  faults.value = next;
}
