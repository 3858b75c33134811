"""What clients say on the sources' WebSockets: subscriptions of Birdeye and of Helius."""

import re
from collections.abc import Callable
from typing import Any, Final

import msgspec

from utb.simnet.server.history import TYPES_S
from utb.simnet.server.wire import Key, price_key, trades_key
from utb.simnet.server.world import World

TOKENS_MAX: Final = 100
"""Most tokens of one connection, and accounts of one connection."""

_ACCOUNTS_MAX: Final = 10_000
"""Most accounts that one connection ever names."""
_UNKNOWN_SUBSCRIPTION: Final = 900_000
_TERM: Final = re.compile(r"\s*(\w+)\s*=\s*([^\s()=]+)\s*")
_JSON: Final = msgspec.json.Decoder()
_PARSE_ERROR, _INVALID_REQUEST, _NO_METHOD, _INVALID_PARAMS = -32700, -32600, -32601, -32602


class _WrongError(Exception):
    """A message that cannot be followed; its text goes back to the client."""


class BirdeyeDialect:
    """`SUBSCRIBE_PRICE` and `SUBSCRIBE_TXS`, simple and complex, and `UNSUBSCRIBE...`.

    A later subscription of a type replaces the earlier one on the connection.
    """

    def __init__(self, world: World) -> None:
        self._finest = world.finest
        self._pools = {
            pool: one.base_mint
            for pool, one in zip(world.pools, world.instruments, strict=True)
            if pool
        }
        self._prices: frozenset[Key] = frozenset()
        self._trades: frozenset[Key] = frozenset()

    @property
    def keys(self) -> frozenset[Key]:
        """Return what the connection is subscribed to."""
        return self._prices | self._trades

    def answer(self, message: bytes) -> list[bytes]:
        """Take a message; only a mistake is answered."""
        try:
            self._take(message)
        except _WrongError as wrong:
            return [msgspec.json.encode({"type": "ERROR", "data": str(wrong)})]
        return []

    def _take(self, message: bytes) -> None:
        body = _object(message)
        kind = body.get("type")
        data = body.get("data", {})
        if not isinstance(data, dict):
            raise _WrongError("data must be an object")
        if kind == "SUBSCRIBE_PRICE":
            self._prices = self._wanted(data, self._price)
        elif kind == "SUBSCRIBE_TXS":
            self._trades = self._wanted(data, self._trade)
        elif kind == "UNSUBSCRIBE_PRICE":
            self._prices = frozenset()
        elif kind == "UNSUBSCRIBE_TXS":
            self._trades = frozenset()
        elif kind == "UNSUBSCRIBE":
            self._prices = self._trades = frozenset()
        else:
            raise _WrongError(f"type {kind} is not supported")

    def _wanted(self, data: dict[str, Any], key: Callable[[dict[str, Any]], Key]) -> frozenset[Key]:
        query_type = data.get("queryType", "simple")
        if query_type == "simple":
            return frozenset([key(data)])
        if query_type != "complex":
            raise _WrongError("queryType must be simple or complex")
        parts = re.split(r"\s+OR\s+", str(data.get("query", "")), flags=re.IGNORECASE)
        if len(parts) > TOKENS_MAX:
            raise _WrongError(f"a connection takes at most {TOKENS_MAX} tokens")
        return frozenset(key(_terms(part)) for part in parts)

    def _price(self, data: dict[str, Any]) -> Key:
        chart_type = data.get("chartType")
        if chart_type not in TYPES_S:
            raise _WrongError(f"chartType must be one of {', '.join(TYPES_S)}")
        if TYPES_S[chart_type] != TYPES_S[birdeye_type(self._finest)]:
            raise _WrongError(f"chartType {chart_type}: this market has {self._finest} only")
        return price_key(self._address(data, "address"), chart_type)

    def _trade(self, data: dict[str, Any]) -> Key:
        if data.get("txsType", "swap") != "swap":
            raise _WrongError("txsType must be swap")
        name = "pairAddress" if "pairAddress" in data else "address"
        return trades_key(self._address(data, name))

    def _address(self, data: dict[str, Any], name: str) -> str:
        address = data.get(name)
        if not isinstance(address, str) or not address:
            raise _WrongError(f"{name} is required")
        return self._pools.get(address, address)


class HeliusDialect:
    """JSON-RPC `accountSubscribe` and `accountUnsubscribe`.

    The market's accounts have fixed subscription ids; any other account has one of its own, and
    nothing ever comes for it.
    """

    def __init__(self, world: World) -> None:
        self._ids = {
            account.key: number
            for account, number in zip(world.accounts, world.subscriptions, strict=True)
        }
        self._subscribed: set[Key] = set()

    @property
    def keys(self) -> frozenset[Key]:
        """Return what the connection is subscribed to."""
        return frozenset(self._subscribed)

    def answer(self, message: bytes) -> list[bytes]:
        """Answer a request."""
        try:
            body = _object(message)
        except _WrongError as wrong:
            return [_rpc_error(None, _PARSE_ERROR, str(wrong))]
        number, method, params = body.get("id"), body.get("method"), body.get("params", [])
        if body.get("jsonrpc") != "2.0" or not isinstance(method, str):
            return [_rpc_error(number, _INVALID_REQUEST, "Invalid Request")]
        if method not in {"accountSubscribe", "accountUnsubscribe"}:
            return [_rpc_error(number, _NO_METHOD, "Method not found")]
        try:
            result = self._call(method, params)
        except _WrongError as wrong:
            return [_rpc_error(number, _INVALID_PARAMS, f"Invalid params: {wrong}")]
        return [msgspec.json.encode({"jsonrpc": "2.0", "result": result, "id": number})]

    def _call(self, method: str, params: object) -> int | bool:
        if not isinstance(params, list) or not params:
            raise _WrongError("params must be a list that is not empty")
        return self._subscribe(params) if method == "accountSubscribe" else self._drop(params)

    def _subscribe(self, params: list[Any]) -> int:
        address, options = params[0], params[1] if len(params) > 1 else {}
        if not isinstance(address, str):
            raise _WrongError("the account must be text")
        if not isinstance(options, dict) or options.get("encoding", "base64") != "base64":
            raise _WrongError("encoding must be base64")
        if address not in self._ids and len(self._ids) >= _ACCOUNTS_MAX:
            raise _WrongError("too many accounts")
        number = self._ids.setdefault(address, _UNKNOWN_SUBSCRIPTION + len(self._ids))
        if number not in self._subscribed and len(self._subscribed) >= TOKENS_MAX:
            raise _WrongError(f"a connection takes at most {TOKENS_MAX} accounts")
        self._subscribed.add(number)
        return number

    def _drop(self, params: list[Any]) -> bool:
        if params[0] not in self._subscribed:
            raise _WrongError("no such subscription")
        self._subscribed.discard(params[0])
        return True


def birdeye_type(timeframe: str) -> str:
    """Return Birdeye's name of one of our timeframes: 1h is 1H."""
    return timeframe if timeframe.endswith("m") else timeframe.upper()


def _object(message: bytes) -> dict[str, Any]:
    try:
        body = _JSON.decode(message)
    except msgspec.MsgspecError as error:
        raise _WrongError("Parse error") from error
    if not isinstance(body, dict):
        raise _WrongError("the message must be an object")
    return body


def _terms(part: str) -> dict[str, Any]:
    """Read `(address = A AND chartType = 1m AND currency = usd)`."""
    text = part.strip().removeprefix("(").removesuffix(")")
    terms = {}
    for piece in re.split(r"\s+AND\s+", text, flags=re.IGNORECASE):
        found = _TERM.fullmatch(piece)
        if found is None:
            raise _WrongError("query must be (name = value AND ...) OR (...)")
        terms[found[1]] = found[2]
    return terms


def _rpc_error(number: object, code: int, message: str) -> bytes:
    error = {"code": code, "message": message}
    return msgspec.json.encode({"jsonrpc": "2.0", "error": error, "id": number})
