"""The generated market: chunks of simulated time, each a list of feed items.

The same seed gives the same items. A chunk's length is known from its path alone, so stepping
over chunks costs a few milliseconds each and a feed can begin far in.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from utb.errors import UsageError
from utb.ports.feed import ContextUpdate, FeedItem, Frame
from utb.simnet import contexts, frames
from utb.simnet.contexts import ContextWalk, Rows
from utb.simnet.grid import CHUNK_S, SECOND_NS, START_NS, Grid
from utb.simnet.pairs import PairHistory, PairView, body
from utb.simnet.paths import Array, Path, PathWalk, stream
from utb.simnet.pools import PoolWalk, Reserves
from utb.simnet.profiles import PROFILES, Wire

DEFAULT_HOURS: Final = 522
"""About three weeks; with the default seed, positions are open at that time."""
DEFAULT_SEED: Final = 7
DEFAULT_SLOT_S: Final = 20

_DEXSCREENER, _BIRDEYE, _HELIUS = 0, 1, 2
_CONTEXT: Final = -1
_CHECK_S: Final = 120
"""Seconds between two cross-check bodies."""
_TAG_TIMES: Final = 5


class SimulatedMarket:
    """A market of `hours`, made from `seed`."""

    def __init__(
        self, *, seed: int = DEFAULT_SEED, hours: int = DEFAULT_HOURS, slot_s: int = DEFAULT_SLOT_S
    ) -> None:
        """Describe a market; nothing is made yet.

        Args:
            seed: Of every random draw, >= 0.
            hours: Simulated length, >= 1; made in chunks of six hours, cut at the end.
            slot_s: Seconds between two prices of an instrument: 10, 12, 15, 20 or 30.

        Raises:
            UsageError: If a value is out of its range.
        """
        if seed < 0:
            raise UsageError("--seed", str(seed), "0 or more")
        if hours < 1:
            raise UsageError("--hours", str(hours), "1 or more")
        self._seed = seed
        self._grid = Grid(slot_s)
        self.start_ns = START_NS
        self.end_ns = START_NS + hours * 3600 * SECOND_NS
        """All items are before this time."""

    def chunks(self) -> Iterator["MarketChunk"]:
        """Yield the chunks in order."""
        seed, grid = self._seed, self._grid
        paths, told, pools = PathWalk(seed, grid), ContextWalk(seed, grid), PoolWalk(grid)
        start = np.array([profile.start_price for profile in PROFILES])
        daily = np.array([profile.volume_usd_daily for profile in PROFILES])
        history = PairHistory(start, daily * grid.slot_s / 86400.0, grid.slot_s)
        for begin_ns in range(self.start_ns, self.end_ns, CHUNK_S * SECOND_NS):
            path = paths.step()
            volume_usd = path.volume_usd.copy()
            reserves = pools.step(path.price)
            for index, one in reserves.items():
                volume_usd[index] = one.volume_usd
            pairs = history.step(path.price, volume_usd)
            parts = _Parts(path, told.step(path), pairs, reserves, volume_usd)
            yield MarketChunk(self, begin_ns, parts)

    @property
    def seed(self) -> int:
        """Return the seed."""
        return self._seed

    @property
    def grid(self) -> Grid:
        """Return the resolution."""
        return self._grid


@dataclass(frozen=True, slots=True)
class _Parts:
    path: Path
    contexts: list[Rows]
    pairs: PairView
    reserves: dict[int, Reserves]
    volume_usd: Array


class MarketChunk:
    """Six hours of the market, or what is left of them."""

    def __init__(self, market: SimulatedMarket, begin_ns: int, parts: _Parts) -> None:
        self._market = market
        self._begin_ns = begin_ns
        self._parts = parts
        self._lines = self._timeline()

    def __len__(self) -> int:
        return len(self._lines.order)

    @property
    def path(self) -> Path:
        """Return the prices behind the frames."""
        return self._parts.path

    @property
    def begin_ns(self) -> int:
        """Return when the chunk begins."""
        return self._begin_ns

    @property
    def price(self) -> Array:
        """Return the last price of each slot, shape (instruments, slots)."""
        return self._parts.path.price

    @property
    def volume(self) -> Array:
        """Return the base volume of each slot, shape (instruments, slots)."""
        return self._parts.volume_usd / self._parts.path.price

    def items(self) -> list[FeedItem]:
        """Build the items in time order; times strictly increase."""
        payloads: list[bytes] = []
        for rows in self._parts.contexts:
            payloads += contexts.payloads(rows)
        for index in range(len(PROFILES)):
            payloads += self._primary_payloads(index)
        payloads += self._check_payloads()
        lines = self._lines
        sorted_payloads = [payloads[place] for place in lines.order.tolist()]
        rows_of = zip(
            lines.tags[lines.order].tolist(),
            lines.instruments[lines.order].tolist(),
            sorted_payloads,
            lines.ts_ns.tolist(),
            strict=True,
        )
        return [
            Frame(tag, payload, ts_ns) if tag >= 0 else ContextUpdate(index, payload, ts_ns)
            for tag, index, payload, ts_ns in rows_of
        ]

    def _timeline(self) -> "_Timeline":
        """Lay out when each item arrives, in the order in which payloads are built."""
        line = _TimelineDraft()
        for rows in self._parts.contexts:
            line.add(_CONTEXT, rows.instrument, rows.ts_ns)
        slot_ns = self._slot_times()
        for index, profile in enumerate(PROFILES):
            times = slot_ns[index]
            if profile.wire.is_pool:
                reserves = self._parts.reserves[index]
                line.add(_HELIUS, index, times[reserves.pool_slots] - 2_000_000)
                line.add(_HELIUS, index, times)
                line.add(_HELIUS, index, times + 1_000_000)
            else:
                source = _DEXSCREENER if profile.wire is Wire.DEXSCREENER else _BIRDEYE
                line.add(source, index, times)
        checks = self._begin_ns + (self._check_slots() + 1) * self._slot_length_ns() - 400_000_000
        line.add(_DEXSCREENER, 0, checks)
        return line.sorted(self._market.end_ns)

    def _slot_length_ns(self) -> int:
        return self._market.grid.slot_s * SECOND_NS

    def _slot_times(self) -> NDArray[np.int64]:
        """Return when each instrument's price of each slot arrives."""
        grid = self._market.grid
        rng = stream(self._market.seed, _TAG_TIMES, self._parts.path.chunk)
        # Milliseconds within the slot, away from its edges: a price never leaves its minute.
        shape = (len(PROFILES), grid.chunk_slots)
        offsets = rng.integers(500, grid.slot_s * 1000 - 800, shape)
        begins = self._begin_ns + np.arange(grid.chunk_slots) * self._slot_length_ns()
        times: NDArray[np.int64] = begins + offsets * 1_000_000
        return times

    def _check_slots(self) -> NDArray[np.int64]:
        """Return the slots after which a cross-check body comes."""
        per_check = _CHECK_S // self._market.grid.slot_s
        return np.arange(per_check - 1, self._market.grid.chunk_slots, per_check)

    def _primary_payloads(self, index: int) -> list[bytes]:
        profile, parts, grid = PROFILES[index], self._parts, self._market.grid
        price = parts.path.price[index]
        every = np.arange(grid.chunk_slots)
        if profile.wire.is_pool:
            return self._pool_payloads(index)
        if profile.wire is Wire.DEXSCREENER:
            liquidity = np.full(len(every), 2 * profile.depth_quote)
            return [
                body(pair) for pair in parts.pairs.pair_bodies(profile, index, every, liquidity)
            ]
        volume = parts.volume_usd[index] / price
        seconds = self._begin_ns // SECOND_NS + every * grid.slot_s
        if profile.wire is Wire.BIRDEYE_PRICE:
            return frames.price_frames(profile, seconds, price, volume, grid.minute_slots)
        # A swap is reported some tenths of a second after its block.
        blocks = (self._slot_times()[index] - 400_000_000) // SECOND_NS
        numbers = parts.path.chunk * grid.chunk_slots + every
        return frames.trade_frames(profile, blocks, price, volume, numbers)

    def _pool_payloads(self, index: int) -> list[bytes]:
        profile, reserves = PROFILES[index], self._parts.reserves[index]
        chain_slots = self._slot_times()[index] // 400_000_000
        payloads = [
            frames.pool_frame(profile, index, fees, int(chain_slots[slot]))
            for slot, fees in zip(reserves.pool_slots.tolist(), reserves.fees_raw, strict=True)
        ]
        for role, amounts in (
            ("base_vault", reserves.base_raw),
            ("quote_vault", reserves.quote_raw),
        ):
            payloads += frames.vault_frames(profile, index, role, amounts, chain_slots)
        return payloads

    def _check_payloads(self) -> list[bytes]:
        """Return one body every two minutes with every pair that has another primary source."""
        slots = self._check_slots()
        columns = [
            self._parts.pairs.pair_bodies(
                profile, index, slots, np.full(len(slots), 2 * profile.depth_quote)
            )
            for index, profile in enumerate(PROFILES)
            if profile.wire is not Wire.DEXSCREENER
        ]
        return [body(",".join(pairs)) for pairs in zip(*columns, strict=True)]


@dataclass(frozen=True, slots=True)
class _Timeline:
    order: NDArray[np.int64]
    """Places of the items in building order, sorted by time."""
    ts_ns: NDArray[np.int64]
    """Strictly increasing times of the sorted items."""
    tags: NDArray[np.int64]
    """Source number, or -1 for a context, in building order."""
    instruments: NDArray[np.int64]


class _TimelineDraft:
    """Collects item times in building order."""

    def __init__(self) -> None:
        self._ts_ns: list[NDArray[np.int64]] = []
        self._tags: list[NDArray[np.int64]] = []
        self._instruments: list[NDArray[np.int64]] = []

    def add(self, tag: int, instruments: int | NDArray[np.int64], ts_ns: NDArray[np.int64]) -> None:
        self._ts_ns.append(ts_ns)
        self._tags.append(np.full(len(ts_ns), tag))
        self._instruments.append(np.broadcast_to(np.asarray(instruments), ts_ns.shape))

    def sorted(self, end_ns: int) -> _Timeline:
        ts_ns = np.concatenate(self._ts_ns)
        order = np.argsort(ts_ns, kind="stable")
        times = ts_ns[order]
        # Equal times are told apart by nanoseconds, in the order of the items.
        steps = np.arange(len(times))
        times = np.maximum.accumulate(times - steps) + steps
        inside = int(np.searchsorted(times, end_ns))
        return _Timeline(
            order[:inside],
            times[:inside],
            np.concatenate(self._tags),
            np.concatenate(self._instruments),
        )
