"""Jupiter's instructions for a route, and what a liar makes of them."""

import struct
from base64 import b64encode
from dataclasses import dataclass
from typing import Any, Final

from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction

from utb.domain.chain import WRAPPED_SOL_MINT
from utb.simnet.chain.jupiter import RouteOrder, route
from utb.simnet.profiles import key_of
from utb.simnet.rpc.instructions import ATA_PROGRAM, SYSTEM_PROGRAM
from utb.simnet.rpc.jupiter_route import Quoted
from utb.simnet.rpc.jupiter_tables import Table
from utb.simnet.rpc.prices import COMPUTE_BUDGET
from utb.simnet.rpc.quoting import Quotes

TIP_ACCOUNT: Final = Pubkey(key_of("jupiter tip"))
FOREIGNER: Final = Pubkey(key_of("jupiter foreigner"))
"""Whom a liar pays out to."""
_BPS: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How a client wants its swap, and how it is lied to."""

    user: str
    payer: str
    wrap: bool = True
    """Wrap SOL before and unwrap it after the swap."""
    destination: str | None = None
    """Token account; None: the user's associated one."""
    platform_fee_bps: int = 0
    foreign: bool = False
    worse_bps: int = 0


@dataclass(frozen=True, slots=True)
class Built:
    """Instructions of a swap, in their order."""

    setup: tuple[Instruction, ...]
    swap: Instruction
    cleanup: Instruction | None


def build(quotes: Quotes, quoted: Quoted, terms: Terms, told_raw: int | None = None) -> Built:
    """Return the instructions of a route.

    Args:
        quotes: Of the chain.
        quoted: The route.
        terms: How it is wanted.
        told_raw: Output that the client was told; None: the route's own.
    """
    asked = quoted.asked
    source, _ = quotes.token_account(terms.user, asked.input_mint)
    own, program = quotes.token_account(terms.user, asked.output_mint)
    destination = terms.destination or own
    if terms.foreign:
        destination, _ = quotes.token_account(str(FOREIGNER), asked.output_mint)
    order = RouteOrder(
        user=Pubkey.from_string(terms.user),
        source=Pubkey.from_string(source),
        destination=Pubkey.from_string(destination),
        destination_mint=Pubkey.from_string(asked.output_mint),
        token_program=Pubkey.from_string(program),
        in_amount_raw=asked.amount_raw,
        quoted_out_raw=(told_raw or quoted.out_raw) * (_BPS - terms.worse_bps) // _BPS,
        slippage_bps=asked.slippage_bps,
        platform_fee_bps=terms.platform_fee_bps,
    )
    swaps = [
        (_paid_to(swap.instruction, own, destination), percent) for swap, percent in quoted.legs
    ]
    owner = str(FOREIGNER) if terms.foreign else terms.user
    setup = [_opened(terms.payer, destination, owner, asked.output_mint, program)]
    if terms.destination is not None and not terms.foreign:
        setup = []
    cleanup = None
    if terms.wrap and asked.input_mint == WRAPPED_SOL_MINT:
        classic = quotes.token_account(terms.user, WRAPPED_SOL_MINT)[1]
        setup = [*_wrapped(terms, source, program=classic, lamports=asked.amount_raw), *setup]
        cleanup = _closed(source, terms.user, classic)
    elif terms.wrap and asked.output_mint == WRAPPED_SOL_MINT and terms.destination is None:
        cleanup = _closed(own, terms.user, program)
    return Built(tuple(setup), route(order, swaps), cleanup)


def budget(limit: int | None, price: int | None) -> list[Instruction]:
    """Return the compute-budget instructions."""
    program = Pubkey.from_string(COMPUTE_BUDGET)
    made = []
    if limit is not None:
        made.append(Instruction(program, b"\x02" + struct.pack("<I", limit), []))
    if price is not None:
        made.append(Instruction(program, b"\x03" + struct.pack("<Q", price), []))
    return made


def tip(payer: str, lamports: int) -> Instruction:
    """Return the tip of the relay."""
    return transfer(
        TransferParams(
            from_pubkey=Pubkey.from_string(payer), to_pubkey=TIP_ACCOUNT, lamports=lamports
        )
    )


def unsigned(payer: str, instructions: list[Instruction], blockhash: str, table: Table) -> bytes:
    """Return a v0 transaction whose signatures are all zeros."""
    message = MessageV0.try_compile(
        Pubkey.from_string(payer), instructions, [table.account], Hash.from_string(blockhash)
    )
    signatures = [Signature.default()] * message.header.num_required_signatures
    return bytes(VersionedTransaction.populate(message, signatures))


def told(one: Instruction) -> dict[str, Any]:
    """Return an instruction as the API tells it."""
    return {
        "programId": str(one.program_id),
        "accounts": [
            {
                "pubkey": str(meta.pubkey),
                "isSigner": meta.is_signer,
                "isWritable": meta.is_writable,
            }
            for meta in one.accounts
        ],
        "data": b64encode(bytes(one.data)).decode(),
    }


def _paid_to(swap: Instruction, own: str, destination: str) -> Instruction:
    """Return a swap that pays into a destination in place of the user's own account."""
    if destination == own:
        return swap
    metas = [
        AccountMeta(
            Pubkey.from_string(destination) if str(meta.pubkey) == own else meta.pubkey,
            meta.is_signer,
            meta.is_writable,
        )
        for meta in swap.accounts
    ]
    return Instruction(swap.program_id, bytes(swap.data), metas)


def _opened(payer: str, account: str, owner: str, mint: str, program: str) -> Instruction:
    """Return the idempotent making of an associated token account."""
    metas = [
        AccountMeta(Pubkey.from_string(payer), is_signer=True, is_writable=True),
        AccountMeta(Pubkey.from_string(account), is_signer=False, is_writable=True),
        *(
            AccountMeta(Pubkey.from_string(key), is_signer=False, is_writable=False)
            for key in (owner, mint, SYSTEM_PROGRAM, program)
        ),
    ]
    return Instruction(Pubkey.from_string(ATA_PROGRAM), b"\x01", metas)


def _wrapped(terms: Terms, account: str, *, program: str, lamports: int) -> list[Instruction]:
    paid = transfer(
        TransferParams(
            from_pubkey=Pubkey.from_string(terms.user),
            to_pubkey=Pubkey.from_string(account),
            lamports=lamports,
        )
    )
    synced = Instruction(
        Pubkey.from_string(program),
        b"\x11",
        [AccountMeta(Pubkey.from_string(account), is_signer=False, is_writable=True)],
    )
    opened = _opened(terms.payer, account, terms.user, WRAPPED_SOL_MINT, program)
    return [opened, paid, synced]


def _closed(account: str, owner: str, program: str) -> Instruction:
    key, wallet = Pubkey.from_string(account), Pubkey.from_string(owner)
    metas = [
        AccountMeta(key, is_signer=False, is_writable=True),
        AccountMeta(wallet, is_signer=False, is_writable=True),
        AccountMeta(wallet, is_signer=True, is_writable=False),
    ]
    return Instruction(Pubkey.from_string(program), b"\x09", metas)
