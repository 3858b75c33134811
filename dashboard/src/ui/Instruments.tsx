import { h } from 'preact';
import { DASH, duration, plain, price, signedPercent } from '../lib/format';
import type { Instrument } from '../api/types';
import { choose } from '../state/polls';
import * as store from '../state/store';

/** Who is traded, at what price, and what the bot thinks of it. */
export function Instruments({ onChosen }: { onChosen: () => void }) {
  const all = store.instruments.value;
  return (
    <nav class="instruments" aria-label="Instruments">
      <h2 class="title">Instruments</h2>
      {all === null && <p class="empty">{store.faults.value.get('instruments') ?? 'Loading…'}</p>}
      {all?.length === 0 && <p class="empty">No instrument is configured: add an [[instruments]] table.</p>}
      <ul>
        {all?.map((it) => (
          <li key={it.symbol}>
            <Row it={it} onChosen={onChosen} />
          </li>
        ))}
      </ul>
    </nav>
  );
}

function Row({ it, onChosen }: { it: Instrument; onChosen: () => void }) {
  const old = it.stale === true || store.stale.value;
  const change = it.change_24h ?? null;
  const sign = change === null || change === 0 ? '' : change > 0 ? 'up' : 'down';
  const note = it.stale ? `feed stale ${duration(it.age_s)}` : plain(it.note);
  return (
    <button
      type="button"
      class={`instrument ${old ? 'is-stale' : ''}`}
      aria-current={store.symbol.value === it.symbol ? 'true' : undefined}
      onClick={() => { choose(it.symbol); onChosen(); }}
    >
      <span class="name">
        {it.symbol}
        {it.position != null && <i class="held" title="A position is open"><span class="sr">held</span></i>}
      </span>
      <span class="price">{it.price == null ? DASH : price(it.price, it.price_decimals)}</span>
      <span class={`note ${it.stale ? 'warn' : ''}`} title={note}>{note || ' '}</span>
      <span class={`change ${it.stale ? '' : sign}`} title="24 hours">{it.stale ? DASH : signedPercent(change)}</span>
    </button>
  );
}
