"""The server: two ports on the loopback, one market, and how it starts and ends."""

import asyncio
import hmac
import signal
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qs

import structlog
from picows import (
    WSListener,
    WSUpgradeRequest,
    WSUpgradeResponse,
    WSUpgradeResponseWithListener,
    ws_create_server,
)

from utb.domain.clock import BIRDEYE, HELIUS
from utb.errors import UsageError
from utb.ports.clock import Clock
from utb.simnet.grid import SECOND_NS
from utb.simnet.rpc.half import ChainHalf, ChainServed
from utb.simnet.rpc.pegs import Pegs
from utb.simnet.server.birdeye import BirdeyeRest
from utb.simnet.server.dexscreener import DexScreenerRest
from utb.simnet.server.dialects import BirdeyeDialect, HeliusDialect
from utb.simnet.server.faults import Board, Kind
from utb.simnet.server.http import Answer, HttpConnection, Request
from utb.simnet.server.lockstep import ClockConnection, LockStep
from utb.simnet.server.routes import Routes
from utb.simnet.server.sender import Sender
from utb.simnet.server.sockets import Dialect, Hub, SourceConnection
from utb.simnet.server.wall import WallMarket
from utb.simnet.server.world import World

HOST: Final = "127.0.0.1"
SWITCH_S: Final = 0.0005
"""How long the thread that makes items may hold up the one that sends them."""
_MESSAGE_BYTES_MAX: Final = 64 * 1024
_HANDSHAKE_S: Final = 5.0
_CLOCKS_MAX: Final = 8

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerOptions:
    """How a world is served."""

    http_port: int
    """0: any free one."""
    ws_port: int
    speed: float | None = None
    """Market seconds per second; None: as fast as the bot takes them. Not in wall mode."""
    wall: bool = False
    chain: ChainServed | None = None
    """A chain beside the market, whose pools follow it."""


CHAIN_STEP_NS: Final = 30 * SECOND_NS
"""Market time sent at once beside a chain: its pools are never further ahead of the bot."""


class Server:
    """A world on its two ports; to be made and used in one event loop."""

    def __init__(self, world: World, options: ServerOptions, clock: Clock) -> None:
        self._world = world
        self._options = options
        self.board = Board()
        self._hub = Hub(self.board, self._changed)
        sender = Sender(self._hub, self.board)
        self._market: LockStep | WallMarket
        if options.wall:
            self._market = WallMarket(world, self.board, self._hub, sender, clock)
        else:
            self._market = LockStep(world, self.board, self._hub, sender)
            self._market.at_speed(options.speed)
            if options.chain is not None:
                self._market.in_steps(CHAIN_STEP_NS)
        self._routes = Routes(
            self._market,
            self.board,
            DexScreenerRest(self._market, sender),
            BirdeyeRest(world, self._market, self.board),
            wall=options.wall,
        )
        self.chain = None if options.chain is None else ChainHalf(options.chain, clock)
        """The chain's half, if there is one."""
        if self.chain is not None:
            pegs = Pegs(world, self.chain.front.chain, sender.truth)
            self._market.before_frames(pegs.follow)
            self.chain.before_slots(pegs.follow)
        self._http_connections: set[HttpConnection] = set()
        self._servers: list[asyncio.AbstractServer] = []

    @property
    def market(self) -> LockStep | WallMarket:
        """Return who moves the market on."""
        return self._market

    async def start(self) -> dict[str, str]:
        """Listen, and return the addresses by the name of the setting they are for.

        Raises:
            UsageError: If a port cannot be had.
        """
        loop = asyncio.get_running_loop()
        http = _listen("--http-port", self._options.http_port)
        try:
            ws = _listen("--ws-port", self._options.ws_port)
        except UsageError:
            http.close()
            raise
        http_at, ws_at = (f"{HOST}:{one.getsockname()[1]}" for one in (http, ws))
        self._servers.append(await loop.create_server(self._http_connection, sock=http))
        self._servers.append(
            await ws_create_server(
                self._upgrade,
                sock=ws,
                enable_auto_pong=False,
                max_frame_size=_MESSAGE_BYTES_MAX,
                websocket_handshake_timeout=_HANDSHAKE_S,
                logger_name="simnet",
            )
        )
        if isinstance(self._market, WallMarket):
            await self._market.start()
        found = addresses(http_at, ws_at, wall=self._options.wall)
        if self.chain is not None:
            self.chain.start()
            found |= self.chain.addresses(http_at, ws_at)
        return found

    async def stop(self) -> None:
        """Close everything, after what was sent."""
        for server in self._servers:
            server.close()
        self._market.ahead.stop()
        if isinstance(self._market, WallMarket):
            self._market.stop()
        else:
            for bot in list(self._market.connections):
                bot.close()
        self._hub.close_all()
        if self.chain is not None:
            self.chain.stop()
        for connection in list(self._http_connections):
            connection.close()
        # One turn of the loop, for what was closed to be gone.
        await asyncio.sleep(0)

    @property
    def failed(self) -> "asyncio.Future[None]":
        """Return what gets the error of a market that cannot be read."""
        return self._market.ahead.failed

    def _changed(self) -> None:
        self._market.changed()

    def _http_connection(self) -> HttpConnection:
        return HttpConnection(self._answer, self._http_connections)

    def _answer(self, request: Request) -> Answer | Awaitable[Answer]:
        told = None if self.chain is None else self.chain.answer(request)
        return self._routes.answer(request) if told is None else told

    # WebSocket upgrades

    def _upgrade(
        self, request: WSUpgradeRequest
    ) -> WSListener | WSUpgradeResponseWithListener | None:
        path, _, query = request.path.decode("latin-1").partition("?")
        if path == "/clock" and isinstance(self._market, LockStep):
            full = len(self._market.connections) >= _CLOCKS_MAX
            return None if full else ClockConnection(self._market)
        if path == "/socket/solana":
            key = self._world.keys.birdeye
            return self._source(BIRDEYE, request, _shown(query, "x-api-key"), key)
        if path in {"/helius", "/helius/"}:
            key = self._world.keys.helius
            return self._source(HELIUS, request, _shown(query, "api-key"), key)
        return None if self.chain is None else self.chain.upgrade(path)

    def _source(
        self, source: int, request: WSUpgradeRequest, shown: str, key: str | None
    ) -> WSListener | WSUpgradeResponseWithListener:
        refused = self._refused(source, shown, key)
        if refused is not None:
            return WSUpgradeResponseWithListener(refused, None)
        dialect: Dialect
        dialect = BirdeyeDialect(self._world) if source == BIRDEYE else HeliusDialect(self._world)
        listener = SourceConnection(self._hub, source, dialect)
        offered = request.headers.get("Sec-WebSocket-Protocol", "")
        if "echo-protocol" not in offered:
            return listener
        response = WSUpgradeResponse.create_101_response(
            {"Sec-WebSocket-Protocol": "echo-protocol"}
        )
        return WSUpgradeResponseWithListener(response, listener)

    def _refused(self, source: int, shown: str, key: str | None) -> WSUpgradeResponse | None:
        if isinstance(self._market, WallMarket):
            self._market.pump()
        for kind, make in _REFUSALS.items():
            fault = self.board.find(source, kind)
            if fault is not None:
                fault.count("connections_refused")
                return make(fault.value)
        if key is not None and not hmac.compare_digest(shown.encode(), key.encode()):
            return _refusal(401, b'{"success":false,"message":"Unauthorized"}')
        if self._hub.full(source):
            return _refusal(429, b'{"success":false,"message":"Too many connections"}')
        return None


def _refusal(status: int, body: bytes, headers: dict[str, str] | None = None) -> WSUpgradeResponse:
    response: WSUpgradeResponse = WSUpgradeResponse.create_error_response(
        status, body, {"Content-Type": "application/json", **(headers or {})}
    )
    return response


_REFUSALS: Final[dict[Kind, Callable[[float | None], WSUpgradeResponse]]] = {
    # Sources share a port: the nearest to a refused connection is to end it.
    Kind.CUT: lambda _: _refusal(503, b"connection refused"),
    Kind.TOO_MANY: lambda value: _refusal(
        429, b'{"success":false,"message":"Too many requests"}', {"Retry-After": f"{value or 0:g}"}
    ),
    Kind.BROKEN: lambda _: _refusal(500, b'{"success":false,"message":"Internal server error"}'),
}


def _shown(query: str, name: str) -> str:
    return parse_qs(query).get(name, [""])[0]


def addresses(http_at: str, ws_at: str, *, wall: bool) -> dict[str, str]:
    """Return where everything is, by the name of the setting it is for."""
    found = {
        "api.dexscreener.base_url": f"http://{http_at}/latest/dex",
        "api.birdeye.base_url": f"http://{http_at}",
        "api.birdeye.ws_url": f"ws://{ws_at}/socket/solana",
        "api.helius.base_url": f"http://{http_at}",
        "api.helius.ws_url": f"ws://{ws_at}/helius",
        "faults": f"http://{http_at}/faults",
    }
    if not wall:
        found["clock"] = f"ws://{ws_at}/clock"
    return found


def _listen(field: str, port: int) -> socket.socket:
    """Return a socket that listens on the loopback."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((HOST, port))
        listening.listen(128)
        listening.setblocking(False)  # noqa: FBT003 - the socket's own way
    except (OSError, OverflowError) as error:
        listening.close()
        what = error.strerror if isinstance(error, OSError) else str(error)
        raise UsageError(field, str(port), f"a free port of {HOST} ({what})") from error
    return listening


async def serve(server: Server, on_listen: Callable[[dict[str, str]], Any]) -> int:
    """Serve until SIGTERM or SIGINT.

    Args:
        server: Not started yet.
        on_listen: Called with the addresses when both ports listen.

    Returns:
        0, or 130 after SIGINT.

    Raises:
        UsageError: If a port cannot be had.
        Exception: What keeps the market from being read.
    """
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[int] = loop.create_future()

    def end(code: int) -> None:
        if not ended.done():
            ended.set_result(code)

    for number, code in ((signal.SIGTERM, 0), (signal.SIGINT, 130)):
        loop.add_signal_handler(number, end, code)
    on_listen(await server.start())
    try:
        both: set[asyncio.Future[Any]] = {ended, server.failed}
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await server.stop()
    if server.failed.done():
        server.failed.result()
    return ended.result()
