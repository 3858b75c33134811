import { h, type JSX } from 'preact';
import { useRef } from 'preact/hooks';
import { openTab } from '../state/polls';
import * as store from '../state/store';
import { Alerts, Decisions, Orders, Refusals, Trades } from './lists';
import { Machine } from './Machine';
import { Positions } from './Positions';
import { Results } from './Results';

const TABS: readonly { name: store.Tab; title: string; count: () => number | null; body: () => JSX.Element }[] = [
  { name: 'positions', title: 'Positions', count: () => store.positions.value?.length ?? null, body: Positions },
  { name: 'orders', title: 'Orders', count: () => store.orders.value?.length ?? null, body: Orders },
  { name: 'trades', title: 'Trades', count: () => store.tradesTotal.value ?? store.trades.value?.length ?? null, body: Trades },
  { name: 'decisions', title: 'Decisions', count: () => null, body: Decisions },
  { name: 'refusals', title: 'Refusals', count: () => store.refusals.value?.length ?? null, body: Refusals },
  { name: 'alerts', title: 'Alerts', count: () => store.alerts.value?.length ?? null, body: Alerts },
  { name: 'results', title: 'Equity', count: () => null, body: Results },
  { name: 'machine', title: 'Machine', count: () => null, body: Machine },
];

export function Tabs() {
  const list = useRef<HTMLDivElement>(null);
  const active = TABS.find((it) => it.name === store.tab.value) ?? TABS[0];
  const onKey = (event: KeyboardEvent): void => {
    const move = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!move || !active) return;
    const next = TABS[(TABS.indexOf(active) + move + TABS.length) % TABS.length];
    if (!next) return;
    openTab(next.name);
    list.current?.querySelector<HTMLElement>(`#tab-${next.name}`)?.focus();
  };
  const Body = active?.body;
  return (
    <section class="tabs" id="held" tabIndex={-1}>
      <div class="tablist" role="tablist" aria-label="Lists" ref={list} onKeyDown={onKey}>
        {TABS.map((it) => {
          const count = it.count();
          const selected = it === active;
          return (
            <button type="button" role="tab" key={it.name} id={`tab-${it.name}`} aria-selected={selected} aria-controls="tabpanel" tabIndex={selected ? 0 : -1} onClick={() => openTab(it.name)}>
              {it.title}{count !== null && <span class="count">{count.toLocaleString('en-US')}</span>}
            </button>
          );
        })}
      </div>
      <div class="tabpanel" role="tabpanel" id="tabpanel" aria-labelledby={`tab-${active?.name}`}>
        {Body && <Body key={active?.name} />}
      </div>
    </section>
  );
}
