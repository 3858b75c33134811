"""A world that is served for a test."""

from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvloop
from simnet_bot import Addresses

from utb.adapters.clocks import SystemClock
from utb.bootstrap import RunOptions
from utb.bootstrap.simnet import SimnetOptions, build_world
from utb.config.load import defaults
from utb.domain.names import STRATEGIES, Regime
from utb.engine import Engine, build_params, instruments_document
from utb.ports.clock import Clock
from utb.ports.feed import ContextUpdate, FeedItem, Frame
from utb.simnet.profiles import bindings
from utb.simnet.server.app import Server, ServerOptions
from utb.simnet.server.world import Keys, World


@dataclass
class Stand:
    """A server that listens."""

    at: Addresses
    world: World
    server: Server


def world_of(*, keys: Keys | None = None, **run: Any) -> World:
    options = SimnetOptions(
        state_dir=Path(), http_port=0, ws_port=0, run=RunOptions(**{"seed": 7, **run})
    )
    return build_world(defaults(), options, keys or Keys())


@asynccontextmanager
async def serving(
    world: World | None = None,
    *,
    speed: float | None = None,
    wall: Clock | None = None,
    **run: Any,
) -> AsyncIterator[Stand]:
    made = world or world_of(**run)
    options = ServerOptions(http_port=0, ws_port=0, speed=speed, wall=wall is not None)
    server = Server(made, options, wall or SystemClock())
    at = await server.start()
    try:
        yield Stand(at, made, server)
    finally:
        await server.stop()


def run(test: Coroutine[Any, Any, None]) -> None:
    uvloop.run(test)


def engine(world: World) -> Engine:
    config = defaults()
    params = build_params(config, 1, [[0.125] * len(STRATEGIES)] * len(Regime))
    made = Engine(params, instruments_document(config, list(world.instruments)), world.finest)
    for one in bindings():
        made.bind(2, one.key, one.instrument, one.role)
    made.log(bars=True)
    return made


def ingest(made: Engine, items: list[FeedItem]) -> None:
    for item in items:
        if isinstance(item, Frame):
            made.ingest(item.source, item.payload, item.ts_recv_ns)
        elif isinstance(item, ContextUpdate):
            made.set_context(item.instrument, item.payload, item.ts_ns)


def frames(items: list[FeedItem], source: int) -> list[Frame]:
    return [item for item in items if isinstance(item, Frame) and item.source == source]
