"""What the stand-in chain tells: accounts, transactions with their meta, statuses, slots.

Keys, signatures and blockhashes are base58 text. Errors of transactions are in the form of
JSON-RPC: text, or an object such as `{"InstructionError": [2, {"Custom": 30}]}`.
"""

from dataclasses import dataclass, field
from typing import Final

from utb.domain.chain import Commitment

RENT_EPOCH: Final = 2**64 - 1
"""Of every rent-exempt account; does not fit a float."""


class ChainError(Exception):
    """A request the chain's node refuses, with the error code of JSON-RPC."""

    def __init__(self, code: int, message: str, data: dict[str, object] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data


@dataclass(frozen=True, slots=True)
class ChainAccount:
    """One account as it stands at a commitment."""

    lamports: int
    owner: str
    data: bytes
    executable: bool = False
    rent_epoch: int = RENT_EPOCH


@dataclass(frozen=True, slots=True)
class Blockhash:
    """A blockhash and how long it lives."""

    blockhash: str
    last_valid_block_height: int
    slot: int
    """Slot of the answer (the commitment's), not of the block."""


@dataclass(frozen=True, slots=True)
class Status:
    """What `getSignatureStatuses` tells of one signature."""

    slot: int
    confirmations: int | None
    """Blocks on top of it; None: finalized."""
    err: object
    """None: it succeeded."""
    commitment: Commitment


@dataclass(frozen=True, slots=True)
class SignatureEntry:
    """One row of `getSignaturesForAddress`."""

    signature: str
    slot: int
    err: object
    block_time: int
    memo: str | None
    commitment: Commitment


@dataclass(frozen=True, slots=True)
class InnerInstruction:
    """One instruction that a program invoked."""

    program_id_index: int
    accounts: tuple[int, ...]
    data: bytes
    stack_height: int


@dataclass(frozen=True, slots=True)
class TokenBalance:
    """A token account's balance before or after a transaction."""

    account_index: int
    mint: str
    owner: str
    program: str
    amount_raw: int
    decimals: int


@dataclass(frozen=True, slots=True)
class Meta:
    """What a transaction did."""

    err: object
    """None: it succeeded."""
    fee_lamports: int
    compute_units: int
    logs: tuple[str, ...]
    inner_instructions: tuple[tuple[int, tuple[InnerInstruction, ...]], ...]
    """(index of the instruction, what it invoked), those that invoked nothing left out."""
    pre_balances: tuple[int, ...]
    post_balances: tuple[int, ...]
    pre_token_balances: tuple[TokenBalance, ...]
    post_token_balances: tuple[TokenBalance, ...]
    loaded_writable: tuple[str, ...]
    loaded_readonly: tuple[str, ...]
    return_data: tuple[str, bytes] | None
    """(program, bytes)."""


@dataclass(frozen=True, slots=True)
class LandedTransaction:
    """A transaction in a block, failed or not; both paid their fee."""

    signature: str
    slot: int
    index: int
    """Position in its block."""
    block_time: int
    raw: bytes
    """As sent."""
    keys: tuple[str, ...]
    """Static keys, then the loaded writable, then the loaded readonly ones."""
    meta: Meta


@dataclass(frozen=True, slots=True)
class Simulation:
    """What `simulateTransaction` tells; nothing changed."""

    err: object
    logs: tuple[str, ...]
    units_consumed: int
    fee_lamports: int
    inner_instructions: tuple[tuple[int, tuple[InnerInstruction, ...]], ...]
    accounts: tuple[ChainAccount | None, ...]
    """State after it of the accounts that were asked for, in that order."""
    return_data: tuple[str, bytes] | None
    replacement: Blockhash | None
    slot: int
    loaded_accounts_data_size: int


@dataclass(frozen=True, slots=True)
class Block:
    """One block, as `getBlock` tells it."""

    slot: int
    parent: int
    height: int
    blockhash: str
    previous_blockhash: str
    block_time: int
    signatures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rollback:
    """The slots a fork replaced and what became of their transactions."""

    slots: tuple[int, ...]
    vanished: tuple[str, ...]
    """Gone from the chain and from the queue; the same bytes may be sent again."""
    requeued: tuple[str, ...]
    """Back in the queue: they land again, perhaps with another result, or expire."""
    accounts: tuple[str, ...]
    """Whose state went back."""


@dataclass(frozen=True, slots=True)
class SlotEvents:
    """What one slot brought, in the order: rollback, landed, commitment."""

    slot: int
    parent: int
    """Slot of the block before."""
    root: int
    """The finalized slot."""
    block: Block | None
    """None: the slot was skipped."""
    landed: tuple[str, ...] = ()
    """Signatures in block order."""
    expired: tuple[str, ...] = ()
    """Left the queue without landing: blockhash too old, or its only try was lost."""
    accounts: tuple[str, ...] = ()
    """Changed in this slot, by transactions, by re-pegged pools or by a rollback."""
    confirmed: tuple[int, ...] = ()
    """Slots that became confirmed, skipped ones left out."""
    finalized: tuple[int, ...] = ()
    """Slots that became finalized, skipped ones left out."""
    rollbacks: tuple[Rollback, ...] = ()
    """Forks since the slot before."""


@dataclass(frozen=True, slots=True)
class TokenAccount:
    """A token account of `getTokenAccountsByOwner`."""

    address: str
    account: ChainAccount


@dataclass(frozen=True, slots=True)
class Market:
    """A market of the AMM world: an instrument and its pools."""

    symbol: str
    base_mint: str
    base_decimals: int
    base_program: str
    """Token program of the base mint."""
    price: float
    """Quote per base in whole units."""
    pools: tuple["PoolAddress", ...] = field(default=())


@dataclass(frozen=True, slots=True)
class PoolAddress:
    """Where a pool lies."""

    program: str
    """A value of `utb.domain.chain.Program`."""
    pool: str
    base_mint: str
    quote_mint: str
