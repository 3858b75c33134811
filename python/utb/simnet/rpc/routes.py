"""HTTP requests to the chain's endpoints: whose they are, their faults, and their answers."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from utb.ports.clock import Clock
from utb.simnet.rpc import relay, request
from utb.simnet.rpc.controls import Controls
from utb.simnet.rpc.errors import RpcError, method_not_found
from utb.simnet.rpc.faults import HELIUS, JITO, JUPITER, RPC_ENDPOINTS, Kind
from utb.simnet.rpc.front import Front, told_by_chain
from utb.simnet.rpc.jito import Engine
from utb.simnet.rpc.jupiter import Jupiter
from utb.simnet.rpc.params import Params
from utb.simnet.server.http import Answer, Refusal, Request, Response
from utb.simnet.server.mangle import garbage

RPC: Final = "/rpc/"
_JITO: Final = "/jito/api/v1/"
_JUPITER: Final = "/jupiter/"
_CONTROLS: Final = "/simnet/chain"
_SENDS: Final = frozenset({"sendTransaction", "sendBundle"})
_SECOND_NS: Final = 1_000_000_000

Serve = Callable[[Request, "Body"], Response]


class Body(NamedTuple):
    """A body that may be JSON-RPC."""

    asked: request.Request | None
    error: RpcError | None

    @property
    def methods(self) -> tuple[str, ...]:
        """Return the methods that are called."""
        return () if self.asked is None else tuple(self.asked.methods)


class ChainRoutes:
    """Answers what belongs to the chain's half."""

    def __init__(self, front: Front, controls: Controls, clock: Clock) -> None:
        self._front = front
        self._controls = controls
        self._clock = clock
        self._engine = Engine(front.chain, front.sends)
        self._sender = relay.Sender(front.sends)
        self._jupiter = Jupiter(front, clock)
        self._garbled = 0

    def answer(self, asked: Request) -> Answer | Awaitable[Answer] | None:
        """Answer one request; None: it is not the chain's."""
        path = asked.path
        if path == _CONTROLS or path.startswith(f"{_CONTROLS}/"):
            return self._controls.answer(asked)
        if path.startswith(RPC):
            name = path[len(RPC) :].strip("/")
            if name in RPC_ENDPOINTS:
                return self._endpoint(name, asked, self._rpc)
        for begin, name, serve in (
            (_JITO, JITO, self._jito),
            ("/helius/fast", HELIUS, self._helius),
            ("/helius/ping", HELIUS, self._helius),
            (_JUPITER, JUPITER, self._swap),
        ):
            if path.startswith(begin):
                return self._endpoint(name, asked, serve)
        return None

    # Faults around every endpoint

    def _endpoint(self, name: str, asked: Request, serve: Serve) -> Answer | Awaitable[Answer]:
        body = _body(asked) if asked.method == "POST" and name != JUPITER else Body(None, None)
        methods = body.methods or (asked.path.rsplit("/", 1)[-1],)
        refused = self._refused(name, methods, body)
        if refused is not None:
            return refused
        made = serve(asked, body)
        board = self._front.board
        if _SENDS.intersection(methods):
            after = board.strike(name, Kind.ERROR_AFTER, methods)
            if after is not None:
                made = _error(after.whole, "upstream failed")
        if board.strike(name, Kind.GARBAGE, methods) is not None:
            self._garbled += 1
            made = made._replace(body=garbage(made.body, self._garbled - 1)[0])
        slow = board.strike(name, Kind.SLOW, methods)
        return made if slow is None else _later(made, slow.value)

    def _refused(self, name: str, methods: tuple[str, ...], body: Body) -> Answer | None:
        """Return what comes in place of an answer, or None."""
        board = self._front.board
        if board.strike(name, Kind.BLACKOUT) is not None:
            return Refusal.CUT
        if board.strike(name, Kind.HANG, methods) is not None:
            return Refusal.HANG
        often = board.strike(name, Kind.TOO_MANY, methods)
        if often is not None:
            return _too_many(often.value, body)
        broken = board.strike(name, Kind.BROKEN, methods)
        if broken is not None:
            return _error(broken.whole, "node failed")
        limit = None if name == JUPITER else self._controls.limits.get(name)
        if limit is not None:
            allowed = limit.ask(asyncio.get_running_loop().time())
            if not allowed.taken:
                return _too_many(allowed.reset_s, body)
        return None

    # Endpoints

    def _rpc(self, asked: Request, body: Body) -> Response:
        name = asked.path[len(RPC) :].strip("/")
        if asked.method != "POST":
            return _error(405, "Used HTTP Method is not allowed. POST or OPTIONS is required")
        if body.asked is None:
            return _failed(body)
        return Response(200, self._front.answer(name, body.asked))

    def _jito(self, asked: Request, body: Body) -> Response:
        if asked.method == "GET" and asked.path == f"{_JITO}bundles/tip_floor":
            now_s = self._clock.now_ns() / _SECOND_NS
            time = datetime.fromtimestamp(now_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            return Response(200, request.encode(self._engine.tip_floor(time)))
        if asked.method != "POST":
            return _error(405, f"{asked.method} is not allowed, expected POST")
        if body.asked is None:
            return _failed(body)
        made: list[str] = []
        bundle_only = asked.query.get("bundleOnly") == "true"

        def handle(method: str, params: Params) -> Any:
            result, bundle = self._engine.call(method, params, bundle_only=bundle_only)
            made.extend(() if bundle is None else (bundle,))
            return result

        told = request.answer(body.asked, told_by_chain(handle))
        return Response(200, told, tuple(("x-bundle-id", one) for one in made[:1]))

    def _helius(self, asked: Request, body: Body) -> Response:
        if asked.path == "/helius/ping":
            return Response(200, b"ok", (), "text/plain")
        if asked.method != "POST":
            return _error(405, f"{asked.method} is not allowed, expected POST")
        if body.asked is None:
            return _failed(body)
        swqos_only = asked.query.get("swqos_only") == "true"

        def handle(method: str, params: Params) -> str:
            if method != "sendTransaction":
                raise method_not_found()
            return self._sender.send(params, swqos_only=swqos_only)

        return Response(200, request.answer(body.asked, told_by_chain(handle)))

    def _swap(self, asked: Request, _body: Body) -> Response:
        limit = self._controls.limits.get(JUPITER)
        if limit is None:
            return self._jupiter.answer(asked)
        allowed = limit.ask(asyncio.get_running_loop().time())
        reset_s = self._clock.now_ns() / _SECOND_NS + allowed.reset_s
        headers = (
            ("x-ratelimit-remaining", str(allowed.remaining)),
            ("x-ratelimit-current", str(allowed.current)),
            ("x-ratelimit-reset", str(int(reset_s))),
        )
        if not allowed.taken:
            return Response(429, b'{"code":429,"message":"Too many requests"}', headers)
        made = self._jupiter.answer(asked)
        return made._replace(headers=(*made.headers, *headers))


def _body(asked: Request) -> Body:
    try:
        return Body(request.parse(asked.body), None)
    except RpcError as error:
        return Body(None, error)


def _failed(body: Body) -> Response:
    error = body.error or RpcError(-32700, "Parse error")
    return Response(200, request.encode(request.failure(None, error)))


def _too_many(wait_s: float, body: Body) -> Response:
    error = RpcError(429, "Too many requests for a specific RPC call")
    calls = [] if body.asked is None else body.asked.calls
    number = next((call.id for call in calls if isinstance(call, request.Call)), None)
    told = request.encode(request.failure(number, error))
    # Whole seconds, rounded up: sooner would be too soon.
    return Response(429, told, (("retry-after", str(-int(-wait_s // 1))),))


def _error(status: int, message: str) -> Response:
    return Response(status, request.encode({"error": message}))


async def _later(answer: Response, wait_s: float) -> Answer:
    await asyncio.sleep(wait_s)
    return answer
