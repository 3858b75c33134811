"""Requests, typed by what they are answered with.

A call of `history` reads the ledger's past, which endpoints limit on its own.
"""

from base64 import b64encode
from collections.abc import Sequence
from typing import Any, Final, Generic, TypeVar

import msgspec

from utb.adapters.rpc.answers import (
    AccountValue,
    BlockhashValue,
    EpochValue,
    FeeEntry,
    InContext,
    KeyedAccount,
    SignatureEntry,
    SimulationValue,
    StatusValue,
    TransactionValue,
)
from utb.domain.chain import Commitment

T = TypeVar("T")

STATUSES_MAX: Final = 256
"""Signatures of one `getSignatureStatuses`."""
ACCOUNTS_MAX: Final = 100
"""Keys of one `getMultipleAccounts`."""
FEE_ACCOUNTS_MAX: Final = 128
SIGNATURES_MAX: Final = 1_000
"""Entries of one page of `getSignaturesForAddress`."""


class Call(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """One request."""

    method: str
    params: tuple[Any, ...]
    shape: Any
    """Type of the result: T, or `InContext[T]` where the method tells its slot."""
    history: bool = False


def latest_blockhash() -> Call[BlockhashValue]:
    """Ask for a blockhash at confirmed: at finalized a third of its life is over."""
    params = ({"commitment": Commitment.CONFIRMED},)
    return Call(method="getLatestBlockhash", params=params, shape=InContext[BlockhashValue])


def epoch_info(commitment: Commitment) -> Call[EpochValue]:
    """Ask for slot, block height and epoch at a commitment."""
    return Call(method="getEpochInfo", params=({"commitment": commitment},), shape=EpochValue)


def statuses(signatures: Sequence[str], *, history: bool) -> Call[tuple[StatusValue | None, ...]]:
    """Ask how far transactions are, at most `STATUSES_MAX`; null: not known.

    Args:
        signatures: In base58.
        history: Search beyond the recent slots.
    """
    params = (tuple(signatures), {"searchTransactionHistory": history})
    shape = InContext[tuple[StatusValue | None, ...]]
    return Call(method="getSignatureStatuses", params=params, shape=shape, history=history)


def transaction(signature: str, commitment: Commitment) -> Call[TransactionValue | None]:
    """Ask for a landed transaction, at confirmed or finalized; null: not known."""
    config = {"encoding": "json", "commitment": commitment, "maxSupportedTransactionVersion": 0}
    shape = TransactionValue | None
    return Call(method="getTransaction", params=(signature, config), shape=shape, history=True)


def accounts(keys: Sequence[str], commitment: Commitment) -> Call[tuple[AccountValue | None, ...]]:
    """Ask for accounts, at most `ACCOUNTS_MAX`, all of one slot; null: there is none."""
    params = (tuple(keys), {"encoding": "base64", "commitment": commitment})
    shape = InContext[tuple[AccountValue | None, ...]]
    return Call(method="getMultipleAccounts", params=params, shape=shape)


def balance(key: str, commitment: Commitment) -> Call[int]:
    """Ask for an account's lamports; 0: there is none."""
    return Call(method="getBalance", params=(key, {"commitment": commitment}), shape=InContext[int])


def token_accounts(
    owner: str, program: str, commitment: Commitment
) -> Call[tuple[KeyedAccount, ...]]:
    """Ask for every account of an owner under a token program."""
    params = (owner, {"programId": program}, {"encoding": "base64", "commitment": commitment})
    shape = InContext[tuple[KeyedAccount, ...]]
    return Call(method="getTokenAccountsByOwner", params=params, shape=shape, history=True)


def signatures_for(
    address: str,
    *,
    before: str | None = None,
    limit: int = SIGNATURES_MAX,
    at_least_slot: int | None = None,
) -> Call[tuple[SignatureEntry, ...]]:
    """Ask for an address's finalized transactions, newest first.

    Args:
        address: Of which account.
        before: Begin after this signature, going back.
        limit: Of the page, 1 to `SIGNATURES_MAX`.
        at_least_slot: A node that is behind this slot answers with an error.
    """
    config: dict[str, object] = {"limit": limit, "commitment": Commitment.FINALIZED}
    if at_least_slot is not None:
        config["minContextSlot"] = at_least_slot
    if before is not None:
        config["before"] = before
    shape = tuple[SignatureEntry, ...]
    return Call(
        method="getSignaturesForAddress", params=(address, config), shape=shape, history=True
    )


def recent_fees(written: Sequence[str]) -> Call[tuple[FeeEntry, ...]]:
    """Ask for the prices of compute that landed of late on the accounts written."""
    shape = tuple[FeeEntry, ...]
    params = (tuple(written[:FEE_ACCOUNTS_MAX]),)
    return Call(method="getRecentPrioritizationFees", params=params, shape=shape)


def rent_minimum(size: int) -> Call[int]:
    """Ask for the lamports that free an account of `size` bytes of rent."""
    return Call(method="getMinimumBalanceForRentExemption", params=(size,), shape=int)


def genesis_hash() -> Call[str]:
    """Ask which chain it is."""
    return Call(method="getGenesisHash", params=(), shape=str)


def simulate(
    unsigned: bytes, *, addresses: Sequence[str] = (), commitment: Commitment = Commitment.PROCESSED
) -> Call[SimulationValue]:
    """Ask what a transaction would do, without checking its signature.

    Args:
        unsigned: Transaction with a signature of zeros, so that nobody can send it.
        addresses: Accounts to return as they would be afterwards.
        commitment: Of the state it runs on.
    """
    config: dict[str, object] = {
        "encoding": "base64",
        "sigVerify": False,
        "replaceRecentBlockhash": True,
        "commitment": commitment,
    }
    if addresses:
        config["accounts"] = {"encoding": "base64", "addresses": tuple(addresses)}
    text = b64encode(unsigned).decode()
    shape = InContext[SimulationValue]
    return Call(method="simulateTransaction", params=(text, config), shape=shape)
