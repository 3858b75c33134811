"""Which way an order takes: protected above a size, split where that brings more."""

from venue_doubles import OTHER_POOL, POOL, RELAY, SLOT
from venue_stand import Stand, attempts, entry, leave, on

from utb.engine.chain import key_bytes, key_text


def test_large_order_is_protected_and_stays_so() -> None:
    async def test(stand: Stand) -> None:
        stand.submit(entry(amount=5_000_000_000))
        stand.chain.go_on(4)
        assert {name for name, _, _ in stand.senders.sent} == {"relay"}
        [order] = stand.builder.orders
        assert order.tip is not None
        assert (order.tip.account, order.tip.lamports) == (key_bytes(RELAY), 10_000)
        assert attempts(stand)[0].tip_lamports == 10_000

    on(Stand(), test)


def test_later_attempts_of_a_protected_exit_are_protected() -> None:
    async def test(stand: Stand) -> None:
        stand.submit(leave(amount=2_600_000_000))
        stand.set_pool(POOL, 10**12, 10**12)
        stand.chain.go_on(25)
        assert len(stand.signatures) == 2
        assert {name for name, _, _ in stand.senders.sent} == {"relay"}

    on(Stand(), test)


def test_without_a_relay_nothing_is_protected() -> None:
    async def test(stand: Stand) -> None:
        stand.submit(entry(amount=5_000_000_000))
        assert attempts(stand)[0].senders == ("rpc.a", "rpc.b")

    stand = Stand()
    stand.senders.relay = False
    on(stand, test)


def even_pools(stand: Stand) -> None:
    for pool in (POOL, OTHER_POOL):
        stand.set_pool(pool, 10**11, 2 * 10**11)
        stand.rpc.tell_account(key_text(pool), stand.rpc.accounts[key_text(pool)], SLOT + 1)


def test_order_is_split_where_that_brings_more() -> None:
    async def test(stand: Stand) -> None:
        even_pools(stand)
        stand.submit(entry(amount=4_000_000_000))
        [order] = stand.builder.orders
        assert {leg.pool for leg in order.legs} == {POOL, OTHER_POOL}
        assert sum(leg.amount_in_raw for leg in order.legs) == 4_000_000_000

    on(Stand(), test)


def test_split_that_does_not_fit_goes_to_one_pool() -> None:
    async def test(stand: Stand) -> None:
        even_pools(stand)
        stand.builder.legs_max = 1
        stand.submit(entry(amount=4_000_000_000, min_out_raw=1))
        assert len(attempts(stand)[0].route.legs) == 1

    on(Stand(), test)
