/** The live connection folded into the page's state, at most five times a second. */

import { batch } from '@preact/signals';
import { Socket } from '../api/socket';
import type { Alert, Envelope, Market, Summary } from '../api/types';
import { alertAdded, marked, positionsOf, votesOf, withPrice } from './fold';
import { refreshAfterTrade, refreshAll, refreshPositions } from './polls';
import * as store from './store';

const FLUSH_MS = 200;
const ALERTS_MAX = 500;
/** Alerts that may come between two flushes; the list itself loads the rest. */
const PENDING_ALERTS_MAX = 100;

/** Latest message of each instrument since the last flush. */
const markets = new Map<string, Market>();
let latestSummary: Summary | null = null;
let latestPositions: unknown = null;
let traded = false;
const newAlerts: Alert[] = [];
let timer: ReturnType<typeof setTimeout> | null = null;

export const socket = new Socket({
  onLink(link) {
    const before = store.link.value;
    store.link.value = link;
    if (link === 'refused') store.needsKey.value = 'missing';
    // What happened while the connection was away is loaded, not guessed
    if (link === 'live' && before === 'reconnecting') refreshAll();
  },
  onData(message) {
    take(message);
    timer ??= setTimeout(flush, FLUSH_MS);
  },
});

function take(message: Envelope): void {
  switch (message.channel) {
    case 'market': {
      const data = message.data as Market;
      const before = markets.get(data.symbol);
      // A closed bar of an earlier message must not get lost with it
      markets.set(data.symbol, before?.closed && !data.closed ? { ...data, closed: before.closed } : data);
      break;
    }
    case 'performance':
      latestSummary = message.data as Summary;
      break;
    case 'positions':
      latestPositions = message.data;
      break;
    case 'trades':
      traded = true;
      break;
    case 'alerts':
      if (newAlerts.length < PENDING_ALERTS_MAX) newAlerts.push(message.data as Alert);
      break;
  }
}

function flush(): void {
  timer = null;
  batch(() => {
    if (latestSummary) showSummary(latestSummary);
    showPositions();
    for (const message of markets.values()) showMarket(message);
    for (const alert of newAlerts) {
      store.alerts.value = alertAdded(store.alerts.value ?? [], alert, ALERTS_MAX);
    }
  });
  if (traded) refreshAfterTrade();
  latestSummary = latestPositions = null;
  traded = false;
  newAlerts.length = 0;
  markets.clear();
}

function showSummary(summary: Summary): void {
  store.summary.value = summary;
  store.summaryAt.value = performance.now();
}

function showPositions(): void {
  if (latestPositions === null) return;
  const all = positionsOf(latestPositions);
  if (all) store.positions.value = all;
  else refreshPositions();
}

function showMarket(message: Market): void {
  if (store.instruments.value) store.instruments.value = withPrice(store.instruments.value, message);
  if (message.price != null && store.positions.value) {
    store.positions.value = marked(store.positions.value, message.symbol, message.price);
  }
  if (message.symbol !== store.symbol.value) return;
  store.market.value = message;
  store.votes.value = votesOf(message, store.votes.value);
}
