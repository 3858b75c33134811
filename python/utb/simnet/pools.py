"""Pool reserves: a constant product that follows the price, swap fees that stay in the pool."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from utb.simnet.grid import Grid
from utb.simnet.paths import Array
from utb.simnet.profiles import PROFILES

SWAP_FEE: Final = 0.0025
LIQUIDITY_SHARE: Final = 0.88
"""Part of the fee that stays in the reserves; the rest is owed to the protocol."""


@dataclass(frozen=True, slots=True)
class Reserves:
    """Balances of one pool's vaults over a chunk, base units; fees owed are in them."""

    base_raw: NDArray[np.int64]
    quote_raw: NDArray[np.int64]
    volume_usd: Array
    pool_slots: NDArray[np.int64]
    """Slots at which the pool's own account changes: once an hour."""
    fees_raw: list[tuple[int, int]]
    """Fees owed (base, quote) from each of those slots on."""


@dataclass(slots=True)
class _Pool:
    liquidity: float
    """sqrt(base x quote), in whole tokens."""
    price: float
    owed_base_raw: int = 0
    owed_quote_raw: int = 0


class PoolWalk:
    """Carries the pools' liquidity and owed fees from chunk to chunk."""

    def __init__(self, grid: Grid) -> None:
        self._grid = grid
        self._pools = {
            index: _Pool(profile.depth_quote / profile.start_price**0.5, profile.start_price)
            for index, profile in enumerate(PROFILES)
            if profile.wire.is_pool
        }

    def step(self, price: Array) -> dict[int, Reserves]:
        """Return the reserves of every pool over a chunk; `price` has all instruments."""
        return {index: self._step(index, pool, price[index]) for index, pool in self._pools.items()}

    def _step(self, index: int, pool: _Pool, price: Array) -> Reserves:
        moves = np.abs(np.diff(np.log(price), prepend=np.log(pool.price)))
        # A move of r takes r / 2 of a reserve; the fee on it goes to both reserves alike.
        grown = np.cumsum(moves) * (SWAP_FEE * LIQUIDITY_SHARE / 4)
        liquidity = pool.liquidity * np.exp(grown)
        root = np.sqrt(price)
        quote = liquidity * root
        volume_usd = quote * moves / 2
        hour = 3600 // self._grid.slot_s
        pool_slots = np.arange(0, len(price), hour)
        fees = self._fees(index, pool, volume_usd.reshape(-1, hour).sum(axis=1), price[pool_slots])
        owed = np.repeat(np.array(fees, dtype=np.int64), hour, axis=0)
        unit = 10.0 ** PROFILES[index].base_decimals
        base_raw = np.round(liquidity / root * unit).astype(np.int64) + owed[:, 0]
        quote_raw = np.round(quote * 1e6).astype(np.int64) + owed[:, 1]
        pool.liquidity, pool.price = float(liquidity[-1]), float(price[-1])
        return Reserves(base_raw, quote_raw, volume_usd, pool_slots, fees)

    def _fees(
        self, index: int, pool: _Pool, hourly_usd: Array, prices: Array
    ) -> list[tuple[int, int]]:
        """Return the fees owed at the start of each hour; half of them on either side."""
        unit = 10.0 ** PROFILES[index].base_decimals
        fees = []
        for usd, price in zip(hourly_usd.tolist(), prices.tolist(), strict=True):
            fees.append((pool.owed_base_raw, pool.owed_quote_raw))
            owed_usd = usd * SWAP_FEE * (1 - LIQUIDITY_SHARE) / 2
            pool.owed_base_raw += int(owed_usd / price * unit)
            pool.owed_quote_raw += int(owed_usd * 1e6)
        return fees
