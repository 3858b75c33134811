import { h, Fragment } from 'preact';
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { ApiError, get } from '../api/http';
import type { DecisionVote, LifeEvent, Trade, TradeDetail } from '../api/types';
import { DASH, anything, capital, duration, millis, number, plain, price, second, signed, size, words } from '../lib/format';
import { decimalsOf } from '../state/store';
import { Facts, VotesTable } from './DetailPanel';

/** A round trip, or an open position: result, costs, and its life from the decision to the last fill. */
export function TradeDetailView({ id, trade }: { id: string; trade: Trade | null }) {
  const loaded = useSignal<TradeDetail | null>(null);
  const fault = useSignal<string | null>(null);
  useEffect(() => {
    get<TradeDetail>(`/api/v1/trades/${encodeURIComponent(id)}`)
      .then((it) => (loaded.value = it))
      .catch((error: unknown) => {
        if (!(error instanceof ApiError)) throw error;
        fault.value = error.message;
      });
  }, [id]);
  const it = loaded.value?.trade ?? trade;
  return (
    <>
      {it && <Result it={it} />}
      {fault.value && <p role="status" class="bad">No timeline: {fault.value}</p>}
      {!loaded.value && !fault.value && <p class="empty">Loading the timeline…</p>}
      {loaded.value && <Timeline all={loaded.value.timeline} />}
    </>
  );
}

function Result({ it }: { it: Trade }) {
  const decimals = decimalsOf(it.symbol);
  const gain = it.pnl ?? null;
  return (
    <>
      <p class={`result ${gain === null || gain === 0 ? '' : gain > 0 ? 'up' : 'down'}`}>
        {signed(gain)} USDC{it.r_multiple == null ? '' : <small> {signed(it.r_multiple)} R</small>}
      </p>
      <Facts facts={[
        ['Bought', `${size(it.size)} at ${price(it.price, decimals)}`],
        ['Sold', `at ${price(it.exit_price, decimals)}, ${words(it.exit_reason)}`],
        ['Lead strategy', words(it.strategy)],
        ['Held', held(it)],
        ['Decision to fill', it.execution_ms == null ? DASH : `${number(it.execution_ms, 0)} ms`],
        ['Slippage', `${number(it.slippage_bps, 1)} bps`],
        ...Object.entries(it.costs ?? {}).map(([name, value]) => [`Cost: ${words(name)}`, `${number(value)} USDC`] as const),
      ]} />
    </>
  );
}

function held(it: Trade): string {
  const from = millis(it.opened_at);
  const to = millis(it.timestamp);
  return from === null || to === null ? DASH : duration((to - from) / 1000);
}

function Timeline({ all }: { all: readonly LifeEvent[] }) {
  if (all.length === 0) return <p class="empty">The journal holds no timeline of it.</p>;
  return (
    <>
      <h3>Timeline</h3>
      <ol class="timeline">
        {all.map((event, index) => (
          <li key={event.seq}>
            <time>{second(event.timestamp).slice(5)}</time>
            <details>
              <summary>{capital(plain(event.text) || words(event.kind))}</summary>
              <Numbers data={event.data} />
            </details>
            <span class="since">{since(all[index - 1], event)}</span>
          </li>
        ))}
      </ol>
    </>
  );
}

/** Time since the step before. */
function since(before: LifeEvent | undefined, event: LifeEvent): string {
  const from = millis(before?.timestamp);
  const to = millis(event.timestamp);
  if (from === null || to === null || to <= from) return '';
  return `+${to - from < 1000 ? `${to - from} ms` : duration((to - from) / 1000)}`;
}

/** The numbers of one record; votes and size factors as what they are. */
function Numbers({ data }: { data: Record<string, unknown> }) {
  const { votes, factors, ...rest } = data;
  const known = Object.entries(rest).filter(([, value]) => value !== null);
  return (
    <>
      <Facts facts={known.map(([name, value]) => [words(name), anything(value)] as const)} />
      {factors != null && (
        <Facts facts={Object.entries(factors as Record<string, number>).map(([name, value]) => [`× ${words(name)}`, number(value)] as const)} />
      )}
      {Array.isArray(votes) && <VotesTable votes={votes as DecisionVote[]} />}
    </>
  );
}
