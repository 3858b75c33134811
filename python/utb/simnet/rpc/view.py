"""What one endpoint sees of the chain: all of it, or as it was some slots ago."""

from typing import Any, Final

from utb.domain.chain import VALIDITY_BLOCKS, Commitment
from utb.simnet.chain.types import (
    Blockhash,
    ChainAccount,
    LandedTransaction,
    SignatureEntry,
    Status,
)
from utb.simnet.chain.world import Chain
from utb.simnet.rpc.errors import min_context_slot
from utb.simnet.rpc.params import Options
from utb.simnet.rpc.past import Moment, Past

API_VERSION: Final = "3.0.8"
"""Of the node that is stood in for."""


class View:
    """Reads of the chain at one moment."""

    def __init__(self, chain: Chain, past: Past, lag: int = 0) -> None:
        self._chain = chain
        self._past = past
        self._live = lag == 0
        self.moment: Moment = past.ago(lag)

    def slot(self, commitment: Commitment) -> int:
        """Return the newest slot at a commitment."""
        return self.moment.slots[commitment]

    def height(self, commitment: Commitment) -> int:
        """Return the block height at a commitment."""
        return self.moment.heights[commitment]

    def blockhash(self, commitment: Commitment) -> Blockhash:
        """Return the newest blockhash at a commitment."""
        return self.moment.blockhashes[commitment]

    def blockhash_valid(self, blockhash: str, commitment: Commitment) -> bool:
        """Return whether a transaction with it could land, as the view's bank knows it."""
        height = self._past.height_of(blockhash)
        if height is None:
            return self._chain.is_blockhash_valid(blockhash, commitment)
        return height <= self.height(commitment) <= height + VALIDITY_BLOCKS

    def account(self, key: str, commitment: Commitment) -> ChainAccount | None:
        """Return an account at a commitment."""
        if self._live:
            return self._chain.account(key, commitment)
        return self._past.account(key, self.slot(commitment))

    def status(self, signature: str) -> Status | None:
        """Return what is known of a signature."""
        told = self._chain.status(signature)
        if told is None or self._live:
            return told
        if told.slot > self.slot(Commitment.PROCESSED):
            return None
        for commitment in (Commitment.FINALIZED, Commitment.CONFIRMED):
            if told.slot <= self.slot(commitment):
                break
        else:
            commitment = Commitment.PROCESSED
        rooted = commitment is Commitment.FINALIZED
        above = self.slot(Commitment.PROCESSED) - told.slot
        return Status(told.slot, None if rooted else above, told.err, commitment)

    def transaction(self, signature: str, commitment: Commitment) -> LandedTransaction | None:
        """Return a transaction that landed at a commitment."""
        if self._live:
            return self._chain.transaction(signature, commitment)
        found = self._chain.transaction(signature, Commitment.PROCESSED)
        return None if found is None or found.slot > self.slot(commitment) else found

    def within(self, entries: list[SignatureEntry], commitment: Commitment) -> list[SignatureEntry]:
        """Return the entries that are not after a commitment."""
        return [one for one in entries if one.slot <= self.slot(commitment)]

    def reach(self, options: Options, commitment: Commitment) -> None:
        """Check the slot that a client demands.

        Raises:
            RpcError: If the endpoint is not there yet.
        """
        least = options.integer("minContextSlot")
        if least is not None and self.slot(commitment) < least:
            raise min_context_slot(self.slot(commitment))

    def context(self, commitment: Commitment, value: Any) -> dict[str, Any]:
        """Return an answer with the slot it is true at."""
        return {
            "context": {"apiVersion": API_VERSION, "slot": self.slot(commitment)},
            "value": value,
        }
