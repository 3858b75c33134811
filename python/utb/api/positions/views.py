"""Positions from the replica."""

from utb.api.positions.schemas import PositionRow, Positions
from utb.api.shown import as_of, is_stale, price_age_s, when
from utb.api.world import World
from utb.domain.amounts import price_of, units_of
from utb.domain.orders import Position
from utb.risk.view import PositionView


def positions(world: World) -> Positions:
    """Return all open positions, oldest first."""
    views = {view.position_id: view for view in world.risk().positions}
    held = world.replica.book.positions.values()
    return Positions(
        positions=tuple(row(world, position, views[position.position_id]) for position in held),
        as_of=as_of(world),
        age_s=world.age_s,
    )


def row(world: World, position: Position, view: PositionView) -> PositionRow:
    """Return one position."""
    replica = world.replica
    instrument = replica.instruments[position.instrument]
    decimals = instrument.base_decimals, instrument.quote_decimals
    mark = replica.market.mark(position.instrument)
    pnl_raw = None if view.value_raw is None else view.value_raw - position.cost_quote_raw
    cost_raw = position.cost_quote_raw
    return PositionRow(
        id=position.intent_id,
        symbol=instrument.symbol,
        side="LONG",
        size=units_of(position.base_raw, instrument.base_decimals),
        entry_price=price_of(position.base_raw, cost_raw, *decimals),
        current_price=None if mark is None else mark[0],
        pnl=None if pnl_raw is None else replica.quote_units(pnl_raw),
        pnl_pct=None if pnl_raw is None or not cost_raw else pnl_raw / cost_raw,
        strategy=position.lead,
        stop=position.stop,
        target=position.target,
        opened_at=when(position.opened_ts_ns),
        risk_at_stop=_units(world, view.risk_at_stop_raw),
        value=_units(world, view.value_raw),
        age_s=price_age_s(world, position.instrument),
        stale=is_stale(world, position.instrument),
    )


def find(world: World, name: str) -> Position | None:
    """Return the open position of an id or a symbol."""
    for position in world.replica.book.positions.values():
        if name in {position.intent_id, world.replica.symbol(position.instrument)}:
            return position
    return None


def _units(world: World, raw: int | None) -> float | None:
    return None if raw is None else world.replica.quote_units(raw)
