"""What faults make of frames: garbage, and prices that lie."""

import hashlib
from base64 import b64decode, b64encode
from typing import Any, Final

import msgspec

from utb.domain.clock import BIRDEYE, DEXSCREENER
from utb.simnet import base58
from utb.simnet.profiles import USDC_MINT
from utb.simnet.server.wire import PAIRS_HEAD, PAIRS_TAIL

OVERSIZE_BYTES: Final = 4 * 1024 * 1024 + 1
"""One byte more than a decoder has to take."""
GARBAGE_KINDS: Final = 4
_TRUNCATED, _INVALID, _BINARY = range(3)
_QUOTE_MINT: Final = base58.decode(USDC_MINT)
_TOKEN_ACCOUNT_BYTES: Final = 165
_AMOUNT: Final = slice(64, 72)
_U64_MAX: Final = 2**64 - 1


def garbage(payload: bytes, turn: int) -> tuple[bytes, bool]:
    """Return what comes instead of a frame, and whether it is binary.

    Args:
        payload: The frame.
        turn: 0, 1, 2, ...: truncated, broken JSON, bytes that are no text, too long; and again.
    """
    kind = turn % GARBAGE_KINDS
    if kind == _TRUNCATED:
        return payload[: len(payload) // 2], False
    if kind == _INVALID:
        return payload.replace(b":", b";", 3), False
    if kind == _BINARY:
        return hashlib.sha512(payload).digest() * 4, True
    return payload[:-1] + b" " * (OVERSIZE_BYTES - len(payload)) + payload[-1:], False


def lie(source: int, payload: bytes, factor: float) -> bytes:
    """Return a frame whose price is `factor` times the true one."""
    message = msgspec.json.decode(payload)
    if source == DEXSCREENER:
        for pair in message["pairs"]:
            _scale_pair(pair, factor)
    elif source == BIRDEYE:
        _scale_birdeye(message["data"], factor)
    else:
        _scale_account(message["params"]["result"]["value"], factor)
    return msgspec.json.encode(message)


def repeat_pairs(payload: bytes, copies: int) -> bytes:
    """Return a DexScreener body with every pair so many times."""
    pairs = payload[len(PAIRS_HEAD) + 1 : -len(PAIRS_TAIL) - 1]
    return PAIRS_HEAD + b"[" + b",".join([pairs] * copies) + b"]" + PAIRS_TAIL


def _scale_pair(pair: dict[str, Any], factor: float) -> None:
    for name in ("priceNative", "priceUsd"):
        pair[name] = f"{float(pair[name]) * factor:.12f}"


def _scale_birdeye(data: dict[str, Any], factor: float) -> None:
    for name in ("o", "h", "l", "c", "pricePair", "volumeUSD"):
        if name in data:
            data[name] *= factor
    for name in ("from", "to"):
        leg = data.get(name)
        if leg is None:
            continue
        if leg["address"] == data["tokenAddress"]:
            leg["price"] *= factor
        else:
            leg["uiAmount"] *= factor
            leg["amount"] = round(leg["amount"] * factor)


def _scale_account(value: dict[str, Any], factor: float) -> None:
    account = bytearray(b64decode(value["data"][0]))
    if len(account) != _TOKEN_ACCOUNT_BYTES or account[:32] != _QUOTE_MINT:
        return
    amount = min(round(int.from_bytes(account[_AMOUNT], "little") * factor), _U64_MAX)
    account[_AMOUNT] = amount.to_bytes(8, "little")
    value["data"][0] = b64encode(account).decode()
