"""One open position: its lots, what it cost and what its exits brought, until it is a trade."""

import msgspec
from msgspec.structs import replace

from utb.domain.amounts import (
    BPS,
    price_q64_ceil,
    price_q64_floor,
    quote_value_ceil,
    quote_value_floor,
    ratio,
)
from utb.domain.market import Instrument
from utb.domain.names import ExitReason, Side
from utb.domain.orders import Fill, Position, Trade
from utb.domain.records import FillBooked
from utb.errors import InvariantError
from utb.ledger.lots import Lot, take
from utb.ledger.pending import PendingOrder

_NS_PER_MS = 1_000_000


class Holding(msgspec.Struct, kw_only=True):
    """An open position and the sums its trade will be made of."""

    position: Position
    lots: list[Lot]
    exit_base_raw: int = 0
    exit_quote_raw: int = 0
    fee_lamports: int = 0
    fee_quote_raw: int = 0
    pool_fee_quote_raw: int = 0
    initial_risk_quote_raw: int = 0
    worse_quote_raw: int = 0
    """Paid more or received less than at the decisions' prices, summed over fills."""
    reference_quote_raw: int = 0
    """Value of all fills at their decisions' prices."""
    waited_ns: int = 0
    fills: int = 0


def initial_risk(fill: Fill, pending: PendingOrder, instrument: Instrument) -> int:
    """Return the loss at the initial stop for the bought quantity, quote raw, at least 1.

    Measured from what was paid; where a fill landed at or below its stop, from the decision's
    price, so that R stays positive.
    """
    stop = pending.intent.stop
    if stop is None:
        raise InvariantError(f"entry {fill.intent_id} has no stop")
    decimals = instrument.base_decimals, instrument.quote_decimals
    at_stop = quote_value_floor(fill.base_raw, price_q64_floor(stop, *decimals))
    loss = fill.quote_raw - at_stop
    if loss <= 0:
        price = price_q64_ceil(fill.decision_price, *decimals)
        loss = quote_value_ceil(fill.base_raw, price) - at_stop
    return max(loss, 1)


def opened(fill: Fill, pending: PendingOrder, risk_quote_raw: int) -> Holding:
    """Return the holding an entry's fill opens."""
    intent = pending.intent
    stop = intent.stop
    if stop is None:
        raise InvariantError(f"entry {fill.intent_id} has no stop")
    position = Position(
        position_id=fill.position_id,
        intent_id=fill.intent_id,
        instrument=fill.instrument,
        lead=fill.lead,
        opened_ts_ns=fill.ts_ns,
        base_raw=fill.base_raw,
        cost_quote_raw=fill.quote_raw,
        entry_base_raw=fill.base_raw,
        entry_quote_raw=fill.quote_raw,
        initial_stop=stop,
        stop=stop,
        target=intent.target,
        shares=pending.shares,
    )
    return Holding(
        position=position,
        lots=[Lot(fill.base_raw, fill.quote_raw)],
        initial_risk_quote_raw=risk_quote_raw,
    )


def buy(holding: Holding, fill: Fill, risk_quote_raw: int) -> None:
    """Add another bought lot."""
    position = holding.position
    holding.lots.append(Lot(fill.base_raw, fill.quote_raw))
    holding.initial_risk_quote_raw += risk_quote_raw
    holding.position = replace(
        position,
        base_raw=position.base_raw + fill.base_raw,
        cost_quote_raw=position.cost_quote_raw + fill.quote_raw,
        entry_base_raw=position.entry_base_raw + fill.base_raw,
        entry_quote_raw=position.entry_quote_raw + fill.quote_raw,
    )


def sell(holding: Holding, fill: Fill) -> int:
    """Take a sold quantity from the oldest lots and return its cost."""
    position = holding.position
    if fill.base_raw > position.base_raw:
        raise InvariantError(
            f"position {position.position_id} holds {position.base_raw}, sold {fill.base_raw}"
        )
    cost = take(holding.lots, fill.base_raw)
    holding.exit_base_raw += fill.base_raw
    holding.exit_quote_raw += fill.quote_raw
    holding.position = replace(
        position,
        base_raw=position.base_raw - fill.base_raw,
        cost_quote_raw=position.cost_quote_raw - cost,
    )
    return cost


def note_execution(holding: Holding, booked: FillBooked, instrument: Instrument) -> None:
    """Add a fill's fees, slippage and delay to the sums."""
    fill = booked.fill
    decimals = instrument.base_decimals, instrument.quote_decimals
    reference = quote_value_floor(fill.base_raw, price_q64_floor(fill.decision_price, *decimals))
    worse = fill.quote_raw - reference
    holding.worse_quote_raw += worse if fill.side == Side.BUY else -worse
    holding.reference_quote_raw += reference
    holding.waited_ns += fill.ts_ns - fill.decision_ts_ns
    holding.fills += 1
    holding.fee_lamports += fill.fee_lamports
    holding.fee_quote_raw += booked.fee_quote_raw
    holding.pool_fee_quote_raw += fill.pool_fee_quote_raw


def closed(holding: Holding, ts_ns: int, reason: ExitReason) -> Trade:
    """Return the trade of a position whose last lot was sold."""
    position = holding.position
    reference = holding.reference_quote_raw
    return Trade(
        position_id=position.position_id,
        intent_id=position.intent_id,
        instrument=position.instrument,
        lead=position.lead,
        opened_ts_ns=position.opened_ts_ns,
        closed_ts_ns=ts_ns,
        base_raw=position.entry_base_raw,
        entry_quote_raw=position.entry_quote_raw,
        exit_quote_raw=holding.exit_quote_raw,
        fee_lamports=holding.fee_lamports,
        fee_quote_raw=holding.fee_quote_raw,
        pool_fee_quote_raw=holding.pool_fee_quote_raw,
        pnl_quote_raw=holding.exit_quote_raw - position.entry_quote_raw - holding.fee_quote_raw,
        initial_risk_quote_raw=holding.initial_risk_quote_raw,
        exit_reason=reason,
        shares=position.shares,
        slippage_bps=ratio(holding.worse_quote_raw * BPS if reference else 0, reference or 1),
        execution_ms=ratio(holding.waited_ns, holding.fills * _NS_PER_MS),
    )
