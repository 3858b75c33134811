/** Wait before the next attempt, milliseconds: doubling from `first` to `most`, spread by `draw` in [0, 1). */
export function backoff(attempt: number, first: number, most: number, draw: number): number {
  const full = Math.min(most, first * 2 ** Math.min(attempt, 16));
  return Math.round(full * (0.5 + 0.5 * draw));
}
