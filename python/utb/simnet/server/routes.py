"""What is answered to HTTP requests: by source, with the faults that act on it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from utb.domain.clock import BIRDEYE, DEXSCREENER, HELIUS
from utb.errors import UsageError
from utb.simnet.server.birdeye import BirdeyeRest
from utb.simnet.server.dexscreener import DexScreenerRest
from utb.simnet.server.faults import Board, FaultRequest, Kind
from utb.simnet.server.http import Answer, Refusal, Request, Response
from utb.simnet.server.mangle import garbage
from utb.simnet.server.world import Market

_FAULT_DECODER: Final = msgspec.json.Decoder(FaultRequest, strict=False)
_ROUTES: Final = (
    ("/latest/dex/", DEXSCREENER),
    ("/tokens/v1/", DEXSCREENER),
    ("/token-pairs/v1/", DEXSCREENER),
    ("/defi/", BIRDEYE),
    ("/v0/", HELIUS),
)
"""Beginnings of paths, and whose they are."""


class Routes:
    """Answers every request."""

    def __init__(
        self,
        market: Market,
        board: Board,
        dexscreener: DexScreenerRest,
        birdeye: BirdeyeRest,
        *,
        wall: bool,
    ) -> None:
        self._market = market
        self._board = board
        self._dexscreener = dexscreener
        self._birdeye = birdeye
        self._wall = wall
        self._turn = 0

    def answer(self, request: Request) -> Answer | Awaitable[Answer]:
        """Answer one request."""
        path = request.path
        for begin, source in _ROUTES:
            if path.startswith(begin):
                return self._source(source, request)
        if path == "/faults":
            return self._faults(request)
        return _error(404, f"no such path: {path[:100]}")

    def _source(self, source: int, request: Request) -> Answer | Awaitable[Answer]:
        if request.method != "GET":
            return _error(405, f"{request.method} is not allowed, expected GET")
        if self._wall:
            self._market.pump()
        if not self._board.active[source]:
            return self._plain(source, request)
        refused = self._refused(source, request)
        return self._faulty(source, request) if refused is None else refused

    def _plain(self, source: int, request: Request) -> Answer | Awaitable[Answer]:
        if source == DEXSCREENER:
            return self._dexscreener.answer(request)
        if source == BIRDEYE:
            return self._birdeye.answer(request)
        return _error(404, "Helius is here with its WebSocket only")

    def _refused(self, source: int, request: Request) -> Answer | None:
        """Return what faults answer in place of the source, or None."""
        for kind, answer in _REFUSALS.items():
            fault = self._board.find(source, kind)
            if fault is not None:
                fault.count("requests_failed")
                self._dexscreener.lose(source, request)
                return answer(fault.value)
        return None

    async def _faulty(self, source: int, request: Request) -> Answer:
        """Answer under faults that change what is answered."""
        slow = self._board.find(source, Kind.SLOW)
        if slow is not None and self._wall:
            await asyncio.sleep(slow.value or 0.0)
        made = self._plain(source, request)
        answer = made if isinstance(made, Response | Refusal) else await made
        broken = self._board.find(source, Kind.GARBAGE)
        # A DexScreener body went through its faults when it became due.
        if broken is None or source == DEXSCREENER or not isinstance(answer, Response):
            return answer
        broken.count("requests_failed")
        self._turn += 1
        body, _ = garbage(answer.body, self._turn - 1)
        return answer._replace(body=body)

    def _faults(self, request: Request) -> Answer:
        if request.method == "POST":
            return self._add(request)
        if request.method == "DELETE":
            self._board.end_all(self._market.time.now_ns)
        elif request.method != "GET":
            return _error(405, f"{request.method} is not allowed, expected GET, POST or DELETE")
        self._market.pump()
        return Response(200, self._told())

    def _add(self, request: Request) -> Answer:
        try:
            asked = _FAULT_DECODER.decode(request.body)
            fault = self._board.add(asked, self._market.time.now_ns)
        except msgspec.MsgspecError as error:
            return _error(400, f"body is no fault: {error}")
        except UsageError as error:
            return _error(400, str(error))
        self._market.pump()
        return Response(201, msgspec.json.encode(fault))

    def _told(self) -> bytes:
        time = self._market.time
        return msgspec.json.encode(
            {"market_ns": time.now_ns, "cursor": time.cursor, "faults": self._board.faults}
        )


def retry_after(value: float | None) -> Response:
    """Return the answer to a client that asks too often."""
    body = b'{"success":false,"message":"Too many requests"}'
    return Response(429, body, (("retry-after", f"{value or 0:g}"),))


def _broken(_: float | None) -> Response:
    return Response(500, b'{"success":false,"message":"Internal server error"}')


_REFUSALS: Final[dict[Kind, Callable[[float | None], Answer]]] = {
    Kind.CUT: lambda _: Refusal.CUT,
    Kind.SILENCE: lambda _: Refusal.HANG,
    Kind.HALF_OPEN: lambda _: Refusal.HANG,
    Kind.TOO_MANY: retry_after,
    Kind.BROKEN: _broken,
}


def _error(status: int, message: str) -> Response:
    return Response(status, msgspec.json.encode({"error": message}))
