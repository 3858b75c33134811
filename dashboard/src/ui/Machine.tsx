import { h } from 'preact';
import type { Feed } from '../api/types';
import { capital, duration, micros, number, words } from '../lib/format';
import { feedAge, stateKind } from './Footer';
import * as store from '../state/store';

/** Every stage of the hot path, every feed, every component. */
export function Machine() {
  return (
    <div class="machine">
      <Stages />
      <Feeds />
      <Components />
      <Reasons />
    </div>
  );
}

function Reasons() {
  const reasons = store.summary.value?.reasons ?? [];
  const faults = [...store.faults.value];
  if (reasons.length === 0 && faults.length === 0) return null;
  return (
    <section aria-label="What is wrong">
      <h3>What is wrong</h3>
      <ul class="plain">
        {reasons.map((it) => <li key={it} class="warn">{it}</li>)}
        {faults.map(([name, it]) => <li key={name} class="warn">This page could not load {name}: {it}</li>)}
      </ul>
    </section>
  );
}

function Stages() {
  const all = store.stages.value;
  return (
    <section aria-label="Latency per stage">
      <h3>Hot path</h3>
      <table>
        <thead><tr><th>Stage</th><th class="right">p50</th><th class="right">p99</th><th class="right">Most</th><th class="right">Count</th></tr></thead>
        <tbody>
          {all?.map((it) => (
            <tr key={it.stage}>
              <td>{capital(words(it.stage))}</td>
              <td class="right">{it.count ? micros(it.p50_us) : '–'}</td>
              <td class="right">{it.count ? micros(it.p99_us) : '–'}</td>
              <td class="right">{it.count ? micros(it.max_us) : '–'}</td>
              <td class="right">{number(it.count, 0)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {!all?.length && <p class="empty">No stage has run yet.</p>}
    </section>
  );
}

function Feeds() {
  const all = store.feeds.value;
  return (
    <section aria-label="Feeds">
      <h3>Feeds</h3>
      <table>
        <thead><tr><th>Feed</th><th>Status</th><th class="right">Age</th><th class="right">Items</th><th class="right">Left out</th><th class="right">Delay</th></tr></thead>
        <tbody>
          {all?.map((it) => (
            <tr key={it.source} title={it.reason ?? ''}>
              <td>{it.source}</td>
              <td class={it.status === 'FRESH' ? 'up' : it.status === 'OFF' ? '' : 'warn'}>{words(it.status)}</td>
              <td class="right">{duration(feedAge(it))}</td>
              <td class="right">{number(it.items, 0)}</td>
              <td class="right" title={rejected(it)}>{number(rejectedCount(it), 0)}</td>
              <td class="right">{it.latency_p50_ms == null ? '–' : `${number(it.latency_p50_ms, 0)} ms`}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {all?.filter((it) => it.reason).map((it) => <p class="hint" key={it.source}>{it.source}: {it.reason}</p>)}
      {!all?.length && <p class="empty">No feed is known yet.</p>}
    </section>
  );
}

function rejectedCount(it: Feed): number {
  return Object.values(it.rejected ?? {}).reduce((sum, count) => sum + count, 0);
}

function rejected(it: Feed): string {
  return Object.entries(it.rejected ?? {}).map(([reason, count]) => `${words(reason)} ${count}`).join(', ');
}

function Components() {
  const all = store.components.value;
  return (
    <section aria-label="Components">
      <h3>Health</h3>
      <table>
        <thead><tr><th>Component</th><th>State</th><th>Reason</th><th class="right">Age</th></tr></thead>
        <tbody>
          {all?.map((it) => (
            <tr key={it.name}>
              <td>{words(it.name)}</td>
              <td class={stateKind(it.state)}>{words(it.state)}</td>
              <td class="reason" title={it.reason ?? ''}>{it.reason}</td>
              <td class="right">{duration(it.age)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {!all?.length && <p class="empty">No component has reported yet.</p>}
    </section>
  );
}
