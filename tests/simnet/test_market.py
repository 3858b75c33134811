"""The generated market as a sequence of items: determinism, resumption, order."""

import hashlib
from collections.abc import Iterable
from itertools import islice, pairwise

import numpy as np
import pytest

from utb.adapters.feeds.generated import GeneratedFeed
from utb.errors import UsageError
from utb.ports.feed import ContextUpdate, FeedItem, Frame
from utb.simnet.market import SimulatedMarket
from utb.simnet.profiles import PROFILES, Wire, bindings, instruments


def digest(items: Iterable[FeedItem]) -> str:
    total = hashlib.sha256()
    for item in items:
        total.update(repr(item).encode())
    return total.hexdigest()


def ts_of(item: FeedItem) -> int:
    assert isinstance(item, Frame | ContextUpdate)
    return item.ts_recv_ns if isinstance(item, Frame) else item.ts_ns


@pytest.fixture(scope="module")
def half_day() -> list[FeedItem]:
    return list(GeneratedFeed(SimulatedMarket(seed=7, hours=13)).items(0))


def test_market_same_seed_gives_the_same_bytes(half_day: list[FeedItem]) -> None:
    again = GeneratedFeed(SimulatedMarket(seed=7, hours=13)).items(0)
    assert digest(again) == digest(half_day)


def test_market_other_seed_gives_other_bytes(half_day: list[FeedItem]) -> None:
    other = GeneratedFeed(SimulatedMarket(seed=8, hours=13)).items(0)
    assert digest(other) != digest(half_day)


def test_market_walked_twice_at_once_gives_the_same_items() -> None:
    market = SimulatedMarket(seed=3, hours=7)
    pairs = zip(GeneratedFeed(market).items(0), GeneratedFeed(market).items(0), strict=True)
    assert all(one == other for one, other in pairs)


def test_feed_resumed_at_random_positions_continues_the_same(half_day: list[FeedItem]) -> None:
    feed = GeneratedFeed(SimulatedMarket(seed=7, hours=13))
    rng = np.random.default_rng(1)
    for start in [0, len(half_day) - 1, *rng.integers(0, len(half_day), 12).tolist()]:
        assert list(islice(feed.items(start), 40)) == half_day[start : start + 40]


def test_feed_resumed_behind_the_end_gives_nothing(half_day: list[FeedItem]) -> None:
    feed = GeneratedFeed(SimulatedMarket(seed=7, hours=13))
    assert list(feed.items(len(half_day))) == []


def test_market_times_strictly_increase_and_end_before_the_end(half_day: list[FeedItem]) -> None:
    times = [ts_of(item) for item in half_day]
    assert all(before < after for before, after in pairwise(times))
    market = SimulatedMarket(seed=7, hours=13)
    assert market.start_ns <= times[0]
    assert times[-1] < market.end_ns
    # Every instrument speaks in every slot: the last frame is at most 20 s before the end.
    assert market.end_ns - times[-1] < 20_000_000_000


def test_market_longer_run_begins_with_the_shorter_one(half_day: list[FeedItem]) -> None:
    """Nothing depends on how long the run will be, so nothing looks ahead to its end."""
    longer = GeneratedFeed(SimulatedMarket(seed=7, hours=20)).items(0)
    assert list(islice(longer, len(half_day))) == half_day


def test_market_chunk_lengths_equal_their_items() -> None:
    chunks = list(SimulatedMarket(seed=5, hours=9).chunks())
    assert [len(chunk) for chunk in chunks] == [len(chunk.items()) for chunk in chunks]
    assert len(chunks) == 2


def test_market_every_slot_has_a_frame_of_every_instrument(half_day: list[FeedItem]) -> None:
    """13 h of 20 s are 2,340 slots; a pool has two vault frames a slot and one account an hour.

    Eight instruments: one from DexScreener, five from Birdeye, two from pools; and a cross-check
    every two minutes.
    """
    counts = dict.fromkeys(range(3), 0)
    for item in half_day:
        if isinstance(item, Frame):
            counts[item.source] += 1
    assert counts == {0: 2340 + 390, 1: 5 * 2340, 2: 2 * (2 * 2340 + 13)}


def test_market_context_has_every_kind_for_every_instrument() -> None:
    chunk = list(SimulatedMarket(seed=7, hours=18).chunks())[2]
    seen = {
        (item.instrument, item.payload.split(b'"')[3])
        for item in chunk.items()
        if isinstance(item, ContextUpdate)
    }
    kinds = (b"whale", b"sentiment", b"forecast", b"hedge", b"venue")
    assert seen == {(index, kind) for index in range(len(PROFILES)) for kind in kinds}


@pytest.mark.parametrize(
    ("options", "named"),
    [({"seed": -1}, "--seed"), ({"hours": 0}, "--hours"), ({"slot_s": 7}, "slot_s")],
)
def test_market_option_out_of_range_is_an_error(options: dict[str, int], named: str) -> None:
    with pytest.raises(UsageError) as caught:
        SimulatedMarket(**options)
    assert caught.value.field == named


def test_instruments_have_dense_indices_and_the_generators_sources() -> None:
    made = instruments()
    assert [one.index for one in made] == list(range(8))
    assert {one.primary for one in made} == {"birdeye", "dexscreener", "helius"}


def test_bindings_cover_both_vaults_and_the_pool_of_each_pool_instrument() -> None:
    pools = [index for index, profile in enumerate(PROFILES) if profile.wire.is_pool]
    assert {profile.wire for profile in PROFILES} == set(Wire)
    roles = ("base_vault", "quote_vault", "pool")
    assert {(one.instrument, one.role) for one in bindings()} == {
        (index, role) for index in pools for role in roles
    }
    assert len({one.key for one in bindings()}) == len(bindings())
