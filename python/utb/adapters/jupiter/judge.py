"""Whether the aggregator's swap does what was asked and nothing else.

The answer is of another party: a wrong destination, a fee for itself or a wider tolerance would
cost money, so each is looked for in the bytes that are signed. The last 19 bytes of both swaps are
amount in u64, quoted out u64, slippage u16, platform fee u8 (recorded transactions agree).
"""

import base64
import struct
from typing import Final

import msgspec

from utb.adapters.jupiter.answers import WireInstruction
from utb.domain.amounts import BPS
from utb.routing.minimum import least_out

PROGRAM: Final = "JUP6LkbZbjS1jKKwapdHNy74zcZ3tLUZoi5QNyVTaV4"
TAIL_BYTES: Final = 19
ACCOUNTS_MAX: Final = 64
"""Of one transaction. What was asked for bounds the route's own accounts, only about; whether the
whole fits is seen when it is compiled."""

_TOLERANCE_BYTES: Final = 3
"""From the tolerance, u16, to the end; the platform fee, u8, is behind it."""
_DISCRIMINATOR_BYTES: Final = 8
_ROUTE: Final = bytes.fromhex("e517cb977ae3ad2a")
_SHARED: Final = bytes.fromhex("c1209b3341d69c81")


class _Places(msgspec.Struct, frozen=True):
    """Indices of the judged accounts of one kind of swap."""

    name: str
    signer: int
    source: int
    destination: int
    output_mint: int
    platform_fee: int
    second_destination: int | None = None
    """An account of its own for the output: absent is the program itself."""


_PLACES: Final = {
    _ROUTE: _Places("route", 1, 2, 3, 5, 6, 4),
    _SHARED: _Places("sharedAccountsRoute", 2, 3, 6, 8, 9),
}


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What the swap must be."""

    wallet: str
    source: str
    """Our token account of the input."""
    destination: str
    """Our token account of the output."""
    output_mint: str
    amount_in_raw: int
    slippage_bps: int
    accounts_max: int
    min_out_raw: int = 0
    """What the order asks for: the swap's own least output is raised to it."""


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """A swap that passed."""

    quoted_out_raw: int
    """As the instruction itself says it."""
    min_out_raw: int
    """What its program enforces."""
    judged_accounts: tuple[str, ...]
    """Accounts that must stand in the message itself, never in a table of others."""


def judge(instruction: WireInstruction, asked: Asked) -> Judged | str:
    """Return what the swap promises; a text says what is wrong with it."""
    data = instruction.data_bytes()
    if instruction.program_id != PROGRAM:
        return f"its program is {instruction.program_id[:44]}, expected {PROGRAM}"
    if data is None or len(data) < _DISCRIMINATOR_BYTES + TAIL_BYTES:
        return "its data is not a swap's"
    places = _PLACES.get(data[:_DISCRIMINATOR_BYTES])
    if places is None:
        return f"its instruction {data[:_DISCRIMINATOR_BYTES].hex()} is unknown"
    tail = _Tail.of(data[-TAIL_BYTES:])
    wrong = _wrong_account(instruction, places, asked) or _wrong_tail(tail, asked)
    if wrong:
        return wrong
    return Judged(
        quoted_out_raw=tail.quoted_out_raw,
        min_out_raw=least_out(tail.quoted_out_raw, tail.slippage_bps),
        judged_accounts=(asked.wallet, asked.source, asked.destination, PROGRAM),
    )


def raised(instruction: WireInstruction, judged: Judged, min_out_raw: int) -> WireInstruction:
    """Return a judged swap whose least output is `min_out_raw` or more, where its quote reaches it.

    The program computes the least output from quote and tolerance, so the tolerance is lowered: to
    the last whole basis point that keeps the least output.
    """
    data, quoted_raw = instruction.data_bytes(), judged.quoted_out_raw
    if data is None or not judged.min_out_raw < min_out_raw <= quoted_raw:
        return instruction
    tolerance_bps = (quoted_raw - min_out_raw) * BPS // quoted_raw
    place = len(data) - _TOLERANCE_BYTES
    tail = struct.pack("<H", tolerance_bps) + data[place + 2 :]
    text = base64.b64encode(data[:place] + tail).decode()
    return msgspec.structs.replace(instruction, data=text)


class _Tail(msgspec.Struct, frozen=True, kw_only=True):
    """The last bytes of a swap."""

    amount_in_raw: int
    quoted_out_raw: int
    slippage_bps: int
    platform_fee_bps: int

    @classmethod
    def of(cls, tail: bytes) -> "_Tail":
        """Read it."""
        amount, quoted, slippage, fee = struct.unpack("<QQHB", tail)
        return cls(
            amount_in_raw=amount,
            quoted_out_raw=quoted,
            slippage_bps=slippage,
            platform_fee_bps=fee,
        )


def _wrong_tail(tail: _Tail, asked: Asked) -> str:
    """Return what is wrong with the amounts, or nothing."""
    if tail.amount_in_raw != asked.amount_in_raw:
        return f"it swaps {tail.amount_in_raw}, expected {asked.amount_in_raw}"
    if tail.slippage_bps > asked.slippage_bps:
        return f"its tolerance is {tail.slippage_bps} bps, at most {asked.slippage_bps} was asked"
    if tail.platform_fee_bps != 0:
        return f"it takes a platform fee of {tail.platform_fee_bps} bps, expected none"
    return ""


def _wrong_account(instruction: WireInstruction, places: _Places, asked: Asked) -> str:
    """Return what is wrong with the accounts, or nothing."""
    keys = [account.pubkey for account in instruction.accounts]
    if len(keys) > ACCOUNTS_MAX:
        return f"it takes {len(keys)} accounts, at most {ACCOUNTS_MAX} may be locked"
    expected = {
        "signer": (places.signer, asked.wallet),
        "source": (places.source, asked.source),
        "destination": (places.destination, asked.destination),
        "output mint": (places.output_mint, asked.output_mint),
        "platform fee account": (places.platform_fee, PROGRAM),
    }
    if len(keys) <= max(index for index, _ in expected.values()):
        return f"its {places.name} has {len(keys)} accounts, too few"
    for what, (index, key) in expected.items():
        if keys[index] != key:
            return f"its {what} is {keys[index][:44]}, expected {key}"
    second = places.second_destination
    if second is not None and keys[second] not in {PROGRAM, asked.destination}:
        return f"its destination is {keys[second][:44]}, expected {asked.destination}"
    for account in instruction.accounts:
        if account.is_signer and account.pubkey != asked.wallet:
            return f"it wants a signature of {account.pubkey[:44]}"
    return ""
