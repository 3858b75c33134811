"""Follows transactions: told by subscription first, asked by polls as a backstop.

It passes on what endpoints say and concludes nothing: an order's life does (`utb.orderlife`).
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final

import msgspec

from utb.adapters.chain.fills import guard_failed
from utb.adapters.chain.landed import error_text
from utb.adapters.rpc import calls
from utb.adapters.rpc.answers import Bad, Good, SignatureEntry, SignatureNote, StatusValue
from utb.adapters.rpc.line import Subscription
from utb.adapters.rpc.pool import RpcPool
from utb.adapters.rpc.topics import Notice, signature_topic
from utb.adapters.rpc.wiring import RpcWiring
from utb.domain.chain import Commitment
from utb.orderlife.events import Event, Status, StatusAbsent, WalletAbsent

WATCHED_MAX: Final = 1_000
"""Signatures on their way at one time."""
PAGES_MAX: Final = 10
"""Of the wallet's signatures in one search: what is older than that is not answered."""

_COMMITMENTS: Final = {each.value: each for each in Commitment}


class _Watched(msgspec.Struct):
    """A signature on its way."""

    signature: str
    guard_instruction: int | None
    subscriptions: tuple[Subscription, ...] = ()


class Confirmer:
    """Observations of signatures, from every endpoint that says something."""

    def __init__(
        self,
        pool: RpcPool,
        wiring: RpcWiring,
        wallet: str,
        on_event: Callable[[Event], None],
    ) -> None:
        """Watch nothing yet.

        Args:
            pool: Whom to ask.
            wiring: Time and settings.
            wallet: Address whose signatures are searched.
            on_event: Takes `Status`, `StatusAbsent` and `WalletAbsent`, in the event loop.
        """
        self._pool = pool
        self._wiring = wiring
        self._wallet = wallet
        self._on_event = on_event
        self._watched: dict[str, _Watched] = {}
        self._asking: dict[tuple[str, str], asyncio.Task[None]] = {}
        """Questions under way, by kind and signature: each is asked once at a time."""
        self.unanswered = 0
        """Questions that brought no answer: an error, or one that is too old to say anything."""

    async def run(self) -> None:
        """Poll until cancelled."""
        try:
            while True:
                await self._wiring.timer.sleep(self._wiring.settings.status_ms / 1e3)
                await self.poll()
        finally:
            for task in tuple(self._asking.values()):
                task.cancel()

    def watch(self, signature: str, *, guard_instruction: int | None) -> None:
        """Follow a signature until `forget`: to be called before its first byte leaves.

        Args:
            signature: In base58.
            guard_instruction: Index of the instruction that creates its guard; None: unguarded.

        Raises:
            ValueError: If `WATCHED_MAX` are followed already.
        """
        if signature in self._watched:
            return
        if len(self._watched) >= WATCHED_MAX:
            raise ValueError(f"{WATCHED_MAX} signatures on their way are the most")
        watched = _Watched(signature, guard_instruction)
        self._watched[signature] = watched
        # In the loop's next turn: writing to three subscriptions' sockets takes as long as all else
        # an order does, and what they might miss by it the next poll tells
        asyncio.get_running_loop().call_soon(self._subscribe, watched)

    def _subscribe(self, watched: _Watched) -> None:
        """Be told about a signature, unless it was forgotten meanwhile."""
        if self._watched.get(watched.signature) is watched:
            watched.subscriptions = tuple(
                self._pool.subscribe(
                    signature_topic(watched.signature, commitment), self._on_notice
                )
                for commitment in Commitment
            )

    def forget(self, signature: str) -> None:
        """Follow a signature no more."""
        watched = self._watched.pop(signature, None)
        if watched is not None:
            for subscription in watched.subscriptions:
                subscription.cancel()

    def watched(self) -> int:
        """Return how many signatures are followed."""
        return len(self._watched)

    def ask_status(self, signature: str, *, history: bool) -> None:
        """Ask one endpoint; with history every one. Answers come as events, later.

        Args:
            signature: In base58; it need not be watched.
            history: Search the whole ledger.
        """
        kind = "history" if history else "status"
        self._begin(kind, signature, self._ask_status(signature, history=history))

    def ask_wallet(self, signature: str, *, since_slot: int) -> None:
        """Look for a signature among the wallet's finalized ones, on every endpoint.

        Args:
            signature: In base58.
            since_slot: Slot before it was signed: the search must reach back to there.
        """
        self._begin("wallet", signature, self._ask_wallet(signature, since_slot))

    async def poll(self) -> None:
        """Ask for every watched signature once."""
        signatures = tuple(self._watched)
        for start in range(0, len(signatures), calls.STATUSES_MAX):
            part = signatures[start : start + calls.STATUSES_MAX]
            answer = await self._pool.call(calls.statuses(part, history=False), urgent=True)
            self._take(part, answer, history=False)

    # Asking

    def _begin(self, kind: str, signature: str, work: Coroutine[Any, Any, None]) -> None:
        if (kind, signature) in self._asking:
            work.close()
            return
        task = asyncio.get_running_loop().create_task(work)
        self._asking[kind, signature] = task
        task.add_done_callback(lambda done: self._done((kind, signature), done))

    def _done(self, key: tuple[str, str], task: asyncio.Task[None]) -> None:
        del self._asking[key]
        if not task.cancelled() and task.exception() is not None:
            # A mistake of our own: the loop's handler reports it, the life goes on asking.
            asyncio.get_running_loop().call_exception_handler(
                {"message": f"asking for a {key[0]} failed", "exception": task.exception()}
            )

    async def _ask_status(self, signature: str, *, history: bool) -> None:
        call = calls.statuses((signature,), history=history)
        if not history:
            self._take((signature,), await self._pool.call(call, urgent=True), history=False)
            return

        async def ask(endpoint: str) -> None:
            # Each is told when it comes: a slow endpoint does not hold up what others say.
            answer = await self._pool.ask(endpoint, call, urgent=True)
            self._take((signature,), answer, history=True)

        await asyncio.gather(*(ask(name) for name in self._pool.usable()))

    async def _ask_wallet(self, signature: str, since_slot: int) -> None:
        searches = (self._search(name, signature, since_slot) for name in self._pool.usable())
        await asyncio.gather(*searches)

    async def _search(self, endpoint: str, signature: str, since_slot: int) -> None:
        """Page back through the wallet's signatures on one endpoint."""
        before: str | None = None
        height: int | None = None
        for _ in range(PAGES_MAX):
            call = calls.signatures_for(self._wallet, before=before, at_least_slot=since_slot)
            answer = await self._pool.ask(endpoint, call, urgent=True)
            if isinstance(answer, Bad):
                break
            if before is None:
                # Of the first page: what landed later is on none.
                height = answer.finalized_height
            found = next((e for e in answer.value if e.signature == signature), None)
            if found is not None:
                self._tell_entry(endpoint, found)
                return
            last = answer.value[-1] if answer.value else None
            if last is None or last.slot < since_slot or len(answer.value) < calls.SIGNATURES_MAX:
                if height is not None:
                    self._on_event(
                        WalletAbsent(
                            signature=signature, endpoint=endpoint, finalized_height=height
                        )
                    )
                    return
                break
            before = last.signature
        self.unanswered += 1

    # Telling

    def _take(
        self,
        signatures: tuple[str, ...],
        answer: Good[tuple[StatusValue | None, ...]] | Bad,
        *,
        history: bool,
    ) -> None:
        if isinstance(answer, Bad) or len(answer.value) != len(signatures):
            self.unanswered += len(signatures)
            return
        for signature, status in zip(signatures, answer.value, strict=True):
            if status is None:
                self._absent(signature, answer, history=history)
            else:
                self._tell(signature, answer.endpoint, status.commitment, status.slot, status.err)

    def _absent(self, signature: str, answer: Good[Any], *, history: bool) -> None:
        """Pass a null on, if the node that gave it was as far as its endpoint had told."""
        height, slot = answer.finalized_height, answer.slot
        if height is None or slot is None or slot < (answer.finalized_slot or 0):
            # Behind one address there may be many nodes: this one is behind the one before.
            self.unanswered += 1
            return
        self._on_event(
            StatusAbsent(
                signature=signature,
                endpoint=answer.endpoint,
                slot=slot,
                finalized_height=height,
                history=history,
            )
        )

    def _tell_entry(self, endpoint: str, entry: SignatureEntry) -> None:
        self._tell(entry.signature, endpoint, Commitment.FINALIZED, entry.slot, entry.err)

    def _tell(
        self, signature: str, endpoint: str, commitment: Commitment, slot: int, err: object
    ) -> None:
        watched = self._watched.get(signature)
        guard = None if watched is None else watched.guard_instruction
        self._on_event(
            Status(
                signature=signature,
                endpoint=endpoint,
                commitment=commitment,
                slot=slot,
                err=error_text(err),
                guard_failed=guard_failed(err, guard),
            )
        )

    def _on_notice(self, notice: Notice) -> None:
        """Pass a subscription's notice on; its slot is the notice's, the poll brings its own."""
        if not isinstance(notice.value, SignatureNote):
            return
        commitment = _COMMITMENTS[notice.topic.params[1]["commitment"]]
        self._tell(notice.topic.key, notice.endpoint, commitment, notice.slot, notice.value.err)
