import { h } from 'preact';
import type { Condition, Decided, Vote } from '../api/types';
import { DASH, hourMinute, number, plain, words } from '../lib/format';
import * as store from '../state/store';
import { detail } from './detail';

/** The eight votes, their conditions, and one sentence of why. */
export function VotesPanel() {
  const all = store.votes.value;
  const title = all ? `Votes on ${all.symbol}, bar ${hourMinute(all.bar_time)}` : 'Votes';
  return (
    <section class="panel votes" aria-label={title}>
      <h2 class="title">{title}<small>weight</small></h2>
      {all === null && <p class="empty">{store.faults.value.get('votes') ?? 'Loading…'}</p>}
      {all && all.votes.length === 0 && <p class="empty">No votes yet: they are made when a bar of the strategy timeframe closes.</p>}
      <ul>
        {all?.votes.map((vote) => (
          <li key={vote.strategy}>
            <VoteRow vote={vote} />
          </li>
        ))}
      </ul>
      {all && all.votes.length > 0 && <Legend />}
      {all?.decision && <DecisionBox decided={all.decision} />}
    </section>
  );
}

function VoteRow({ vote }: { vote: Vote }) {
  const reasons = vote.abstains ? `abstains: ${vote.abstains}` : sideWords(vote);
  return (
    <button type="button" class={`vote ${vote.abstains ? 'abstains' : ''}`} onClick={() => (detail.value = { kind: 'vote', vote })} title={`${words(vote.strategy)}: ${reasons}`}>
      <span class="name">{words(vote.strategy)}</span>
      <Dots conditions={vote.conditions} />
      <Strength vote={vote} />
      <span class="weight">{number(vote.weight)}</span>
      <span class="sr">{reasons}</span>
    </button>
  );
}

function sideWords(vote: Vote): string {
  if (vote.side === 'HOLD') return 'no vote stands';
  return `${vote.side.toLowerCase()}, strength ${number(vote.strength)}`;
}

/** Held is a full dot, failed an empty ring, a missing input a short dash. */
export function Dots({ conditions }: { conditions: readonly Condition[] }) {
  return (
    <span class="dots" role="img" aria-label={conditions.map((it) => `${words(it.name)} ${heldWord(it)}`).join(', ')}>
      {conditions.map((it) => <Dot key={it.name} held={it.held} title={`${words(it.name)}: ${heldWord(it)}`} />)}
    </span>
  );
}

export function Dot({ held, title }: { held: Condition['held']; title?: string }) {
  return <i class={`dot ${held == null ? 'missing' : held ? 'held' : 'failed'}`} title={title} />;
}

export function heldWord(it: Condition): string {
  return it.held == null ? 'input missing' : it.held ? 'held' : 'failed';
}

function Strength({ vote }: { vote: Vote }) {
  if (vote.side === 'HOLD') return <span class="strength none">{vote.abstains ? 'abstains' : 'hold'}</span>;
  const buy = vote.side === 'BUY';
  return (
    <span class={`strength ${buy ? 'up' : 'down'}`}>
      <b>{buy ? 'buy' : 'sell'}</b>
      <span class="track"><span class="fill" style={{ width: `${Math.round(Math.min(1, Math.max(0, vote.strength ?? 0)) * 100)}%` }} /></span>
    </span>
  );
}

function Legend() {
  return (
    <p class="dot-legend" aria-hidden="true">
      <Dot held={true} /> held <Dot held={false} /> failed <Dot held={null} /> input missing
    </p>
  );
}

/** What the sentence says when the API gives none. */
export function sentence(it: Decided): string {
  if (it.sentence) return plain(it.sentence);
  if (it.hold) return `Hold: ${words(it.hold)}.`;
  return it.side ? `${it.side === 'BUY' ? 'Buy' : it.side === 'SELL' ? 'Sell' : 'Hold'}.` : DASH;
}

function DecisionBox({ decided }: { decided: Decided }) {
  const kind = decided.hold || !decided.side || decided.side === 'HOLD' ? 'hold' : decided.side === 'BUY' ? 'buy' : 'sell';
  return (
    <button type="button" class={`decision ${kind}`} onClick={() => (detail.value = { kind: 'hold', decided, symbol: store.symbol.peek() ?? '' })}>
      <span class="sentence">{sentence(decided)}</span>
      <Against name="Consensus" value={decided.consensus} least={decided.min_consensus} />
      <Against name="Confidence" value={decided.confidence} least={decided.min_confidence} />
      <Against name="Turnout" value={decided.participation} least={decided.min_participation} />
    </button>
  );
}

/** A value against the least that is needed, with the mark where it is needed. */
export function Against({ name, value, least }: { name: string; value: number | null | undefined; least: number | null | undefined }) {
  const enough = value != null && least != null && value >= least - 1e-9;
  const share = (it: number | null | undefined): string => `${Math.min(100, Math.max(0, (it ?? 0) * 100))}%`;
  return (
    <span class={`against ${value == null || least == null ? 'unknown' : enough ? 'enough' : 'short'}`}>
      <span>{name}</span>
      <span class="track">
        <span class="fill" style={{ width: share(value) }} />
        {least != null && <span class="mark" style={{ left: share(least) }} />}
      </span>
      <span class="value">{number(value)}{least == null ? '' : ` ${enough ? '≥' : 'of'} ${number(least)}`}</span>
    </span>
  );
}
