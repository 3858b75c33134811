"""Orders that are not sent: the signer refuses, or something they need is not known."""

import pytest
from venue_doubles import SLOT
from venue_stand import Stand, entry, leave, on

from utb.domain.names import OrderStatus
from utb.ports.chain import NotSigned


@pytest.mark.parametrize("definitive", [True, False])
def test_order_ends_when_the_signer_does_not_sign(definitive: bool) -> None:  # noqa: FBT001
    async def test(stand: Stand) -> None:
        stand.signer.refusal = NotSigned(
            code="UNREACHABLE", message="no answer from the socket", definitive=definitive
        )
        for order in (entry(), leave("00000000000000bb")):
            stand.submit(order)
            failure = stand.failure
            assert (failure.status, failure.fee_lamports, failure.attempts) == (
                OrderStatus.CANCELLED,
                0,
                0,
            )
            assert failure.reason == "the signer: no answer from the socket (UNREACHABLE)"
        assert stand.senders.sent == []

    on(Stand(), test)


def test_signature_that_comes_too_late_is_not_used() -> None:
    async def test(stand: Stand) -> None:
        stand.signer.waiting = []
        stand.submit(entry())
        stand.chain.go_on(200)
        assert stand.failure.status is OrderStatus.CANCELLED
        [answer] = stand.signer.waiting
        answer()
        assert stand.senders.sent == []
        assert stand.venue.counts["late_signatures"] == 1

    on(Stand(), test)


def test_order_without_blockhash_is_cancelled_in_words() -> None:
    async def test(stand: Stand) -> None:
        stand.chain.hash = None
        stand.submit(entry())
        assert stand.failure.reason == "no blockhash is known that is recent enough"

    on(Stand(), test)


def test_order_while_no_endpoint_tells_anything_is_cancelled_in_words() -> None:
    """Eight slots of 0.4 s."""

    async def test(stand: Stand) -> None:
        stand.chain.silent_s = 3.3
        stand.submit(entry())
        assert stand.failure.reason == (
            "no endpoint has told a slot for 3.3 s, at most 3.2 s are accepted"
        )

    on(Stand(), test)


def test_guarded_order_without_rent_is_cancelled_in_words() -> None:
    async def test(stand: Stand) -> None:
        stand.chain.rent = None
        stand.submit(leave())
        assert stand.failure.reason == "the rent of its guard account is not read yet"

    on(Stand(), test)


def test_order_on_old_quotes_is_cancelled_in_words() -> None:
    """The endpoint with the subscriptions stands still while another one goes on."""

    async def test(stand: Stand) -> None:
        stand.rpc.down = True
        stand.rpc.tell_slot(SLOT + 9, endpoint="b")
        stand.submit(entry())
        assert "its accounts are 9 slots old, at most 8 are used" in stand.failure.reason

    on(Stand(), test)


def test_order_below_its_least_output_is_cancelled_in_words() -> None:
    async def test(stand: Stand) -> None:
        stand.submit(entry(min_out_raw=49_872_513))
        assert "quoted 49872512 is below the least output 49872513" in stand.failure.reason
        assert stand.signer.claims == []

    on(Stand(), test)


def test_order_whose_fee_does_not_fit_is_cancelled_in_words() -> None:
    async def test(stand: Stand) -> None:
        stand.submit(entry(), fee_lamports_max=4_999)
        assert "leave no room" in stand.failure.reason

    on(Stand(), test)
