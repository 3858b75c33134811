"""Accounts by subscription: read first, aged in slots, undone by forks, read when in doubt."""

import asyncio
from typing import Any, cast

from venue_doubles import OTHER_POOL, POOL, SLOT, FakePools, FakeRpc, account
from venue_stand import make_settings

from utb.adapters.timers import WallTimer
from utb.adapters.venues.solana.accounts import VERIFY_SLOTS, AccountFeed
from utb.adapters.venues.solana.poolfeed import PoolFeed
from utb.domain.names import Side
from utb.engine.chain import key_bytes, key_text
from utb.routing.quotes import PoolCandidate, PoolQuote

KEY = key_text(bytes([21] * 32))
TICKS = [bytes([40 + n] * 32) for n in range(3)]


class Taken:
    def __init__(self, rpc: FakeRpc) -> None:
        self.states: list[tuple[str, int | None, int]] = []
        self.undone: list[int] = []
        self.feed = AccountFeed(cast("Any", rpc), WallTimer(), self.take, self.undone.append)

    def take(self, key: str, value: Any, slot: int) -> None:
        self.states.append((key, None if value is None else value.data[0][0], slot))


def read(feed: AccountFeed) -> None:
    assert asyncio.run(feed.read_due())


def test_account_is_read_first_and_then_told() -> None:
    rpc = FakeRpc()
    rpc.accounts[KEY] = account(b"\x01")
    taken = Taken(rpc)
    taken.feed.want((KEY,))
    assert taken.feed.age_slots((KEY,)) is None
    rpc.tell_slot(SLOT)
    read(taken.feed)
    rpc.tell_account(KEY, account(b"\x02"), SLOT + 1)
    assert taken.states == [(KEY, 1, SLOT), (KEY, 2, SLOT + 1)]


def test_account_that_is_not_there_is_told_as_such() -> None:
    rpc = FakeRpc()
    taken = Taken(rpc)
    taken.feed.want((KEY,))
    rpc.tell_slot(SLOT)
    read(taken.feed)
    assert taken.states == [(KEY, None, SLOT)]
    assert taken.feed.age_slots((KEY,)) == 0


def test_silence_is_current_while_its_endpoint_goes_on() -> None:
    rpc = FakeRpc()
    taken = Taken(rpc)
    taken.feed.want((KEY,))
    rpc.tell_slot(SLOT)
    read(taken.feed)
    for slot in range(SLOT + 1, SLOT + 11):
        rpc.tell_slot(slot)
    assert taken.feed.age_slots((KEY,)) == 0
    rpc.tell_slot(SLOT + 30, endpoint="b")
    assert taken.feed.age_slots((KEY,)) == 20


def test_subscription_that_moved_is_read_again() -> None:
    rpc = FakeRpc()
    taken = Taken(rpc)
    taken.feed.want((KEY,))
    rpc.tell_slot(SLOT)
    read(taken.feed)
    assert not taken.feed.due
    rpc.subscriptions[0].number = 2
    rpc.tell_slot(SLOT + 5)
    assert taken.feed.due
    assert taken.feed.age_slots((KEY,)) == 5
    read(taken.feed)
    assert taken.feed.age_slots((KEY,)) == 0


def test_subscription_without_an_answer_keeps_nothing_current() -> None:
    rpc = FakeRpc()
    taken = Taken(rpc)
    taken.feed.want((KEY,))
    rpc.subscriptions[0].number = None
    rpc.tell_slot(SLOT)
    read(taken.feed)
    rpc.tell_slot(SLOT + 3)
    assert taken.feed.age_slots((KEY,)) == 3


def test_fork_undoes_and_reads_everything_again() -> None:
    rpc = FakeRpc()
    taken = Taken(rpc)
    taken.feed.want((KEY,))
    rpc.tell_slot(SLOT)
    read(taken.feed)
    rpc.tell_account(KEY, account(b"\x02"), SLOT + 2)
    rpc.tell_slot(SLOT + 2)
    rpc.tell_slot(SLOT + 3, parent=SLOT)
    assert taken.undone == [SLOT]
    assert taken.feed.forks == 1
    assert taken.feed.due
    assert taken.feed.age_slots((KEY,)) == 3
    read(taken.feed)
    assert taken.feed.age_slots((KEY,)) == 0


def test_skipped_slots_are_no_fork() -> None:
    rpc = FakeRpc()
    taken = Taken(rpc)
    rpc.tell_slot(SLOT)
    rpc.tell_slot(SLOT + 4, parent=SLOT)
    assert taken.undone == []


def test_everything_is_proven_now_and_then() -> None:
    rpc = FakeRpc()
    taken = Taken(rpc)
    taken.feed.want((KEY,))
    rpc.tell_slot(SLOT)
    read(taken.feed)
    rpc.tell_slot(SLOT + VERIFY_SLOTS)
    assert taken.feed.due
    # Nothing is in doubt: what the subscription says holds meanwhile.
    assert taken.feed.age_slots((KEY,)) == 0


def test_failed_reading_is_said_and_tried_again() -> None:
    rpc = FakeRpc()
    rpc.down = True
    taken = Taken(rpc)
    taken.feed.want((KEY,))
    assert not asyncio.run(taken.feed.read_due())
    assert taken.feed.trouble == "no endpoint answers"
    assert taken.feed.due


def test_dropped_account_is_unsubscribed() -> None:
    rpc = FakeRpc()
    taken = Taken(rpc)
    taken.feed.want((KEY,))
    taken.feed.drop((KEY,))
    assert rpc.subscriptions[0].cancelled
    assert not taken.feed.due


def test_background_reads_what_is_wanted() -> None:
    rpc = FakeRpc()
    taken = Taken(rpc)

    async def run() -> None:
        running = asyncio.ensure_future(taken.feed.run())
        taken.feed.want((KEY,))
        for _ in range(10):
            await asyncio.sleep(0)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(run())
    assert [state[0] for state in taken.states] == [KEY]


def pool_feed(rpc: FakeRpc, book: FakePools) -> PoolFeed:
    raw = (10**12).to_bytes(8, "little") + (2 * 10**12).to_bytes(8, "little")
    for pool in (POOL, OTHER_POOL, *TICKS):
        rpc.accounts[key_text(pool)] = account(raw)
    return PoolFeed(cast("Any", rpc), WallTimer(), book, make_settings().pools[0])


def test_pool_follows_what_it_needs_as_its_price_moves() -> None:
    rpc, book = FakeRpc(), FakePools()
    book.more[POOL] = TICKS[:2]
    feed = pool_feed(rpc, book)
    rpc.tell_slot(SLOT)
    assert asyncio.run(feed.read()) == ""
    assert feed.needs(key_text(POOL)) == tuple(key_text(key) for key in (POOL, *TICKS[:2]))
    book.more[POOL] = TICKS[1:]
    rpc.tell_account(key_text(POOL), rpc.accounts[key_text(POOL)], SLOT + 1)
    followed = {s.topic.key for s in rpc.subscriptions if not s.cancelled}
    assert followed == {key_text(key) for key in (POOL, OTHER_POOL, *TICKS[1:])}


def quoted(candidate: PoolCandidate, amount: int) -> PoolQuote:
    found = candidate.quote(amount)
    assert isinstance(found, PoolQuote)
    return found


def test_candidates_price_is_quote_per_base_on_both_sides() -> None:
    rpc, book = FakeRpc(), FakePools()
    feed = pool_feed(rpc, book)
    place = make_settings().pools[0][0]
    buying = feed.candidate(
        place, key_bytes("EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"), Side.BUY
    )
    assert buying.age_slots is None
    assert buying.quote(1) == "the pool's account is not known"
    rpc.tell_slot(SLOT)
    asyncio.run(feed.read())
    selling = feed.candidate(place, bytes([9] * 32), Side.SELL)
    bought, sold = quoted(buying, 10**9), quoted(selling, 10**9)
    assert (bought.price_before, sold.price_before) == (2.0, 2.0)
    assert bought.price_after > 2.0 > sold.price_after
    assert selling.age_slots == 0


def test_fork_reaches_the_core_and_what_it_misses_is_read() -> None:
    rpc, book = FakeRpc(), FakePools()
    feed = pool_feed(rpc, book)
    rpc.tell_slot(SLOT)
    asyncio.run(feed.read())
    rpc.tell_slot(SLOT + 1)
    rpc.tell_slot(SLOT + 2, parent=SLOT - 1)
    assert book.rollbacks == [SLOT - 1]
    assert book.slot == SLOT + 2
    rpc.slot = SLOT + 2
    assert asyncio.run(feed.read()) == ""
    assert book.missing() == []


def test_settling_reads_again_what_was_read_before_its_subscription() -> None:
    rpc = FakeRpc()
    taken = Taken(rpc)
    taken.feed.want((KEY,))
    rpc.subscriptions[0].number = None
    rpc.tell_slot(SLOT)
    read(taken.feed)
    rpc.subscriptions[0].number = 5
    rpc.slot = SLOT + 2
    assert asyncio.run(taken.feed.settle()) == ""
    assert [slot for _, _, slot in taken.states] == [SLOT, SLOT + 2]
    rpc.tell_slot(SLOT + 9)
    assert taken.feed.age_slots((KEY,)) == 0


def test_account_whose_endpoint_falls_behind_is_read_and_then_moved() -> None:
    rpc = FakeRpc()
    taken = Taken(rpc)
    taken.feed.want((KEY,))
    rpc.tell_slot(SLOT)
    read(taken.feed)
    for slot in range(SLOT, SLOT + 5):
        rpc.tell_slot(slot, endpoint="b")
    assert taken.feed.due
    read(taken.feed)
    assert taken.feed.age_slots((KEY,)) == 0
    for slot in range(SLOT + 5, SLOT + 80):
        rpc.tell_slot(slot, endpoint="b")
    assert [s.cancelled for s in rpc.subscriptions] == [True, False]
