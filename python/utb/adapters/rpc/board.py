"""Which subscription is on which endpoint: placed, moved when one is silent or gone."""

from collections.abc import Callable, Sequence
from typing import Final

from utb.adapters.rpc.line import ACKNOWLEDGE_SECONDS, Line, Subscription
from utb.adapters.rpc.topics import OnNotice, SlotNotice, Topic
from utb.adapters.rpc.wiring import RpcWiring

PATIENCE_MAX: Final = 8
"""Most by which the allowed silence grows: a quiet account must not be moved for ever."""

WATCH_SECONDS: Final = 1.0

SUBSCRIPTIONS_MAX: Final = 5_000
"""Of all endpoints together; providers allow less on one connection."""

LineRank = Callable[[str], float]
"""Orders endpoints by name, best first; infinite: not to be used."""


class Board:
    """The subscriptions of all endpoints."""

    def __init__(
        self,
        wiring: RpcWiring,
        rank: LineRank,
        on_slot: Callable[[SlotNotice], None],
    ) -> None:
        """Begin without lines."""
        self._wiring = wiring
        self._rank = rank
        self._on_slot = on_slot
        self._lines: tuple[Line, ...] = ()
        self._unplaced: dict[Subscription, None] = {}
        self.moved = 0
        """Subscriptions that went to another endpoint, or were made anew, because of silence."""
        self.refusals: dict[str, str] = {}
        """What endpoints said when they refused a subscription, by endpoint."""

    def use(self, lines: Sequence[Line]) -> None:
        """Place on these lines."""
        self._lines = tuple(lines)

    def subscribe(
        self, topic: Topic, on_notice: OnNotice, *, silent_s: float | None = None
    ) -> Subscription:
        """Be told about a topic until cancelled, over whichever endpoint is best.

        Args:
            topic: What about.
            on_notice: Called in the socket's callback.
            silent_s: Silence after which another endpoint is tried; None: it may be silent.

        Raises:
            ValueError: If there are `SUBSCRIPTIONS_MAX` already.
        """
        if self.count() >= SUBSCRIPTIONS_MAX:
            raise ValueError(f"{SUBSCRIPTIONS_MAX} subscriptions are the most")
        subscription = Subscription(topic, on_notice, silent_s, self._leave)
        self._place(subscription, avoiding=None)
        return subscription

    def count(self) -> int:
        """Return how many subscriptions there are."""
        return len(self._unplaced) + sum(len(line.held) for line in self._lines)

    async def watch(self) -> None:
        """Move what is silent, until cancelled."""
        while True:
            await self._wiring.timer.sleep(WATCH_SECONDS)
            self.sweep()

    def sweep(self) -> None:
        """Look at every line and subscription once."""
        now_ns = self._wiring.elapsed_ns()
        silent_s = self._wiring.settings.silent_seconds
        for line in self._lines:
            if not line.connected:
                continue
            if (now_ns - line.slot_ns) / 1e9 > silent_s:
                line.drop(f"connected, but no slot for {silent_s:g} s")
                continue
            for subscription in tuple(line.held):
                self._look_at(subscription, line, (now_ns - subscription.since_ns) / 1e9)
        for subscription in tuple(self._unplaced):
            self._place(subscription, avoiding=subscription.refused_by)

    # The lines' owner

    def on_line_open(self, line: Line) -> None:
        """Place what is on no line."""
        del line
        for subscription in tuple(self._unplaced):
            self._place(subscription, avoiding=None)

    def on_line_closed(self, line: Line, sentence: str) -> None:
        """Place what was on it elsewhere; the line comes back by itself."""
        del sentence
        for subscription in tuple(line.held):
            line.remove(subscription)
            self._place(subscription, avoiding=line)

    def on_slot(self, notice: SlotNotice) -> None:
        """Hand a slot on."""
        self._on_slot(notice)

    def on_refused(self, line: Line, subscription: Subscription, sentence: str) -> None:
        """Try again at the next sweep: elsewhere, or on the same endpoint if there is no other."""
        self.refusals[line.name] = sentence
        subscription.refused_by = line
        self._unplaced[subscription] = None

    def on_over(self, subscription: Subscription) -> None:
        """Forget what has brought its only notice."""
        subscription.over = True

    # Leaves

    def _look_at(self, subscription: Subscription, line: Line, quiet_s: float) -> None:
        if subscription.number is None:
            if quiet_s > ACKNOWLEDGE_SECONDS:
                self._move(subscription, line)
            return
        if subscription.silent_s is None:
            return
        if quiet_s > subscription.silent_s * subscription.patience:
            subscription.patience = min(PATIENCE_MAX, subscription.patience * 2)
            self._move(subscription, line)

    def _move(self, subscription: Subscription, line: Line) -> None:
        self.moved += 1
        subscription.moves += 1
        line.remove(subscription)
        self._place(subscription, avoiding=line)

    def _place(self, subscription: Subscription, avoiding: Line | None) -> None:
        ready = [line for line in self._lines if line.connected]
        # The one that is avoided only when there is no other.
        ready.sort(key=lambda line: (line is avoiding, self._rank(line.name)))
        if not ready:
            self._unplaced[subscription] = None
            return
        self._unplaced.pop(subscription, None)
        ready[0].add(subscription)

    def _leave(self, subscription: Subscription) -> None:
        subscription.over = True
        self._unplaced.pop(subscription, None)
        if subscription.line is not None:
            subscription.line.remove(subscription)
