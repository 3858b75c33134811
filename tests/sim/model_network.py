"""RPC endpoints that lag, fail, forget and lie, and senders that lose."""

from random import Random
from typing import NamedTuple

import msgspec
from model_chain import CONFIRMATION, FINALITY, Chain, Landed

from utb.domain.chain import Commitment
from utb.orderlife.events import FillRead, Status, StatusAbsent, WalletAbsent

FINALIZED = Commitment.FINALIZED
LANDING_SLOTS = (1, 1, 1, 2, 2, 5, 30, 80, 140, 149)
"""Slots until bytes that were not lost are in a block; up to the last one possible."""
ENDPOINT_NAMES = ("a", "b", "c")
CACHE_SLOTS = 150
"""Statuses without history reach so far back."""


class Faults(NamedTuple):
    """Chances of one world, each per question, send or slot."""

    loss: float
    error: float
    null: float
    """A recent status is answered by null although it is known."""
    lie: float
    """Of the one endpoint that lies, where there is one."""
    answer_lost: float
    duplicate: float
    delay_slots_max: int
    lag_slots_max: int
    fork: float
    crash: float
    stop: float
    blackout: float
    signer_lost: float
    prefund: float
    tx_fails: float


HEALED = Faults(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1, 1, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


def draw_faults(rng: Random) -> Faults:
    """Return one world's chances, each from nothing to its range's end."""
    u = rng.random
    return Faults(
        loss=rng.choice((0.4 * u(), 0.4 * u(), 0.9 + 0.1 * u())),
        error=0.4 * u(),
        null=0.2 * u(),
        lie=0.4 * u(),
        answer_lost=0.2 * u(),
        duplicate=0.2 * u(),
        delay_slots_max=1 + int(12 * u()),
        lag_slots_max=int(rng.choice((2, 10, 40, 500)) * u()),
        fork=0.02 * u(),
        crash=rng.choice((0.0, 0.005, 0.02)) * u(),
        stop=0.003 * u(),
        blackout=0.004 * u(),
        signer_lost=0.1 * u(),
        prefund=rng.choice((0.0, 0.05)) * u(),
        tx_fails=0.15 * u(),
    )


class Told(NamedTuple):
    """How far an endpoint said the chain is."""

    block: int
    finalized: int
    slot: int


class Endpoint:
    """One RPC endpoint over the chain; it answers from what it has seen."""

    def __init__(self, name: str, chain: Chain, rng: Random, *, liar: bool) -> None:
        self.name = name
        self.chain = chain
        self.rng = rng
        self.liar = liar
        self.lag = 0
        self.told = Told(0, 0, 0)
        """Highest it told of each."""
        self.told_at = 0
        self.dark_until = 0
        self.ghosts: dict[str, tuple[Landed, int]] = {}
        """What it still holds of a fork that lost, and until when."""
        self.burst_until = 0
        """Nulls with history until then: only where no other endpoint could be asked."""

    def view(self) -> int:
        """Return the slot up to which it knows the chain."""
        return self.chain.slot - self.lag

    def finalized_height(self) -> int:
        """Return the finalized block height it knows."""
        return self.chain.height_at(self.view() - FINALITY)

    def dark(self) -> bool:
        """Return whether nothing comes from it."""
        return self.chain.slot < self.dark_until

    def tell_height(self, faults: Faults) -> None:
        """Tell a block height, if it can be heard; the liar's is off."""
        if self.dark() or self.rng.random() < faults.error:
            return
        off = self.rng.choice((-30, -10, 60)) if self.lies(faults) else 0
        view = self.view()
        held = self.told
        self.told = Told(
            max(held.block, self.chain.height_at(view) + off),
            max(held.finalized, self.finalized_height() + off),
            max(held.slot, view + off),
        )
        self.told_at = self.chain.slot

    def lies(self, faults: Faults) -> bool:
        """Return whether this answer is untrue."""
        return self.liar and self.rng.random() < faults.lie

    def known(self, signature: str) -> Landed | None:
        """Return what it holds of a transaction."""
        record = self.chain.known.get(signature)
        if record is not None and record.slot <= self.view():
            return record
        ghost = self.ghosts.get(signature)
        if ghost is not None and self.chain.slot < ghost[1]:
            return ghost[0]
        return None

    def status(self, signature: str, faults: Faults, *, history: bool) -> Status | StatusAbsent:
        """Answer for the status."""
        view = self.view()
        if self.lies(faults):
            return self._lie(signature, view, history=history)
        record = self.known(signature)
        hidden = self.chain.slot < self.burst_until
        if not history:
            hidden = hidden or self.rng.random() < faults.null
            if record is not None and view - record.slot > CACHE_SLOTS:
                record = None
        if record is None or hidden:
            return StatusAbsent(
                signature=signature,
                endpoint=self.name,
                slot=view,
                finalized_height=self.finalized_height(),
                history=history,
            )
        status = status_of(record, view, self.name)
        if self.chain.known.get(signature) is not record and status.commitment is FINALIZED:
            # Nothing of a fork that lost was ever final
            return msgspec.structs.replace(status, commitment=Commitment.CONFIRMED)
        return status

    def _lie(self, signature: str, view: int, *, history: bool) -> Status | StatusAbsent:
        rng = self.rng
        if rng.random() < 0.6:
            return StatusAbsent(
                signature=signature,
                endpoint=self.name,
                slot=view + 60,
                finalized_height=self.finalized_height() + rng.choice((0, 60, 300)),
                history=history,
            )
        err = rng.choice((None, None, "Custom(6001)", "Custom(0)"))
        return Status(
            signature=signature,
            endpoint=self.name,
            commitment=rng.choice(tuple(Commitment)),
            slot=view - rng.randrange(5),
            err=err,
            guard_failed=err == "Custom(0)",
        )

    def wallet(self, signature: str, faults: Faults) -> WalletAbsent | None:
        """Answer whether the wallet's signatures lack it; None: it is there."""
        if self.known(signature) is not None:
            return None
        ahead = 300 if self.lies(faults) else 0
        return WalletAbsent(
            signature=signature,
            endpoint=self.name,
            finalized_height=self.finalized_height() + ahead,
        )

    def read(self, signature: str, *, finalized: bool) -> FillRead | None:
        """Answer with the transaction; None: not there at that commitment."""
        record = self.known(signature)
        if record is None:
            return None
        age = self.view() - record.slot
        if age < (FINALITY if finalized else CONFIRMATION):
            return None
        if finalized and self.chain.known.get(signature) is not record:
            return None
        return FillRead(
            signature=signature,
            slot=record.slot,
            finalized=finalized,
            fill=record.fill(),
            err=record.err,
            guard_failed=record.guard_failed,
            fee_lamports=0 if record.ok else record.tx.fee,
        )


def status_of(record: Landed, view: int, endpoint: str) -> Status:
    """Return the true status of a landed transaction as seen at a slot."""
    age = view - record.slot
    commitment = Commitment.PROCESSED
    if age >= FINALITY:
        commitment = Commitment.FINALIZED
    elif age >= CONFIRMATION:
        commitment = Commitment.CONFIRMED
    return Status(
        signature=record.tx.signature,
        endpoint=endpoint,
        commitment=commitment,
        slot=record.slot,
        err=record.err,
        guard_failed=record.guard_failed,
    )
