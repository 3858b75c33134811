"""Accounts followed on the chain: read once, then kept current by subscriptions.

A subscription tells only changes, so every account is read when it is first wanted, when its
subscription began anew (what changed between is lost), after a fork, and now and then for proof.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from utb.adapters.rpc import calls
from utb.adapters.rpc.answers import AccountValue, Bad
from utb.adapters.rpc.topics import Notice, SlotNotice, account_topic
from utb.adapters.venues.solana.parts import AnySubscription, Rpc
from utb.domain.chain import Commitment
from utb.ports.livefeed import Timer

VERIFY_SLOTS: Final = 150
"""Between two readings of everything: what a subscription lost without a word is found by them."""

STALE_SLOTS: Final = 4
"""An account that is not known for so long is read, again and again, whatever its subscription
says: its endpoint may be behind, deaf or gone."""

ANEW_SLOTS: Final = 64
"""A subscription that left its account to that for so long is made anew."""

RETRY_SECONDS: Final = 0.2

SETTLE_SECONDS: Final = 0.02
SETTLE_TRIES: Final = 150
"""Looks at subscriptions that are not answered yet, at a start: three seconds."""

ACCOUNTS_MAX: Final = 1_000

Apply = Callable[[str, AccountValue | None, int], None]
"""Takes an account (None: there is none) as of a slot."""


class _Followed:
    """One account."""

    __slots__ = ("current_slot", "placed", "read_slot", "subscription")

    def __init__(self) -> None:
        self.subscription: AnySubscription | None = None
        self.placed: tuple[str | None, int | None] = (None, None)
        """Endpoint and number its subscription had when it was read after; None: in doubt."""
        self.current_slot = 0
        """When its subscription was last seen to keep it current, or was made anew."""
        self.read_slot: int | None = None
        """Of the last reading or notice; None: not read."""


class AccountFeed:
    """Follows accounts and hands their states on."""

    def __init__(
        self, rpc: Rpc, timer: Timer, apply: Apply, rollback: Callable[[int], None]
    ) -> None:
        """Follow nothing yet.

        Args:
            rpc: Whom to ask.
            timer: Passes the waits.
            apply: Called with each state, in the socket's callback or from `run`.
            rollback: Called with the last slot that still holds after a fork.
        """
        self._rpc = rpc
        self._timer = timer
        self._apply = apply
        self._rollback = rollback
        self._followed: dict[str, _Followed] = {}
        self._due: dict[str, None] = {}
        """Accounts to read, oldest wish first."""
        self._wake = asyncio.Event()
        self._slots: dict[str, int] = {}
        """Slot each endpoint is at."""
        self._head: int | None = None
        self._verified_slot = 0
        self._looked_slot = 0
        self.forks = 0
        self.trouble = ""
        """Why the last reading failed; empty when it did not."""
        rpc.on_slot.append(self.on_slot)

    @property
    def head(self) -> int | None:
        """Return the highest slot any endpoint told; None: none yet."""
        return self._head

    @property
    def due(self) -> bool:
        """Return whether anything has still to be read."""
        return bool(self._due)

    def want(self, keys: Iterable[str]) -> None:
        """Follow these accounts too.

        Raises:
            ValueError: If there would be more than `ACCOUNTS_MAX`.
        """
        for key in keys:
            if key in self._followed:
                continue
            if len(self._followed) >= ACCOUNTS_MAX:
                raise ValueError(f"{ACCOUNTS_MAX} accounts are the most, {key} is one more")
            followed = self._followed[key] = _Followed()
            followed.subscription = self._rpc.subscribe(account_topic(key), self._on_notice)
            self._read(key)

    def drop(self, keys: Iterable[str]) -> None:
        """Follow these accounts no more."""
        for key in keys:
            followed = self._followed.pop(key, None)
            if followed is not None and followed.subscription is not None:
                followed.subscription.cancel()
            self._due.pop(key, None)

    def age_slots(self, keys: Sequence[str]) -> int | None:
        """Return how many slots ago all of these were last known; None: one of them never was."""
        head = self._head
        if head is None or not keys:
            return None
        oldest = head
        for key in keys:
            followed = self._followed.get(key)
            if followed is None or followed.read_slot is None:
                return None
            as_of = followed.read_slot
            # With a subscription that was read after it began, no word means no change: it holds
            # at the slot its endpoint is at. Asked only where the reading alone is not enough.
            if as_of < oldest:
                told = self._told(followed)
                if told is not None and told > as_of:
                    as_of = told
                oldest = min(oldest, as_of)
        return head - oldest

    def read_soon(self, keys: Iterable[str]) -> None:
        """Read these accounts as soon as can be, of those that are followed."""
        for key in keys:
            if key in self._followed:
                self._read(key)

    def read_again(self) -> None:
        """Read everything as soon as can be."""
        for key in self._followed:
            self._read(key)

    async def run(self) -> None:
        """Read what is due until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._due:
                if not await self.read_due():
                    await self._timer.sleep(RETRY_SECONDS)

    async def read_due(self) -> bool:
        """Read a batch of what is due; return whether it was answered."""
        keys = tuple(self._due)[: calls.ACCOUNTS_MAX]
        placed = {key: self._place_of(key) for key in keys}
        answer = await self._rpc.call(calls.accounts(keys, Commitment.PROCESSED), urgent=True)
        if isinstance(answer, Bad) or answer.slot is None or len(answer.value) != len(keys):
            self.trouble = answer.sentence if isinstance(answer, Bad) else "an answer without slot"
            return False
        self.trouble = ""
        for key, value in zip(keys, answer.value, strict=True):
            followed = self._followed.get(key)
            if followed is None:
                continue
            self._due.pop(key, None)
            followed.placed = placed[key]
            followed.read_slot = max(followed.read_slot or 0, answer.slot)
            self._apply(key, value, answer.slot)
        return True

    async def settle(self) -> str:
        """Read what began before its subscription did; return what could not be read, or nothing.

        Waits for the subscriptions a little: one that is not answered by then leaves its account
        to age, which whoever quotes will see.
        """
        for _ in range(SETTLE_TRIES):
            if all(self._place_of(key)[1] is not None for key in self._followed):
                break
            await self._timer.sleep(SETTLE_SECONDS)
        for key, followed in self._followed.items():
            if followed.placed != self._place_of(key):
                self._read(key)
        while self._due:
            if not await self.read_due():
                return self.trouble
        return ""

    # What the endpoints tell

    def on_slot(self, notice: SlotNotice) -> None:
        """Learn an endpoint's slot: forks, subscriptions that moved, time for a proof."""
        before = self._slots.get(notice.endpoint)
        self._slots[notice.endpoint] = notice.slot
        self._head = max(self._slots.values())
        parent = notice.parent
        if before is not None and parent is not None and parent < before:
            # The blocks between are of a branch that was left: nothing of them happened.
            self.forks += 1
            self._rollback(parent)
            for followed in self._followed.values():
                followed.placed = (None, None)
                if followed.read_slot is not None:
                    followed.read_slot = min(followed.read_slot, parent)
            self.read_again()
        for key, followed in self._followed.items():
            if followed.placed != self._place_of(key):
                self._read(key)
        self._look_for_stale()
        if notice.slot - self._verified_slot >= VERIFY_SLOTS:
            self._verified_slot = notice.slot
            self.read_again()

    def _on_notice(self, notice: Notice) -> None:
        followed = self._followed.get(notice.topic.key)
        if followed is None or not isinstance(notice.value, AccountValue):
            return
        followed.read_slot = max(followed.read_slot or 0, notice.slot)
        self._apply(notice.topic.key, notice.value, notice.slot)

    # Leaves

    def _look_for_stale(self) -> None:
        """Read what its subscription does not keep current, and subscribe to it anew in time."""
        head = self.head
        if head is None or head - self._looked_slot < STALE_SLOTS:
            return
        self._looked_slot = head
        for key, followed in self._followed.items():
            told = self._told(followed)
            if followed.current_slot == 0:
                followed.current_slot = head
            if told is not None and head - told < STALE_SLOTS:
                followed.current_slot = head
                continue
            self._read(key)
            if head - followed.current_slot >= ANEW_SLOTS and followed.subscription is not None:
                followed.current_slot = head
                followed.subscription.cancel()
                followed.subscription = self._rpc.subscribe(account_topic(key), self._on_notice)

    def _told(self, followed: _Followed) -> int | None:
        """Return the slot an account's subscription is known to hold at; None: it tells nothing."""
        subscription = followed.subscription
        if subscription is None or subscription.number is None:
            return None
        endpoint = subscription.endpoint
        if endpoint is None or followed.placed != (endpoint, subscription.number):
            return None
        return self._slots.get(endpoint, 0)

    def _read(self, key: str) -> None:
        self._due[key] = None
        self._wake.set()

    def _place_of(self, key: str) -> tuple[str | None, int | None]:
        followed = self._followed.get(key)
        if followed is None or followed.subscription is None:
            return (None, None)
        return (followed.subscription.endpoint, followed.subscription.number)
