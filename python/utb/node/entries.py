"""From a BUY decision, or a manual one, to an order on its way."""

import msgspec

from utb.domain.commands import Trade as TradeCommand
from utb.domain.engine import ArmedPosition, DecisionMade
from utb.domain.market import Instrument, Mark
from utb.domain.names import MANUAL, STRATEGIES, OrderStatus, Side
from utb.domain.orders import RiskApproved, RiskRefused, Submission
from utb.domain.records import Decision, OrderState, Refused
from utb.node import effects as fx
from utb.node import intents
from utb.node.desk import Desk, Standing
from utb.node.state import DECISIONS_KEPT, remember
from utb.ports.market import Market
from utb.risk.gate import approve_entry
from utb.risk.view import EntryRequest, GateInputs

STRATEGY_COUNT = len(STRATEGIES)
NO_SHARES = (0.0,) * STRATEGY_COUNT


def events_before(ts_ns: int, mark: Mark | None, *, on_close: bool) -> int:
    """Return how many price events of the instrument a decision could have seen.

    The price that closes a bar is applied after the votes on that bar: it is the first event
    after the decision, although the core has counted it by the time the decision is handled. A
    decision on a forming bar (`evaluate = "tick"`) and a price trigger have seen their own price.
    """
    if mark is None:
        return 0
    return mark.events - 1 if on_close and mark.ts_ns >= ts_ns else mark.events


def on_buy(
    desk: Desk, effects: fx.Effects, decision: DecisionMade, market: Market, standing: Standing
) -> None:
    """Pass a BUY decision through the gate and send its order."""
    intent_id = intents.entry_intent_id(
        decision.ts_ns, decision.instrument, decision.side, decision.lead
    )
    if intent_id in desk.state.decisions:
        return
    remember(desk.state.decisions, intent_id, DECISIONS_KEPT)
    mark = market.mark(decision.instrument)
    request = EntryRequest(
        intent_id=intent_id,
        ts_ns=decision.ts_ns,
        instrument=desk.instruments[decision.instrument],
        lead=STRATEGIES[decision.lead],
        decision_events=events_before(decision.ts_ns, mark, on_close=desk.is_close(decision)),
        stop=decision.stop,
        target=decision.target,
        confidence=decision.confidence,
    )
    facts = desk.facts(decision.instrument, market, decision.price, decision.features)
    portfolio = desk.portfolio(market, decision.instrument, standing)
    verdict = approve_entry(request, portfolio, facts, desk.settings)
    refused = isinstance(verdict, RiskRefused)
    desk.post(
        effects,
        Decision(
            ts_ns=decision.ts_ns,
            intent_id=intent_id,
            decision=decision,
            outcome="refused" if refused else "entry",
        ),
    )
    if isinstance(verdict, RiskRefused):
        post_refusal(desk, effects, verdict)
    else:
        inputs = GateInputs(request=request, portfolio=portfolio, facts=facts)
        send(desk, effects, verdict, buy_shares(decision), inputs)


def manual_buy(
    desk: Desk, effects: fx.Effects, command: TradeCommand, ts_ns: int, market: Market
) -> RiskRefused | None:
    """Pass a person's BUY through the same gate; return its refusal, if it was refused."""
    mark = market.mark(command.instrument)
    request = EntryRequest(
        intent_id=intents.command_intent_id(command.command_id),
        ts_ns=ts_ns,
        instrument=desk.instruments[command.instrument],
        lead=MANUAL,
        decision_events=0 if mark is None else mark.events,
        stop=command.stop,
        target=command.target,
        confidence=None,
        size_base_raw=command.size_base_raw,
    )
    facts = desk.facts(command.instrument, market, None, None)
    portfolio = desk.portfolio(market, command.instrument, desk.standing(market))
    verdict = approve_entry(request, portfolio, facts, desk.settings)
    if isinstance(verdict, RiskRefused):
        post_refusal(desk, effects, verdict)
        return verdict
    inputs = GateInputs(request=request, portfolio=portfolio, facts=facts)
    send(desk, effects, verdict, NO_SHARES, inputs)
    return None


def buy_shares(decision: DecisionMade) -> tuple[float, ...]:
    """Return each strategy's share of the BUY mass (weight x strength); it sums to 1."""
    masses = [v.weight * v.strength if v.side == Side.BUY else 0.0 for v in decision.votes]
    total = sum(masses)
    if total <= 0.0 or len(masses) != STRATEGY_COUNT:
        return tuple(1.0 if i == decision.lead else 0.0 for i in range(STRATEGY_COUNT))
    return tuple(mass / total for mass in masses)


def post_refusal(desk: Desk, effects: fx.Effects, refused: RiskRefused) -> None:
    """Record what the gate denied, with its numbers."""
    desk.post(
        effects,
        Refused(
            ts_ns=refused.ts_ns,
            intent_id=refused.intent_id,
            instrument=refused.instrument,
            code=refused.code,
            limit=refused.limit,
            value=refused.value,
            order_value=refused.order_value,
            message=refused.message,
        ),
    )


def send(
    desk: Desk,
    effects: fx.Effects,
    approved: RiskApproved,
    shares: tuple[float, ...],
    inputs: GateInputs | None = None,
) -> None:
    """Record an approved order and its sending, and hand it to the venue.

    `inputs` are what an entry was approved on, so that it can be recomputed.
    """
    intent = approved.intent
    desk.post(
        effects,
        OrderState(
            ts_ns=intent.ts_ns,
            intent_id=intent.intent_id,
            status=OrderStatus.APPROVED,
            intent=intent,
            factors=approved.factors,
            gate_inputs=b"" if inputs is None else msgspec.msgpack.encode(inputs),
            shares=shares,
            reserved_quote_raw=intent.amount_in_raw if intent.side is Side.BUY else 0,
            risk_at_stop_raw=approved.risk_at_stop_raw,
            round_trip_cost_raw=approved.expected_cost_raw,
        ),
    )
    if not desk.on_chain:
        desk.post(
            effects,
            OrderState(ts_ns=intent.ts_ns, intent_id=intent.intent_id, status=OrderStatus.SENT),
        )
    effects.submissions.append(
        Submission(intent=intent, fee_lamports_max=desk.settings.max_fee_lamports)
    )


def armed(
    desk: Desk, position_id: int, instrument: Instrument, *, trailing: bool
) -> ArmedPosition | None:
    """Return what the core must watch of an open position; None if it is not open."""
    position = desk.book.position(position_id)
    watch = desk.state.watches.get(position_id)
    if position is None or watch is None:
        return None
    lead = STRATEGIES.index(position.lead) if position.lead in STRATEGIES else None
    return ArmedPosition(
        position_id=position_id,
        instrument=instrument.index,
        entry_price=watch.entry_price,
        stop=position.stop,
        target=position.target,
        lead=lead,
        risk_per_unit=watch.risk_per_unit,
        round_trip_cost=watch.round_trip_cost,
        partial_done=watch.partial_done,
        highest=watch.highest,
        partial_enabled=watch.partial_enabled,
        trailing_active=trailing,
    )
