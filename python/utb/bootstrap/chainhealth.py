"""How the way to the chain is: endpoints, blockhash, signer, books, sends."""

from collections.abc import Callable
from typing import Final

from utb.adapters.chain.senders import Senders
from utb.adapters.chain.state import ChainState
from utb.adapters.rpc.gauge import EndpointView
from utb.adapters.rpc.pool import RpcPool
from utb.adapters.signer.process import ProcessSigner
from utb.adapters.venues.solana.books import Books, Reconciliation
from utb.bootstrap.bookside import BookSide
from utb.domain.seam import ChainHealth, RpcHealth

GONE_NS: Final = 2_000_000_000
"""A blockhash must be missing so long to be told: a moment without one is a late answer."""


class ChainWatch:
    """Looks at the parts when it is asked, and remembers since when."""

    def __init__(
        self,
        parts: tuple[RpcPool, ChainState, Senders, ProcessSigner],
        side: BookSide,
        books: Books,
        elapsed_ns: Callable[[], int],
    ) -> None:
        """Take the parts."""
        self._rpc, self._state, self._senders, self._signer = parts
        self._side = side
        self._books = books
        self._elapsed_ns = elapsed_ns
        self._without_ns: int | None = None
        self._compared: tuple[Reconciliation, int] | None = None

    def health(self) -> ChainHealth:
        """Return how everything is now."""
        heights = self._rpc.heights()
        return ChainHealth(
            endpoints=tuple(_endpoint(view) for view in self._rpc.endpoints()),
            slot=None if heights is None else heights.slot,
            slot_age_s=self._rpc.slot_age_s(),
            blockhash=self._blockhash(),
            signer="" if self._signer.connected else "it is not connected",
            discrepancy=self._side.words,
            not_compared=self._books.trouble,
            compared_age_s=self._compared_age_s(),
            sends=self._senders.counts(),
        )

    def _blockhash(self) -> str:
        if self._state.blockhash() is not None:
            self._without_ns = None
            return ""
        now_ns = self._elapsed_ns()
        if self._without_ns is None:
            self._without_ns = now_ns
        if now_ns - self._without_ns < GONE_NS:
            return ""
        trouble = self._state.troubles.get("blockhash", "those that are told are too old")
        return f"no recent blockhash ({trouble})"

    def _compared_age_s(self) -> float | None:
        last, now_ns = self._books.last, self._elapsed_ns()
        if last is None:
            return None
        if self._compared is None or self._compared[0] is not last:
            self._compared = (last, now_ns)
        return (now_ns - self._compared[1]) / 1e9


def _endpoint(view: EndpointView) -> RpcHealth:
    return RpcHealth(
        name=view.name,
        answers=view.answers,
        reason=view.reason,
        latency_ms=view.latency_ms,
        lag_slots=view.lag_slots,
        requests=view.requests,
        failures=view.failures,
        connected=view.connected,
    )
