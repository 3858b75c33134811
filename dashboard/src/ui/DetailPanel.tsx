import { h, Fragment, type ComponentChildren } from 'preact';
import type { Alert, Breaker, Condition, Decided, Decision, DecisionVote, Order, Refusal, Vote } from '../api/types';
import { anything, capital, number, plain, price, second, size, words } from '../lib/format';
import { decimalsOf, market, symbol, votes } from '../state/store';
import { detail, type Detail } from './detail';
import { Dialog } from './Dialog';
import { TradeDetailView } from './TradeDetailView';
import { Against, Dot, Dots, heldWord, sentence } from './VotesPanel';

/** The numbers behind a row, in a sheet beside the page. */
export function DetailPanel() {
  const shown = detail.value;
  if (!shown) return null;
  const close = (): void => {
    detail.value = null;
  };
  const { title, body } = content(shown);
  return (
    <Dialog key={title} title={title} kind="sheet" onClose={close}>
      <div class="sheet-head">
        <h2>{title}</h2>
        <button type="button" class="btn icon" aria-label="Close" data-first onClick={close}>×</button>
      </div>
      <div class="sheet-body">{body}</div>
    </Dialog>
  );
}

function content(shown: Detail): { title: string; body: ComponentChildren } {
  switch (shown.kind) {
    case 'vote':
      return { title: capital(words(shown.vote.strategy)), body: <VoteDetail vote={shown.vote} /> };
    case 'hold':
      return { title: `${shown.symbol}: why`, body: <HoldDetail decided={shown.decided} /> };
    case 'trade':
      return { title: `Trade ${shown.trade.symbol}`, body: <TradeDetailView id={shown.trade.id} trade={shown.trade} /> };
    case 'position':
      return { title: `Position ${shown.position.symbol}`, body: <TradeDetailView id={shown.position.id} trade={null} /> };
    case 'order':
      return { title: `${capital(words(shown.order.side))} order ${shown.order.symbol}`, body: <OrderDetail order={shown.order} /> };
    case 'decision':
      return { title: `Decision ${shown.decision.symbol}`, body: <DecisionDetail decision={shown.decision} /> };
    case 'refusal':
      return { title: `Refused: ${words(shown.refusal.code)}`, body: <RefusalDetail refusal={shown.refusal} /> };
    case 'alert':
      return { title: shown.alert.title, body: <AlertDetail alert={shown.alert} /> };
    case 'breaker':
      return { title: capital(words(shown.breaker.kind)), body: <BreakerDetail breaker={shown.breaker} /> };
  }
}

/** Names and values, one a line. */
export function Facts({ facts }: { facts: readonly (readonly [string, ComponentChildren])[] }) {
  return (
    <dl class="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function VoteDetail({ vote }: { vote: Vote }) {
  const decimals = decimalsOf(symbol.value);
  return (
    <>
      {vote.abstains && <p>Abstains: {vote.abstains}.</p>}
      <table class="conditions">
        <thead><tr><th>BUY condition</th><th>State</th><th>Value</th><th>Limit</th></tr></thead>
        <tbody>
          {vote.conditions.map((it) => (
            <tr key={it.name}>
              <td>{words(it.name)}</td>
              <td><Dot held={it.held} /> {heldWord(it)}</td>
              <td>{number(it.value, 3)}</td>
              <td>{it.limit == null ? number(null) : `${it.op ?? ''} ${number(it.limit, 3)}`}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <Facts facts={[
        ['Standing vote', vote.side === 'HOLD' ? 'none' : vote.side.toLowerCase()],
        ['Latest bar', words(vote.latest)],
        ['Strength', number(vote.strength, 3)],
        ['Confidence', number(vote.confidence, 3)],
        ['Weight now', number(vote.weight, 3)],
        ['Weight configured', number(vote.base_weight, 3)],
        ['Stop', price(vote.stop, decimals)],
        ['Target', price(vote.target, decimals)],
      ]} />
      <p class="hint">A vote stands for some bars and fades; all of its conditions must hold at the bar it is made.</p>
    </>
  );
}

function Thresholds({ it }: { it: Pick<Decided, 'consensus' | 'confidence' | 'participation' | 'min_consensus' | 'min_confidence' | 'min_participation'> }) {
  return (
    <div class="thresholds">
      <Against name="Consensus" value={it.consensus} least={it.min_consensus} />
      <Against name="Confidence" value={it.confidence} least={it.min_confidence} />
      <Against name="Turnout" value={it.participation} least={it.min_participation} />
    </div>
  );
}

function HoldDetail({ decided }: { decided: Decided }) {
  return (
    <>
      <p>{sentence(decided)}</p>
      <Thresholds it={decided} />
      <Facts facts={[
        ['Outcome', decided.hold ? `hold, ${words(decided.hold)}` : words(decided.side)],
        ['Last price', price(market.value?.price, decimalsOf(market.value?.symbol))],
      ]} />
      <p class="hint">
        Consensus is the larger side of all votes, confidence the weighted mean of that side, turnout the weight of
        those who vote at all. All three must reach their limits.
      </p>
    </>
  );
}

function OrderDetail({ order }: { order: Order }) {
  return (
    <Facts facts={[
      ['Status', words(order.status)],
      ['Size', size(order.size)],
      ['Amount', `${number(order.amount)} USDC`],
      ['Reason', words(order.reason)],
      ['Made', `${second(order.created_at)} UTC`],
      ['Changed', `${second(order.updated_at)} UTC`],
      ['Attempts', number(order.attempts, 0)],
      ['Intent', <code key="id">{order.id}</code>],
    ]} />
  );
}

const LEAST_UNKNOWN = { min_consensus: null, min_confidence: null, min_participation: null };

/** The limits of now: a decision does not carry those it was taken with. */
function leastNow(): Partial<typeof LEAST_UNKNOWN> | Pick<Decided, keyof typeof LEAST_UNKNOWN> {
  const now = votes.value?.decision;
  if (!now) return {};
  const { min_consensus, min_confidence, min_participation } = now;
  return { min_consensus, min_confidence, min_participation };
}

export function DecisionDetail({ decision }: { decision: Decision }) {
  const decimals = decimalsOf(decision.symbol);
  return (
    <>
      {decision.sentence && <p>{plain(decision.sentence)}</p>}
      <Thresholds it={{
        ...LEAST_UNKNOWN, ...leastNow(), consensus: decision.consensus, confidence: decision.confidence,
        participation: decision.participation,
      }} />
      <Facts facts={[
        ['Side', words(decision.side)],
        ['Outcome', words(decision.outcome)],
        ['Lead strategy', words(decision.lead)],
        ['Price', price(decision.price, decimals)],
        ['Stop', price(decision.stop, decimals)],
        ['Target', price(decision.target, decimals)],
        ['Time', `${second(decision.timestamp)} UTC`],
      ]} />
      {decision.votes && decision.votes.length > 0 && <VotesTable votes={decision.votes} />}
    </>
  );
}

function conditionsOf(vote: DecisionVote): Condition[] {
  if (typeof vote.conditions !== 'string') {
    return Object.entries(vote.conditions).map(([name, held]) => ({ name, held }));
  }
  return [...vote.conditions].map((letter, at) => (
    { name: `condition ${at + 1}`, held: letter === 'T' ? true : letter === 'F' ? false : null }
  ));
}

export function VotesTable({ votes }: { votes: readonly DecisionVote[] }) {
  return (
    <table class="conditions">
      <thead><tr><th>Strategy</th><th>Conditions</th><th>Vote</th><th>Weight</th></tr></thead>
      <tbody>
        {votes.map((it) => (
          <tr key={it.strategy}>
            <td>{words(it.strategy)}</td>
            <td><Dots conditions={conditionsOf(it)} /></td>
            <td>{it.side === 'HOLD' ? 'none' : `${it.side.toLowerCase()} ${number(it.strength)}`}</td>
            <td>{number(it.weight)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function RefusalDetail({ refusal }: { refusal: Refusal }) {
  return (
    <>
      <p>{refusal.message}</p>
      <Facts facts={[
        ['Instrument', refusal.symbol ?? 'all'],
        ['Value now', number(refusal.value, 4)],
        ['Limit', number(refusal.limit, 4)],
        ['With this order', number(refusal.order_value, 4)],
        ['Code', <code key="code">{refusal.code}</code>],
        ['Time', `${second(refusal.timestamp)} UTC`],
      ]} />
    </>
  );
}

function AlertDetail({ alert }: { alert: Alert }) {
  const data = Object.entries(alert.data ?? {});
  return (
    <>
      <p>{alert.message}</p>
      <Facts facts={[
        ['Severity', words(alert.severity)],
        ['Category', words(alert.category)],
        ['Time', `${second(alert.timestamp)} UTC`],
        ...data.map(([name, value]) => [words(name), anything(value)] as const),
      ]} />
    </>
  );
}

function BreakerDetail({ breaker }: { breaker: Breaker }) {
  return (
    <>
      {breaker.cause && <p>{breaker.cause}</p>}
      <Facts facts={[
        ['State', 'tripped: no entries'],
        ['Instrument', breaker.symbol ?? 'all'],
        ['Value', number(breaker.value, 4)],
        ['Limit', number(breaker.limit, 4)],
        ['Since', `${second(breaker.since)} UTC`],
        ['Until', breaker.until ? `${second(breaker.until)} UTC` : 'its cause ends'],
      ]} />
    </>
  );
}
