/** Commands to the bot: what was asked, whether it was taken, and whether it has happened. */

import { signal } from '@preact/signals';
import { ApiError, post } from '../api/http';
import { actionKey } from '../api/key';
import type { Accepted, Position } from '../api/types';
import { refreshAfterTrade, refreshAll, refreshSummary } from './polls';
import * as store from './store';

export interface Notice {
  id: number;
  title: string;
  phase: 'sending' | 'taken' | 'done' | 'failed';
  text: string;
  /** Tells whether what was asked has happened, or how far it is. */
  progress: () => { done: boolean; text: string };
  /** `performance.now()` after which the page stops waiting, or forgets what is over. */
  until: number;
  /** Gives the same command again, where nobody knows whether it was taken. */
  again?: () => void;
}

export const notices = signal<Notice[]>([]);
const NOTICES_MAX = 4;
const WAIT_MS = 60_000;
const LINGER_MS = 6000;
let nextId = 1;

/** A command, as it is sent. */
interface Asked {
  title: string;
  path: string;
  progress: Notice['progress'];
  body?: unknown;
}

function give(title: string, path: string, progress: Notice['progress'], body?: unknown): void {
  void send({ title, path, progress, body }, actionKey());
}

/** Sends a command under the name of what the user did, which is the same in every attempt. */
async function send(asked: Asked, action: string): Promise<void> {
  const { title, path, progress, body } = asked;
  const id = nextId++;
  const notice: Notice = {
    id, title, progress, phase: 'sending', text: 'sending', until: performance.now() + WAIT_MS,
  };
  notices.value = [...notices.value, notice].slice(-NOTICES_MAX);
  try {
    const answer = await post<Accepted>(path, action, body);
    const place = answer?.seq == null ? '' : ` (record ${answer.seq.toLocaleString('en-US')})`;
    change(id, { phase: 'taken', text: `taken${place}` });
    refreshAfterTrade();
    refreshSummary();
    follow();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 401) store.needsKey.value = 'missing';
    if (error.status !== 0 && error.status < 500) {
      change(id, { phase: 'failed', text: said(error), until: performance.now() + 2 * LINGER_MS });
      return;
    }
    const again = (): void => {
      dismiss(id);
      void send(asked, action);
    };
    change(id, { phase: 'failed', text: `${said(error)}; it may have been taken`, again, until: performance.now() + WAIT_MS });
  }
}

function said(error: ApiError): string {
  if (error.status === 401) return 'the API asks for a key';
  if (error.status === 403) return `this key may not do that (${error.message})`;
  const expected = error.details['expected'];
  return typeof expected === 'string' ? `${error.message}; expected ${expected}` : error.message;
}

function change(id: number, changes: Partial<Notice>): void {
  notices.value = notices.value.map((it) => (it.id === id ? { ...it, ...changes } : it));
}

export function dismiss(id: number): void {
  notices.value = notices.value.filter((it) => it.id !== id);
}

/** Looks whether what was asked has happened. Called with the page's clock. */
export function follow(): void {
  const now = performance.now();
  for (const it of notices.peek()) {
    if (it.phase === 'taken') {
      const { done, text } = it.progress();
      if (done) change(it.id, { phase: 'done', text, until: now + LINGER_MS });
      else if (now > it.until) change(it.id, { phase: 'failed', text: `taken, and not seen yet: ${text}`, until: now + 2 * LINGER_MS });
      else if (text !== it.text) change(it.id, { text });
    } else if (it.phase !== 'sending' && now > it.until) {
      dismiss(it.id);
    }
  }
}

function reaches(...states: string[]): Notice['progress'] {
  return () => {
    const state = store.summary.peek()?.status ?? '';
    return { done: states.includes(state), text: states.includes(state) ? 'in force' : 'taken, waiting for the bot' };
  };
}

export function pause(): void {
  give('Pause', '/api/v1/pause', reaches('PAUSED'));
}

export function resume(): void {
  give('Resume', '/api/v1/resume', reaches('RUNNING', 'DEGRADED'));
}

export function safeMode(): void {
  give('Safe mode', '/api/v1/safe_mode', reaches('SAFE_MODE'));
}

export function reset(): void {
  give('Reset', '/api/v1/reset', reaches('RUNNING', 'DEGRADED', 'PAUSED', 'STARTING'));
}

export function closeAll(): void {
  const ids = new Set((store.positions.peek() ?? []).map((it) => it.id));
  give('Close all', '/api/v1/positions/close_all', () => {
    const left = (store.positions.peek() ?? []).filter((it) => ids.has(it.id)).length;
    return { done: left === 0, text: `${ids.size - left} of ${ids.size} sold` };
  });
}

/** Sells a fraction (0..1] of a position. */
export function closePosition(position: Position, fraction: number): void {
  const before = position.size ?? 0;
  const what = fraction === 1 ? position.symbol : `${Math.round(fraction * 100)}% of ${position.symbol}`;
  const progress = (): { done: boolean; text: string } => {
    const now = store.positions.peek()?.find((it) => it.id === position.id);
    const done = fraction === 1 ? !now : !now || (now.size ?? before) < before;
    return { done, text: done ? 'sold' : 'selling' };
  };
  const path = `/api/v1/positions/${encodeURIComponent(String(position.id))}/close`;
  give(`Close ${what}`, path, progress, fraction === 1 ? undefined : { fraction });
}

document.addEventListener('utb:stopped', () => refreshAll());
