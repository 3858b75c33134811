"""Frames as they travel: whose they are, WebSocket framing, and times moved to another clock."""

import re
from typing import Final

from utb.domain.clock import BIRDEYE, DEXSCREENER
from utb.simnet.grid import SECOND_NS

Key = bytes | int
"""What a frame belongs to: a subscription of Birdeye or Helius, a kind of DexScreener body."""

PAIRS_HEAD: Final = b'{"schemaVersion":"1.0.0","pairs":'
PAIRS_TAIL: Final = b',"pair":null}'
NO_PAIRS: Final = PAIRS_HEAD + b"null" + PAIRS_TAIL

_PRICE: Final = b'{"type":"PRICE_DATA"'
_ADDRESS: Final = b'"address":"'
_TYPE: Final = b'"type":"'
_TOKEN: Final = b'"tokenAddress":"'
_PAIR: Final = b'"pairAddress":"'
_SECONDS: Final = re.compile(rb'("(?:blockUnixTime|unixTime)":)(\d+)')
_SLOT: Final = re.compile(rb'("slot":)(\d+)')
_SLOT_NS: Final = 400_000_000
_BYTE_MAX: Final = 125
_SHORT_MAX: Final = 65_535


def price_key(address: str, chart_type: str) -> bytes:
    """Return the key of a token's `PRICE_DATA`."""
    return f"price {address} {chart_type}".encode()


def trades_key(address: str) -> bytes:
    """Return the key of a token's `TXS_DATA`."""
    return f"txs {address}".encode()


def frame_key(source: int, payload: bytes) -> Key:
    """Return what a frame of the market belongs to, read off its fixed form."""
    if source == BIRDEYE:
        if payload.startswith(_PRICE):
            at = payload.find(_TYPE, len(_PRICE)) + len(_TYPE)
            kind = payload[at : payload.find(b'"', at)]
            return b"price " + payload[payload.rfind(_ADDRESS) + len(_ADDRESS) : -3] + b" " + kind
        at = payload.find(_TOKEN) + len(_TOKEN)
        return b"txs " + payload[at : payload.find(b'"', at)]
    if source == DEXSCREENER:
        at = payload.find(_PAIR) + len(_PAIR)
        return b"pair " + payload[at : payload.find(b'"', at)]
    return int(payload[payload.rfind(b":") + 1 : -2])


def socket_frame(payload: bytes, *, binary: bool = False) -> bytes:
    """Return one unmasked WebSocket message, header and payload."""
    length = len(payload)
    first = b"\x82" if binary else b"\x81"
    if length <= _BYTE_MAX:
        return first + length.to_bytes(1, "big") + payload
    if length <= _SHORT_MAX:
        return first + b"\x7e" + length.to_bytes(2, "big") + payload
    return first + b"\x7f" + length.to_bytes(8, "big") + payload


def shifted(source: int, payload: bytes, shift_ns: int) -> bytes:
    """Return a frame whose times and chain slots are later by `shift_ns`, whole minutes."""
    if source == DEXSCREENER or not shift_ns:
        return payload
    form = _SECONDS if source == BIRDEYE else _SLOT
    later = shift_ns // (SECOND_NS if source == BIRDEYE else _SLOT_NS)
    return form.sub(lambda found: found[1] + b"%d" % (int(found[2]) + later), payload, count=1)
