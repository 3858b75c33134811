"""Closed trades and fills from the replica."""

from collections.abc import Iterator
from itertools import islice
from typing import cast

import msgspec

from utb.api.shown import fill_price, trade_id, when
from utb.api.trades.schemas import Costs, Marker, Markers, TradeRow, Trades
from utb.api.world import World
from utb.domain.amounts import BPS, price_of, units_of
from utb.domain.market import Instrument
from utb.domain.orders import Fill, Position, Trade
from utb.ledger.fold import TRADES_KEPT

_NS_PER_S = 1_000_000_000


def row(trade: Trade, instrument: Instrument) -> TradeRow:
    """Return one closed trade."""
    decimals = instrument.base_decimals, instrument.quote_decimals
    quote = instrument.quote_decimals
    risk = trade.initial_risk_quote_raw
    turned = units_of(trade.entry_quote_raw + trade.exit_quote_raw, quote)
    return TradeRow(
        id=trade_id(trade.position_id),
        symbol=instrument.symbol,
        side="BUY",
        size=units_of(trade.base_raw, instrument.base_decimals),
        price=price_of(trade.base_raw, trade.entry_quote_raw, *decimals),
        fees=units_of(trade.pool_fee_quote_raw + trade.fee_quote_raw, quote),
        timestamp=when(trade.closed_ts_ns),
        strategy=trade.lead,
        pnl=units_of(trade.pnl_quote_raw, quote),
        exit_price=price_of(trade.base_raw, trade.exit_quote_raw, *decimals),
        exit_reason=trade.exit_reason.value,
        opened_at=when(trade.opened_ts_ns),
        slippage_bps=trade.slippage_bps,
        execution_ms=trade.execution_ms,
        r_multiple=trade.pnl_quote_raw / risk if risk > 0 else None,
        costs=Costs(
            pool_fees=units_of(trade.pool_fee_quote_raw, quote),
            network_fees=units_of(trade.fee_quote_raw, quote),
            slippage=trade.slippage_bps / BPS * turned,
        ),
    )


class Wanted:
    """Which closed trades are asked for; None = all."""

    def __init__(
        self,
        *,
        symbol: str | None = None,
        strategy: str | None = None,
        since_ns: int | None = None,
        until_ns: int | None = None,
    ) -> None:
        self._symbol = symbol
        self._strategy = strategy
        self._since_ns = since_ns
        self._until_ns = until_ns

    def everything(self) -> bool:
        """Return whether no filter is set."""
        filters = (self._symbol, self._strategy, self._since_ns, self._until_ns)
        return all(one is None for one in filters)

    def fits(self, trade: Trade, symbol: str) -> bool:
        """Return whether a trade is among them; `until` is left out."""
        closed = trade.closed_ts_ns
        return (
            (self._symbol is None or symbol == self._symbol)
            and (self._strategy is None or trade.lead == self._strategy)
            and (self._since_ns is None or closed >= self._since_ns)
            and (self._until_ns is None or closed < self._until_ns)
        )


def trades(world: World, wanted: Wanted, *, limit: int, offset: int) -> Trades:
    """Return closed trades, newest first."""
    replica = world.replica
    closed = replica.book.trades
    if wanted.everything():
        found: list[Trade] = list(islice(reversed(closed), offset, offset + limit))
        total = len(closed)
    else:
        fitting = [t for t in reversed(closed) if wanted.fits(t, replica.symbol(t.instrument))]
        found, total = fitting[offset : offset + limit], len(fitting)
    after = offset + len(found)
    return Trades(
        trades=cast("tuple[TradeRow, ...]", _rows(world, found)),
        total=total,
        next_offset=after if found and after < total else None,
    )


def _rows(world: World, trades: list[Trade]) -> list[msgspec.Raw]:
    """Return closed trades' rows, each encoded once: nothing about one changes any more."""
    kept = world.replica.shown
    for trade in trades:
        if trade.position_id not in kept:
            made = row(trade, world.replica.instruments[trade.instrument])
            kept[trade.position_id] = msgspec.Raw(msgspec.json.encode(made))
    rows = [kept[trade.position_id] for trade in trades]
    while len(kept) > TRADES_KEPT:
        del kept[next(iter(kept))]
    return rows


def find(world: World, name: str) -> Trade | None:
    """Return the closed trade of an id: its own, or the intent id of its entry."""
    for trade in reversed(world.replica.book.trades):
        if name in {trade_id(trade.position_id), trade.intent_id, str(trade.position_id)}:
            return trade
    return None


def find_open(world: World, name: str) -> Position | None:
    """Return the open position of an id of its own, or of its entry's intent."""
    for position in world.replica.book.positions.values():
        if name in {trade_id(position.position_id), position.intent_id}:
            return position
    return None


def marker(fill: Fill, instrument: Instrument) -> Marker:
    """Return a fill as a chart shows it."""
    return Marker(
        time=fill.ts_ns // _NS_PER_S,
        side=fill.side.value,
        price=fill_price(fill, instrument),
        size=units_of(fill.base_raw, instrument.base_decimals),
        reason=fill.lead if fill.exit_reason is None else fill.exit_reason.value,
        trade_id=trade_id(fill.position_id),
        strategy=fill.lead,
    )


def markers(world: World, instrument: Instrument, limit: int) -> Markers:
    """Return the newest fills of an instrument, oldest first."""

    def own() -> Iterator[Fill]:
        for _, booked in reversed(world.replica.fills):
            if booked.fill.instrument == instrument.index:
                yield booked.fill

    newest = list(islice(own(), limit))
    return Markers(
        symbol=instrument.symbol,
        markers=tuple(marker(fill, instrument) for fill in reversed(newest)),
    )
