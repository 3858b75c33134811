import { h, Fragment } from 'preact';
import type { Maybe, Position } from '../api/types';
import { DASH, duration, millis, number, price, signed, signedPercent, size, words } from '../lib/format';
import { choose } from '../state/polls';
import * as store from '../state/store';
import { askClose } from './ask';
import { detail } from './detail';
import { Rows, type Column } from './Rows';

const of = (it: Position, value: Maybe<number>): string => price(value, store.decimalsOf(it.symbol));

const COLUMNS: readonly Column<Position>[] = [
  {
    title: 'Instrument', width: 'minmax(86px, 1fr)',
    cell: (it) => <span class="two"><b>{it.symbol}</b><small>{size(it.size)}</small></span>,
  },
  {
    title: 'Entry', width: 'minmax(94px, 1fr)', right: true,
    cell: (it) => <span class="two"><span>{of(it, it.entry_price)}</span><small>now {of(it, it.current_price)}</small></span>,
  },
  {
    title: 'P&L', width: 'minmax(92px, 1fr)', right: true,
    cell: (it) => {
      const pnl = it.pnl ?? null;
      return (
        <span class={`two ${pnl === null || pnl === 0 ? '' : pnl > 0 ? 'up' : 'down'}`}>
          <b>{signed(pnl)}</b><small>{signedPercent(it.pnl_pct, 2)}</small>
        </span>
      );
    },
  },
  { title: 'Stop to target', width: 'minmax(178px, 2.4fr)', wide: true, cell: (it) => <Ladder it={it} /> },
  { title: 'At risk', width: '60px', right: true, wide: true, cell: (it) => number(it.risk_at_stop) },
  { title: 'Lead strategy', width: 'minmax(94px, 1fr)', wide: true, cell: (it) => words(it.strategy) },
  {
    title: 'Open', width: '70px', right: true, wide: true,
    cell: (it) => (
      <button type="button" class="textual" title="Timeline" onClick={(event) => { event.stopPropagation(); detail.value = { kind: 'position', position: it }; }}>
        {openFor(it)}
      </button>
    ),
  },
  {
    title: ' ', width: '58px', right: true,
    cell: (it) => (
      <button type="button" class="btn small" aria-label={`Close ${it.symbol}`} onClick={(event) => { event.stopPropagation(); askClose(it); }}>
        Close
      </button>
    ),
  },
];

function openFor(it: Position): string {
  const opened = millis(it.opened_at);
  const now = store.clock.value;
  return opened === null || now === null ? DASH : duration((now - opened) / 1000);
}

/** Where the price stands between stop and target. */
function Ladder({ it }: { it: Position }) {
  const { stop, target, entry_price: entry, current_price: now } = it;
  const known = stop != null && target != null && target > stop;
  const at = (value: Maybe<number>): string =>
    known && value != null ? `${Math.min(100, Math.max(0, ((value - stop) / (target - stop)) * 100))}%` : '0%';
  return (
    <span class="ladder" title={`Stop ${of(it, stop)}, entry ${of(it, entry)}, target ${of(it, target)}`}>
      <span class="down">{of(it, stop)}</span>
      <span class="rail">
        {known && entry != null && <span class="entry" style={{ left: at(entry) }} />}
        {known && now != null && <span class="now" style={{ left: at(now) }} />}
      </span>
      <span class="up">{of(it, target)}</span>
    </span>
  );
}

export function Positions() {
  return (
    <Rows
      label="Positions"
      rows={store.positions.value}
      columns={COLUMNS}
      keyOf={(it) => it.id}
      height={46}
      fault={store.faults.value.get('positions')}
      empty={<Nothing />}
      onOpen={(it) => choose(it.symbol)}
    />
  );
}

/** No position: what is missing for one. */
function Nothing() {
  const decided = store.votes.value?.decision;
  const status = store.summary.value?.status;
  if (status === 'PAUSED') return <>No positions. The bot is paused and enters nothing until you resume it.</>;
  if (status === 'SAFE_MODE') return <>No positions. In safe mode only reducing orders go out.</>;
  if (status === 'EMERGENCY_STOP') return <>No positions: all were sold by the emergency stop. Reset when you want to trade again.</>;
  if (!decided?.hold) return <>No positions yet. One opens when enough strategies agree and the risk gate lets it through.</>;
  return (
    <>
      No positions yet. {store.votes.value?.symbol}: {words(decided.hold)}; turnout {number(decided.participation)} of{' '}
      {number(decided.min_participation)} needed, consensus {number(decided.consensus)} of {number(decided.min_consensus)}.
    </>
  );
}
