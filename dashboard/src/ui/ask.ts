/** Questions before something that cannot be taken back. */

import { signal } from '@preact/signals';
import type { Position } from '../api/types';
import { number } from '../lib/format';
import { closeAll, closePosition, reset } from '../state/actions';
import * as store from '../state/store';

export interface Question {
  title: string;
  /** What will happen, for a fraction where one can be chosen. */
  what: (fraction: number) => string;
  yes: string;
  fractions: boolean;
  act: (fraction: number) => void;
}

export const question = signal<Question | null>(null);

function worth(position: Position): number | null {
  const price = position.current_price ?? position.entry_price;
  return position.size == null || price == null ? null : position.size * price;
}

/** Sum of what is held at the last prices; null when one of them is unknown. */
export function heldValue(all: readonly Position[]): number | null {
  let sum = 0;
  for (const it of all) {
    const value = worth(it);
    if (value === null) return null;
    sum += value;
  }
  return sum;
}

function about(value: number | null): string {
  return value === null ? 'at a value that is not known now' : `about ${number(value, value < 100 ? 2 : 0)} USDC`;
}

/** What selling everything means, in words. */
export function sellingAll(all: readonly Position[] | null): string {
  if (all === null) return 'Sells every position at market';
  if (all.length === 0) return 'No position is open, so nothing is sold';
  const count = all.length === 1 ? '1 position' : `${all.length} positions`;
  return `Sells ${count} at market, ${about(heldValue(all))}`;
}

export function askClose(position: Position): void {
  const value = worth(position);
  question.value = {
    title: `Close ${position.symbol}`,
    what: (fraction) =>
      `Sells ${fraction === 1 ? 'all' : `${Math.round(fraction * 100)}%`} of the position at market, ` +
      `${about(value === null ? null : value * fraction)}.` +
      (fraction === 1 ? '' : ' Stop and target stay for the rest.'),
    yes: 'Sell at market',
    fractions: true,
    act: (fraction) => closePosition(position, fraction),
  };
}

export function askCloseAll(): void {
  const all = store.positions.peek();
  question.value = {
    title: 'Close all positions',
    what: () => `${sellingAll(all)}. The bot goes on and may enter again; pause it first if it should not.`,
    yes: 'Sell everything',
    fractions: false,
    act: () => closeAll(),
  };
}

export function askReset(): void {
  question.value = {
    title: 'Reset after the emergency stop',
    what: () => 'Lets the bot trade again. The drawdown is measured from the equity at this moment on.',
    yes: 'Reset and trade',
    fractions: false,
    act: () => reset(),
  };
}
