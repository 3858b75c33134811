"""What the venue is made of, as it uses it; the parts themselves are `adapters/chain` and the core.

Protocols, so that tests put strict stand-ins in their places.
"""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from utb.adapters.chain.courier import Sent
from utb.adapters.chain.fees import FeeLevel
from utb.adapters.chain.senders import SenderView
from utb.adapters.chain.state import Blockhash, FeeWatch, Reading
from utb.adapters.rpc.answers import Bad, Good
from utb.adapters.rpc.calls import Call
from utb.adapters.rpc.topics import OnNotice, SlotNotice, Topic
from utb.domain.chain import Program
from utb.engine.chain import BuildOrder, Instruction, LookupTable, NoQuote, Quote
from utb.orderlife.events import Heights

T = TypeVar("T")


class PoolBook(Protocol):
    """State of pools; `engine.chain.Pools` is one."""

    def watch(self, program: Program, pool: bytes) -> None:
        """Keep the state of a pool from now on."""
        ...

    def apply(self, address: bytes, owner: bytes, data: bytes | memoryview, slot: int) -> bool:
        """Take an account's state; False if it is older than what is held."""
        ...

    def rollback(self, slot: int) -> None:
        """Forget what came after `slot`."""
        ...

    def on_slot(self, slot: int) -> None:
        """Note that the chain has reached a slot."""
        ...

    def missing(self) -> list[bytes]:
        """Return accounts to read now: never seen, taken away, or balances that stay apart."""
        ...

    def needs(self, pool: bytes) -> list[bytes]:
        """Return every account to subscribe for a pool."""
        ...

    def quote(self, pool: bytes, input_mint: bytes, amount_in_raw: int) -> Quote | NoQuote:
        """Return what a swap would give, or why it cannot be said."""
        ...


class Builder(Protocol):
    """Makes messages of the wallet; `engine.chain.TransactionBuilder` is one."""

    def build(self, order: BuildOrder, blockhash: bytes) -> bytes:
        """Return the message of an order over watched pools; raises `UsageError`."""
        ...

    def compile(
        self,
        instructions: Sequence[Instruction],
        blockhash: bytes,
        tables: Sequence[LookupTable] = (),
    ) -> bytes:
        """Return the message of instructions; raises `UsageError`."""
        ...


class ChainReadings(Protocol):
    """What is known of the chain without asking; `adapters.chain.state.ChainState` is one."""

    on_heights: list[Callable[[Heights], None]]

    def heights(self) -> Heights | None:
        """Return how far the chain is; None: unknown."""
        ...

    def slot(self) -> Reading | None:
        """Return the present slot and the age of the last word about it; None: unknown."""
        ...

    def height_seen(self) -> int | None:
        """Return the highest block height any endpoint ever told; None: unknown."""
        ...

    def blockhash(self) -> Blockhash | None:
        """Return the blockhash to sign with; None: unknown or too old."""
        ...

    def watch_fees(self, accounts: Sequence[str]) -> FeeWatch:
        """Read recent prices of compute on accounts again and again."""
        ...

    def rent_minimum(self, size: int) -> Reading | None:
        """Return the lamports that free an account of `size` bytes of rent; None: not read."""
        ...

    def tip(self, level: FeeLevel) -> Reading:
        """Return the tip to offer in lamports."""
        ...


class SenderSet(Protocol):
    """Where signed bytes go; `adapters.chain.senders.Senders` is one."""

    def names(self, *, protected: bool) -> tuple[str, ...]:
        """Return the senders an attempt may go to."""
        ...

    def view(self, name: str) -> SenderView:
        """Return a sender: whether it is protected, and the tip it wants."""
        ...

    def send(self, name: str, transaction: bytes, signature: str, *, first: bool) -> Sent:
        """Put the bytes into the sender's socket; it decides nothing what comes back."""
        ...


class Watcher(Protocol):
    """Tells what becomes of signatures; `adapters.chain.confirm.Confirmer` is one."""

    def watch(self, signature: str, *, guard_instruction: int | None) -> None:
        """Follow a signature; the index is that of the instruction that opens its guard."""
        ...

    def forget(self, signature: str) -> None:
        """Ask about a signature no more."""
        ...

    def ask_status(self, signature: str, *, history: bool) -> None:
        """Ask for a status; the answer comes as an event."""
        ...

    def ask_wallet(self, signature: str, *, since_slot: int) -> None:
        """Look for a signature among the wallet's; the answer comes as an event."""
        ...


class AnySubscription(Protocol):
    """A subscription, as `adapters.rpc.line.Subscription` is one."""

    number: int | None
    """The endpoint's own, once it has answered."""

    @property
    def endpoint(self) -> str | None:
        """Return the name of the endpoint it is on; None: on none."""
        ...

    def cancel(self) -> None:
        """Want no more notices."""
        ...


class Rpc(Protocol):
    """Questions and subscriptions; `adapters.rpc.pool.RpcPool` is one."""

    on_slot: list[Callable[[SlotNotice], None]]

    async def call(
        self, call: Call[T], *, urgent: bool = False, at_least_slot: int | None = None
    ) -> Good[T] | Bad:
        """Ask the best endpoint, then others."""
        ...

    def subscribe(
        self, topic: Topic, on_notice: OnNotice, *, silent_s: float | None = None
    ) -> AnySubscription:
        """Be told about a topic until cancelled."""
        ...
