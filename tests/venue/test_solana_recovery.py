"""What may come later: a fill that vanishes, a restart, words about strangers and the dead."""

from venue_doubles import SLOT
from venue_stand import Stand, absent, attempts, entry, on

from utb.domain.chain import Attempt, Commitment
from utb.domain.names import OrderStatus
from utb.domain.orders import VenueFilled, VenueReverted
from utb.ports.chain import OpenOrder


def test_fill_that_vanishes_is_undone_and_may_land_again_otherwise() -> None:
    async def test(stand: Stand) -> None:
        stand.submit(entry())
        [signature] = stand.signatures
        stand.fill(signature, 49_800_000, 100_000_000)
        stand.status(signature, Commitment.CONFIRMED)
        await stand.settle()
        stand.chain.go_on(40)
        absent(stand, signature, "a")
        absent(stand, signature, "b")
        [undone] = [event for event in stand.events if isinstance(event, VenueReverted)]
        assert (undone.signature, undone.status) == (signature, OrderStatus.SENT)
        before = len(stand.senders.sent)
        stand.chain.go_on(2)
        assert len(stand.senders.sent) > before
        stand.fill(signature, 49_700_000, 100_000_000, SLOT + 42)
        stand.status(signature, Commitment.FINALIZED)
        await stand.settle()
        fills = [event.base_raw for event in stand.events if isinstance(event, VenueFilled)]
        assert fills == [49_800_000, 49_700_000]
        assert stand.statuses()[-2:] == ["FINAL", "SETTLED"]

    on(Stand(), test)


def test_order_of_before_a_restart_goes_on_with_the_same_bytes() -> None:
    made: list[Attempt] = []

    async def before(stand: Stand) -> None:
        stand.submit(entry())
        made.extend(attempts(stand))

    async def after(stand: Stand) -> None:
        stand.durable.add(made[0].signature)
        stand.venue.recover(
            [
                OpenOrder(
                    intent=entry(),
                    status=OrderStatus.SENT,
                    fee_lamports_max=2_000_000,
                    attempts=tuple(made),
                )
            ]
        )
        signature = made[0].signature
        assert stand.watcher.asked == [(signature, True)]
        stand.chain.go_on(3)
        assert {sent[1] for sent in stand.senders.sent} == {signature}
        stand.fill(signature, 49_800_000, 100_000_000)
        stand.status(signature, Commitment.FINALIZED)
        await stand.settle()
        assert stand.statuses() == ["SEEN", "FILLED", "FINAL", "SETTLED"]
        assert stand.signer.claims == []

    on(Stand(), before)
    on(Stand(), after)


def test_order_of_which_nothing_was_durable_is_cancelled_after_a_restart() -> None:
    async def test(stand: Stand) -> None:
        stand.venue.recover(
            [
                OpenOrder(
                    intent=entry(),
                    status=OrderStatus.APPROVED,
                    fee_lamports_max=2_000_000,
                    attempts=(),
                )
            ]
        )
        failure = stand.failure
        assert failure.status is OrderStatus.CANCELLED
        assert failure.reason == "the process ended before anything of it was sent"

    on(Stand(), test)


def test_word_about_a_stranger_is_counted() -> None:
    async def test(stand: Stand) -> None:
        stand.status("stranger", Commitment.CONFIRMED)
        assert stand.venue.counts["of_nobody"] == 1
        assert stand.events == []

    on(Stand(), test)


def test_dead_order_that_is_said_to_have_landed_raises_the_alarm() -> None:
    async def test(stand: Stand) -> None:
        stand.submit(entry())
        [signature] = stand.signatures
        stand.chain.go_on(190)
        absent(stand, signature, "a")
        absent(stand, signature, "b")
        assert stand.failure.status is OrderStatus.EXPIRED
        stand.status(signature, Commitment.FINALIZED)
        assert len(stand.alarms) == 1

    on(Stand(), test)
