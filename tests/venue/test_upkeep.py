"""Rent that comes back, apart from trades and only when it is worth its fee."""

import asyncio
from typing import Any, cast

import msgspec
import pytest
from venue_books import NoWait, Sides, Sink, reading
from venue_doubles import (
    BASE_MINT,
    HEIGHT,
    INTENT,
    KEYS,
    SLOT,
    WALLET,
    FakeBuilder,
    FakeChain,
    FakeSigner,
    FakeWatcher,
)

from utb.adapters.chain.announced import FEE_LAMPORTS_MAX
from utb.adapters.chain.courier import Sent
from utb.adapters.chain.senders import SenderView
from utb.adapters.chain.wallet import guard_address
from utb.adapters.rpc.answers import Good, TransactionValue
from utb.adapters.rpc.calls import Call
from utb.adapters.venues.solana.unbooked import ALARM_LOOKS, Unbooked
from utb.adapters.venues.solana.upkeep import COMPUTE_UNIT_PRICE, COMPUTE_UNITS, Upkeep
from utb.domain.chain import USDC_MINT, VALIDITY_BLOCKS, Commitment
from utb.domain.orders import FlowCause, VenueFlow
from utb.engine.chain import key_text
from utb.orderlife.events import Status, StatusAbsent
from utb.orderlife.life import Rules
from utb.ports.chain import SignKind
from utb.routing.fees import fee_lamports

SIGNATURE = key_text(bytes([5] * 64))
REASON = "rent of 1 accounts is brought back"
LIMIT = HEIGHT + VALIDITY_BLOCKS
"""Block up to which something may land that was signed before the first look."""


class Landing:
    """Says that what was sent landed: the guard's rent is back, less the fee."""

    def __init__(self) -> None:
        self.lands = True
        self.asked: list[str] = []

    async def call(self, call: Call[Any]) -> Any:
        signature = call.params[0]
        self.asked.append(signature)
        if not self.lands:
            return Good(endpoint="a", value=None)
        guard = guard_address(WALLET, INTENT)
        found = msgspec.convert(
            {
                "slot": SLOT,
                "transaction": {
                    "signatures": [signature],
                    "message": {"accountKeys": [WALLET, guard], "instructions": []},
                },
                "meta": {
                    "err": None,
                    "fee": 5_100,
                    "preBalances": [1_000_000, 890_880],
                    "postBalances": [1_000_000 + 890_880 - 5_100, 0],
                    "preTokenBalances": [],
                    "postTokenBalances": [],
                    "innerInstructions": [],
                },
            },
            TransactionValue,
        )
        return Good(endpoint="a", value=found)


class Public:
    def __init__(self, sink: Sink) -> None:
        self.sink = sink
        self.sent: list[str] = []

    def names(self, *, protected: bool) -> tuple[str, ...]:
        assert not protected
        return ("rpc.a",)

    def view(self, name: str) -> SenderView:
        return SenderView(
            name=name,
            protected=False,
            tip_accounts=(),
            tip_lamports_min=0,
            ready=True,
            trouble="",
            counts={},
        )

    def send(self, name: str, transaction: bytes, signature: str, *, first: bool) -> Sent:
        del name, first
        assert transaction[1:65] == bytes(KEYS.sign_message(transaction[65:]))
        # Announced before it leaves, so that its signature is no stranger's.
        assert [flow.signature for flow in self.sink.flows] == [signature]
        self.sent.append(signature)
        return Sent.SENT


class Kept:
    """An upkeep with everything around it."""

    def __init__(self, side: Sides) -> None:
        self.signer, self.senders = FakeSigner(), Public(side.sink)
        self.ledger, self.watcher, self.chain = Landing(), FakeWatcher(), FakeChain()
        self.alarms: list[str] = []
        self.unbooked = Unbooked(
            wallet=WALLET,
            rpc=cast("Any", self.ledger),
            watcher=self.watcher,
            chain=self.chain,
            book=side.book,
            sink=side.sink,
            rules=Rules(endpoints=2),
            now_ns=lambda: 1_000,
            on_alarm=self.alarms.append,
        )
        self.upkeep = Upkeep(
            wallet=WALLET,
            timer=cast("Any", NoWait()),
            chain=self.chain,
            senders=self.senders,
            signer=self.signer,
            builder=FakeBuilder(),
            unbooked=self.unbooked,
            books=side.books,
            flights=side.idle,
            kept_mints=frozenset({USDC_MINT}),
            next_sequence=lambda: 7,
            now_ns=lambda: 1_000,
        )

    def look(self, times: int = 1) -> None:
        for _ in range(times):
            asyncio.run(self.unbooked.look())

    def absent(self, endpoint: str, height: int) -> None:
        """Let an endpoint say that it does not know what was announced."""
        null = StatusAbsent(
            signature=SIGNATURE, endpoint=endpoint, slot=SLOT, finalized_height=height, history=True
        )
        assert self.unbooked.take(null)


def announced(side: Sides) -> Kept:
    """Return an upkeep in whose journal an earlier process announced a transaction."""
    side.sink.on_venue(flow(FlowCause.HOUSEKEEPING_FEE, 0))
    return Kept(side)


def flow(cause: FlowCause, lamports: int) -> VenueFlow:
    return VenueFlow(ts_ns=1, cause=cause, lamports=lamports, signature=SIGNATURE, reason=REASON)


def told(side: Sides) -> list[tuple[FlowCause, int]]:
    return [(one.cause, one.lamports) for one in side.sink.flows]


def test_rent_of_a_guard_comes_back_apart_from_trades(monkeypatch: pytest.MonkeyPatch) -> None:
    side = Sides(monkeypatch, reading(seed=INTENT))
    side.book.rent = 890_880
    kept = Kept(side)
    asyncio.run(kept.upkeep.round())
    [claim] = kept.signer.claims
    assert (claim.kind, len(claim.intent_id)) == (SignKind.HOUSEKEEPING, 16)
    assert len(kept.senders.sent) == 1
    assert told(side) == [
        (FlowCause.HOUSEKEEPING_FEE, 0),
        (FlowCause.RENT, 890_880),
        (FlowCause.HOUSEKEEPING_FEE, -5_100),
    ]
    assert kept.unbooked.recovered_lamports == 890_880
    assert not kept.unbooked.waits


def test_nothing_is_sent_that_is_not_on_record(monkeypatch: pytest.MonkeyPatch) -> None:
    """The session ends between the signature and the announcement."""
    side = Sides(monkeypatch, reading(seed=INTENT))
    side.book.rent = 890_880
    side.sink.takes = False
    kept = Kept(side)
    asyncio.run(kept.upkeep.round())
    assert len(kept.signer.claims) == 1
    assert kept.senders.sent == []
    assert kept.upkeep.trouble == "the session ends"


def test_rent_waits_while_orders_are_on_their_way(monkeypatch: pytest.MonkeyPatch) -> None:
    side = Sides(monkeypatch, reading(seed=INTENT))
    side.idle.mints = frozenset({BASE_MINT})
    kept = Kept(side)
    asyncio.run(kept.upkeep.round())
    assert kept.signer.claims == []


def test_rent_that_is_not_worth_its_fee_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    found = reading(seed=INTENT)
    cheap = (msgspec.structs.replace(found.guards[0], lamports=10_000),)
    side = Sides(monkeypatch, msgspec.structs.replace(found, guards=cheap))
    side.book.rent = 10_000
    kept = Kept(side)
    asyncio.run(kept.upkeep.round())
    assert kept.signer.claims == []


@pytest.mark.parametrize(
    ("unknown", "closed"), [(890_880, False), (890_879, True)], ids=["account", "dust"]
)
def test_rent_that_the_book_does_not_have_is_booked_before_it_comes_back(
    monkeypatch: pytest.MonkeyPatch,
    unknown: int,
    closed: bool,  # noqa: FBT001 - a case's own
) -> None:
    side = Sides(monkeypatch, reading(seed=INTENT))
    side.book.rent = 890_880 - unknown
    kept = Kept(side)
    asyncio.run(kept.upkeep.round())
    assert bool(kept.signer.claims) == closed


def test_what_an_earlier_process_announced_and_landed_is_booked_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It was killed before it booked; meanwhile nothing else is brought back."""
    side = Sides(monkeypatch, reading(seed=INTENT))
    kept = announced(side)
    kept.look(2)
    assert told(side)[1:] == [(FlowCause.RENT, 890_880), (FlowCause.HOUSEKEEPING_FEE, -5_100)]
    assert {one.signature for one in side.sink.flows} == {SIGNATURE}
    assert {one.reason for one in side.sink.flows} == {REASON}
    assert (kept.unbooked.waits, kept.ledger.asked) == (False, [SIGNATURE])
    assert side.book.reached_slot == SLOT


def test_rent_that_was_booked_before_the_kill_is_not_booked_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    side = Sides(monkeypatch, reading())
    kept = announced(side)
    side.sink.on_venue(flow(FlowCause.RENT, 890_880))
    kept.look(2)
    assert told(side)[2:] == [(FlowCause.HOUSEKEEPING_FEE, -5_100)]


def test_what_is_announced_is_dead_when_two_endpoints_prove_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its blockhash is not on record: one of now lives as long at most, `LIMIT`."""
    side = Sides(monkeypatch, reading(seed=INTENT))
    kept = announced(side)
    kept.ledger.lands = False
    kept.look()
    kept.absent("a", LIMIT)
    kept.absent("b", LIMIT)
    kept.chain.go_on(LIMIT - kept.chain.at.finalized)
    kept.look()
    assert kept.watcher.asked == []
    kept.chain.go_on()
    kept.look()
    assert kept.watcher.asked == [(SIGNATURE, True)]
    kept.absent("a", LIMIT + 1)
    kept.absent("a", LIMIT + 1)
    kept.look()
    assert kept.unbooked.waits
    kept.absent("b", LIMIT + 1)
    kept.look()
    assert told(side)[1:] == [(FlowCause.HOUSEKEEPING_FEE, 0)]
    assert side.sink.flows[-1].reason == f"it never landed: {REASON}"
    assert not kept.unbooked.waits


def test_one_endpoints_nulls_count_beside_the_wallets_list_of_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    side = Sides(monkeypatch, reading())
    kept = announced(side)
    kept.ledger.lands = False
    kept.look()
    kept.chain.go_on(LIMIT - kept.chain.at.finalized + 1)
    kept.absent("a", LIMIT + 1)
    kept.look()
    assert kept.watcher.wallet == [(SIGNATURE, side.book.opening_slot)]
    seen = Status(
        signature=SIGNATURE, endpoint="b", commitment=Commitment.CONFIRMED, slot=SLOT, err=None
    )
    assert kept.unbooked.take(seen)
    kept.absent("b", LIMIT + 1)
    kept.look()
    assert kept.unbooked.waits, "somebody said that it is on the chain: the proof begins anew"


def test_what_stays_unknown_is_told_once_and_nothing_else_is_brought_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    side = Sides(monkeypatch, reading(seed=INTENT))
    side.book.rent = 890_880
    kept = announced(side)
    kept.ledger.lands = False
    kept.look(ALARM_LOOKS - 1)
    assert kept.alarms == []
    kept.look(ALARM_LOOKS)
    [words] = kept.alarms
    assert SIGNATURE in words
    asyncio.run(kept.upkeep.round())
    assert kept.signer.claims == []
    kept.ledger.lands = True
    kept.look()
    assert not kept.unbooked.waits


def test_words_about_orders_are_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = announced(Sides(monkeypatch, reading()))
    other = Status(
        signature="other", endpoint="b", commitment=Commitment.CONFIRMED, slot=SLOT, err=None
    )
    assert not kept.unbooked.take(other)
    assert not kept.unbooked.take(kept.chain.at)


def test_no_fee_is_above_what_the_comparison_allows() -> None:
    """Two of the price's units are more than `price + sequence % price`: 5,000 and 123 lamports."""
    assert fee_lamports(COMPUTE_UNITS, 2 * COMPUTE_UNIT_PRICE) == 5_123 <= FEE_LAMPORTS_MAX
