"""The market's prices on their way into the chain's pools, read off the frames that go out."""

from base64 import b64decode
from collections.abc import Mapping
from typing import Any, Final

import msgspec
import structlog

from utb.domain.clock import BIRDEYE, DEXSCREENER, HELIUS
from utb.errors import UsageError
from utb.simnet import base58
from utb.simnet.chain.world import Chain
from utb.simnet.profiles import USDC_MINT
from utb.simnet.server.wire import Key
from utb.simnet.server.world import SOURCES, World

_USDC_KEY: Final = base58.decode(USDC_MINT)
_USDC_UNITS: Final = 10**6
_log = structlog.get_logger(__name__)
_AMOUNT_AT: Final = 64
_V4_BYTES: Final = 752
_V4_FEES_AT: Final = 192
_CPMM_FEES_AT: Final = 341
_CPMM_MINT_AT: Final = 168


class Pegs:
    """Lets the arbitrageur follow the market: true prices, whatever faults make of the frames."""

    def __init__(self, world: World, chain: Chain, truth: Mapping[Key, bytes]) -> None:
        """Take in who is who.

        Args:
            world: The market.
            chain: Whose pools follow it.
            truth: Last frame of each key, as the market made it.
        """
        self._chain = chain
        self._truth = truth
        self._seen: dict[Key, bytes] = {}
        self._beyond: set[str] = set()
        traded = {market.symbol for market in chain.markets}
        wanted = [one for one in world.instruments if one.symbol in traded]
        # Other sources only check an instrument's own one, and are behind it.
        by_source = {name: [one for one in wanted if one.primary == name] for name in SOURCES}
        self._by_mint = {one.base_mint: one.symbol for one in by_source[SOURCES[BIRDEYE]]}
        self._by_pair = {
            world.pools[one.index]: one.symbol for one in by_source[SOURCES[DEXSCREENER]]
        }
        by_index = {one.index: one for one in by_source[SOURCES[HELIUS]]}
        self._accounts: dict[int, tuple[str, str]] = {}
        """Symbol and role, by subscription."""
        self._pools: dict[str, _Reserves] = {}
        for number, account in zip(world.subscriptions, world.accounts, strict=True):
            found = by_index.get(account.instrument)
            if found is not None:
                self._accounts[number] = (found.symbol, account.role)
                self._pools.setdefault(found.symbol, _Reserves(10**found.base_decimals))

    def follow(self) -> None:
        """Tell the arbitrageur every price that changed."""
        for key, payload in self._truth.items():
            if self._seen.get(key) is payload:
                continue
            self._seen[key] = payload
            found = self._price(key, payload)
            if found is not None:
                self._set(*found)

    def _set(self, symbol: str, price: float) -> None:
        """Let a market's pools follow, as far as there are tokens for it."""
        try:
            self._chain.set_price(symbol, price)
        except UsageError as error:
            # A market that leaves the pools' range goes on without them.
            if symbol not in self._beyond:
                _log.warning("pools_stay_behind", symbol=symbol, reason=str(error))
            self._beyond.add(symbol)
        else:
            self._beyond.discard(symbol)

    def _price(self, key: Key, payload: bytes) -> tuple[str, float] | None:
        if isinstance(key, int):
            return self._reserves(key, payload)
        kind, address, *_ = key.decode().split(" ")
        message = msgspec.json.decode(payload)
        if kind == "pair":
            return self._pair(message["pairs"], address)
        symbol = self._by_mint.get(address)
        if symbol is None:
            return None
        data = message["data"]
        return symbol, float(data["c"] if kind == "price" else data["pricePair"])

    def _pair(self, pairs: list[dict[str, Any]], address: str) -> tuple[str, float] | None:
        symbol = self._by_pair.get(address)
        pair = next((one for one in pairs if one["pairAddress"] == address), None)
        if symbol is None or pair is None:
            return None
        return symbol, float(pair["priceUsd"])

    def _reserves(self, number: int, payload: bytes) -> tuple[str, float] | None:
        found = self._accounts.get(number)
        if found is None:
            return None
        symbol, role = found
        result = msgspec.json.decode(payload)["params"]["result"]
        data = b64decode(result["value"]["data"][0])
        reserves = self._pools[symbol]
        reserves.take(role, data, result["context"]["slot"])
        price = reserves.price()
        return None if price is None else (symbol, price)


class _Reserves:
    """What is in a pool's vaults, and what of it is owed."""

    def __init__(self, base_units: int) -> None:
        self._base_units = base_units
        self._raw = {"base_vault": 0, "quote_vault": 0}
        self._slots = {"base_vault": 0, "quote_vault": 0}
        self._owed = (0, 0)

    def take(self, role: str, data: bytes, slot: int) -> None:
        if role in self._raw:
            self._slots[role] = slot
            self._raw[role] = int.from_bytes(data[_AMOUNT_AT : _AMOUNT_AT + 8], "little")
            return
        at = _V4_FEES_AT if len(data) == _V4_BYTES else _CPMM_FEES_AT
        first, second = (
            int.from_bytes(data[place : place + 8], "little") for place in (at, at + 8)
        )
        self._owed = (first, second) if self._base_first(data) else (second, first)

    def price(self) -> float | None:
        base = self._raw["base_vault"] - self._owed[0]
        quote = self._raw["quote_vault"] - self._owed[1]
        # One vault of a slot and the other of the one before make no price.
        if base <= 0 or quote <= 0 or len(set(self._slots.values())) > 1:
            return None
        return quote / _USDC_UNITS / (base / self._base_units)

    @staticmethod
    def _base_first(data: bytes) -> bool:
        """Return whether the base is the pool's first token: in CPMM the smaller mint is."""
        if len(data) == _V4_BYTES:
            return True
        mint = data[_CPMM_MINT_AT : _CPMM_MINT_AT + 32]
        return mint != _USDC_KEY
