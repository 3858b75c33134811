/** Which rows of a long list are drawn. */

export interface Window {
  first: number;
  /** One past the last. */
  end: number;
}

export const OVERSCAN = 6;

export function visible(
  { top, height, row, count }: { top: number; height: number; row: number; count: number },
): Window {
  const first = Math.max(0, Math.min(count, Math.floor(top / row) - OVERSCAN));
  const end = Math.min(count, Math.ceil((top + height) / row) + OVERSCAN);
  return { first, end: Math.max(first, end) };
}

/** Where to scroll after `added` rows came in above, so that what is read stays in place. */
export function anchored(top: number, added: number, row: number): number {
  return top <= 1 || added <= 0 ? top : top + added * row;
}
