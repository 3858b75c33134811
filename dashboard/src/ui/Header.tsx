import { h } from 'preact';
import { useSignalEffect } from '@preact/signals';
import { pause, resume, safeMode } from '../state/actions';
import { nearness } from '../state/fold';
import * as store from '../state/store';
import { DASH, duration, limitPercent, minute, number, percent, signed, signedPercent, words } from '../lib/format';
import { askCloseAll, askReset, sellingAll } from './ask';
import { showTab } from './pages';
import { switchTheme, theme } from './theme';

/** Is the account safe: state, mode, equity, today, limits, and what stops the bot. */
export function Header() {
  const live = store.summary.value?.mode === 'live';
  useSignalEffect(() => {
    // The emergency dialog stands outside this tree and reads its sentence from the page
    document.body.dataset['stopWhat'] =
      `${sellingAll(store.positions.value)}. Orders that can be cancelled are, and no entry follows until a reset.`;
    const mode = store.summary.value?.mode;
    if (mode) document.body.dataset['mode'] = mode;
    const title = store.summary.value;
    document.title = title ? `${number(title.equity, 0)} · ${words(title.status)} · utb` : 'utb';
  });
  return (
    <header class={`top ${live ? 'live' : ''}`}>
      <h1>utb</h1>
      <State />
      <Mode />
      <Figures />
      <Controls />
    </header>
  );
}

function State() {
  const { value: summary } = store.summary;
  const status = summary?.status ?? null;
  const kind = status === null || store.stale.value ? 'unknown' : (KINDS[status] ?? 'warn');
  const reasons = summary?.reasons?.join('; ') || 'Health and latency';
  const finished = summary?.finished ? ' · market ended' : '';
  return (
    <div class="state">
      <button type="button" class={`pill ${kind}`} title={reasons} onClick={() => showTab('machine')}>
        <i class="lamp" aria-hidden="true" />
        <span class="sr">State: </span>
        {status === null ? 'No state yet' : `${STATES[status] ?? words(status)}${finished}`}
      </button>
      <Link />
    </div>
  );
}

const STATES: Record<string, string> = {
  RUNNING: 'Running', PAUSED: 'Paused', SAFE_MODE: 'Safe mode', EMERGENCY_STOP: 'Emergency stop',
  DEGRADED: 'Degraded', STARTING: 'Starting',
};
const KINDS: Record<string, string> = {
  RUNNING: 'good', STARTING: 'unknown', PAUSED: 'warn', SAFE_MODE: 'warn', DEGRADED: 'warn', EMERGENCY_STOP: 'bad',
};

/** Says when what is shown is not live. */
function Link() {
  const since = duration(Math.floor(store.quiet.value));
  if (store.summary.value !== null && store.stale.value) {
    const trying = store.link.value === 'live' ? 'no update' : 'reconnecting, no update';
    return <span class="link bad" role="alert">{trying} for {since}</span>;
  }
  if (store.link.value === 'reconnecting') return <span class="link warn">reconnecting</span>;
  if (store.link.value === 'connecting') return <span class="link">connecting</span>;
  return null;
}

function Mode() {
  const summary = store.summary.value;
  if (!summary) return null;
  const live = summary.mode === 'live';
  const clock = summary.simulated_time ? `simulated ${minute(summary.as_of)}` : null;
  return (
    <span class={`mode ${live ? 'is-live' : ''}`}>
      <b>{live ? 'LIVE · real money' : summary.mode === 'paper' ? 'Paper' : words(summary.mode)}</b>
      {clock && <span class="clock">{clock}</span>}
    </span>
  );
}

function Figures() {
  const it = store.summary.value;
  const today = it?.today ?? null;
  const sign = today === null || today === 0 ? '' : today > 0 ? 'up' : 'down';
  return (
    <dl class={`figures ${store.stale.value ? 'is-stale' : ''}`}>
      <Figure name="Equity USDC" value={number(it?.equity)} />
      <Figure name={`Today ${signedPercent(it?.today_pct, 2)}`} value={signed(it?.today)} kind={sign} />
      <Figure
        name={`Drawdown of ${limitPercent(it?.max_drawdown_limit)}`}
        value={it?.drawdown == null ? DASH : percent(-Math.abs(it.drawdown))}
        kind={nearness(it?.drawdown, it?.max_drawdown_limit)}
      />
      <Figure name={`Heat of ${limitPercent(it?.heat_limit)}`} value={percent(it?.heat, 0)} kind={nearness(it?.heat, it?.heat_limit)} />
    </dl>
  );
}

function Figure({ name, value, kind = '' }: { name: string; value: string; kind?: string }) {
  return (
    <div class={`figure ${kind}`}>
      <dd>{value}</dd>
      <dt>{name}</dt>
    </div>
  );
}

function Controls() {
  const status = store.summary.value?.status ?? '';
  const stopped = status === 'EMERGENCY_STOP';
  const held = status === 'PAUSED' || status === 'SAFE_MODE';
  const light = theme.value === 'light';
  return (
    <div class="controls" role="group" aria-label="Controls">
      {stopped && <button type="button" class="btn primary" onClick={askReset}>Reset</button>}
      {!stopped && held && <button type="button" class="btn" onClick={resume}>Resume</button>}
      {!stopped && !held && <button type="button" class="btn" onClick={pause} title="No entries; exits go on">Pause</button>}
      <button type="button" class="btn" onClick={safeMode} disabled={stopped || status === 'SAFE_MODE'} title="Only reducing orders, stops tightened to 1 ATR">
        Safe mode
      </button>
      <button type="button" class="btn" onClick={askCloseAll}>Close all</button>
      <button type="button" class="btn stop" data-emergency title="Shift+E" aria-keyshortcuts="Shift+E">Emergency stop</button>
      <button type="button" class="btn icon" onClick={switchTheme} aria-label={light ? 'Switch to dark' : 'Switch to light'}>
        <svg viewBox="0 0 16 16" width="15" height="15" aria-hidden="true">
          {light
            ? <path fill="currentColor" d="M6 1.2A6.8 6.8 0 1 0 14.8 10 5.6 5.6 0 0 1 6 1.2" />
            : <path fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round" d="M8 1v1.5M8 13.500V15M1 8h1.500M13.500 8H15M3 3l1.100 1.100M11.900 11.900 13 13M3 13l1.100-1.100M11.900 4.100 13 3M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6" />}
        </svg>
      </button>
    </div>
  );
}
