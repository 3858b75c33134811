"""DexScreener's REST: the latest state of pairs."""

from collections.abc import Iterable
from typing import Final

import msgspec

from utb.domain.clock import DEXSCREENER, ITEM_HEADER
from utb.simnet.server.http import Request, Response
from utb.simnet.server.sender import Sender
from utb.simnet.server.wire import NO_PAIRS, PAIRS_HEAD, PAIRS_TAIL
from utb.simnet.server.world import Body, Market

ADDRESSES_MAX: Final = 30
_HEADER: Final = ITEM_HEADER.encode()
_PATH_PARTS: Final = 2


class _Token(msgspec.Struct):
    address: str
    name: str
    symbol: str


class _Pair(msgspec.Struct, rename="camel"):
    chain_id: str
    pair_address: str
    base_token: _Token
    quote_token: _Token


class _Pairs(msgspec.Struct):
    pairs: list[msgspec.Raw]


class DexScreenerRest:
    """Answers with the body that a poll of the bot is due, else with the latest of each pair."""

    def __init__(self, market: Market, sender: Sender) -> None:
        self._market = market
        self._sender = sender

    def answer(self, request: Request) -> Response:
        """Answer one request."""
        path = request.path
        if path == "/latest/dex/search":
            return self._search(request.query.get("q", ""))
        for begin, with_chain, bare in (
            ("/latest/dex/pairs/", True, False),
            ("/latest/dex/tokens/", False, False),
            ("/tokens/v1/", True, True),
            ("/token-pairs/v1/", True, True),
        ):
            if path.startswith(begin):
                return self._pairs(request, path.removeprefix(begin), with_chain, bare)
        return _error(404, "Not found")

    def lose(self, source: int, request: Request) -> None:
        """Note that the body of a poll went to nobody."""
        if source == DEXSCREENER:
            self._market.poll(_item(request))

    def _pairs(self, request: Request, rest: str, with_chain: bool, bare: bool) -> Response:  # noqa: FBT001 - columns of the table of paths
        parts = rest.split("/")
        if len(parts) != (_PATH_PARTS if with_chain else 1):
            return _error(404, "Not found")
        addresses = [one for one in parts[-1].split(",") if one]
        if not 1 <= len(addresses) <= ADDRESSES_MAX:
            return _error(400, f"{len(addresses)} addresses, expected 1 to {ADDRESSES_MAX}")
        due = self._market.poll(_item(request))
        if due is None:
            due = Body(self._latest(parts[0] if with_chain else "solana", set(addresses)))
        if due.binary or not bare:
            return Response(200, due.payload)
        return Response(200, due.payload[len(PAIRS_HEAD) : -len(PAIRS_TAIL)])

    def _search(self, query: str) -> Response:
        if not query:
            return _error(400, "q is missing, expected a text to search for")
        wanted = query.lower()
        found = [
            raw
            for raw, pair in self._known()
            if wanted in f"{pair.base_token.symbol} {pair.base_token.name}".lower()
            or query in {pair.base_token.address, pair.pair_address}
        ]
        return Response(200, _body(found))

    def _latest(self, chain: str, addresses: set[str]) -> bytes:
        return _body(
            raw
            for raw, pair in self._known()
            if pair.chain_id == chain
            and addresses & {pair.pair_address, pair.base_token.address, pair.quote_token.address}
        )

    def _known(self) -> Iterable[tuple[bytes, _Pair]]:
        for body in self._sender.last_bodies():
            for raw in msgspec.json.decode(body, type=_Pairs).pairs:
                yield bytes(raw), msgspec.json.decode(raw, type=_Pair)


def _item(request: Request) -> int | None:
    """Return the market item that set a poll off; None: the client does not say."""
    text = request.headers.get(_HEADER)
    return int(text) if text is not None and text.isdigit() else None


def _body(pairs: Iterable[bytes]) -> bytes:
    joined = b",".join(pairs)
    return PAIRS_HEAD + b"[" + joined + b"]" + PAIRS_TAIL if joined else NO_PAIRS


def _error(status: int, message: str) -> Response:
    return Response(status, msgspec.json.encode({"error": message}))
