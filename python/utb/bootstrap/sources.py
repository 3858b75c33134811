"""Markets to trade: who is traded, and where its items come from."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
from msgspec.structs import replace

from utb.adapters.chain import base58
from utb.adapters.feeds.bars import RecordedBars
from utb.adapters.feeds.context_file import load_context
from utb.adapters.feeds.generated import GeneratedFeed
from utb.adapters.feeds.recorded import Market, RecordedFrames, RecordedRecords
from utb.bootstrap.options import RunOptions
from utb.config.instruments import instruments as configured_instruments
from utb.config.schema import Config
from utb.domain.market import Instrument
from utb.errors import InvariantError, UsageError
from utb.node.desk import TIMEFRAME_NS
from utb.ports.feed import ContextUpdate, Feed
from utb.simnet import profiles
from utb.simnet.market import DEFAULT_HOURS, SimulatedMarket

UNLISTED_DECIMALS: Final = 9
"""Decimals of a recorded token that the configuration does not name: the finest in common use."""


class Source(msgspec.Struct, frozen=True):
    """A market: who is traded, and where its items come from."""

    instruments: tuple[Instrument, ...]
    feed: Feed | None
    """None: its items are pushed."""
    finest: str
    """Smallest bar the input makes."""
    identity: str
    """Tells this market from others, for the options' digest."""
    span_ns: tuple[int, int]
    """Simulated start and end."""
    generated: bool = False

    @property
    def drawn(self) -> Feed:
        """Return the feed of a market whose items can be asked for.

        Raises:
            InvariantError: If they are pushed.
        """
        if self.feed is None:
            raise InvariantError("a market whose items are pushed has no feed to draw from")
        return self.feed

    markets: tuple[Market, ...] = ()
    """Recorded bars behind it."""


def generated(config: Config, options: RunOptions) -> Source:
    """Return the generated market of the configured seed.

    Raises:
        UsageError: If a context is given: it belongs to recorded prices.
    """
    if options.context is not None:
        raise UsageError("--context", str(options.context), "--prices with it")
    hours = DEFAULT_HOURS if options.hours is None else options.hours
    market = SimulatedMarket(seed=config.paper.seed, hours=hours)
    return Source(
        instruments=tuple(profiles.instruments()),
        feed=GeneratedFeed(market),
        finest="1m",
        identity=f"generated {config.paper.seed} {hours}",
        span_ns=(market.start_ns, market.end_ns),
        generated=True,
    )


def recorded(config: Config, options: RunOptions, *, frames: bool) -> Source:
    """Return recorded prices, as the source's frames or as records.

    Raises:
        UsageError: If a file is wrong, or two are of one instrument.
    """
    from utb.adapters.feeds.barfiles import load_bars  # noqa: PLC0415 - Arrow is slow to import

    bars = [
        load_bars(one, strategy_timeframe=config.strategies.timeframe) for one in options.prices
    ]
    if options.hours is not None:
        start_ns = min(int(one.ts_ns[0]) for one in bars)
        cut = [_first_hours(one, options.hours, start_ns) for one in bars]
        bars = [one for one in cut if one.ts_ns.size]
    return of_bars(config, bars, options.context, frames=frames)


def of_bars(
    config: Config, bars: Sequence[RecordedBars], context: Path | None = None, *, frames: bool
) -> Source:
    """Return loaded recordings, none empty, as frames or as records.

    Raises:
        UsageError: If two are of one instrument, or the context file is wrong.
    """
    markets = _markets(config, bars)
    instruments = tuple(instrument for instrument, _ in markets)
    contexts: Sequence[ContextUpdate] = ()
    if context is not None:
        contexts = load_context(context, {i.symbol: i.index for i in instruments})
    finest = min(bars, key=lambda one: one.span_ns).timeframe
    digest = hashlib.sha256()
    for _, one in markets:
        digest.update(one.symbol.encode())
        for column in (one.ts_ns, one.open, one.high, one.low, one.close, one.volume):
            digest.update(column.tobytes())
    for update in contexts:
        digest.update(msgspec.msgpack.encode(update))
    feed = RecordedFrames(markets, contexts) if frames else RecordedRecords(markets, contexts)
    form = "frames" if frames else "records"
    return Source(
        instruments=instruments,
        feed=feed,
        finest=finest,
        identity=f"{form} {digest.hexdigest()}",
        span_ns=(
            min(int(one.ts_ns[0]) for one in bars),
            max(int(one.ts_ns[-1]) + one.span_ns for one in bars),
        ),
        markets=tuple(markets),
    )


def _markets(config: Config, bars: Sequence[RecordedBars]) -> list[Market]:
    """Pair recordings with their instruments, numbered anew: only what has prices is traded."""
    known = {instrument.symbol: instrument for instrument in configured_instruments(config)}
    chosen: dict[str, RecordedBars] = {}
    for one in bars:
        known.setdefault(one.symbol, _unlisted(config, one, len(known)))
        if one.symbol in chosen:
            raise UsageError("--prices", f"{one.symbol} ({one.path})", "each instrument once")
        chosen[one.symbol] = one
    names = sorted(chosen, key=lambda symbol: known[symbol].index)
    return [
        (replace(known[name], index=index, primary="birdeye"), chosen[name])
        for index, name in enumerate(names)
    ]


def _unlisted(config: Config, bars: RecordedBars, index: int) -> Instrument:
    """Return an instrument that the configuration does not name: tradable, but not liquid.

    Its mint is a name for the decoders, made from the symbol; no such account exists.
    """
    quote = bars.symbol.partition("-")[2]
    if quote not in config.quotes:
        expected = f"a quote of {', '.join(config.quotes)}"
        raise UsageError("--prices", f"{bars.symbol} ({bars.path})", expected)
    return Instrument(
        index=index,
        symbol=bars.symbol,
        base_mint=base58.encode(hashlib.sha256(bars.symbol.encode()).digest()),
        quote_mint=config.quotes[quote].mint,
        base_decimals=UNLISTED_DECIMALS,
        quote_decimals=config.quotes[quote].decimals,
        primary="birdeye",
        liquid=False,
        min_order_quote_raw=round(
            config.execution.min_order_usdc * 10 ** config.quotes[quote].decimals
        ),
    )


def _first_hours(bars: RecordedBars, hours: int, start_ns: int) -> RecordedBars:
    """Return the bars that open within so many hours of the recording's start."""
    from dataclasses import replace as with_fields  # noqa: PLC0415 - the one dataclass here

    end = int(bars.ts_ns.searchsorted(start_ns + hours * TIMEFRAME_NS["1h"]))
    names = ("ts_ns", "open", "high", "low", "close", "volume")
    return with_fields(bars, **{name: getattr(bars, name)[:end] for name in names})
