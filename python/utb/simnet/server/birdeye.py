"""Birdeye's REST: prices, bars and an overview of tokens, from the market's history."""

import asyncio
import hmac
from collections.abc import Awaitable
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
import numpy as np

from utb.simnet.grid import SECOND_NS
from utb.simnet.server.faults import Board, Kind
from utb.simnet.server.history import TYPES_S, Columns, bars
from utb.simnet.server.http import Answer, Request, Response
from utb.simnet.server.world import SOURCES, Market, World

ITEMS_MAX: Final = 1000
"""Most bars of one answer: the oldest ones of the span that is asked for."""
ADDRESSES_MAX: Final = 100

_BIRDEYE: Final = SOURCES.index("birdeye")
_DAY_S: Final = 86_400
_WINDOWS_S: Final = {
    "30m": 1800,
    "1h": 3600,
    "2h": 7200,
    "4h": 14_400,
    "6h": 21_600,
    "8h": 28_800,
    "12h": 43_200,
    "24h": 86_400,
}
_TIMES_MAX: Final = 2**40


class _FailedError(Exception):
    """A request that cannot be answered: status and Birdeye's message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class BirdeyeRest:
    """Answers `/defi/...`; what takes numpy long is done in a thread."""

    def __init__(self, world: World, market: Market, board: Board) -> None:
        self._world = world
        self._market = market
        self._board = board
        self._indices = {one.base_mint: one.index for one in world.instruments}

    def answer(self, request: Request) -> Answer | Awaitable[Answer]:
        """Answer one request."""
        key = self._world.keys.birdeye
        if key is not None and not _same(request.headers.get(b"x-api-key"), key):
            return _failure(401, "Unauthorized")
        return self._answer(request)

    async def _answer(self, request: Request) -> Answer:
        ways = {
            "/defi/price": self._price,
            "/defi/multi_price": self._multi_price,
            "/defi/ohlcv": self._ohlcv,
            "/defi/token_overview": self._overview,
        }
        way = ways.get(request.path)
        if way is None:
            return _failure(404, "Not found")
        loop = asyncio.get_running_loop()
        try:
            data = await loop.run_in_executor(None, way, request.query)
        except _FailedError as failed:
            return _failure(failed.status, str(failed))
        return Response(200, msgspec.json.encode({"data": data, "success": True}))

    # What is asked for

    def _price(self, query: dict[str, str]) -> dict[str, Any] | None:
        return self._told(self._index(query.get("address", "")))

    def _multi_price(self, query: dict[str, str]) -> dict[str, Any]:
        addresses = [one for one in query.get("list_address", "").split(",") if one]
        if not 1 <= len(addresses) <= ADDRESSES_MAX:
            raise _FailedError(400, f"list_address must have 1 to {ADDRESSES_MAX} addresses")
        found: dict[str, Any] = {}
        for address in addresses:
            index = self._indices.get(address)
            told = None if index is None else self._told(index)
            if index is not None and told is not None:
                told["priceChange24h"] = self._change(self._columns(index), _DAY_S)
            found[address] = told
        return found

    def _ohlcv(self, query: dict[str, str]) -> dict[str, Any]:
        address = query.get("address", "")
        index = self._index(address)
        kind = query.get("type", "")
        if kind not in TYPES_S:
            raise _FailedError(400, f"type must be one of {', '.join(TYPES_S)}")
        from_s, to_s = _seconds(query, "time_from"), _seconds(query, "time_to")
        if from_s > to_s:
            raise _FailedError(400, "time_from must not be after time_to")
        shift_s = self._market.time.shift_ns // SECOND_NS
        # A bar that opens at `time_to` is in, with what is known of it by now.
        columns = self._columns(index)
        scale = self._scale()
        items: list[dict[str, Any]] = []
        for bar in bars(columns, kind, from_s - shift_s):
            if bar.unix_s + shift_s > to_s or len(items) == ITEMS_MAX:
                break
            items.append(
                {
                    "o": bar.open * scale,
                    "h": bar.high * scale,
                    "l": bar.low * scale,
                    "c": bar.close * scale,
                    "v": bar.volume,
                    "type": kind,
                    "unixTime": bar.unix_s + shift_s,
                    "address": address,
                }
            )
        return {"items": items}

    def _overview(self, query: dict[str, str]) -> dict[str, Any]:
        address = query.get("address", "")
        index = self._index(address)
        one = self._world.instruments[index]
        columns = self._columns(index)
        told = self._told(index) or {"value": None, "updateUnixTime": None}
        overview: dict[str, Any] = {
            "address": address,
            "decimals": one.base_decimals,
            "symbol": one.base,
            "name": self._world.names[index],
            "extensions": {},
            "logoURI": None,
            "liquidity": self._world.liquidity_usd[index] or None,
            "price": told["value"],
            "lastTradeUnixTime": told["updateUnixTime"],
        }
        for name, window_s in _WINDOWS_S.items():
            overview.update(self._window(columns, name, window_s))
        return overview

    def _window(self, columns: Columns, name: str, window_s: int) -> dict[str, Any]:
        begin = self._begin(columns, window_s)
        usd = columns.volume[begin:] * columns.close[begin:]
        past = float(columns.close[begin - 1]) * self._scale() if begin else None
        return {
            f"history{name}Price": past,
            f"priceChange{name}Percent": self._change(columns, window_s),
            f"v{name}": float(columns.volume[begin:].sum()),
            f"v{name}USD": float(usd.sum()),
        }

    # The past

    def _index(self, address: str) -> int:
        if not address:
            raise _FailedError(400, "address is required")
        if address not in self._indices:
            raise _FailedError(404, "Not found")
        return self._indices[address]

    def _now_ns(self) -> int:
        stale = self._board.find(_BIRDEYE, Kind.STALE)
        seen_ns = self._market.time.seen_ns
        return seen_ns if stale is None or stale.start_ns is None else stale.start_ns

    def _scale(self) -> float:
        lying = self._board.find(_BIRDEYE, Kind.LYING)
        return 1.0 if lying is None or lying.value is None else lying.value

    def _columns(self, index: int) -> Columns:
        return self._world.history.columns(index, self._now_ns())

    def _told(self, index: int) -> dict[str, Any] | None:
        """Return the body of `/defi/price`; None before the first price."""
        columns = self._columns(index)
        if not columns.ts_ns.size:
            return None
        shift_ns = self._market.time.shift_ns
        second = (int(columns.ts_ns[-1]) + columns.step_ns + shift_ns) // SECOND_NS - 1
        return {
            "value": float(columns.close[-1]) * self._scale(),
            "liquidity": self._world.liquidity_usd[index] or None,
            "updateUnixTime": second,
            "updateHumanTime": f"{datetime.fromtimestamp(second, UTC):%Y-%m-%dT%H:%M:%S}",
        }

    def _begin(self, columns: Columns, window_s: int) -> int:
        return int(np.searchsorted(columns.ts_ns, self._now_ns() - window_s * SECOND_NS))

    def _change(self, columns: Columns, window_s: int) -> float | None:
        begin = self._begin(columns, window_s)
        if begin == 0 or not columns.ts_ns.size:
            return None
        return float(100 * (columns.close[-1] / columns.close[begin - 1] - 1))


def _seconds(query: dict[str, str], name: str) -> int:
    text = query.get(name, "")
    if not text.isdigit() or int(text) > _TIMES_MAX:
        raise _FailedError(400, f"{name} must be a time in seconds since the epoch")
    return int(text)


def _same(shown: bytes | None, key: str) -> bool:
    return shown is not None and hmac.compare_digest(shown, key.encode())


def _failure(status: int, message: str) -> Response:
    return Response(status, msgspec.json.encode({"success": False, "message": message}))
