import { h } from 'preact';
import type { Alert, Decision, Order, Refusal, Trade } from '../api/types';
import { capital, moment, number, price, signed, size, words } from '../lib/format';
import { moreTrades } from '../state/polls';
import * as store from '../state/store';
import { detail } from './detail';
import { Rows, type Column } from './Rows';

const side = (it: { side?: string | null | undefined }) => (
  <span class={it.side === 'BUY' ? 'up' : it.side === 'SELL' ? 'down' : ''}>{words(it.side)}</span>
);
const time = <T extends { timestamp?: string | null | undefined }>(title = 'Time, UTC'): Column<T> => ({
  title, width: '96px', cell: (it) => moment(it.timestamp),
});

const ORDERS: readonly Column<Order>[] = [
  { title: 'Made, UTC', width: '96px', cell: (it) => moment(it.created_at) },
  { title: 'Instrument', width: 'minmax(92px, 1fr)', cell: (it) => it.symbol },
  { title: 'Side', width: '52px', cell: side },
  { title: 'Size', width: 'minmax(90px, 1fr)', right: true, wide: true, cell: (it) => size(it.size) },
  { title: 'USDC', width: 'minmax(84px, 1fr)', right: true, wide: true, cell: (it) => number(it.amount) },
  { title: 'Status', width: 'minmax(84px, 1fr)', cell: (it) => <span class={ENDED_BADLY.has(it.status) ? 'warn' : ''}>{words(it.status)}</span> },
  { title: 'Reason', width: 'minmax(110px, 2fr)', wide: true, cell: (it) => words(it.reason) },
  { title: 'Tries', width: '48px', right: true, wide: true, cell: (it) => number(it.attempts, 0) },
];
const ENDED_BADLY = new Set(['DENIED', 'EXPIRED', 'FAILED_ON_CHAIN', 'UNKNOWN']);

export function Orders() {
  return (
    <Rows
      label="Orders" rows={store.orders.value} columns={ORDERS} keyOf={(it) => it.id} fault={store.faults.value.get('orders')}
      empty="No orders yet. Each one is listed from its approval to its settlement." onOpen={(order) => (detail.value = { kind: 'order', order })}
    />
  );
}

const TRADES: readonly Column<Trade>[] = [
  time('Closed, UTC'),
  { title: 'Instrument', width: 'minmax(92px, 1fr)', cell: (it) => it.symbol },
  { title: 'Size', width: 'minmax(84px, 1fr)', right: true, wide: true, cell: (it) => size(it.size) },
  { title: 'Entry', width: 'minmax(84px, 1fr)', right: true, wide: true, cell: (it) => price(it.price, store.decimalsOf(it.symbol)) },
  { title: 'Exit', width: 'minmax(84px, 1fr)', right: true, wide: true, cell: (it) => price(it.exit_price, store.decimalsOf(it.symbol)) },
  {
    title: 'P&L', width: '84px', right: true,
    cell: (it) => <span class={!it.pnl ? '' : it.pnl > 0 ? 'up' : 'down'}>{signed(it.pnl)}</span>,
  },
  { title: 'Exit by', width: 'minmax(76px, 1fr)', cell: (it) => words(it.exit_reason) },
  { title: 'Lead strategy', width: 'minmax(120px, 1.4fr)', wide: true, cell: (it) => words(it.strategy) },
  { title: 'Slippage', width: '76px', right: true, wide: true, cell: (it) => (it.slippage_bps == null ? number(null) : `${number(it.slippage_bps, 1)} bps`) },
];

export function Trades() {
  const decided = store.votes.value?.decision;
  const empty = decided?.hold
    ? `No trades yet: turnout ${number(decided.participation)} of ${number(decided.min_participation)} needed on ${store.votes.value?.symbol}.`
    : 'No trades yet. A trade is listed when its position is closed.';
  return (
    <Rows
      label="Trades" rows={store.trades.value} columns={TRADES} keyOf={(it) => it.id} fault={store.faults.value.get('trades')}
      empty={empty} onOpen={(trade) => (detail.value = { kind: 'trade', trade })} onEnd={moreTrades}
    />
  );
}

const DECISIONS: readonly Column<Decision>[] = [
  time(),
  { title: 'Instrument', width: 'minmax(92px, 1fr)', cell: (it) => it.symbol },
  { title: 'Side', width: '52px', cell: side },
  { title: 'Outcome', width: 'minmax(80px, 1fr)', cell: (it) => <span class={it.outcome === 'refused' ? 'warn' : ''}>{words(it.outcome)}</span> },
  { title: 'Lead strategy', width: 'minmax(130px, 1.5fr)', wide: true, cell: (it) => words(it.lead) },
  { title: 'Consensus', width: '80px', right: true, wide: true, cell: (it) => number(it.consensus) },
  { title: 'Confidence', width: '80px', right: true, wide: true, cell: (it) => number(it.confidence) },
  { title: 'Turnout', width: '70px', right: true, wide: true, cell: (it) => number(it.participation) },
];

export function Decisions() {
  return (
    <Rows
      label="Decisions" rows={store.decisions.value} columns={DECISIONS} keyOf={(it) => it.id ?? `${it.symbol} ${it.timestamp}`}
      fault={store.faults.value.get('decisions')} empty="No decisions yet. The ensemble decides when a bar of the strategy timeframe closes; a hold is no decision."
      onOpen={(decision) => (detail.value = { kind: 'decision', decision })}
    />
  );
}

const REFUSALS: readonly Column<Refusal>[] = [
  time(),
  { title: 'Instrument', width: 'minmax(92px, 0.8fr)', cell: (it) => it.symbol ?? 'all' },
  { title: 'Refused for', width: 'minmax(120px, 1fr)', cell: (it) => <span class="warn">{words(it.code)}</span> },
  { title: 'Value', width: '84px', right: true, wide: true, cell: (it) => number(it.value) },
  { title: 'Limit', width: '84px', right: true, wide: true, cell: (it) => number(it.limit) },
  { title: 'Message', width: 'minmax(160px, 2.4fr)', wide: true, cell: (it) => it.message },
];

export function Refusals() {
  return (
    <Rows
      label="Refusals" rows={store.refusals.value} columns={REFUSALS} keyOf={(it) => it.id ?? `${it.timestamp} ${it.symbol} ${it.code}`}
      fault={store.faults.value.get('refusals')} empty="Nothing was refused. Orders that break a limit are listed here with the limit and their value."
      onOpen={(refusal) => (detail.value = { kind: 'refusal', refusal })}
    />
  );
}

const ALERTS: readonly Column<Alert>[] = [
  time(),
  { title: 'Severity', width: '84px', cell: (it) => <Severity of={it.severity} /> },
  { title: 'What', width: 'minmax(130px, 1fr)', cell: (it) => it.title },
  { title: 'Message', width: 'minmax(160px, 2fr)', wide: true, cell: (it) => it.message },
];

function Severity({ of }: { of: string }) {
  const kind = /crit|error|emerg/i.test(of) ? 'down' : /warn/i.test(of) ? 'warn' : '';
  return <span class={`severity ${kind}`}><i aria-hidden="true">{kind === 'down' ? '■' : kind ? '▲' : '●'}</i>{capital(words(of))}</span>;
}

export function Alerts() {
  return (
    <Rows
      label="Alerts" rows={store.alerts.value} columns={ALERTS} keyOf={(it) => it.id} fault={store.faults.value.get('alerts')}
      empty="No alerts. Risk, system and market warnings are kept here." onOpen={(alert) => (detail.value = { kind: 'alert', alert })}
    />
  );
}
