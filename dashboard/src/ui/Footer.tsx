import { h } from 'preact';
import type { Feed } from '../api/types';
import { DASH, duration, micros, words } from '../lib/format';
import * as store from '../state/store';
import { showTab } from './pages';

/** Is the machine well: one line. */
export function Footer() {
  const busy = store.stages.value?.filter((it) => it.count) ?? [];
  return (
    <footer class={`status ${store.stale.value ? 'is-stale' : ''}`}>
      <button type="button" class="quiet" onClick={() => showTab('machine')} aria-label="Machine details">
        <span class="stages">
          {busy.length === 0 && <span>hot path {DASH}</span>}
          {busy.map((it) => (
            <span key={it.stage} title="median and 99th percentile">
              {words(it.stage)} <b>{micros(it.p50_us)}</b><i>{micros(it.p99_us)}</i>
            </span>
          ))}
          {busy.length > 0 && <span class="unit">p50, p99</span>}
        </span>
        <span class="feeds">
          {store.feeds.value?.filter((it) => it.status !== 'OFF').map((it) => (
            <span key={it.source} title={it.reason ?? ''}>
              {it.source} <b class={it.status === 'FRESH' ? 'up' : 'warn'}>{it.status === 'FRESH' ? duration(feedAge(it)) : `${words(it.status)} ${it.age_s == null ? '' : duration(feedAge(it))}`}</b>
            </span>
          ))}
          {store.components.value?.filter((it) => SHOWN.test(it.name)).map((it) => (
            <span key={it.name} title={it.reason ?? ''}>{words(it.name)} <b class={stateKind(it.state)}>{words(it.state)}</b></span>
          ))}
          <span class="unit">{store.summary.value?.version ?? ''}</span>
        </span>
      </button>
    </footer>
  );
}

/** Colour of a component's state: one that is off needs no one's attention. */
export function stateKind(state: string): string {
  return state === 'UP' ? 'up' : state === 'OFF' || state === 'UNKNOWN' ? '' : 'warn';
}

/** Components named in the line; the rest is one click away. */
const SHOWN = /rpc|store|journal|clickhouse|analytics/i;

/** Age of a feed's last item now: what the API said, and the time since in wall time. */
export function feedAge(it: Feed): number | null {
  if (it.age_s == null) return null;
  const simulated = store.summary.value?.simulated_time;
  return simulated ? it.age_s : it.age_s + Math.max(0, store.tick.value - store.feedsAt.value) / 1000;
}
