"""Instruments and bars from the replica and the journal's file."""

import asyncio
from pathlib import Path
from typing import Final

import numpy as np

from utb.api.market.schemas import BarRow, Bars, InstrumentRow, Instruments
from utb.api.market.votes import note
from utb.api.shown import decimals_of, is_stale, price_age_s, timeframe_of
from utb.api.world import World
from utb.domain.market import Instrument
from utb.engine import BAR_DTYPE
from utb.storage.readers import read_bars
from utb.telemetry.market import TIMEFRAMES, Bar

_END_NS: Final = (1 << 63) - 1
_NS_PER_S: Final = 1_000_000_000


def instruments(world: World) -> Instruments:
    """Return all instruments in the configured order."""
    return Instruments(instruments=tuple(row(world, one) for one in world.replica.instruments))


def row(world: World, instrument: Instrument) -> InstrumentRow:
    """Return one instrument."""
    replica, index = world.replica, instrument.index
    mark = replica.market.mark(index)
    held = replica.book.position_of(index)
    price = None if mark is None else mark[0]
    return InstrumentRow(
        symbol=instrument.symbol,
        price=price,
        price_decimals=decimals_of(price),
        change_24h=replica.market.change_24h(index),
        age_s=price_age_s(world, index),
        stale=is_stale(world, index),
        source=instrument.primary,
        liquid=instrument.liquid,
        position=None if held is None else held.intent_id,
        timeframe=timeframe_of(replica, world, index),
        note=note(world, instrument),
    )


def bar_row(bar: Bar) -> BarRow:
    """Return one bar as JSON has it."""
    return BarRow(
        time=bar.open_ns // _NS_PER_S,
        open=bar.open,
        high=bar.high,
        low=bar.low,
        close=bar.close,
        volume=bar.volume,
    )


async def bars(
    world: World, instrument: Instrument, timeframe: str, *, limit: int, before_ns: int | None
) -> Bars:
    """Return closed bars, oldest first, and the forming one.

    The newest stand in the replica, the older ones in the journal's file.
    """
    number = TIMEFRAMES.index(timeframe)
    end_ns = _END_NS if before_ns is None else before_ns
    recent = [b for b in world.replica.market.bars(instrument.index, number) if b.open_ns < end_ns]
    found = {bar.open_ns: bar for bar in recent}
    if len(found) < limit and world.journal is not None:
        stored = await asyncio.to_thread(
            _stored, world.journal, (instrument.index, number), end_ns, limit
        )
        found = stored | found
    ordered = [found[open_ns] for open_ns in sorted(found)][-limit:]
    view = world.replica.market.view(instrument.index)
    forming = None
    if view is not None and view.timeframe == timeframe and before_ns is None:
        forming = view.forming
    return Bars(
        symbol=instrument.symbol,
        timeframe=timeframe,
        bars=tuple(bar_row(bar) for bar in ordered),
        forming=None if forming is None else bar_row(forming),
    )


def _stored(journal: Path, which: tuple[int, int], before_ns: int, limit: int) -> dict[int, Bar]:
    rows = read_bars(journal, *which, before_ns=before_ns, limit=limit)
    found = {}
    for ts_ns, _, _, opened, high, low, close, volume, _ in np.frombuffer(rows, BAR_DTYPE).tolist():
        known = None if volume != volume else volume  # noqa: PLR0124 - NaN is unknown
        found[ts_ns] = Bar(ts_ns, opened, high, low, close, known)
    return found
