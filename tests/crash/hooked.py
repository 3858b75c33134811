"""`utb trade` or `utb sign` that kills itself at a chosen step of an order.

Usage: python hooked.py FOLDER trade|sign ...; the file FOLDER/armed names the step, and is removed
before the kill: the same process goes through it unharmed as long as nobody arms it, and the next
one too. The steps wrap functions of the running program from outside; nothing in the package knows
of them. A signer also writes to FOLDER/signed what it signed: kind, intent, hash of the message.
"""

import asyncio
import hashlib
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from utb.domain.names import OrderStatus
from utb.domain.orders import VenueFilled, VenueProgress

ARMED: Final = "armed"
SIGNED: Final = "signed"

TRADE: Final = (
    "approve.before",
    "approve.after",
    "submit.after",
    "ask.before",
    "ask.after",
    "signature.before",
    "tape.before",
    "tape.after",
    "sync.before",
    "sync.tape",
    "sync.after",
    "release.before",
    "send.before",
    "send.first",
    "send.after",
    "sent.before",
    "sent.after",
    "seen.before",
    "seen.after",
    "read.before",
    "read.after",
    "fill.before",
    "fill.after",
    "final.before",
    "final.after",
    "settled.before",
    "settled.after",
)
"""Steps of the trading process, in the order of an order's life."""

FULL: Final = tuple(
    step.replace("sync.tape", "reserve.before").replace("sync.after", "reserve.after")
    for step in TRADE
)
"""The same while the disk is full: the reserve has what tape and journal cannot take."""

RENT: Final = ("rent.announced", "rent.landed", "rent.half", "rent.booked")
"""Steps of bringing rent back: on record and not sent, landed and not booked, booked without its
fee, booked."""

SIGN: Final = ("sign.before", "sign.after", "sign.answered")
"""Steps of the signer: the request read, signed, answered."""

HURRY_S: Final = 0.2

_PROGRESS: Final = {
    OrderStatus.SENT: "sent",
    OrderStatus.SEEN: "seen",
    OrderStatus.FINAL: "final",
    OrderStatus.SETTLED: "settled",
}


class Trap:
    """Kills this process at the step that is armed."""

    def __init__(self, folder: Path) -> None:
        self._armed = folder / ARMED

    @property
    def armed(self) -> str:
        """Return the step that is armed, or an empty text."""
        return self._armed.read_text() if self._armed.exists() else ""

    def reached(self, step: str) -> None:
        """Die, if it is this step."""
        if self.armed == step:
            self._armed.unlink()
            os.kill(os.getpid(), signal.SIGKILL)

    def around(
        self,
        owner: Any,
        name: str,
        step: Callable[..., str],
        *,
        before: str = "before",
        after: str = "after",
    ) -> None:
        """Put a trap before and behind a function.

        Args:
            owner: Module or class that holds it.
            name: Of the function.
            step: Takes its arguments; returns the step's name, or an empty text.
            before: Ending of the step before; empty: no trap there.
            after: The same behind it.
        """
        wrapped = getattr(owner, name)

        def trapped(*args: Any, **named: Any) -> Any:
            found = step(*args, **named)
            if found and before:
                self.reached(f"{found}.{before}")
            answer = wrapped(*args, **named)
            if found and after:
                self.reached(f"{found}.{after}")
            return answer

        setattr(owner, name, trapped)


def trap_trade(trap: Trap) -> None:
    """Set the traps of a trading process."""
    from utb.adapters.chain.senders import Senders
    from utb.adapters.feeds.tape import InputTape
    from utb.adapters.signer.process import ProcessSigner
    from utb.adapters.venues.solana.settling import Settling
    from utb.adapters.venues.solana.signing import Signing
    from utb.adapters.venues.solana.venue import SolanaVenue
    from utb.node import runner
    from utb.node.chainside import ChainSide
    from utb.ports.feed import FromVenue
    from utb.storage.journal import SqliteJournal
    from utb.storage.reserve import Reserve

    def approves(_: Any, effects: Any, *__: Any) -> str:
        return "approve" if effects.submissions else ""

    def told(_: Any, event: Any) -> str:
        if isinstance(event, VenueFilled):
            return "fill"
        plain = isinstance(event, VenueProgress) and event.attempt is None
        return _PROGRESS.get(event.status, "") if plain else ""

    def held(_: Any, item: Any) -> str:
        is_signed = isinstance(item, FromVenue) and getattr(item.event, "attempt", None)
        return "tape" if is_signed else ""

    writing = [""]

    def syncs(journal: Any) -> str:
        kept = (row for row in journal._pending if row[2] == "order")
        writing[0] = "sync" if any(b"blockhash" in row[3] for row in kept) else ""
        return writing[0]

    def keeps(_: Any, kept: Any) -> str:
        signed = (b"blockhash" in row[3] for row in kept.rows if row[2] == "order")
        return "reserve" if any(signed) else ""

    trap.around(runner, "keep_and_send", approves, after="")
    # The approval is on record, the order not handed out
    trap.around(ChainSide, "submit", lambda *_: "approve", before="after", after="")
    trap.around(ChainSide, "submit", lambda *_: "submit", before="")
    trap.around(ProcessSigner, "sign", lambda *_: "ask")
    trap.around(Signing, "_on_signer", lambda *_: "signature", after="")
    trap.around(InputTape, "hold", held)
    trap.around(SqliteJournal, "sync", syncs)
    # The inputs are in their file, the transaction is not begun
    trap.around(InputTape, "unsynced", lambda *_: writing[0], before="", after="tape")
    trap.around(Reserve, "put", keeps)
    trap.around(SolanaVenue, "release", lambda *_: "release", after="")
    trap.around(SolanaVenue, "_send", lambda *_: "send")
    trap.around(Senders, "send", lambda *_, **__: "send", before="", after="first")
    trap.around(runner.Runner, "_told", told)
    _trap_read(trap, Settling)
    _trap_rent(trap)


def _trap_rent(trap: Trap) -> None:
    """Set the traps of rent's way back, which is gone at once when one of them is armed."""
    from utb.adapters.venues.solana.unbooked import Unbooked
    from utb.adapters.venues.solana.upkeep import Upkeep
    from utb.domain.orders import FlowCause

    def returns(_: Any, cause: FlowCause, *__: Any) -> str:
        return "rent" if cause is FlowCause.RENT else ""

    run = Upkeep.run

    async def hurry(upkeep: Upkeep) -> None:
        while True:
            await asyncio.sleep(HURRY_S)
            if trap.armed.startswith("rent."):
                await upkeep.round()

    async def hurried(self: Upkeep) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(run(self))
            group.create_task(hurry(self))

    Upkeep.run = hurried  # type: ignore[method-assign]
    trap.around(Unbooked, "announce", lambda *_, **__: "rent", before="", after="announced")
    trap.around(Unbooked, "_landed", lambda *_: "rent", before="landed", after="booked")
    trap.around(Unbooked, "_flow", returns, before="", after="half")


def _trap_read(trap: Trap, settling: Any) -> None:
    wrapped = settling.read

    async def read(*args: Any, **named: Any) -> Any:
        trap.reached("read.before")
        answer = await wrapped(*args, **named)
        trap.reached("read.after")
        return answer

    settling.read = read


def trap_sign(trap: Trap, folder: Path) -> None:
    """Set the traps of a signer, and let it tell what it signs."""
    from utb.domain.signing import SignedAnswer
    from utb.signing.connection import Connection
    from utb.signing.server import SignerServer

    sign, exchange = SignerServer._sign, Connection.exchange
    signing = []

    def signed(self: Any, request: Any) -> Any:
        trap.reached("sign.before")
        answer = sign(self, request)
        if isinstance(answer, SignedAnswer):
            digest = hashlib.sha256(request.message).hexdigest()
            with (folder / SIGNED).open("a") as file:
                file.write(f"{request.kind} {request.intent_id} {digest}\n")
            signing.append(digest)
            trap.reached("sign.after")
        return answer

    def exchanged(self: Any, body: bytes) -> None:
        exchange(self, body)
        if signing:
            signing.clear()
            trap.reached("sign.answered")

    SignerServer._sign = signed  # type: ignore[method-assign]
    Connection.exchange = exchanged  # type: ignore[method-assign]


def main() -> None:
    """Run the command with its traps."""
    folder = Path(sys.argv[1])
    command = sys.argv[2]
    sys.argv = ["utb", *sys.argv[2:]]
    trap = Trap(folder)
    if command == "trade":
        trap_trade(trap)
    else:
        trap_sign(trap, folder)
    from utb.cli import main as run

    sys.exit(run())


if __name__ == "__main__":
    main()
