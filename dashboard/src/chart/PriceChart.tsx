import { h, Fragment } from 'preact';
import { signal, useSignalEffect } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { Bar, Timeframe } from '../api/types';
import { DASH, compact, price, second, signedPercent } from '../lib/format';
import { folded, SECONDS } from '../state/fold';
import { chooseTimeframe, guarded, loadBars, olderBars } from '../state/polls';
import * as store from '../state/store';
import { theme } from '../ui/theme';
import { PriceView, type Level, type Reading, type Shown } from './PriceView';

const shown = signal<Shown>({ averages: true, bands: true, volume: true });
const reading = signal<Reading>({ bar: null, lines: null });

export function PriceChart() {
  const place = useRef<HTMLDivElement>(null);
  const view = useRef<PriceView | null>(null);
  useEffect(() => {
    if (!place.current) return;
    const chart = new PriceView(place.current, (it) => (reading.value = it), older, reload);
    view.current = chart;
    return () => {
      view.current = null;
      chart.destroy();
    };
  }, []);
  useSignalEffect(() => {
    const loaded = store.bars.value;
    const decimals = store.decimals.value;
    if (!loaded) view.current?.clear();
    else view.current?.setBars(loaded.bars, loaded.forming ?? null, loaded.timeframe as Timeframe, decimals);
    view.current?.setMarkers(store.markers.peek());
  });
  useSignalEffect(() => view.current?.setMarkers(store.markers.value));
  useSignalEffect(() => {
    const message = store.market.value;
    if (message && store.bars.peek()) live(view.current);
  });
  useSignalEffect(() => view.current?.setLevels(levels()));
  useSignalEffect(() => view.current?.show(shown.value));
  useSignalEffect(() => {
    void theme.value;
    // The style sheet applies before the next frame
    requestAnimationFrame(() => view.current?.paint());
  });
  return (
    <section class="chart" aria-label="Price chart">
      <ChartHead onHome={() => view.current?.home()} />
      <div class="chart-body">
        <Legend />
        <div class="chart-canvas" ref={place} role="img" aria-label={`Candles of ${store.symbol.value ?? 'no instrument'}`} />
        <ChartNote />
        <a class="tv" id="tv-attr-logo" href="https://www.tradingview.com/" target="_blank" rel="noopener noreferrer" title="Charting by TradingView">
          <svg viewBox="0 0 35 19" width="35" height="19" aria-hidden="true">
            <path fill="currentColor" d="M14 2H2v6h6v9h6V2Zm12 15h-7l6-15h7l-6 15Zm-7-9a3 3 0 1 0 0-6 3 3 0 0 0 0 6Z" />
          </svg>
          <span class="sr">Charting by TradingView</span>
        </a>
      </div>
    </section>
  );
}

async function older(before: number): Promise<Bar[]> {
  const name = store.symbol.peek();
  if (!name) return [];
  let bars: Bar[] = [];
  await guarded('older bars', async () => {
    bars = (await olderBars(name, store.timeframe.peek(), before)).bars;
  });
  return bars;
}

const RELOAD_MS = 2000;
let reloadedAt = 0;

/** Loads the chart again when bars were left out, as fast simulated time does. */
function reload(): void {
  const name = store.symbol.peek();
  const now = performance.now();
  if (!name || now - reloadedAt < RELOAD_MS) return;
  reloadedAt = now;
  void guarded('bars', () => loadBars(name));
}

/** A market message on the chart: its own bars, or its price where the timeframe is another. */
function live(chart: PriceView | null): void {
  const message = store.market.peek();
  const frame = store.timeframe.peek();
  if (!chart || !message) return;
  const own = (message.timeframe ?? store.summary.peek()?.timeframe ?? '15m') === frame;
  if (own) {
    if (message.closed) chart.take(message.closed, true);
    if (message.forming) chart.take(message.forming, false);
    return;
  }
  const at = typeof message.ts === 'number' ? message.ts : Date.parse(message.ts ?? '') / 1000;
  if (message.price == null || !Number.isFinite(at)) return;
  const last = formingOf.get(frame);
  const key = `${message.symbol} ${frame}`;
  const before = last?.key === key ? last.bar : (store.bars.peek()?.forming ?? null);
  const bar = folded(before, message.price, at, frame);
  formingOf.clear();
  formingOf.set(frame, { key, bar });
  if (at - bar.time < SECONDS[frame]) chart.take(bar, false);
}
/** The bar that forms on the page, when the chart's timeframe is not the strategies' own. */
const formingOf = new Map<Timeframe, { key: string; bar: Bar }>();

function levels(): Level[] {
  const position = store.held.value;
  if (!position) return [];
  const all: [Level['title'], number | null | undefined][] = [
    ['Entry', position.entry_price], ['Stop', position.stop], ['Target', position.target],
  ];
  return all.flatMap(([title, value]) => (value == null ? [] : [{ title, price: value }]));
}

function ChartHead({ onHome }: { onHome: () => void }) {
  const toggle = (name: keyof Shown) => () => (shown.value = { ...shown.value, [name]: !shown.value[name] });
  const item = (name: keyof Shown, text: string) => (
    <button type="button" class="quiet" aria-pressed={shown.value[name]} onClick={toggle(name)}>{text}</button>
  );
  return (
    <div class="chart-head">
      <h2>{store.symbol.value ?? DASH}</h2>
      <div class="segments" role="group" aria-label="Timeframe">
        {store.TIMEFRAMES.map((name) => (
          <button type="button" key={name} class="quiet" aria-pressed={store.timeframe.value === name} onClick={() => chooseTimeframe(name)}>
            {name}
          </button>
        ))}
      </div>
      <div class="segments overlays" role="group" aria-label="Overlays">
        {item('averages', 'SMA 20 · 50 · 200')}
        {item('bands', 'Bollinger')}
        {item('volume', 'Volume')}
        <button type="button" class="quiet" onClick={onHome} title="Back to the newest bar">Latest</button>
      </div>
    </div>
  );
}

function Legend() {
  const { bar, lines } = reading.value;
  const decimals = store.decimals.value;
  if (!bar) return null;
  const text = (value: number | null | undefined): string => price(value, decimals);
  const change = bar.open ? bar.close / bar.open - 1 : null;
  return (
    <div class="legend" aria-hidden="true">
      <span class="legend-time">{second(bar.time).slice(0, 16)} UTC</span>
      <span><i>O</i>{text(bar.open)}</span>
      <span><i>H</i>{text(bar.high)}</span>
      <span><i>L</i>{text(bar.low)}</span>
      <span><i>C</i>{text(bar.close)}</span>
      <span class={change !== null && change < 0 ? 'down' : 'up'}>{signedPercent(change, 2)}</span>
      {shown.value.volume && <span class="volume"><i>Vol</i>{compact(bar.volume)}</span>}
      {shown.value.averages && lines && (
        <>
          <span class="sma20"><i>20</i>{text(lines.sma20)}</span>
          <span class="sma50"><i>50</i>{text(lines.sma50)}</span>
          <span class="sma200"><i>200</i>{text(lines.sma200)}</span>
        </>
      )}
    </div>
  );
}

function ChartNote() {
  const fault = store.faults.value.get('bars');
  if (fault) return <p class="chart-note" role="status">No bars: {fault}</p>;
  const loaded = store.bars.value;
  if (!loaded) return <p class="chart-note">Loading bars…</p>;
  if (loaded.bars.length === 0 && !loaded.forming) {
    return <p class="chart-note">No {loaded.timeframe} bars of {loaded.symbol} yet: the first one closes when its time is over.</p>;
  }
  return null;
}
