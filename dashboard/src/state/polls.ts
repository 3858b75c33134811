/** What is asked of the API: everything at the start, then what the live connection does not carry. */

import { batch } from '@preact/signals';
import { ApiError, get, rows } from '../api/http';
import type {
  Alert, Bars, Breaker, Component, Decision, EquityPoint, Feed, Instrument, Marker, Order, Performance,
  Position, Refusal, Stage, Summary, Trade, Votes,
} from '../api/types';
import * as store from './store';

const V1 = '/api/v1';
const TRADES_PAGE = 200;
export const BARS_PAGE = 600;

interface Poll {
  name: string;
  everyMs: number;
  wanted: () => boolean;
  run: () => Promise<void>;
}

const always = (): boolean => true;
const onTab = (...tabs: store.Tab[]) => (): boolean => tabs.includes(store.tab.value);

const POLLS: readonly Poll[] = [
  { name: 'summary', everyMs: 2000, wanted: () => store.link.value !== 'live' || store.silence.value > 3, run: loadSummary },
  { name: 'instruments', everyMs: 5000, wanted: always, run: loadInstruments },
  { name: 'positions', everyMs: 5000, wanted: always, run: loadPositions },
  { name: 'votes', everyMs: 4000, wanted: () => store.link.value !== 'live', run: loadVotes },
  { name: 'orders', everyMs: 5000, wanted: always, run: loadOrders },
  { name: 'trades', everyMs: 15_000, wanted: always, run: loadTrades },
  { name: 'decisions', everyMs: 10_000, wanted: always, run: loadDecisions },
  { name: 'refusals', everyMs: 10_000, wanted: always, run: loadRefusals },
  { name: 'alerts', everyMs: 15_000, wanted: always, run: loadAlerts },
  { name: 'breakers', everyMs: 5000, wanted: always, run: loadBreakers },
  { name: 'feeds', everyMs: 3000, wanted: always, run: loadFeeds },
  { name: 'latency', everyMs: 3000, wanted: always, run: loadLatency },
  { name: 'components', everyMs: 5000, wanted: always, run: loadComponents },
  { name: 'equity', everyMs: 10_000, wanted: onTab('results'), run: loadEquity },
  { name: 'performance', everyMs: 10_000, wanted: onTab('results'), run: loadPerformance },
];

const due = new Map<string, number>();
const running = new Set<string>();
/** Polls under way at once: a slow API is not asked faster. */
const RUNNING_MAX = 4;
/** Nothing is asked before this `performance.now()`: the API said to wait. */
let quietUntil = 0;

/** Asks what is due. Called several times a second while the page is visible. */
export function poll(): void {
  const now = performance.now();
  if (document.hidden || now < quietUntil || store.needsKey.value) return;
  for (const it of POLLS) {
    if (running.size >= RUNNING_MAX) return;
    if (running.has(it.name) || now < (due.get(it.name) ?? 0) || !it.wanted()) continue;
    due.set(it.name, now + it.everyMs);
    void guarded(it.name, it.run);
  }
}

/** Asks for the state at once: a command was taken. */
export function refreshSummary(): void {
  void guarded('summary', loadSummary);
}

export function refreshAll(): void {
  due.clear();
  refreshSummary();
  const chosen = store.symbol.value;
  if (chosen) void loadInstrument(chosen);
}

export function refreshPositions(): void {
  due.delete('positions');
}

export function refreshAfterTrade(): void {
  for (const name of ['positions', 'orders', 'trades', 'decisions', 'refusals', 'equity', 'performance']) {
    // Fast simulated time can trade many times a second; the lists follow once a second
    due.set(name, Math.min(due.get(name) ?? 0, performance.now() + 1000));
  }
  if (store.symbol.value) {
    const name = store.symbol.value;
    marksDue ??= setTimeout(() => {
      marksDue = null;
      void guarded('markers', () => loadMarkers(name));
    }, 1000);
  }
}
let marksDue: ReturnType<typeof setTimeout> | null = null;

/** Runs a request and keeps why it failed where the page shows it. */
export async function guarded(name: string, run: () => Promise<void>): Promise<void> {
  running.add(name);
  try {
    await run();
    store.noteFault(name, null);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 401) {
      store.needsKey.value ??= 'missing';
    } else {
      store.noteFault(name, error.message);
    }
    if (error.status === 429) quietUntil = performance.now() + (error.retryAfterS ?? 5) * 1000;
  } finally {
    running.delete(name);
  }
}

async function loadSummary(): Promise<void> {
  const answer = await get<Summary>(`${V1}/summary`);
  batch(() => {
    store.summary.value = answer;
    store.summaryAt.value = performance.now();
  });
}

async function loadInstruments(): Promise<void> {
  const all = rows<Instrument>(await get(`${V1}/instruments`), 'instruments');
  batch(() => {
    store.noteDecimals(all);
    store.instruments.value = all;
    store.instrumentsAt.value = performance.now();
    const first = all.find((it) => it.position != null) ?? all[0];
    if (store.symbol.value === null && first) choose(first.symbol);
  });
}

async function loadPositions(): Promise<void> {
  store.positions.value = rows<Position>(await get(`${V1}/positions`), 'positions');
}

async function loadOrders(): Promise<void> {
  store.orders.value = rows<Order>(await get(`${V1}/orders?limit=200`), 'orders');
}

async function loadTrades(): Promise<void> {
  const answer = await get<{ trades: Trade[]; total?: number }>(`${V1}/trades?limit=${TRADES_PAGE}&offset=0`);
  const fresh = rows<Trade>(answer, 'trades');
  const known = new Set(fresh.map((it) => it.id));
  const older = (store.trades.value ?? []).filter((it) => !known.has(it.id));
  // Trades are newest first and never change: what was loaded below stays
  const joined = fresh.length < TRADES_PAGE ? fresh : [...fresh, ...older].slice(0, store.ROWS_MAX);
  batch(() => {
    store.trades.value = joined;
    store.tradesTotal.value = answer?.total ?? null;
  });
}

let loadingMore = false;

/** Loads the next page of trades; the table asks when its end comes into view. */
export function moreTrades(): void {
  const have = store.trades.value ?? [];
  const total = store.tradesTotal.value;
  if (loadingMore || total === null || have.length >= total || have.length >= store.ROWS_MAX) return;
  loadingMore = true;
  void guarded('older trades', async () => {
    const path = `${V1}/trades?limit=${TRADES_PAGE}&offset=${have.length}`;
    const page = rows<Trade>(await get(path), 'trades');
    const now = store.trades.value ?? [];
    const known = new Set(now.map((it) => it.id));
    store.trades.value = [...now, ...page.filter((it) => !known.has(it.id))].slice(0, store.ROWS_MAX);
  }).finally(() => {
    loadingMore = false;
  });
}

async function loadDecisions(): Promise<void> {
  store.decisions.value = rows<Decision>(await get(`${V1}/decisions?limit=500`), 'decisions');
}

async function loadRefusals(): Promise<void> {
  store.refusals.value = rows<Refusal>(await get(`${V1}/refusals?limit=500`), 'refusals');
}

async function loadAlerts(): Promise<void> {
  store.alerts.value = rows<Alert>(await get(`${V1}/alerts?limit=500`), 'alerts');
}

async function loadBreakers(): Promise<void> {
  store.breakers.value = rows<Breaker>(await get(`${V1}/breakers`), 'breakers');
}

async function loadFeeds(): Promise<void> {
  const all = rows<Feed>(await get(`${V1}/feeds`), 'feeds');
  batch(() => {
    store.feeds.value = all;
    store.feedsAt.value = performance.now();
  });
}

async function loadLatency(): Promise<void> {
  store.stages.value = rows<Stage>(await get(`${V1}/latency`), 'stages');
}

async function loadComponents(): Promise<void> {
  store.components.value = rows<Component>(await get('/health/components'), 'components');
}

async function loadEquity(): Promise<void> {
  store.equity.value = rows<EquityPoint>(await get(`${V1}/equity?limit=2000`), 'equity');
}

async function loadPerformance(): Promise<void> {
  store.performanceFigures.value = await get<Performance>(`${V1}/performance`);
}

export async function loadBars(name: string): Promise<void> {
  const query = `symbol=${encodeURIComponent(name)}&timeframe=${store.timeframe.value}&limit=${BARS_PAGE}`;
  const answer = await get<Bars>(`${V1}/bars?${query}`);
  if (store.symbol.value === name && answer.timeframe === store.timeframe.value) store.bars.value = answer;
}

export async function olderBars(name: string, timeframe: string, before: number): Promise<Bars> {
  const until = new Date(before * 1000).toISOString();
  const query = `symbol=${encodeURIComponent(name)}&timeframe=${timeframe}&limit=${BARS_PAGE}&before=${until}`;
  return get<Bars>(`${V1}/bars?${query}`);
}

async function loadMarkers(name: string): Promise<void> {
  const answer = await get(`${V1}/markers?symbol=${encodeURIComponent(name)}&limit=500`);
  if (store.symbol.value === name) store.markers.value = rows<Marker>(answer, 'markers');
}

async function loadVotes(): Promise<void> {
  const name = store.symbol.value;
  if (!name) return;
  const answer = await get<Votes>(`${V1}/votes?symbol=${encodeURIComponent(name)}`);
  if (store.symbol.value === name) store.votes.value = answer;
}

async function loadInstrument(name: string): Promise<void> {
  await Promise.all([
    guarded('bars', () => loadBars(name)),
    guarded('markers', () => loadMarkers(name)),
    guarded('votes', loadVotes),
  ]);
}

/** Shows another instrument. What belongs to the one before is gone at once. */
export function choose(name: string): void {
  if (store.symbol.value === name) return;
  batch(() => {
    store.symbol.value = name;
    store.bars.value = store.votes.value = store.market.value = null;
    store.markers.value = [];
  });
  void loadInstrument(name);
}

export function chooseTimeframe(name: typeof store.timeframe.value): void {
  store.timeframe.value = name;
  store.bars.value = null;
  if (store.symbol.value) void guarded('bars', () => loadBars(store.symbol.value ?? ''));
}

export function openTab(name: store.Tab): void {
  store.tab.value = name;
  if (name === 'results') for (const it of ['equity', 'performance']) due.delete(it);
}
