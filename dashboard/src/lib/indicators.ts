/** Moving averages and Bollinger bands of a chart: one step per closed bar, a peek for the forming one. */

/** Mean and population standard deviation of the last `length` values. */
export class Rolling {
  readonly #values: Float64Array;
  #count = 0;

  constructor(readonly length: number) {
    this.#values = new Float64Array(length);
  }

  push(value: number): void {
    this.#values[this.#count % this.length] = value;
    this.#count += 1;
  }

  /** Mean after `push`, or with one more value that is not kept; null before enough values. */
  mean(next?: number): number | null {
    const window = this.#window(next);
    if (!window) return null;
    let sum = 0;
    for (const value of window) sum += value;
    return sum / this.length;
  }

  /** Half the width of a band of `deviations` population standard deviations. */
  spread(deviations: number, next?: number): number | null {
    const window = this.#window(next);
    const mean = this.mean(next);
    if (!window || mean === null) return null;
    let squares = 0;
    for (const value of window) squares += (value - mean) ** 2;
    return deviations * Math.sqrt(squares / this.length);
  }

  clear(): void {
    this.#count = 0;
  }

  #window(next?: number): Float64Array | null {
    if (next === undefined) return this.#count >= this.length ? this.#values : null;
    if (this.#count + 1 < this.length) return null;
    const window = this.#values.slice();
    window[this.#count % this.length] = next;
    return window;
  }
}
