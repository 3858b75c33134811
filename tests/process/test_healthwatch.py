"""What the guards are told of the process's health, and when."""

from dataclasses import dataclass, field
from typing import Any

import msgspec
from pushed import config

from utb.bootstrap.healthwatch import CLOCK_QUIET_NS, HealthWatch
from utb.config.instruments import instruments
from utb.domain.market import Mark
from utb.domain.seam import ChainHealth, FeedHealth, FeedStatus, RpcHealth
from utb.ports.feed import Health

SECOND = 1_000_000_000
START = 1_800_000_000 * SECOND
TWO = instruments(config())[:2]


@dataclass
class Prices:
    """When each instrument had its last price."""

    marks: dict[int, int] = field(default_factory=dict)

    def mark(self, instrument: int) -> Mark | None:
        ts_ns = self.marks.get(instrument)
        return None if ts_ns is None else Mark(1.0, ts_ns, 1, None, None)

    def features(self, _: int) -> Any:
        raise AssertionError

    def equity(self) -> Any:
        raise AssertionError

    def correlation(self, _a: int, _b: int) -> Any:
        raise AssertionError

    def diversity(self) -> Any:
        raise AssertionError


@dataclass
class Clocks:
    wall_ns: int = START
    steady_ns: int = 0


def watch(prices: Prices, clocks: Clocks, *, simulated: bool = False) -> HealthWatch:
    return HealthWatch(
        TWO,
        prices,
        stale_after_ns=60 * SECOND,
        now_ns=lambda: clocks.wall_ns,
        elapsed_ns=None if simulated else lambda: clocks.steady_ns,
    )


def feed(status: FeedStatus, reason: str = "") -> tuple[FeedHealth, ...]:
    return (
        FeedHealth(
            source="birdeye",
            status=status,
            reason=reason,
            since_ns=START,
            last_item_ns=None,
            connected=True,
            frames=0,
            items=0,
            rejected={},
            reconnects=0,
            requests=0,
        ),
    )


def test_starting_feed_trips_nothing_but_is_a_reason() -> None:
    one = watch(Prices(), Clocks())
    assert one.changes(START, feed(FeedStatus.STARTING)) == []
    assert one.reasons(START, feed(FeedStatus.STARTING, "waits for its first item")) == (
        "no price feed is fresh (birdeye: waits for its first item)",
    )


def test_silent_feed_trips_once_and_clears_once() -> None:
    one = watch(Prices(), Clocks(), simulated=True)
    cause = "no price feed is fresh (birdeye: cut)"
    assert one.changes(START, feed(FeedStatus.DISCONNECTED, "cut")) == [
        Health(START, None, healthy=False, cause=cause)
    ]
    assert one.changes(START + SECOND, feed(FeedStatus.STALE)) == []
    assert one.changes(START + 2 * SECOND, feed(FeedStatus.FRESH)) == [
        Health(START + 2 * SECOND, None, healthy=True, cause="well again")
    ]


def test_instrument_without_prices_is_unhealthy_alone() -> None:
    prices, clocks = Prices({0: START, 1: START}), Clocks()
    one = watch(prices, clocks)
    later = START + 61 * SECOND
    prices.marks[0] = clocks.wall_ns = later
    clocks.steady_ns = 61 * SECOND
    cause = f"no price of {TWO[1].symbol} for more than 60 s"
    assert one.changes(later, feed(FeedStatus.FRESH)) == [
        Health(later, 1, healthy=False, cause=cause)
    ]


def test_instrument_of_a_stale_feed_is_unhealthy_though_its_prices_come() -> None:
    one = watch(Prices({0: START, 1: START}), Clocks(), simulated=True)
    stale = feed(FeedStatus.STALE, "items are 9.0 s old when they come")
    other = msgspec.structs.replace(stale[0], source="helius", status=FeedStatus.FRESH)
    cause = "birdeye is stale: items are 9.0 s old when they come"
    told = one.changes(START, (*stale, other))
    assert told == [
        Health(START, it.index, healthy=False, cause=cause) for it in TWO if it.primary == "birdeye"
    ]
    assert told
    well = one.changes(START + SECOND, (*feed(FeedStatus.FRESH), other))
    assert [(it.instrument, it.healthy) for it in well] == [(it.instrument, True) for it in told]


def test_jump_of_the_clock_is_unhealthy_for_a_minute() -> None:
    clocks = Clocks()
    one = watch(Prices(), clocks)
    assert one.changes(clocks.wall_ns, feed(FeedStatus.FRESH)) == []
    clocks.wall_ns += 3 * SECOND
    clocks.steady_ns += SECOND
    (tripped,) = one.changes(clocks.wall_ns, feed(FeedStatus.FRESH))
    assert not tripped.healthy
    assert "clock jumped" in tripped.cause
    clocks.wall_ns += CLOCK_QUIET_NS + SECOND
    clocks.steady_ns += CLOCK_QUIET_NS + SECOND
    (cleared,) = one.changes(clocks.wall_ns, feed(FeedStatus.FRESH))
    assert cleared.healthy
    assert one.clock_sound


def test_simulated_time_has_no_clock_to_jump() -> None:
    clocks = Clocks()
    one = watch(Prices(), clocks, simulated=True)
    for _ in range(3):
        clocks.wall_ns += 3600 * SECOND
        assert one.changes(clocks.wall_ns, feed(FeedStatus.FRESH)) == []
    assert one.clock_sound


def test_what_the_guards_know_is_not_told_again() -> None:
    one = watch(Prices(), Clocks())
    one.told = {None: "no price feed is fresh (birdeye: cut)"}
    assert one.changes(START, feed(FeedStatus.STALE)) == []
    (cleared,) = one.changes(START, feed(FeedStatus.FRESH))
    assert cleared.healthy


def test_warm_up_denies_entries_and_leaves_health_alone() -> None:
    prices = Prices({0: START - 900 * SECOND, 1: START - 900 * SECOND})
    one = watch(prices, Clocks(), simulated=True)
    one.warming = True
    fresh = feed(FeedStatus.FRESH)
    assert one.reasons(START, fresh) == ()
    assert one.changes(START, fresh) == [
        Health(START, None, healthy=False, cause="history is filled in")
    ]
    one.warming = False
    prices.marks = {0: START, 1: START}
    assert one.changes(START, fresh) == [Health(START, None, healthy=True, cause="well again")]


def test_messages_without_a_price_that_counts_are_not_healthy() -> None:
    one = watch(Prices({0: START - 61 * SECOND}), Clocks(), simulated=True)
    assert one.reasons(START, feed(FeedStatus.FRESH)) == (
        "messages come, and no price that counts",
    )


def chain(answers: str, signer: str = "", discrepancy: str = "") -> ChainHealth:
    endpoints = tuple(
        RpcHealth(
            name="abc"[number],
            answers=one == "+",
            reason="" if one == "+" else "refused",
            latency_ms=1.0,
            lag_slots=0,
            requests=1,
            failures=0,
            connected=one == "+",
        )
        for number, one in enumerate(answers)
    )
    return ChainHealth(
        endpoints=endpoints,
        slot=7,
        slot_age_s=0.1,
        blockhash="",
        signer=signer,
        discrepancy=discrepancy,
        not_compared="",
        compared_age_s=None,
        sends={"jito": {"accepted": 2}},
    )


def test_one_endpoint_is_enough_and_none_is_not() -> None:
    one = watch(Prices(), Clocks(), simulated=True)
    one.chain = lambda: chain("-+-")
    assert one.changes(START, feed(FeedStatus.FRESH)) == []
    one.chain = lambda: chain("--")
    (tripped,) = one.changes(START, feed(FeedStatus.FRESH))
    assert not tripped.healthy
    assert tripped.cause == "no RPC endpoint answers (a: refused; b: refused)"
    one.chain = lambda: chain("+-")
    (cleared,) = one.changes(START + SECOND, feed(FeedStatus.FRESH))
    assert cleared.healthy


def test_chain_counts_before_the_first_price() -> None:
    one = watch(Prices(), Clocks(), simulated=True)
    one.chain = lambda: chain("+", signer="it is not connected")
    (tripped,) = one.changes(START, feed(FeedStatus.STARTING))
    assert tripped.cause == "the signer cannot be asked: it is not connected"
    one.chain = lambda: chain("+")
    assert one.changes(START, feed(FeedStatus.STARTING))[0].healthy


def test_discrepancy_is_a_reason() -> None:
    one = watch(Prices(), Clocks(), simulated=True)
    one.chain = lambda: chain("+", discrepancy="SOL: 1 less")
    assert one.reasons(START, feed(FeedStatus.FRESH)) == ("chain and book differ: SOL: 1 less",)
