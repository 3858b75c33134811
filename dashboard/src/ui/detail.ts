/** What is opened to its numbers. */

import { signal } from '@preact/signals';
import type { Alert, Breaker, Decided, Decision, Order, Position, Refusal, Trade, Vote } from '../api/types';

export type Detail =
  | { kind: 'vote'; vote: Vote }
  | { kind: 'hold'; decided: Decided; symbol: string }
  | { kind: 'trade'; trade: Trade }
  | { kind: 'position'; position: Position }
  | { kind: 'order'; order: Order }
  | { kind: 'decision'; decision: Decision }
  | { kind: 'refusal'; refusal: Refusal }
  | { kind: 'alert'; alert: Alert }
  | { kind: 'breaker'; breaker: Breaker };

export const detail = signal<Detail | null>(null);
