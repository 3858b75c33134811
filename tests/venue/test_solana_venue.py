"""Entries on the chain by the contract: land, fail, expire, unknown."""

import pytest
from venue_doubles import BASE_MINT, HEIGHT, INTENT, OTHER_POOL, POOL, SLOT, token_account
from venue_stand import Stand, absent, attempts, entry, on

from utb.domain.chain import Commitment
from utb.domain.names import OrderStatus
from utb.domain.orders import VenueFilled
from utb.engine.chain import key_bytes, key_text
from utb.errors import InvariantError
from utb.orderlife.events import FillRead
from utb.ports.chain import SignKind

SYSTEM = "11111111111111111111111111111111"


def test_entry_lands_and_is_settled() -> None:
    async def test(stand: Stand) -> None:
        stand.submit(entry())
        [signature] = stand.signatures
        assert stand.senders.sent == [("rpc.a", signature, True), ("rpc.b", signature, True)]
        stand.status(signature, Commitment.PROCESSED)
        stand.fill(signature, 49_800_000, 100_000_000)
        stand.status(signature, Commitment.CONFIRMED)
        await stand.settle()
        stand.status(signature, Commitment.FINALIZED)
        await stand.settle()
        assert stand.statuses() == ["SIGNED", "SENT", "SEEN", "FILLED", "FINAL", "SETTLED"]
        [filled] = [event for event in stand.events if isinstance(event, VenueFilled)]
        # The pool's fee of 0.25 % is told in the input, which is quote: ceil(100 USDC x 0.0025).
        assert (filled.base_raw, filled.quote_raw, filled.pool_fee_quote_raw) == (
            49_800_000,
            100_000_000,
            250_000,
        )
        assert (filled.fee_lamports, filled.provisional, filled.mid_price) == (12_000, True, 2.0)
        assert stand.venue.open_orders == ()
        assert stand.watcher.watched == set()

    on(Stand(), test)


def test_entry_is_built_as_the_contract_says() -> None:
    """Memo and no guard; the output's account is opened while it is not known to be there."""

    async def test(stand: Stand) -> None:
        stand.submit(entry())
        [order], [attempt] = stand.builder.orders, attempts(stand)
        assert (order.memo, order.guard, order.tip) == (INTENT.encode(), None, None)
        assert [opened.mint for opened in order.create_token_accounts] == [key_bytes(BASE_MINT)]
        [leg] = order.legs
        assert (leg.pool, leg.amount_in_raw) == (POOL, 100_000_000)
        # 99,750,000 after the fee: 10^12 x 99,750,000 // (2 x 10^12 + 99,750,000) = 49,872,512.
        assert attempt.route.quoted_out_raw == 49_872_512
        assert leg.min_out_raw == attempt.route.min_out_raw == -(-49_872_512 * 9_900 // 10_000)
        assert order.compute_unit_price % 1_024 == attempt.sequence % 1_024 == 1
        assert attempt.last_valid_block_height == HEIGHT + 150
        assert attempt.height_seen == HEIGHT
        assert attempt.guard is None
        assert [claim.kind for claim in stand.signer.claims] == [SignKind.ENTRY]
        assert [item.words.split()[-1] for item in attempt.route.refused] == [key_text(OTHER_POOL)]

    on(Stand(), test)


def test_account_that_is_there_is_not_opened_again() -> None:
    async def test(stand: Stand) -> None:
        stand.rpc.tell_account(stand.own(BASE_MINT), token_account(0), SLOT + 1)
        stand.submit(entry())
        assert stand.builder.orders[0].create_token_accounts == ()

    on(Stand(), test)


def test_nothing_leaves_before_release() -> None:
    async def test(stand: Stand) -> None:
        stand.release_at_once = False
        stand.submit(entry())
        [signature] = stand.signatures
        stand.chain.go_on(5)
        assert stand.senders.sent == []
        stand.release(signature)
        assert len(stand.senders.sent) == 2
        with pytest.raises(InvariantError, match="never signed here"):
            stand.venue.release("other")

    on(Stand(), test)


def test_same_bytes_go_out_again_every_two_slots() -> None:
    async def test(stand: Stand) -> None:
        stand.submit(entry())
        stand.chain.go_on(6)
        [signature] = stand.signatures
        assert {sent[1] for sent in stand.senders.sent} == {signature}
        assert len(stand.senders.sent) == 2 * (1 + 3)

    on(Stand(), test)


def test_entry_that_fails_on_chain_costs_its_fee() -> None:
    async def test(stand: Stand) -> None:
        stand.submit(entry())
        [signature] = stand.signatures
        stand.fills.found[signature, True] = FillRead(
            signature=signature,
            slot=SLOT,
            finalized=True,
            fill=None,
            err="slippage",
            fee_lamports=9_000,
        )
        stand.status(signature, Commitment.FINALIZED, err="slippage")
        await stand.settle()
        failure = stand.failure
        assert (failure.status, failure.fee_lamports, failure.attempts, failure.reason) == (
            OrderStatus.FAILED_ON_CHAIN,
            9_000,
            1,
            "slippage",
        )

    on(Stand(), test)


def test_entry_expires_only_by_proof_and_is_never_signed_again() -> None:
    async def test(stand: Stand) -> None:
        stand.submit(entry())
        [signature] = stand.signatures
        stand.chain.go_on(150)
        absent(stand, signature, "a")
        absent(stand, signature, "b")
        assert stand.statuses()[-1] == "SENT"
        stand.chain.go_on(40)
        absent(stand, signature, "a")
        assert stand.statuses()[-1] == "SENT"
        absent(stand, signature, "b")
        assert stand.failure.status is OrderStatus.EXPIRED
        assert len(stand.signer.claims) == 1

    on(Stand(), test)


def test_order_that_nobody_answers_for_becomes_unknown_and_blocks_its_mint() -> None:
    async def test(stand: Stand) -> None:
        stand.submit(entry())
        stand.chain.go_on(150 + 32 + 40)
        assert stand.statuses()[-1] == "UNKNOWN"
        assert BASE_MINT in stand.venue.in_flight_mints()
        [signature] = stand.signatures
        assert (signature, True) in stand.watcher.asked
        stand.fill(signature, 1, 1)
        stand.status(signature, Commitment.FINALIZED)
        await stand.settle()
        assert stand.statuses()[-3:] == ["FILLED", "FINAL", "SETTLED"]

    on(Stand(), test)


def test_known_intent_is_ignored() -> None:
    async def test(stand: Stand) -> None:
        stand.submit(entry())
        stand.submit(entry())
        assert len(stand.signer.claims) == 1

    on(Stand(), test)
