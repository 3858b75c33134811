import { h, Fragment } from 'preact';
import type { Breaker } from '../api/types';
import { capital, duration, limitPercent, millis, number, percent, words } from '../lib/format';
import { nearness } from '../state/fold';
import * as store from '../state/store';
import { detail } from './detail';

const WORDS = { unknown: 'unknown', calm: '', near: 'near its limit', over: 'at its limit' };

export function RiskPanel() {
  const it = store.summary.value;
  return (
    <>
      <section class={`panel risk ${store.stale.value ? 'is-stale' : ''}`} aria-label="Risk">
        <h2 class="title">Risk</h2>
        <Bar name="Heat" value={it?.heat} limit={it?.heat_limit} />
        <Bar name="Drawdown" value={it?.drawdown == null ? null : Math.abs(it.drawdown)} limit={it?.max_drawdown_limit} />
        <Bar name="Loss at stops" value={it?.risk_at_stop} limit={it?.risk_at_stop_limit} />
        <div class="pair"><span>Cash</span><span>{number(it?.cash)} USDC</span></div>
      </section>
      <Breakers />
    </>
  );
}

/** A value as part of its limit. */
function Bar({ name, value, limit }: { name: string; value: number | null | undefined; limit: number | null | undefined }) {
  const near = nearness(value, limit);
  const share = value == null || !limit ? 0 : Math.min(1, Math.max(0, value / limit));
  return (
    <div class={`bar ${near}`}>
      <div class="pair">
        <span>{name}{WORDS[near] && <em> {WORDS[near]}</em>}</span>
        <span>{percent(value)} of {limitPercent(limit)}</span>
      </div>
      <div class="track" role="meter" aria-label={name} aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.round(share * 100)} aria-valuetext={`${percent(value)} of ${limitPercent(limit)}`}>
        <div class="fill" style={{ width: `${share * 100}%` }} />
      </div>
    </div>
  );
}

function Breakers() {
  const all = store.breakers.value;
  return (
    <section class="panel breakers" aria-label="Breakers">
      <h2 class="title">Breakers</h2>
      {all === null && <p class="empty">{store.faults.value.get('breakers') ?? 'Loading…'}</p>}
      <ul>
        {all?.map((it) => (
          <li key={`${it.kind} ${it.symbol ?? ''}`}>
            <button type="button" class="breaker" onClick={() => (detail.value = { kind: 'breaker', breaker: it })}>
              <span>{capital(words(it.kind))}{it.symbol ? ` ${it.symbol}` : ''}</span>
              <span class="warn">{state(it)}</span>
            </button>
          </li>
        ))}
        {all && KINDS.filter((kind) => !all.some((it) => it.kind === kind)).map((kind) => (
          <li key={kind} class="breaker"><span>{capital(words(kind))}</span><span class="up">armed</span></li>
        ))}
      </ul>
    </section>
  );
}

/** Guards that stop entries; the API lists those that have tripped. */
const KINDS = ['DRAWDOWN', 'PORTFOLIO_VOLATILITY', 'FLASH_CRASH', 'WHALE_MANIPULATION', 'UNHEALTHY'];

/** Tripped, or how long it cools. */
function state(it: Breaker): string {
  const until = millis(it.until);
  const now = store.clock.value;
  if (until === null) return 'tripped';
  return now === null || until <= now ? 'cooling' : `cooling ${duration((until - now) / 1000)}`;
}
