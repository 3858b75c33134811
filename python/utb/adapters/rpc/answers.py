"""What endpoints answer, typed; a failure is a value of its own, never a null and never a zero.

Source of the shapes: solana.com/docs/rpc; their names there are in camel case.
"""

from typing import Any, Final, Generic, TypeVar

import msgspec

from utb.domain.chain import Commitment

T = TypeVar("T")


class Good(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """An answer that was understood, and how far its endpoint was when it was asked."""

    endpoint: str
    value: T
    slot: int | None = None
    """Of the answer's context; None: the method tells none."""
    finalized_height: int | None = None
    """Highest finalized block height this endpoint had told before the question; None: none yet."""
    finalized_slot: int | None = None


class Bad(msgspec.Struct, frozen=True, kw_only=True):
    """No answer, or none that says anything."""

    endpoint: str
    """Empty: no endpoint could be asked."""
    reason: str
    """Short name to count it under, for example `http_429`, `rpc_-32005`, `behind`."""
    sentence: str
    """For a person; holds no key."""
    transient: bool
    """Whether the same question may be answered later, or elsewhere."""
    code: int | None = None
    """JSON-RPC's, when the endpoint answered with an error."""
    data: bytes = b""
    """The error's `data`, JSON; empty without."""


Answer = Good[T] | Bad


class Wire(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Base of what comes in camel case."""


class Context(Wire, frozen=True):
    """Which slot an answer is of."""

    slot: int


class InContext(Wire, Generic[T], frozen=True):
    """An answer with its slot."""

    context: Context
    value: T


class BlockhashValue(Wire, frozen=True):
    """A recent blockhash."""

    blockhash: str
    last_valid_block_height: int


class EpochValue(Wire, frozen=True):
    """Where the chain is at a commitment."""

    absolute_slot: int
    block_height: int
    epoch: int


class StatusValue(Wire, frozen=True):
    """How far a transaction is."""

    slot: int
    err: Any = None
    """TransactionError as JSON; None: it succeeded."""
    confirmation_status: Commitment | None = None
    confirmations: int | None = None
    """None: rooted."""

    @property
    def commitment(self) -> Commitment:
        """Return how settled it is; old nodes tell it by confirmations alone."""
        if self.confirmation_status is not None:
            return self.confirmation_status
        return Commitment.FINALIZED if self.confirmations is None else Commitment.PROCESSED


class SignatureEntry(Wire, frozen=True):
    """One transaction of an address's history."""

    signature: str
    slot: int
    err: Any = None
    block_time: int | None = None
    """Seconds since the epoch."""
    memo: str | None = None


class FeeEntry(Wire, frozen=True):
    """Lowest price of compute that landed in a slot on the accounts asked for."""

    slot: int
    prioritization_fee: int
    """Micro-lamports per compute unit."""


class AccountValue(Wire, frozen=True):
    """An account."""

    lamports: int
    owner: str
    data: tuple[bytes, str]
    """Its bytes, and the name of the encoding they came in: base64."""


class KeyedAccount(Wire, frozen=True):
    """An account and its address."""

    pubkey: str
    account: AccountValue


class SimulationValue(Wire, frozen=True):
    """What a transaction would do."""

    err: Any = None
    logs: tuple[str, ...] | None = None
    units_consumed: int | None = None
    accounts: tuple[AccountValue | None, ...] | None = None


class RawAmount(Wire, frozen=True):
    """A token amount."""

    amount: str
    decimals: int


class TokenBalance(Wire, frozen=True):
    """What a token account held before or after a transaction."""

    account_index: int
    mint: str
    ui_token_amount: RawAmount
    owner: str | None = None
    program_id: str | None = None


class Instruction(Wire, frozen=True):
    """An instruction by indices of the transaction's accounts; data in base58."""

    program_id_index: int
    accounts: tuple[int, ...]
    data: str


class InnerInstructions(Wire, frozen=True):
    """Instructions called by the instruction `index`."""

    index: int
    instructions: tuple[Instruction, ...]


class LoadedAddresses(Wire, frozen=True):
    """Addresses from lookup tables, in the order of their indices."""

    writable: tuple[str, ...] = ()
    readonly: tuple[str, ...] = ()


class TransactionMeta(Wire, frozen=True):
    """What a transaction did."""

    err: Any
    fee: int
    pre_balances: tuple[int, ...]
    post_balances: tuple[int, ...]
    pre_token_balances: tuple[TokenBalance, ...] | None = None
    post_token_balances: tuple[TokenBalance, ...] | None = None
    inner_instructions: tuple[InnerInstructions, ...] | None = None
    loaded_addresses: LoadedAddresses | None = None
    log_messages: tuple[str, ...] | None = None
    compute_units_consumed: int | None = None


class MessageValue(Wire, frozen=True):
    """A message in JSON form."""

    account_keys: tuple[str, ...]
    instructions: tuple[Instruction, ...]


class SignedMessage(Wire, frozen=True):
    """A transaction in JSON form."""

    signatures: tuple[str, ...]
    message: MessageValue


class TransactionValue(Wire, frozen=True):
    """A landed transaction, asked for with the encoding `json`."""

    slot: int
    transaction: SignedMessage
    meta: TransactionMeta
    block_time: int | None = None


class SignatureNote(Wire, frozen=True):
    """A notice of a signature: its end, or that it was received."""

    err: Any = None


class LogsNote(Wire, frozen=True):
    """A transaction that mentions an account."""

    signature: str
    err: Any = None
    logs: tuple[str, ...] = ()


class SlotNote(Wire, frozen=True):
    """A new slot of an endpoint."""

    slot: int
    root: int
    parent: int | None = None
    """Slot it builds on: what lies between is of a branch that was left."""


class Problem(Wire, frozen=True):
    """JSON-RPC's error."""

    code: int
    message: str = ""
    data: msgspec.Raw = msgspec.Raw()


NO_DATA: Final = msgspec.Raw()
