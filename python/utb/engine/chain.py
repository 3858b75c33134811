"""The chain half of the core: keys, pools, quotes and messages.

Keys, blockhashes and signatures cross as bytes (32, 32 and 64); structs cross as MessagePack
arrays of the structs below, fields in their order. Amounts are base units, fees lamports.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from utb import _core
from utb.domain.chain import Program
from utb.engine.decoding import (
    AccountUse,
    DecodedInstruction,
    DecodedTransaction,
    decode_instruction,
    decode_message,
    decode_transaction,
    error_words,
    failure_words,
)
from utb.engine.instructions import AccountRole, Instruction, instruction
from utb.engine.keys import (
    associated_token_address,
    create_with_seed,
    find_program_address,
    key_bytes,
    key_text,
    signature_bytes,
)
from utb.engine.refusals import usage_error
from utb.errors import UsageError

__all__ = [
    "AccountRole",
    "AccountUse",
    "BuildOrder",
    "DecodedInstruction",
    "DecodedTransaction",
    "Guard",
    "Instruction",
    "LookupTable",
    "NoQuote",
    "Pools",
    "Quote",
    "SwapSpec",
    "Tip",
    "TokenAccount",
    "TransactionBuilder",
    "associated_token_address",
    "compile_legacy",
    "compile_v0",
    "create_with_seed",
    "decode_instruction",
    "decode_message",
    "decode_transaction",
    "error_words",
    "failure_words",
    "find_program_address",
    "instruction",
    "key_bytes",
    "key_text",
    "signature_bytes",
    "transaction",
]

_ENCODE: Final = msgspec.msgpack.Encoder().encode


class Quote(msgspec.Struct, frozen=True, array_like=True):
    """What a swap of an exact input would give; prices are output per input in whole units."""

    in_raw: int
    out_raw: int
    """What arrives: pool fees and the mints' transfer fees are off."""
    fee_in_raw: int
    """Fees of the pool in the input."""
    fee_out_raw: int
    """Fees of the pool in the output."""
    slot: int
    """Of the balances it was made from."""
    price_before: float
    """At the margin, without fees."""
    price_after: float

    @property
    def fee_raw(self) -> int:
        """All fees of the pool in input raw, those in the output at the swap's own price."""
        of_output = self.out_raw + self.fee_out_raw
        return self.fee_in_raw - (-self.fee_out_raw * self.in_raw // of_output)


class NoQuote(msgspec.Struct, frozen=True):
    """Why there is no quote."""

    reason: str


class Pools:
    """Accounts of watched pools in, prices and exact quotes out."""

    def __init__(self) -> None:
        """Start with nothing watched."""
        self._core = _core.Pools()

    @property
    def core(self) -> _core.Pools:
        """The compiled half, which a builder shares."""
        return self._core

    def watch(self, program: Program, pool: bytes) -> None:
        """Keep the state of a pool from now on; `needs` says which accounts.

        Raises:
            UsageError: A program whose pools are not quoted here.
        """
        try:
            self._core.watch(program, pool)
        except ValueError as error:
            raise usage_error(error) from error

    def apply(self, address: bytes, owner: bytes, data: bytes | memoryview, slot: int) -> bool:
        """Take an account's state at a slot; an account that does not exist has no data.

        The clock sysvar is taken too. What does not belong in its place makes the pool unknown.

        Returns:
            False if it is older than what is held, or no pool uses it.
        """
        try:
            return self._core.apply(address, owner, data, slot)
        except ValueError as error:
            raise usage_error(error) from error

    def bind(self, subscription: int, address: bytes) -> None:
        """Note which account a connection's subscription is for.

        Raises:
            UsageError: An address of other than 32 bytes.
        """
        try:
            self._core.bind(subscription, address)
        except ValueError as error:
            raise usage_error(error) from error

    def unbind_all(self) -> None:
        """Forget the subscriptions: the connection is gone."""
        self._core.unbind_all()

    def ingest(self, frame: bytes | memoryview) -> tuple[int, bool] | None:
        """Take an account notification as it came from the socket.

        Returns:
            Its slot, and False if it was older than what is held or no pool uses the account; None
            for a subscription that is not bound.

        Raises:
            UsageError: Any other message, or one that cannot be read.
        """
        try:
            return self._core.ingest(frame)
        except ValueError as error:
            raise usage_error(error) from error

    def rollback(self, slot: int) -> None:
        """Forget what came after `slot`: those accounts are unknown until their next update."""
        self._core.rollback(slot)

    def forget(self) -> None:
        """Forget every account, as after a gap in the feed whose beginning nobody knows."""
        self._core.forget()

    def on_slot(self, slot: int) -> None:
        """Note that the chain has reached a slot: balances may stay apart for a few only."""
        self._core.on_slot(slot)

    def needs(self, pool: bytes) -> list[bytes]:
        """Return every account to subscribe for a pool, as far as they are known.

        They change when the pool's account is seen first, and as a Whirlpool's price moves.
        """
        return self._core.needs(pool)

    def missing(self) -> list[bytes]:
        """Return accounts to read now: never seen, taken away, or balances that stay apart."""
        return self._core.missing()

    def price(self, pool: bytes, base_mint: bytes) -> tuple[float, int] | None:
        """Return (whole units of the other mint per whole `base_mint`, slot); None if unknown."""
        return self._core.price(pool, base_mint)

    def quote(self, pool: bytes, input_mint: bytes, amount_in_raw: int) -> Quote | NoQuote:
        """Return what a swap of an exact input would give, or why it cannot be said.

        Raises:
            UsageError: A key that has not 32 bytes, or an amount outside 0..2^64-1.
        """
        try:
            found = self._core.quote(pool, input_mint, amount_in_raw)
        except ValueError as error:
            raise usage_error(error) from error
        except OverflowError as error:
            raise UsageError("amount_in_raw", str(amount_in_raw), "in 0..2^64-1") from error
        return NoQuote(found) if isinstance(found, str) else Quote(*found)


class SwapSpec(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """One leg: an exact input into a watched pool."""

    program: Program
    pool: bytes
    input_mint: bytes
    amount_in_raw: int
    min_out_raw: int


class TokenAccount(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """A token account of the wallet to open if it is not there."""

    mint: bytes
    token_program: bytes


class Guard(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """The seed account that only one attempt of an epoch can open."""

    seed: bytes
    """UTF-8, 1 to 32 bytes: the intent id as text."""
    lamports: int
    """The chain's rent-exempt minimum of 0 bytes; 0 would guard nothing and is refused."""


class Tip(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """A payment to a relay; its account is never loaded from a lookup table."""

    account: bytes
    lamports: int


class BuildOrder(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """What a message asks for; instructions in the order of these fields after the budget."""

    compute_unit_limit: int
    compute_unit_price: int
    """Micro-lamports, unique bits included."""
    guard: Guard | None = None
    create_token_accounts: tuple[TokenAccount, ...] = ()
    legs: tuple[SwapSpec, ...]
    memo: bytes | None = None
    tip: Tip | None = None


class LookupTable(msgspec.Struct, frozen=True, array_like=True):
    """An address lookup table as it is on the chain; only entries of earlier slots."""

    key: bytes
    addresses: tuple[bytes, ...]


class TransactionBuilder:
    """Messages of one wallet: a template per shape, patched in place from the second build on.

    A shape is what does not change between two orders: pools and their accounts, directions,
    length of memo and guard seed, opened accounts, tip account.
    """

    def __init__(self, wallet: bytes, pools: Pools, tables: Sequence[LookupTable] = ()) -> None:
        """Build for `wallet`, which pays and signs alone; `tables` are our own lookup tables."""
        self._wallet = wallet
        try:
            self._builder = _core.TransactionBuilder(wallet, pools.core, _ENCODE(tuple(tables)))
        except ValueError as error:
            raise usage_error(error) from error

    def build(self, order: BuildOrder, blockhash: bytes) -> bytes:
        """Return a version 0 message.

        Order: compute-unit limit, price, guard, opened accounts, swaps, memo, tip.

        Raises:
            UsageError: A pool is not watched or not known, does not trade the input, or the whole
                would be above 1232 bytes with its signature.
        """
        try:
            return self._builder.build(_ENCODE(order), blockhash)
        except ValueError as error:
            raise usage_error(error) from error
        except OverflowError as error:
            raise UsageError(
                "order", "with an integer beyond its field", "integers in 0..2^64-1"
            ) from error

    def compile(
        self,
        instructions: Sequence[Instruction],
        blockhash: bytes,
        tables: Sequence[LookupTable] = (),
    ) -> bytes:
        """Return a version 0 message of foreign instructions, our wallet paying.

        Raises:
            UsageError: More accounts, signers or bytes than the format holds.
        """
        return compile_v0(self._wallet, instructions, blockhash, tables)


def compile_legacy(payer: bytes, instructions: Sequence[Instruction], blockhash: bytes) -> bytes:
    """Return a legacy message.

    Raises:
        UsageError: More accounts, signers or bytes than the format holds.
    """
    try:
        return _core.compile_legacy(payer, _ENCODE(tuple(instructions)), blockhash)
    except ValueError as error:
        raise usage_error(error) from error


def compile_v0(
    payer: bytes,
    instructions: Sequence[Instruction],
    blockhash: bytes,
    tables: Sequence[LookupTable] = (),
) -> bytes:
    """Return a version 0 message of any instructions, foreign ones included.

    Raises:
        UsageError: More accounts, signers or bytes than the format holds.
    """
    try:
        return _core.compile_v0(
            payer, _ENCODE(tuple(instructions)), blockhash, _ENCODE(tuple(tables))
        )
    except ValueError as error:
        raise usage_error(error) from error


def transaction(message: bytes, signatures: Sequence[bytes]) -> bytes:
    """Return the wire bytes of a message and its signatures (64 bytes each, signers' order).

    Raises:
        UsageError: Not a message, another number of signatures, or above 1232 bytes.
    """
    try:
        return _core.transaction(message, list(signatures))
    except ValueError as error:
        raise usage_error(error) from error
