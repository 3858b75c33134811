"""The endpoints together: which one is asked, and what all of them know."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeVar

from utb.adapters.rpc import calls
from utb.adapters.rpc.answers import Bad, Good
from utb.adapters.rpc.board import Board
from utb.adapters.rpc.calls import Call
from utb.adapters.rpc.endpoint import RpcEndpoint
from utb.adapters.rpc.gauge import EndpointView
from utb.adapters.rpc.line import Line, Subscription
from utb.adapters.rpc.place import RpcPlace
from utb.adapters.rpc.topics import OnNotice, SlotNotice, Topic
from utb.adapters.rpc.wiring import RpcWiring
from utb.domain.chain import Commitment
from utb.orderlife.events import Heights

T = TypeVar("T")

TRIES_MAX: Final = 3
"""Endpoints that one call is tried on."""

BUDGET_WAIT_SECONDS: Final = 0.05
"""Between two looks at budgets that are used up."""

AHEAD_MAX: Final = 5_000
"""Blocks by which one endpoint may be ahead of every other, half an hour: more is no lead but a
lie, and would keep what is dead from being held for dead."""

_FRESH_SECONDS: Final = 30.0
"""Age of a slot up to which an endpoint counts when others are judged by it."""

_JUDGES: Final = 3

_NOBODY: Final = "no RPC endpoint can be asked: "


class RpcPool:
    """Endpoints over HTTP and WebSocket, the best first."""

    def __init__(self, places: Sequence[RpcPlace], wiring: RpcWiring) -> None:
        """Connect to nothing yet."""
        self._wiring = wiring
        self._settings = wiring.settings
        self._board = Board(wiring, self._rank, self._on_slot)
        self._endpoints = tuple(
            RpcEndpoint(place, 2 * number, wiring) for number, place in enumerate(places)
        )
        self._lines = tuple(
            Line(place, 2 * number + 1, wiring, self._board) for number, place in enumerate(places)
        )
        self._board.use(self._lines)
        self.on_slot: list[Callable[[SlotNotice], None]] = []
        """Called with every slot of every endpoint, in the socket's callback."""
        self.on_heights: list[Callable[[], None]] = []
        """Called when an endpoint told heights."""

    async def run(self) -> None:
        """Keep connections and readings until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                for line in self._lines:
                    group.create_task(line.run())
                for endpoint in self._endpoints:
                    group.create_task(self._follow(endpoint))
                group.create_task(self._board.watch())
        finally:
            await self.close()

    async def close(self) -> None:
        """Close the connections of questions: for who asked without `run`."""
        for endpoint in self._endpoints:
            await endpoint.close()

    # Asking

    async def call(
        self, call: Call[T], *, urgent: bool = False, at_least_slot: int | None = None
    ) -> Good[T] | Bad:
        """Ask the best endpoint, then others, until one answers.

        Args:
            call: The question.
            urgent: For exits and orders on their way: may use the reserved budget.
            at_least_slot: An answer of an older slot is none.
        """
        tried: set[str] = set()
        last = Bad(endpoint="", reason="no_endpoint", sentence=self._nobody(), transient=True)
        while len(tried) < TRIES_MAX:
            endpoint = await self._granted(call, urgent=urgent, leaving_out=tried)
            if isinstance(endpoint, Bad):
                return last if tried else endpoint
            tried.add(endpoint.name)
            answer = _recent(await endpoint.ask(call), at_least_slot)
            if isinstance(answer, Good) or not answer.transient:
                return answer
            last = answer
        return last

    async def ask_each(
        self, call: Call[T], count: int | None = None, *, urgent: bool = False
    ) -> list[Good[T] | Bad]:
        """Ask different endpoints at once, each one time, the best first.

        Args:
            call: The question.
            count: Of how many; None: of every usable one.
            urgent: As in `call`.
        """
        chosen = self._ranked(())
        chosen = chosen if count is None else chosen[:count]
        return list(await asyncio.gather(*(self._ask_one(e, call, urgent=urgent) for e in chosen)))

    async def ask(self, name: str, call: Call[T], *, urgent: bool = False) -> Good[T] | Bad:
        """Ask one endpoint by its name."""
        for endpoint in self._endpoints:
            if endpoint.name == name:
                return await self._ask_one(endpoint, call, urgent=urgent)
        sentence = f"there is no endpoint {name}"
        return Bad(endpoint=name, reason="no_endpoint", sentence=sentence, transient=False)

    def subscribe(
        self, topic: Topic, on_notice: OnNotice, *, silent_s: float | None = None
    ) -> Subscription:
        """Be told about a topic until cancelled; see `Board.subscribe`."""
        return self._board.subscribe(topic, on_notice, silent_s=silent_s)

    # What all of them know

    @property
    def names(self) -> tuple[str, ...]:
        """Return the endpoints' names."""
        return tuple(endpoint.name for endpoint in self._endpoints)

    def usable(self) -> tuple[str, ...]:
        """Return the endpoints that may be asked now, best first."""
        return tuple(endpoint.name for endpoint in self._ranked(()))

    def heights(self) -> Heights | None:
        """Return how far the chain is; None while no endpoint has told it."""
        believed = [e.gauge for e in self._endpoints if not e.gauge.barred]
        slots = [g.slot for g in believed if g.slot is not None]
        blocks = [g.block_height for g in believed if g.block_height is not None]
        finalized = [g.finalized_height for g in believed if g.finalized_height is not None]
        if not slots or not blocks or not finalized:
            return None
        ordered = sorted(finalized, reverse=True)
        return Heights(block=max(blocks), finalized=ordered[:2][-1], slot=max(slots))

    def slot_age_s(self) -> float | None:
        """Return how long ago any endpoint told a slot; None: never."""
        told = [e.gauge.slot_ns for e in self._endpoints if e.gauge.slot is not None]
        return (self._wiring.elapsed_ns() - max(told)) / 1e9 if told else None

    def barred(self) -> tuple[str, ...]:
        """Return why endpoints are never used: a foreign chain, heights that cannot be."""
        return tuple(e.gauge.barred for e in self._endpoints if e.gauge.barred)

    def endpoints(self) -> tuple[EndpointView, ...]:
        """Return how each endpoint is."""
        best = self._best_slot()
        return tuple(
            self._view(endpoint, line, best)
            for endpoint, line in zip(self._endpoints, self._lines, strict=True)
        )

    async def check_genesis(self) -> tuple[str, ...]:
        """Ask every endpoint which chain it is; return those of another chain, in words."""
        await asyncio.gather(*(self._check(endpoint) for endpoint in self._endpoints))
        return self.foreign

    @property
    def foreign(self) -> tuple[str, ...]:
        """Return the endpoints that are known to be of another chain, in words."""
        return tuple(e.gauge.barred for e in self._endpoints if e.gauge.barred)

    # Leaves

    async def _ask_one(
        self, endpoint: RpcEndpoint, call: Call[T], *, urgent: bool
    ) -> Good[T] | Bad:
        if not endpoint.purse.take(history=call.history, urgent=urgent):
            return _used_up(endpoint.name)
        return await endpoint.ask(call)

    async def _granted(
        self, call: Call[T], *, urgent: bool, leaving_out: Iterable[str]
    ) -> RpcEndpoint | Bad:
        """Return the best endpoint whose budget allows the call, after a wait if need be."""
        timer, settings = self._wiring.timer, self._settings
        until_ns = self._wiring.elapsed_ns() + round(settings.timeout_seconds * 1e9)
        while True:
            ranked = self._ranked(leaving_out)
            for endpoint in ranked:
                if endpoint.purse.take(history=call.history, urgent=urgent):
                    return endpoint
            if not ranked:
                sentence = self._nobody()
                return Bad(endpoint="", reason="no_endpoint", sentence=sentence, transient=True)
            if self._wiring.elapsed_ns() >= until_ns:
                return _used_up(ranked[0].name)
            await timer.sleep(BUDGET_WAIT_SECONDS)

    def _ranked(self, leaving_out: Iterable[str]) -> list[RpcEndpoint]:
        best = self._best_slot()
        usable = [
            endpoint
            for endpoint in self._endpoints
            if endpoint.name not in leaving_out and not self._why_not(endpoint, best)
        ]
        return sorted(usable, key=lambda endpoint: endpoint.gauge.cost_ms(best))

    def _why_not(self, endpoint: RpcEndpoint, best: int | None) -> str:
        """Return why an endpoint is not used now; empty: it is."""
        gauge = endpoint.gauge
        if gauge.barred:
            return gauge.barred
        if not endpoint.genesis_known:
            return f"{endpoint.name} has not told which chain it is of: {gauge.reason}".rstrip(": ")
        if endpoint.held:
            return f"{endpoint.name} asked to be left alone"
        if gauge.resting:
            return f"rested after: {gauge.reason}"
        if best is not None and gauge.slot is not None:
            lag = best - gauge.slot
            if lag > self._settings.slot_lag_max:
                return f"{endpoint.name} is {lag} slots behind"
        return ""

    def _rank(self, name: str) -> float:
        """Return an endpoint's cost for subscriptions; one that is not used comes last."""
        best = self._best_slot()
        for endpoint in self._endpoints:
            if endpoint.name == name:
                cost_ms = endpoint.gauge.cost_ms(best)
                return float("inf") if self._why_not(endpoint, best) else cost_ms
        return float("inf")

    def _best_slot(self) -> int | None:
        fresh = [e.gauge.slot for e in self._endpoints if not e.gauge.barred and self._fresh(e)]
        told = sorted((slot for slot in fresh if slot is not None), reverse=True)
        # Of three or more the second: one that is ahead of all others does not judge them.
        return told[1] if len(told) >= _JUDGES else next(iter(told), None)

    def _fresh(self, endpoint: RpcEndpoint) -> bool:
        return self._wiring.elapsed_ns() - endpoint.gauge.slot_ns < _FRESH_SECONDS * 1e9

    def _nobody(self) -> str:
        best = self._best_slot()
        reasons = [self._why_not(endpoint, best) for endpoint in self._endpoints]
        return _NOBODY + ("; ".join(filter(None, reasons)) or "none is configured")

    def _on_slot(self, notice: SlotNotice) -> None:
        for endpoint in self._endpoints:
            if endpoint.name == notice.endpoint:
                endpoint.gauge.learn_slot(notice.slot)
        for listener in self.on_slot:
            listener(notice)

    async def _follow(self, endpoint: RpcEndpoint) -> None:
        """Read an endpoint's heights again and again; that is what ends its rests, too."""
        while True:
            if not endpoint.genesis_known:
                await self._check(endpoint)
            if not endpoint.gauge.barred and not endpoint.gauge.resting and not endpoint.held:
                await self._read_heights(endpoint)
            await self._wiring.timer.sleep(self._settings.heights_seconds)

    async def _read_heights(self, endpoint: RpcEndpoint) -> None:
        # Finalized first: it is compared with nulls that are asked for later.
        for commitment in (Commitment.FINALIZED, Commitment.PROCESSED):
            answer = await self._ask_one(endpoint, calls.epoch_info(commitment), urgent=True)
            if isinstance(answer, Bad):
                return
            if self._plausible(endpoint, answer.value.block_height):
                endpoint.learn(answer.value, commitment)
        for listener in self.on_heights:
            listener()

    def _plausible(self, endpoint: RpcEndpoint, height: int) -> bool:
        others = [
            e.gauge.block_height
            for e in self._endpoints
            if e is not endpoint and e.gauge.block_height is not None and self._fresh(e)
        ]
        if not others or height <= max(others) + AHEAD_MAX:
            return True
        endpoint.gauge.failed(f"{endpoint.name} tells a block height of {height}, others less")
        return False

    async def _check(self, endpoint: RpcEndpoint) -> None:
        answer = await self._ask_one(endpoint, calls.genesis_hash(), urgent=True)
        if isinstance(answer, Bad):
            return
        endpoint.genesis_known = True
        wanted = self._settings.genesis_hash
        if answer.value != wanted:
            told = self._wiring.redactor.clean(answer.value)
            sentence = f"{endpoint.name} is of another chain: genesis {told}, expected {wanted}"
            endpoint.gauge.barred = sentence

    def _view(self, endpoint: RpcEndpoint, line: Line, best: int | None) -> EndpointView:
        gauge = endpoint.gauge
        why_not = self._why_not(endpoint, best)
        lag = None if best is None or gauge.slot is None else max(0, best - gauge.slot)
        return EndpointView(
            name=endpoint.name,
            usable=not why_not,
            answers=not why_not and not gauge.on_trial,
            reason=why_not or gauge.reason,
            latency_ms=gauge.latency_ms,
            slot=gauge.slot,
            lag_slots=lag,
            block_height=gauge.block_height,
            finalized_slot=gauge.finalized_slot,
            finalized_height=gauge.finalized_height,
            requests=endpoint.requests,
            failures=gauge.failures,
            connected=line.connected,
            subscriptions=len(line.held),
        )


def _used_up(name: str) -> Bad:
    sentence = f"{name}: the budget of requests is used up"
    return Bad(endpoint=name, reason="budget", sentence=sentence, transient=True)


def _recent(answer: Good[T] | Bad, at_least_slot: int | None) -> Good[T] | Bad:
    if isinstance(answer, Bad) or at_least_slot is None:
        return answer
    if answer.slot is not None and answer.slot >= at_least_slot:
        return answer
    sentence = f"{answer.endpoint} answers as of slot {answer.slot}, before {at_least_slot}"
    return Bad(endpoint=answer.endpoint, reason="behind", sentence=sentence, transient=True)
