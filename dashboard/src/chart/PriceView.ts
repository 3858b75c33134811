/** The price chart of one instrument: candles, volume, overlays, levels and fills. */

import {
  type AutoscaleInfo, CandlestickSeries, ColorType, CrosshairMode, HistogramSeries, LineSeries, LineStyle, createChart,
  createSeriesMarkers, type CandlestickData, type HistogramData, type IChartApi, type IPriceLine,
  type ISeriesApi, type ISeriesMarkersPluginApi, type SeriesMarker, type UTCTimestamp, type WhitespaceData,
} from 'lightweight-charts';
import type { Bar, Marker, Timeframe } from '../api/types';
import { decimalsFor } from '../lib/format';
import { BARS_KEPT, BARS_MAX, bounded, prepended, SECONDS, step } from '../state/fold';
import { narrow } from '../ui/narrow';
import { LINES, Overlays, point, type Line, type Values } from './overlays';
import { faded, palette, type Palette } from './palette';

export interface Level {
  title: 'Entry' | 'Stop' | 'Target';
  price: number;
}

export interface Reading {
  bar: Bar | null;
  lines: Values | null;
}

export interface Shown {
  averages: boolean;
  bands: boolean;
  volume: boolean;
}

const VISIBLE_BARS = 130;
const VISIBLE_BARS_NARROW = 64;
const RIGHT_BARS = 6;

export class PriceView {
  readonly #chart: IChartApi;
  readonly #candles: ISeriesApi<'Candlestick'>;
  readonly #volume: ISeriesApi<'Histogram'>;
  readonly #lines: Record<Line, ISeriesApi<'Line'>>;
  readonly #marks: ISeriesMarkersPluginApi<UTCTimestamp>;
  readonly #overlays = new Overlays();
  #levels: { level: Level; line: IPriceLine }[] = [];
  #bars: Bar[] = [];
  #fills: Marker[] = [];
  /** Whether the last bar is still forming: it is not in the overlays yet. */
  #forming = false;
  #timeframe: Timeframe = '15m';
  #decimals = 2;
  #colors: Palette = palette();
  #complete = false;
  #asking = false;

  constructor(
    private readonly element: HTMLElement,
    private readonly onRead: (reading: Reading) => void,
    private readonly older: (before: number) => Promise<Bar[]>,
    private readonly onGap: () => void,
  ) {
    this.#chart = createChart(element, {
      autoSize: true,
      layout: { attributionLogo: false, background: { type: ColorType.Solid, color: 'transparent' }, fontSize: 11 },
      crosshair: { mode: CrosshairMode.Normal },
      timeScale: { timeVisible: true, secondsVisible: false, rightOffset: RIGHT_BARS, minBarSpacing: 1 },
      rightPriceScale: { scaleMargins: { top: 0.08, bottom: 0.2 }, borderVisible: false, minimumWidth: 76 },
      handleScale: { axisPressedMouseMove: { price: true, time: true } },
      // A chart in a page that scrolls on a phone must let vertical swipes through
      handleScroll: { vertTouchDrag: false },
    });
    this.#volume = this.#chart.addSeries(HistogramSeries, {
      priceScaleId: 'volume', priceFormat: { type: 'volume' }, lastValueVisible: false, priceLineVisible: false,
    });
    this.#volume.priceScale().applyOptions({ scaleMargins: { top: 0.84, bottom: 0 } });
    const line = (width: 1 | 2): ISeriesApi<'Line'> =>
      this.#chart.addSeries(LineSeries, {
        lineWidth: width, lastValueVisible: false, priceLineVisible: false, crosshairMarkerVisible: false,
      });
    this.#lines = { sma200: line(1), upper: line(1), lower: line(1), sma50: line(1), sma20: line(1) };
    this.#candles = this.#chart.addSeries(CandlestickSeries, {
      borderVisible: false,
      // Stop, entry and target belong into the picture when they are near
      autoscaleInfoProvider: (own: () => AutoscaleInfo | null) => withLevels(own(), this.#levels.map((it) => it.level.price)),
    });
    this.#marks = createSeriesMarkers(this.#candles, []) as ISeriesMarkersPluginApi<UTCTimestamp>;
    this.#chart.subscribeCrosshairMove((move) => this.#read(move.time as UTCTimestamp | undefined));
    this.#chart.timeScale().subscribeVisibleLogicalRangeChange((range) => {
      if (range && range.from < 20) void this.#loadOlder();
    });
    this.paint();
  }

  destroy(): void {
    this.#chart.remove();
    this.element.replaceChildren();
  }

  /** Applies the colours of the current theme. */
  paint(): void {
    const c = (this.#colors = palette());
    this.#chart.applyOptions({
      layout: { textColor: c.faint, fontFamily: getComputedStyle(this.element).fontFamily },
      grid: { vertLines: { color: c.grid }, horzLines: { color: c.grid } },
      crosshair: { vertLine: { color: c.faint, labelBackgroundColor: c.neutral }, horzLine: { color: c.faint, labelBackgroundColor: c.neutral } },
      timeScale: { borderColor: c.line },
    });
    this.#candles.applyOptions({
      upColor: c.up, downColor: c.down, wickUpColor: c.up, wickDownColor: c.down,
    });
    const band = faded(c.band, 0.75);
    const colors: Record<Line, string> = { sma20: c.sma20, sma50: c.sma50, sma200: c.sma200, upper: band, lower: band };
    for (const name of LINES) this.#lines[name].applyOptions({ color: colors[name] });
    for (const name of ['upper', 'lower'] as const) this.#lines[name].applyOptions({ lineStyle: LineStyle.Dashed });
    const levels = this.#levels.map((it) => it.level);
    this.setLevels([]);
    this.setLevels(levels);
    if (this.#bars.length) this.#redraw();
    this.setMarkers(this.#fills);
  }

  show(shown: Shown): void {
    for (const name of ['sma20', 'sma50', 'sma200'] as const) this.#lines[name].applyOptions({ visible: shown.averages });
    for (const name of ['upper', 'lower'] as const) this.#lines[name].applyOptions({ visible: shown.bands });
    this.#volume.applyOptions({ visible: shown.volume });
  }

  /** Replaces all bars; `forming` is the one that is not closed yet. */
  setBars(bars: Bar[], forming: Bar | null, timeframe: Timeframe, decimals: number | null): void {
    const sameView = this.#timeframe === timeframe && this.#bars.length > 0;
    this.#timeframe = timeframe;
    this.#complete = false;
    this.#decimals = decimals ?? decimalsFor(bars.at(-1)?.close ?? forming?.close);
    const minMove = 10 ** -this.#decimals;
    const priceFormat = { type: 'price' as const, precision: this.#decimals, minMove };
    this.#candles.applyOptions({ priceFormat });
    for (const name of LINES) this.#lines[name].applyOptions({ priceFormat });
    this.#bars = forming ? [...bars.filter((bar) => bar.time < forming.time), forming] : bars.slice();
    this.#forming = forming !== null;
    this.#redraw();
    if (!sameView) this.home();
  }

  clear(): void {
    this.#bars = [];
    this.#forming = false;
    this.setMarkers([]);
    this.#redraw();
  }

  /** Takes a bar of the live connection. */
  take(bar: Bar, closed: boolean): void {
    const next = step(this.#bars.at(-1)?.time ?? null, bar, this.#timeframe);
    if (next.kind === 'none') return;
    if (next.kind === 'gap') {
      this.onGap();
      return;
    }
    if (next.kind === 'update') {
      // A bar that is already closed cannot form again
      if (!this.#forming && !closed) return;
      // The live bar may know no volume where the loaded one did
      const before = this.#bars[this.#bars.length - 1];
      this.#bars[this.#bars.length - 1] = bar.volume == null ? { ...bar, volume: before?.volume ?? null } : bar;
    } else {
      const last = this.#bars.at(-1);
      if (this.#forming && last) this.#draw(last, this.#overlays.push(last.close));
      this.#bars.push(bar);
      this.#forming = true;
    }
    const current = this.#bars[this.#bars.length - 1] ?? bar;
    this.#forming = !closed;
    this.#draw(current, closed ? this.#overlays.push(current.close) : this.#overlays.peek(current.close));
    if (this.#bars.length > BARS_MAX) {
      this.#bars = bounded(this.#bars, BARS_MAX, BARS_KEPT);
      this.#redraw();
    }
  }

  setLevels(levels: Level[]): void {
    const same = levels.length === this.#levels.length &&
      levels.every((it, i) => it.title === this.#levels[i]?.level.title && it.price === this.#levels[i]?.level.price);
    if (same) return;
    this.element.dataset['levels'] = String(levels.length);
    for (const { line } of this.#levels) this.#candles.removePriceLine(line);
    const colors = { Entry: this.#colors.neutral, Stop: this.#colors.down, Target: this.#colors.up };
    this.#levels = levels.map((level) => ({
      level,
      line: this.#candles.createPriceLine({
        price: level.price, title: level.title, color: colors[level.title], lineWidth: 1,
        lineStyle: LineStyle.Dashed, axisLabelVisible: true, axisLabelColor: colors[level.title],
        axisLabelTextColor: this.#colors.surface,
      }),
    }));
  }

  /** Fills, put on the bar they happened in. */
  setMarkers(fills: Marker[]): void {
    this.#fills = fills;
    const span = SECONDS[this.#timeframe];
    const first = this.#bars[0]?.time ?? Number.POSITIVE_INFINITY;
    const marks: SeriesMarker<UTCTimestamp>[] = fills
      .map((it) => ({ it, time: Math.floor(it.time / span) * span }))
      .filter(({ time }) => time >= first)
      .sort((a, b) => a.time - b.time)
      .map(({ it, time }) => ({
        time: time as UTCTimestamp,
        position: it.side === 'BUY' ? 'belowBar' : 'aboveBar',
        shape: it.side === 'BUY' ? 'arrowUp' : 'arrowDown',
        color: it.side === 'BUY' ? this.#colors.accent : this.#colors.warn,
        ...(narrow.peek() ? {} : { text: markerText(it) }),
        size: 1,
      }));
    this.#marks.setMarkers(marks);
    this.element.dataset['fills'] = String(marks.length);
  }

  /** Back to the newest bars. */
  home(): void {
    const count = this.#bars.length;
    this.#chart.timeScale().setVisibleLogicalRange({ from: count - (narrow.peek() ? VISIBLE_BARS_NARROW : VISIBLE_BARS), to: count + RIGHT_BARS });
    this.#chart.priceScale('right').applyOptions({ autoScale: true });
  }

  #redraw(): void {
    const candles: CandlestickData[] = [];
    const volumes: (HistogramData | WhitespaceData)[] = [];
    const points: Record<Line, ReturnType<typeof point>[]> = { sma20: [], sma50: [], sma200: [], upper: [], lower: [] };
    this.#overlays.clear();
    this.#bars.forEach((bar, index) => {
      const isForming = this.#forming && index === this.#bars.length - 1;
      const values = isForming ? this.#overlays.peek(bar.close) : this.#overlays.push(bar.close);
      candles.push(candle(bar));
      volumes.push(this.#column(bar));
      for (const name of LINES) points[name].push(point(bar, values[name]));
    });
    this.#candles.setData(candles);
    this.#volume.setData(volumes);
    for (const name of LINES) this.#lines[name].setData(points[name]);
    this.element.dataset['bars'] = String(this.#bars.length);
    this.#read(undefined);
  }

  #draw(bar: Bar, values: Values): void {
    this.#candles.update(candle(bar));
    this.#volume.update(this.#column(bar));
    for (const name of LINES) this.#lines[name].update(point(bar, values[name]));
    if (bar === this.#bars.at(-1) && !this.#hovering) this.onRead({ bar, lines: values });
  }

  #hovering = false;

  #read(time: UTCTimestamp | undefined): void {
    this.#hovering = time !== undefined;
    const bar = (time === undefined ? undefined : this.#bars.findLast((it) => it.time === time)) ?? this.#bars.at(-1);
    if (!bar) {
      this.onRead({ bar: null, lines: null });
      return;
    }
    const lines = Object.fromEntries(LINES.map((name) => [name, this.#valueAt(name, bar.time)])) as Values;
    this.onRead({ bar, lines });
  }

  #valueAt(name: Line, time: number): number | null {
    const offset = this.#bars.findLastIndex((it) => it.time === time);
    const data = this.#lines[name].dataByIndex(offset);
    return data && 'value' in data ? data.value : null;
  }

  async #loadOlder(): Promise<void> {
    const first = this.#bars[0];
    if (!first || this.#complete || this.#asking || this.#bars.length >= BARS_KEPT) return;
    this.#asking = true;
    try {
      const bars = await this.older(first.time);
      // Another instrument may have been chosen meanwhile
      if (this.#bars[0] !== first) return;
      this.#complete = bars.length === 0;
      if (this.#complete) return;
      const range = this.#chart.timeScale().getVisibleLogicalRange();
      const before = this.#bars.length;
      this.#bars = prepended(bars, this.#bars);
      const added = this.#bars.length - before;
      this.#redraw();
      this.setMarkers(this.#fills);
      if (range) this.#chart.timeScale().setVisibleLogicalRange({ from: range.from + added, to: range.to + added });
    } finally {
      this.#asking = false;
    }
  }

  #column(bar: Bar): HistogramData | WhitespaceData {
    const time = bar.time as UTCTimestamp;
    if (bar.volume == null) return { time };
    const color = faded(bar.close >= bar.open ? this.#colors.up : this.#colors.down, 0.32);
    return { time, value: bar.volume, color };
  }
}

/** The range of the candles, stretched to levels no further away than its own height. */
export function withLevels(info: AutoscaleInfo | null, levels: readonly number[]): AutoscaleInfo | null {
  const range = info?.priceRange;
  if (!info || !range) return info;
  const height = range.maxValue - range.minValue;
  const near = levels.filter((it) => it > range.minValue - height && it < range.maxValue + height);
  const priceRange = { minValue: Math.min(range.minValue, ...near), maxValue: Math.max(range.maxValue, ...near) };
  return { ...info, priceRange };
}

function candle(bar: Bar): CandlestickData {
  return { time: bar.time as UTCTimestamp, open: bar.open, high: bar.high, low: bar.low, close: bar.close };
}

function markerText(fill: Marker): string {
  if (fill.side === 'BUY') return 'Buy';
  const reason = fill.reason?.replaceAll('_', ' ').toLowerCase() ?? 'sell';
  return reason.charAt(0).toUpperCase() + reason.slice(1);
}
