"""Filters of program accounts: by length and by bytes."""

import base64
import binascii
from typing import Any, Final, NamedTuple

from utb.simnet import base58
from utb.simnet.chain.types import ChainAccount
from utb.simnet.rpc.accounts import token_account
from utb.simnet.rpc.errors import invalid_params
from utb.simnet.rpc.params import Options

FILTERS_MAX: Final = 4
BYTES_MAX: Final = 128


class Filter(NamedTuple):
    """What an account's data must be like."""

    size: int | None = None
    offset: int = 0
    expected: bytes = b""
    token: bool = False
    """It must be a token account."""


def filters_of(options: Options) -> list[Filter]:
    """Read the filters of a call's options.

    Raises:
        RpcError: If one is wrong, or there are too many.
    """
    told = options.get("filters")
    if told is None:
        return []
    if not isinstance(told, list):
        raise invalid_params("Invalid params: invalid type for filters, expected a sequence")
    if len(told) > FILTERS_MAX:
        raise invalid_params(f"Too many filters provided; max {FILTERS_MAX}")
    return [_filter(one) for one in told]


def matches(account: ChainAccount, filters: list[Filter]) -> bool:
    """Return whether an account passes every filter."""
    return all(_passes(account, one) for one in filters)


def _passes(account: ChainAccount, one: Filter) -> bool:
    if one.token:
        return token_account(account) is not None
    if one.size is not None:
        return len(account.data) == one.size
    return account.data[one.offset : one.offset + len(one.expected)] == one.expected


def _filter(told: Any) -> Filter:
    if told == "tokenAccountState":
        return Filter(token=True)
    options = Options(told if isinstance(told, dict) else {})
    size = options.integer("dataSize")
    if size is not None:
        return Filter(size=size)
    part = options.object("memcmp")
    if part is None:
        raise invalid_params("Invalid params: a filter is dataSize, memcmp or tokenAccountState")
    expected = _bytes(part)
    if len(expected) > BYTES_MAX:
        raise invalid_params(f"Invalid param: memcmp bytes are over {BYTES_MAX}")
    return Filter(offset=part.integer("offset", 0) or 0, expected=expected)


def _bytes(part: Options) -> bytes:
    told = part.get("bytes")
    encoding = part.choice("encoding", "base58", "base58", "base64", "bytes")
    try:
        if isinstance(told, list):
            return bytes(told)
        if isinstance(told, str) and len(told) <= 2 * BYTES_MAX:
            return base58.decode(told) if encoding == "base58" else base64.b64decode(told)
    except (ValueError, TypeError, binascii.Error) as error:
        raise invalid_params(f"Invalid param: memcmp bytes: {error}") from error
    raise invalid_params("Invalid param: memcmp bytes are missing or too long")
