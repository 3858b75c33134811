/** Lines that are computed from the bars of a chart. */

import type { LineData, UTCTimestamp, WhitespaceData } from 'lightweight-charts';
import type { Bar } from '../api/types';
import { Rolling } from '../lib/indicators';

export const LINES = ['sma20', 'sma50', 'sma200', 'upper', 'lower'] as const;
export type Line = (typeof LINES)[number];
export type Values = Record<Line, number | null>;

const BAND_DEVIATIONS = 2;

export class Overlays {
  readonly #means = { sma20: new Rolling(20), sma50: new Rolling(50), sma200: new Rolling(200) };

  clear(): void {
    for (const it of Object.values(this.#means)) it.clear();
  }

  /** Values with a closed bar, which is kept. */
  push(close: number): Values {
    for (const it of Object.values(this.#means)) it.push(close);
    return this.#values();
  }

  /** Values with the forming bar, which is not kept. */
  peek(close: number): Values {
    return this.#values(close);
  }

  #values(next?: number): Values {
    const middle = this.#means.sma20.mean(next);
    const spread = this.#means.sma20.spread(BAND_DEVIATIONS, next);
    const known = middle !== null && spread !== null;
    return {
      sma20: middle,
      sma50: this.#means.sma50.mean(next),
      sma200: this.#means.sma200.mean(next),
      upper: known ? middle + spread : null,
      lower: known ? middle - spread : null,
    };
  }
}

/** A point of a line; unknown is a gap, not 0. */
export function point(bar: Bar, value: number | null): LineData | WhitespaceData {
  const time = bar.time as UTCTimestamp;
  return value === null ? { time } : { time, value };
}
