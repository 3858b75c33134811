"""What `/health/components` and `/metrics` say of the way to the chain."""

from typing import Any

import msgspec
import pytest

from utb.domain.names import OperatorState
from utb.domain.seam import ChainHealth, FeedHealth, FeedStatus, Pulse, RpcHealth
from utb.telemetry.health import Component, Condition, Health, HealthFold, Link
from utb.telemetry.metrics import _chain
from utb.telemetry.replica import Replica

WALL_NS = 1_800_000_000_000_000_000


def endpoint(name: str, **more: Any) -> RpcHealth:
    told = {"reason": "", "latency_ms": 2.0, "lag_slots": 1, "requests": 9, "failures": 0}
    return RpcHealth(name=name, **{"answers": True, "connected": True, **told, **more})


CHAIN = ChainHealth(
    endpoints=(endpoint("a"), endpoint("b", answers=False, reason="b is 50 slots behind")),
    slot=77,
    slot_age_s=0.4,
    blockhash="",
    signer="",
    discrepancy="",
    not_compared="",
    compared_age_s=3.0,
    sends={"rpc.a": {"accepted": 3, "429": 1}},
)
FEED = FeedHealth(
    source="birdeye",
    status=FeedStatus.FRESH,
    reason="",
    since_ns=1,
    last_item_ns=WALL_NS,
    connected=True,
    frames=1,
    items=1,
    rejected={},
    reconnects=0,
    requests=0,
)


def pulse(chain: ChainHealth | None, **more: Any) -> Pulse:
    known = Pulse(
        ts_ns=WALL_NS,
        wall_ns=WALL_NS,
        operator=OperatorState.RUNNING,
        finished=False,
        recovering=False,
        equity=None,
        peak=None,
        cash=0.0,
        feeds=(FEED,),
        stages=(),
        holds_by_reason={},
        evaluations=0,
        items=0,
        journal_writable=True,
        clock_sound=True,
        reasons=() if chain is None else chain.reasons,
        chain=chain,
        lane_dropped=0,
    )
    return msgspec.structs.replace(known, **more)


def health(chain: ChainHealth | None, **more: Any) -> tuple[Health, dict[str, Component]]:
    replica = Replica(())
    replica.pulse = pulse(chain, **more)
    link = Link(connected=True, caught_up=True, since_ns=1, heard_ns=WALL_NS, reason="")
    found = HealthFold().health(replica, link, (), WALL_NS)
    return found, {row.name: row for row in found.components}


def test_paper_has_no_rpc() -> None:
    found, rows = health(None)
    assert found.healthy
    assert rows["rpc"].state is Condition.OFF
    assert "signer" not in rows


@pytest.mark.parametrize("status", [FeedStatus.FRESH, FeedStatus.STARTING])
def test_after_the_end_of_a_market_nothing_is_asked_of_feeds_and_chain(status: FeedStatus) -> None:
    """A process that was started again then never hears from a feed."""
    feed = msgspec.structs.replace(FEED, status=status)
    found, rows = health(None, finished=True, feeds=(feed,))
    assert found.healthy
    off = (Condition.OFF, "the market is over")
    assert (rows["feed birdeye"].state, rows["feed birdeye"].reason) == off
    assert (rows["rpc"].state, rows["rpc"].reason) == off


@pytest.mark.parametrize(
    ("told", "reasons"),
    [
        (("no price feed is fresh (birdeye: cut)",), ("no price feed is fresh (birdeye: cut)",)),
        ((), ("no price feed is fresh",)),
    ],
)
def test_stale_feeds_are_one_reason(told: tuple[str, ...], reasons: tuple[str, ...]) -> None:
    feed = msgspec.structs.replace(FEED, status=FeedStatus.STALE)
    found, _ = health(None, feeds=(feed,), reasons=told)
    assert found.reasons == reasons


def test_every_endpoint_has_a_row_and_one_is_enough() -> None:
    found, rows = health(CHAIN)
    assert found.healthy
    states = {name: rows[name].state for name in ("rpc", "rpc a", "rpc b", "signer")}
    up, down = Condition.UP, Condition.DOWN
    assert states == {"rpc": up, "rpc a": up, "rpc b": down, "signer": up}
    assert rows["rpc b"].reason == "b is 50 slots behind"
    assert (rows["reconciliation"].state, rows["reconciliation"].age_s) == (up, 3.0)


@pytest.mark.parametrize(
    ("change", "row", "words"),
    [
        ({"endpoints": (endpoint("a", answers=False, reason="cut"),)}, "rpc", "a: cut"),
        ({"blockhash": "no recent blockhash (late)"}, "rpc", "no recent blockhash"),
        ({"signer": "it is not connected"}, "signer", "it is not connected"),
        ({"discrepancy": "SOL: 5 less"}, "reconciliation", "SOL: 5 less"),
    ],
)
def test_what_is_wrong_is_down_with_its_reason(
    change: dict[str, Any], row: str, words: str
) -> None:
    found, rows = health(msgspec.structs.replace(CHAIN, **change))
    assert not found.healthy
    assert any(words in reason for reason in found.reasons)
    assert rows[row].state is Condition.DOWN
    assert words in rows[row].reason


def test_comparison_that_could_not_be_made_stops_nothing() -> None:
    found, rows = health(msgspec.structs.replace(CHAIN, not_compared="a: too late"))
    assert found.healthy
    assert rows["reconciliation"].state is Condition.DEGRADED


def test_figures_of_endpoints_and_sends() -> None:
    found = {
        (sample.name, *sample.labels.values()): sample.value
        for family in _chain(CHAIN)
        for sample in family.samples
    }
    assert found["utb_rpc_answers", "b"] == 0.0
    assert found["utb_rpc_latency_seconds", "a"] == 0.002
    assert found["utb_sends_total", "rpc.a", "429"] == 1.0
    assert found["utb_signer_connected",] == found["utb_chain_equals_book",] == 1.0
