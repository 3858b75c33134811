"""The aggregator's answers as it sends them: read leniently, trusted in nothing."""

import base64
import binascii
from typing import Final

import msgspec

ROUTE_WORDS_MAX: Final = 160
"""Length of a route plan in words."""

KEY_TEXT_MAX: Final = 44
TABLES_MAX: Final = 16
TABLE_ADDRESSES_MAX: Final = 256

Struct = msgspec.Struct


class SwapInfo(Struct, frozen=True, rename="camel"):
    """One hop."""

    amm_key: str
    label: str = "?"
    in_amount: str = "0"
    out_amount: str = "0"
    fee_amount: str = "0"
    fee_mint: str = ""
    input_mint: str = ""


class Hop(Struct, frozen=True, rename="camel"):
    """One hop and its part of the order."""

    swap_info: SwapInfo
    percent: int | None = None
    bps: int | None = None


class PlatformFee(Struct, frozen=True, rename="camel"):
    """What the aggregator would take for itself."""

    amount: str = "0"
    fee_bps: int = 0


class Quote(Struct, frozen=True, rename="camel"):
    """A quote; also the first half of a `/build`."""

    input_mint: str
    output_mint: str
    in_amount: str
    out_amount: str
    other_amount_threshold: str
    slippage_bps: int
    route_plan: tuple[Hop, ...]
    swap_mode: str = "ExactIn"
    price_impact_pct: str | float | None = None
    platform_fee: PlatformFee | None = None
    context_slot: int = 0


class WireAccount(Struct, frozen=True, rename="camel"):
    """An account of an instruction."""

    pubkey: str
    is_signer: bool
    is_writable: bool


class WireInstruction(Struct, frozen=True, rename="camel"):
    """An instruction."""

    program_id: str
    accounts: tuple[WireAccount, ...]
    data: str

    def data_bytes(self) -> bytes | None:
        """Return the data; None if it is not base64."""
        try:
            return base64.b64decode(self.data, validate=True)
        except (binascii.Error, ValueError):
            return None


class Instructions(Struct, frozen=True, rename="camel"):
    """What `/swap-instructions` answers, of which the swap alone is used."""

    swap_instruction: WireInstruction


class Build(Quote, frozen=True, rename="camel", kw_only=True):
    """What `/build` answers: quote, instructions and the tables they were made for."""

    swap_instruction: WireInstruction
    addresses_by_lookup_table_address: dict[str, tuple[str, ...]] | None = None


class Refusal(Struct, frozen=True, rename="camel"):
    """An error as the aggregator words it."""

    error: str = ""
    error_code: str = ""


def route_words(quote: Quote) -> str:
    """Return a route plan for a person, cut short."""
    words = " > ".join(_printable(hop.swap_info.label) for hop in quote.route_plan)
    return words[:ROUTE_WORDS_MAX] or "?"


def amount(text: str) -> int | None:
    """Return a decimal amount of at most 64 bits; None if it is none."""
    if not text.isascii() or not text.isdecimal() or len(text) > len(str(2**64)):
        return None
    value = int(text)
    return value if value < 2**64 else None


def _printable(text: str) -> str:
    return "".join(c for c in text if c.isprintable() and c not in "<>")[:40]
