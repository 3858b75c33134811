import { afterEach, expect, it, vi } from 'vitest';
import { get, post } from '../src/api/http';
import { actionKey } from '../src/api/key';

afterEach(() => vi.restoreAllMocks());

/** Plays the network: keeps what was sent. */
function network(): { sent: RequestInit[]; waits: number[] } {
  const sent: RequestInit[] = [];
  const waits: number[] = [];
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (_, init) => {
    sent.push(init ?? {});
    return Response.json({});
  });
  vi.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => {
    waits.push(ms);
    return new AbortController().signal;
  });
  return { sent, waits };
}

it('gives a command its name, with or without a body', async () => {
  const { sent } = network();
  await post('/api/v1/pause', 'one');
  await post('/api/v1/positions/3/close', 'two', { fraction: 0.5 });
  expect(sent.map((it) => (it.headers as Record<string, string>)['Idempotency-Key'])).toEqual(['one', 'two']);
  expect(sent[1]?.body).toBe('{"fraction":0.5}');
});

it('waits longer for a command than the API does for the trading process', async () => {
  const { waits } = network();
  await get('/api/v1/summary');
  await post('/api/v1/pause', 'one');
  expect(waits[0]).toBeLessThan(10_000);
  expect(waits[1]).toBeGreaterThan(12_000);
});

it('names every action differently, within what the API takes', () => {
  const names = Array.from({ length: 100 }, actionKey);
  expect(new Set(names).size).toBe(100);
  for (const name of names) expect(name).toMatch(/^[\d-]{7,64}$/);
});
