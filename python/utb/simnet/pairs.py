"""DexScreener bodies: the state of pairs, with rolling volumes and changes."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from utb.simnet.paths import Array
from utb.simnet.profiles import USDC_MINT, Profile

WINDOWS_S: Final = (300, 3600, 21_600, 86_400)
"""m5, h1, h6, h24 in seconds."""

_TRADE_USD: Final = 900.0
"""Mean size of a trade, for the counts."""


class PairHistory:
    """The last day of prices and volumes of every market, for rolling values."""

    def __init__(self, start_price: Array, volume_usd_slot: Array, slot_s: int) -> None:
        """Begin as if the day before had been flat, with `volume_usd_slot` in every slot."""
        self._slots = [window // slot_s for window in WINDOWS_S]
        day = self._slots[-1]
        self._price = np.repeat(start_price[:, None], day, axis=1)
        self._volume = np.repeat(volume_usd_slot[:, None], day, axis=1)

    def step(self, price: Array, volume_usd: Array) -> "PairView":
        """Take in a chunk and return the view of it."""
        day = self._slots[-1]
        prices = np.concatenate([self._price, price], axis=1)
        volumes = np.concatenate([self._volume, volume_usd], axis=1)
        self._price, self._volume = prices[:, -day:], volumes[:, -day:]
        return PairView(prices, volumes, self._slots)


class PairView:
    """Rolling values of one chunk."""

    def __init__(self, prices: Array, volumes: Array, windows: list[int]) -> None:
        self._prices = prices
        self._volumes = volumes
        self._windows = windows

    def pair_bodies(
        self, profile: Profile, index: int, slots: NDArray[np.int64], liquidity_usd: Array
    ) -> list[str]:
        """Return the JSON object of a pair at each of `slots` of the chunk."""
        day = self._windows[-1]
        at = slots + day
        sums = np.concatenate([[0.0], np.cumsum(self._volumes[index])])
        last = self._prices[index, at]
        volumes, changes = [], []
        for window in self._windows:
            volumes.append(np.maximum(sums[at + 1] - sums[at + 1 - window], 0))
            changes.append(100 * (last / self._prices[index, at - window] - 1))
        liquidity = liquidity_usd
        base = liquidity / 2 / last
        counts = [np.maximum(volume / _TRADE_USD, 1).astype(np.int64) for volume in volumes]
        form = _form(profile)
        price = [f"{value:.{profile.price_decimals}f}" for value in last.tolist()]
        halves = [count // 2 for count in counts]
        rest = [count - half for count, half in zip(counts, halves, strict=True)]
        trades = [column for pair in zip(halves, rest, strict=True) for column in pair]
        columns = [*trades, *reversed(volumes), *changes, liquidity, base, liquidity / 2]
        rows = zip(price, price, *(column.tolist() for column in columns), strict=True)
        return [form % row for row in rows]


def body(pairs: str) -> bytes:
    """Return a `/latest/dex/pairs` answer of some pairs, joined by commas."""
    return f'{{"schemaVersion":"1.0.0","pairs":[{pairs}],"pair":null}}'.encode()


def _form(profile: Profile) -> str:
    """Return the template of one pair's object, its fields in the API's order."""
    address = profile.pair_address
    trades = ",".join(f'"{name}":{{"buys":%d,"sells":%d}}' for name in ("m5", "h1", "h6", "h24"))
    volumes = ",".join(f'"{name}":%.2f' for name in ("h24", "h6", "h1", "m5"))
    changes = ",".join(f'"{name}":%.2f' for name in ("m5", "h1", "h6", "h24"))
    return (
        f'{{"chainId":"solana","dexId":"raydium","url":"https://dexscreener.com/solana/'
        f'{address.lower()}","pairAddress":"{address}","labels":["CPMM"],'
        f'"baseToken":{{"address":"{profile.base_mint}","name":"{profile.name}",'
        f'"symbol":"{profile.base}"}},"quoteToken":{{"address":"{USDC_MINT}",'
        f'"name":"USD Coin","symbol":"USDC"}},"priceNative":"%s","priceUsd":"%s",'
        f'"txns":{{{trades}}},"volume":{{{volumes}}},"priceChange":{{{changes}}},'
        f'"liquidity":{{"usd":%.2f,"base":%.4f,"quote":%.2f}}}}'
    )
