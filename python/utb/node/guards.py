"""What trips the guards, what follows from it, and the marks of equity they look at."""

import msgspec

from utb.domain.amounts import raw_floor
from utb.domain.engine import DayClosed, EquityFloorHit, FlashCrash
from utb.domain.names import BreakerKind, ExitReason, OperatorState
from utb.domain.records import Breaker, EquityMarked
from utb.domain.records import OperatorState as OperatorStateRecord
from utb.node import effects as fx
from utb.node import exits
from utb.node.desk import Desk, Standing
from utb.ports.market import Market
from utb.risk.breakers import Whales

SYSTEM = "system"
"""Issuer of changes that no person asked for."""


class _WhaleShares(msgspec.Struct, frozen=True, kw_only=True):
    """Fields of a whale context that concern manipulation; a context without them trips nothing."""

    kind: str = ""
    top_wallet_buy_share: float | None = None
    top_wallet_sell_share: float | None = None
    largest_sale_share: float | None = None


def on_day(desk: Desk, effects: fx.Effects, event: DayClosed, market: Market) -> None:
    """Mark equity at the end of a UTC day and let the guards look at it."""
    decimals = desk.quote_decimals
    equity_raw, peak_raw = raw_floor(event.equity, decimals), raw_floor(event.peak, decimals)
    desk.state.peak = max(desk.state.peak, event.peak)
    units_raw = desk.book.state.nav.units_raw
    changes = desk.breakers.on_day(event.ts_ns, event.day, equity_raw, units_raw)
    post_mark(desk, effects, desk.book.equity_mark(event.ts_ns, equity_raw, peak_raw), event.day)
    post_changes(desk, effects, changes)
    watch_drawdown(desk, effects, event.ts_ns, market)


def on_floor(desk: Desk, effects: fx.Effects, event: EquityFloorHit, market: Market) -> None:
    """Check the floor in integers with the ledger's own figures, then stop or watch again."""
    desk.state.peak = max(desk.state.peak, event.peak)
    watch_drawdown(desk, effects, event.ts_ns, market)
    if desk.state.operator is not OperatorState.EMERGENCY_STOP:
        effects.calls.append(desk.watch_portfolio(market))


def on_flash_crash(desk: Desk, effects: fx.Effects, event: FlashCrash) -> None:
    """Let an instrument cool off and bring its stops closer."""
    changes = desk.breakers.on_flash_crash(
        event.ts_ns, event.instrument, fall=event.fall, limit=event.limit
    )
    post_changes(desk, effects, changes)
    if changes:
        _tighten(desk, effects, event.instrument)


def on_context(
    desk: Desk, effects: fx.Effects, instrument: int, payload: bytes, ts_ns: int
) -> None:
    """Look for manipulation in a whale context."""
    shares = msgspec.json.decode(payload, type=_WhaleShares)
    if shares.kind != "whale":
        return
    whales = Whales(
        top_wallet_buy_share=shares.top_wallet_buy_share,
        top_wallet_sell_share=shares.top_wallet_sell_share,
        largest_sale_share=shares.largest_sale_share,
    )
    changes = desk.breakers.on_whales(ts_ns, instrument, whales)
    post_changes(desk, effects, changes)
    if changes:
        _tighten(desk, effects, instrument)


def advance(desk: Desk, effects: fx.Effects, ts_ns: int) -> None:
    """End the cooling-off times that are over."""
    end_ns = desk.breakers.next_end_ns()
    if end_ns is not None and end_ns <= ts_ns:
        post_changes(desk, effects, desk.breakers.advance(ts_ns))


def watch_drawdown(desk: Desk, effects: fx.Effects, ts_ns: int, market: Market) -> Standing:
    """Let the guards look at the present drawdown; above its limit everything is sold.

    Returns:
        What the account is worth, which an order to sell does not change.
    """
    standing = desk.standing(market)
    if standing.equity_raw is None:
        return standing
    changes = desk.breakers.on_drawdown(ts_ns, standing.drawdown)
    post_changes(desk, effects, changes)
    if any(change.active and change.kind is BreakerKind.DRAWDOWN for change in changes):
        set_state(desk, effects, OperatorState.EMERGENCY_STOP, ts_ns, (SYSTEM, "DRAWDOWN"))
        exits.close_all(desk, effects, ExitReason.EMERGENCY, ts_ns, market)
        effects.calls.append(desk.watch_portfolio(market))
    return standing


def set_state(
    desk: Desk, effects: fx.Effects, state: OperatorState, ts_ns: int, why: tuple[str, str]
) -> None:
    """Change the operator state; `why` is (who, cause)."""
    if state is desk.state.operator:
        return
    record = OperatorStateRecord(
        ts_ns=ts_ns,
        state=state,
        previous=desk.state.operator,
        issued_by=why[0],
        cause=why[1],
    )
    desk.state.operator = state
    desk.post(effects, record)


def post_mark(desk: Desk, effects: fx.Effects, mark: EquityMarked, day: int | None = None) -> None:
    """Record a mark of equity with the volatility of daily values."""
    record = msgspec.structs.replace(mark, volatility_daily=desk.breakers.volatility_daily, day=day)
    desk.post(effects, record)


def post_changes(desk: Desk, effects: fx.Effects, changes: list[Breaker]) -> None:
    """Record what the guards did."""
    for change in changes:
        desk.post(effects, change)


def _tighten(desk: Desk, effects: fx.Effects, instrument: int) -> None:
    if desk.book.position_of(instrument) is not None:
        effects.calls.append(
            fx.Tighten(instrument, desk.config.strategies.exits.safe_mode_stop_atr)
        )
