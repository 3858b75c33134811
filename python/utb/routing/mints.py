"""What a mint is and what about it can take a holder's money.

Layout: SPL Token and Token-2022 mints share their first 82 bytes; extensions of Token-2022 are
type u16, length u16, value from byte 166 on, after the account type at byte 165.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

import msgspec

TOKEN_PROGRAM: Final = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"  # noqa: S105 - an address
TOKEN_2022_PROGRAM: Final = "TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb"  # noqa: S105 - an address

MINT_BYTES: Final = 82
_TYPE_AT: Final = 165
_EXTENSIONS_AT: Final = 166
_TYPE_MINT: Final = 1
_HEADER_BYTES: Final = 4
_KEY_BYTES: Final = 32
_NO_KEY: Final = bytes(_KEY_BYTES)


class Mint(msgspec.Struct, frozen=True, kw_only=True):
    """A mint account, read."""

    token_program: str
    decimals: int
    supply_raw: int
    risks: tuple[str, ...]
    """Names of `config.routing_tables.MintRisk`, in the order found."""


def read_mint(owner: str, data: bytes) -> Mint | str:
    """Return a mint from its account; a text says why it is none.

    Args:
        owner: Program that owns the account.
        data: All its bytes.
    """
    if owner not in {TOKEN_PROGRAM, TOKEN_2022_PROGRAM}:
        return f"its owner {owner} is no token program"
    if len(data) < MINT_BYTES or not data[45]:
        return "it is no mint"
    if owner == TOKEN_PROGRAM and len(data) != MINT_BYTES:
        return f"it has {len(data)} bytes, a mint has {MINT_BYTES}"
    risks = []
    if any(data[:4]):
        risks.append("mint_authority")
    if any(data[46:50]):
        risks.append("freeze_authority")
    if len(data) > MINT_BYTES:
        if len(data) < _EXTENSIONS_AT or data[_TYPE_AT] != _TYPE_MINT:
            return "it is no mint"
        for kind, value in _extensions(data):
            risks += [risk for risk in _risks_of(kind, value) if risk not in risks]
    return Mint(
        token_program=owner,
        decimals=data[44],
        supply_raw=int.from_bytes(data[36:44], "little"),
        risks=tuple(risks),
    )


def refusal(mint: Mint, allowed: Iterable[str]) -> str:
    """Return why a mint may not be bought, or nothing.

    Args:
        mint: Read from the chain.
        allowed: Risks the operator accepts by name.
    """
    accepted = set(allowed)
    found = [risk for risk in mint.risks if risk not in accepted]
    if not found:
        return ""
    return f"the mint has {', '.join(found)}, which routing.mint_risks_allowed does not name"


def _extensions(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = _EXTENSIONS_AT
    while at + _HEADER_BYTES <= len(data):
        kind = int.from_bytes(data[at : at + 2], "little")
        size = int.from_bytes(data[at + 2 : at + _HEADER_BYTES], "little")
        value = data[at + _HEADER_BYTES : at + _HEADER_BYTES + size]
        if kind == 0:
            return
        if len(value) < size:
            # Cut off: what it would have said is unknown, so nothing good is assumed of it.
            yield _UNKNOWN, b""
            return
        yield kind, value
        at += _HEADER_BYTES + size


def _has_key(value: bytes, at: int = 0) -> bool:
    return value[at : at + _KEY_BYTES] != _NO_KEY


def _transfer_fee(value: bytes) -> Iterator[str]:
    """Two authorities, withheld u64, then older and newer {epoch u64, most u64, bps u16}."""
    if _has_key(value):
        yield "transfer_fee_authority"
    rates = value[88:90], value[106:108]
    if len(value) < _FEE_BYTES or any(any(rate) for rate in rates):
        yield "transfer_fee"


def _always(name: str) -> Callable[[bytes], Iterator[str]]:
    def found(_value: bytes) -> Iterator[str]:
        yield name

    return found


def _with_key(name: str) -> Callable[[bytes], Iterator[str]]:
    """Return a reader of an extension that is a risk when its first key is set."""

    def found(value: bytes) -> Iterator[str]:
        if len(value) < _KEY_BYTES or _has_key(value):
            yield name

    return found


def _default_state(value: bytes) -> Iterator[str]:
    if value[:1] != b"\x01":
        yield "default_frozen"


def _hook(value: bytes) -> Iterator[str]:
    """Authority, then the hook's program: an authority alone can set one later."""
    if len(value) < 2 * _KEY_BYTES or _has_key(value) or _has_key(value, _KEY_BYTES):
        yield "transfer_hook"


def _harmless(_value: bytes) -> Iterator[str]:
    return iter(())


_UNKNOWN: Final = -1
_FEE_BYTES: Final = 108

_BY_KIND: Final[dict[int, Callable[[bytes], Iterator[str]]]] = {
    1: _transfer_fee,
    3: _with_key("close_authority"),
    4: _always("confidential_transfer"),
    6: _default_state,
    9: _always("non_transferable"),
    10: _always("interest"),
    12: _with_key("permanent_delegate"),
    14: _hook,
    16: _always("confidential_transfer"),
    18: _harmless,
    19: _harmless,
    25: _always("scaled_amount"),
    26: _always("pausable"),
}
"""Readers by extension type; 18 and 19 point to and hold metadata. All others are unknown."""


def _risks_of(kind: int, value: bytes) -> Iterator[str]:
    reader = _BY_KIND.get(kind)
    if reader is None:
        yield "unknown_extension"
        return
    yield from reader(value)
