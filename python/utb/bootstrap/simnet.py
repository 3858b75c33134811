"""`utb simnet`: the stand-in world, put together and served."""

import logging
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

import msgspec
import structlog
import uvloop
from msgspec.structs import replace

from utb.adapters.clocks import SystemClock
from utb.bootstrap import sources
from utb.bootstrap.chainstand import ChainOptions, fund, make_chain
from utb.bootstrap.options import RunOptions
from utb.bootstrap.sources import Source
from utb.config import secrets
from utb.config.schema import Config
from utb.domain.clock import Account
from utb.errors import UsageError
from utb.simnet import profiles
from utb.simnet.grid import SECOND_NS
from utb.simnet.market import DEFAULT_HOURS, SimulatedMarket
from utb.simnet.server.app import SWITCH_S, Server, ServerOptions, serve
from utb.simnet.server.history import Columns, GeneratedHistory, RecordedHistory
from utb.simnet.server.wall import HISTORY_S
from utb.simnet.server.world import Keys, World
from utb.storage.lock import StateLock

WALL_HOURS: Final = HISTORY_S // 3600 + 366 * 24
"""Length of a generated market in wall mode: its past, and more than anyone waits for."""

_log = structlog.get_logger(__name__)


class SimnetOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What `utb simnet` is asked to do."""

    state_dir: Path
    http_port: int
    ws_port: int
    speed: float | None = None
    wall: bool = False
    require_keys: bool = False
    chain: ChainOptions | None = None
    """A chain beside the market; None: there is none."""
    run: RunOptions = RunOptions()
    """Seed, hours, prices and context of the market."""


def run_simnet(
    config: Config, options: SimnetOptions, tell: Callable[[dict[str, str]], None]
) -> int:
    """Serve a world until a signal; return the exit code.

    Args:
        config: For the seed, and for the instruments of recorded prices.
        options: What to serve, and where.
        tell: Takes the addresses once both ports listen.

    Raises:
        UsageError: If an option, a file or a port is wrong, or a world is served in the directory.
    """
    # picows tells at INFO of every connection that comes and goes.
    logging.getLogger("picows").setLevel(logging.WARNING)
    keys = required_keys() if options.require_keys else Keys()
    world = build_world(config, options, keys)
    # The thread that makes the market must not hold up the one that sends it.
    sys.setswitchinterval(SWITCH_S)
    with StateLock(options.state_dir, "simnet"):
        return uvloop.run(_serve(world, options, tell))


async def _serve(
    world: World, options: SimnetOptions, tell: Callable[[dict[str, str]], None]
) -> int:
    chain = options.chain
    server = Server(
        world,
        ServerOptions(
            http_port=options.http_port,
            ws_port=options.ws_port,
            speed=options.speed,
            wall=options.wall,
            chain=None if chain is None else make_chain(world, chain),
        ),
        SystemClock(),
    )
    if server.chain is not None and chain is not None:
        fund(server.chain, chain)
    place = options.state_dir / "run" / "simnet.json"
    # A process that was killed left its addresses behind.
    place.unlink(missing_ok=True)
    try:
        return await serve(server, partial(_announce, place, tell))
    finally:
        place.unlink(missing_ok=True)
        _log.info("simnet_ended", cursor=server.market.time.cursor)


def _announce(
    place: Path, tell: Callable[[dict[str, str]], None], addresses: dict[str, str]
) -> None:
    """Write the addresses where others look for them; a reader never sees half of them."""
    draft = place.with_suffix(".tmp")
    draft.write_bytes(msgspec.json.encode(addresses))
    draft.replace(place)
    tell(addresses)
    _log.info("simnet_listens", **{name.replace(".", "_"): at for name, at in addresses.items()})


def build_world(config: Config, options: SimnetOptions, keys: Keys) -> World:
    """Put the market together that the same options of `utb demo` trade.

    Raises:
        UsageError: If an option or a file is wrong.
    """
    run = options.run
    if run.seed is not None:
        config = replace(config, paper=replace(config.paper, seed=run.seed))
    if run.prices:
        return _recorded(sources.recorded(config, run, frames=True), keys)
    hours = run.hours
    if hours is None:
        hours = WALL_HOURS if options.wall else DEFAULT_HOURS
    return _generated(config, replace(run, hours=hours), keys)


def required_keys() -> Keys:
    """Return the keys that clients must show: those of the environment.

    Raises:
        UsageError: If one is not set.
    """
    found = secrets.read().secrets()
    shown = {
        "BIRDEYE_API_KEY": found.birdeye_api_key,
        "HELIUS_API_KEY": found.helius_api_key,
    }
    missing = [name for name, key in shown.items() if not key]
    if missing:
        raise UsageError("--require-keys", f"without {', '.join(missing)}", "both keys to be set")
    birdeye, helius = (key.reveal() for key in shown.values() if key is not None)
    return Keys(birdeye=birdeye, helius=helius)


def _generated(config: Config, run: RunOptions, keys: Keys) -> World:
    source = sources.generated(config, run)
    seed = config.paper.seed
    market = SimulatedMarket(seed=seed, hours=run.hours or DEFAULT_HOURS)
    bindings = profiles.bindings()
    return World(
        instruments=source.instruments,
        names=tuple(profile.name for profile in profiles.PROFILES),
        pools=tuple(profile.pair_address for profile in profiles.PROFILES),
        liquidity_usd=tuple(2 * profile.depth_quote for profile in profiles.PROFILES),
        accounts=tuple(
            Account(profiles.account_address(one.instrument, one.role), one.instrument, one.role)
            for one in bindings
        ),
        subscriptions=tuple(int(one.key) for one in bindings),
        feed=source.drawn,
        history=GeneratedHistory(market.chunks(), market.grid.slot_s * SECOND_NS),
        cursor_before=partial(_cursor_before, market),
        span_ns=source.span_ns,
        seed=seed,
        identity=source.identity,
        finest=source.finest,
        keys=keys,
    )


def _cursor_before(market: SimulatedMarket, ts_ns: int) -> int:
    """Return the first item of the chunk in which a time is."""
    cursor, length = 0, 0
    for chunk in market.chunks():
        if chunk.begin_ns > ts_ns:
            break
        cursor += length
        length = len(chunk)
    return cursor


def _recorded(source: Source, keys: Keys) -> World:
    columns = {
        instrument.index: Columns(
            bars.span_ns, bars.ts_ns, bars.open, bars.high, bars.low, bars.close, bars.volume
        )
        for instrument, bars in source.markets
    }
    count = len(source.instruments)
    return World(
        instruments=source.instruments,
        names=tuple(instrument.base for instrument in source.instruments),
        pools=("",) * count,
        liquidity_usd=(0.0,) * count,
        accounts=(),
        subscriptions=(),
        feed=source.drawn,
        history=RecordedHistory(columns),
        cursor_before=lambda _: 0,
        span_ns=source.span_ns,
        seed=None,
        identity=source.identity,
        finest=source.finest,
        keys=keys,
    )
