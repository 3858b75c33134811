"""Exits on the chain: priced again with their guard, unguarded only where nothing can double."""

import pytest
from venue_doubles import BASE_MINT, INTENT, SLOT, token_account
from venue_stand import Stand, attempts, entry, leave, on

from utb.domain.chain import Commitment
from utb.domain.names import ExitReason, OrderStatus
from utb.engine.chain import create_with_seed, key_bytes, key_text
from utb.orderlife.events import FillRead

SYSTEM = "11111111111111111111111111111111"


def test_exit_is_priced_again_with_its_guard() -> None:
    """Each attempt 50 bps wider and half the price dearer, all behind one guard account."""

    async def test(stand: Stand) -> None:
        stand.submit(leave())
        stand.chain.go_on(70)
        orders, made = stand.builder.orders, attempts(stand)
        assert [claim.attempt for claim in stand.signer.claims] == [0, 1, 2, 3]
        assert len({attempt.signature for attempt in made}) == 4
        guard = key_text(
            create_with_seed(key_bytes(stand.wallet.wallet), INTENT.encode(), key_bytes(SYSTEM))
        )
        assert {attempt.guard for attempt in made} == {guard}
        assert set(stand.watcher.guards.values()) == {2}
        for order in orders:
            assert order.guard is not None
            assert (order.guard.seed, order.guard.lamports) == (INTENT.encode(), 890_880)
            assert order.memo is None
        quoted = made[0].route.quoted_out_raw
        least = [-(-quoted * (9_900 - 50 * step) // 10_000) for step in range(4)]
        assert [attempt.route.min_out_raw for attempt in made] == least
        wanted = [75_000 * (100 + 50 * k) // 100 for k in range(4)]
        for order, price in zip(orders, wanted, strict=True):
            assert price <= order.compute_unit_price < price + 1_024
        assert stand.statuses().count("SIGNED") == 4
        stand.chain.go_on(70)
        assert len(stand.signer.claims) == 4

    on(Stand(), test)


def test_exit_that_was_seen_is_not_priced_again() -> None:
    async def test(stand: Stand) -> None:
        stand.submit(leave())
        [signature] = stand.signatures
        stand.status(signature, Commitment.PROCESSED)
        stand.chain.go_on(60)
        assert len(stand.signer.claims) == 1

    on(Stand(), test)


def test_first_attempt_that_sells_all_there_is_goes_unguarded() -> None:
    async def test(stand: Stand) -> None:
        stand.rpc.tell_account(stand.own(BASE_MINT), token_account(50_000_000), SLOT + 1)
        stand.submit(leave())
        stand.chain.go_on(25)
        assert [order.guard is None for order in stand.builder.orders] == [True, False]

    on(Stand(), test)


@pytest.mark.parametrize("balance", [None, 50_000_001])
def test_first_attempt_is_guarded_when_tokens_would_be_left_or_are_unknown(
    balance: int | None,
) -> None:
    async def test(stand: Stand) -> None:
        if balance is not None:
            stand.rpc.tell_account(stand.own(BASE_MINT), token_account(balance), SLOT + 1)
        stand.submit(leave())
        assert stand.builder.orders[0].guard is not None

    on(Stand(), test)


def test_first_attempt_is_guarded_while_the_mint_is_in_flight() -> None:
    async def test(stand: Stand) -> None:
        stand.rpc.tell_account(stand.own(BASE_MINT), token_account(50_000_000), SLOT + 1)
        stand.submit(entry("00000000000000bb"))
        stand.submit(leave())
        assert stand.builder.orders[1].guard is not None

    on(Stand(), test)


def test_exit_whose_guard_exists_is_not_tried_again() -> None:
    async def test(stand: Stand) -> None:
        stand.submit(leave())
        [signature] = stand.signatures
        stand.fills.found[signature, True] = FillRead(
            signature=signature,
            slot=SLOT,
            finalized=True,
            fill=None,
            err="taken",
            guard_failed=True,
            fee_lamports=5_000,
        )
        stand.status(signature, Commitment.FINALIZED, err="taken", guard_failed=True)
        await stand.settle()
        assert stand.failure.status is OrderStatus.FAILED_ON_CHAIN
        assert (stand.failure.slot, stand.failure.fee_lamports) == (SLOT, 5_000)
        assert len(stand.signer.claims) == 1

    on(Stand(), test)


def test_emergency_pays_more() -> None:
    async def test(stand: Stand) -> None:
        stand.submit(leave(exit_reason=ExitReason.EMERGENCY))
        assert 95_000 <= stand.builder.orders[0].compute_unit_price < 95_000 + 1_024

    on(Stand(), test)
