import { h } from 'preact';
import { useSignalEffect } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { limitPercent, millis, moment, number, percent } from '../lib/format';
import * as store from '../state/store';
import { theme } from '../ui/theme';
import { faded, palette } from './palette';

/** Equity above, drawdown below against its limit, on one time axis. */
export function EquityChart() {
  const top = useRef<HTMLDivElement>(null);
  const bottom = useRef<HTMLDivElement>(null);
  const plots = useRef<Plots | null>(null);
  useEffect(() => {
    const resized = new ResizeObserver(() => plots.current?.resize());
    if (top.current) resized.observe(top.current);
    return () => {
      resized.disconnect();
      plots.current?.destroy();
      plots.current = null;
    };
  }, []);
  useSignalEffect(() => {
    void theme.value;
    if (!top.current || !bottom.current) return;
    plots.current?.destroy();
    plots.current = new Plots(top.current, bottom.current);
  });
  useSignalEffect(() => {
    void theme.value;
    plots.current?.show();
  });
  const points = store.equity.value;
  const empty = points !== null && points.length < 2;
  return (
    <div class="equity" role="img" aria-label="Equity and drawdown over time">
      {empty && <p class="empty">The curve begins with the second equity mark; one is taken at each closed bar.</p>}
      <div class="plot-title">Equity, USDC</div>
      <div class="plot" ref={top} />
      <div class="plot-title">
        Drawdown from the peak; the emergency stop is at {limitPercent(store.summary.value?.max_drawdown_limit)}
      </div>
      <div class="plot low" ref={bottom} />
    </div>
  );
}

type Columns = [number[], (number | null)[]];

class Plots {
  readonly #equity: uPlot;
  readonly #drawdown: uPlot;

  constructor(private readonly top: HTMLElement, private readonly bottom: HTMLElement) {
    const c = palette();
    const font = `11px ${getComputedStyle(top).fontFamily}`;
    const axis = (space: number, values: (value: number) => string): uPlot.Axis => ({
      stroke: c.faint, font, size: 70, space,
      grid: { stroke: c.grid, width: 1 }, ticks: { show: false },
      values: (_, splits) => splits.map(values),
    });
    const times: uPlot.Axis = { stroke: c.faint, font, size: 26, space: 90, values: (_, splits) => splits.map(moment), grid: { stroke: c.grid, width: 1 }, ticks: { show: false } };
    const shared = { ...this.#size(top), tzDate: (at: number) => uPlot.tzDate(new Date(at * 1000), 'Etc/UTC'), legend: { show: false } };
    const cursor: uPlot.Cursor = { sync: { key: 'equity' }, y: false, points: { size: 6 }, drag: { x: true, y: false } };
    this.#equity = new uPlot({
      ...shared, cursor,
      axes: [{ ...times, values: () => [], size: 6 }, axis(24, (it) => number(it, 0))],
      series: [{}, { stroke: c.accent, width: 1.5, fill: faded(c.accent, 0.12), spanGaps: false }],
    }, [[], []], top);
    this.#drawdown = new uPlot({
      ...shared, ...this.#size(bottom), cursor,
      axes: [times, axis(14, (it) => percent(it))],
      scales: { y: { range: (_, low) => [Math.min(low, -0.005) * 1.1, 0] } },
      series: [{}, { stroke: c.down, width: 1.5, fill: faded(c.down, 0.16), fillTo: 0, spanGaps: false }],
    }, [[], []], bottom);
    this.show();
  }

  show(): void {
    const times: number[] = [];
    const equity: (number | null)[] = [];
    const drawdown: (number | null)[] = [];
    for (const it of store.equity.value ?? []) {
      const at = millis(it.time);
      if (at === null) continue;
      times.push(at / 1000);
      equity.push(it.equity ?? null);
      drawdown.push(it.drawdown == null ? null : -Math.abs(it.drawdown));
    }
    this.#equity.setData([times, equity] satisfies Columns);
    this.#drawdown.setData([times, drawdown] satisfies Columns);
  }

  resize(): void {
    this.#equity.setSize(this.#size(this.top));
    this.#drawdown.setSize(this.#size(this.bottom));
  }

  destroy(): void {
    this.#equity.destroy();
    this.#drawdown.destroy();
  }

  #size(element: HTMLElement): { width: number; height: number } {
    return { width: Math.max(120, element.clientWidth), height: Math.max(60, element.clientHeight) };
  }
}
