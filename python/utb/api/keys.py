"""API keys: 32 random bytes, shown once; what is kept is their SHA-256."""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from enum import StrEnum
from typing import Final

import msgspec

from utb.config.schema import ServerKey
from utb.domain.times import parse_iso

PREFIX: Final = "utb_"
KEY_BYTES: Final = 32


class Scope(StrEnum):
    """What a key may do."""

    READ = "read"
    TRADE = "trade"
    ADMIN = "admin"


class Caller(msgspec.Struct, frozen=True):
    """Who asks."""

    name: str
    scopes: frozenset[Scope]


ANYONE: Final = Caller("anyone", frozenset(Scope))
"""Who asks on a loopback address while no key is configured."""


class _Known(msgspec.Struct, frozen=True):
    digest: bytes
    caller: Caller
    expires_ns: int | None


class KeyRing:
    """The configured keys."""

    def __init__(self, keys: Sequence[ServerKey]) -> None:
        self._known = tuple(
            _Known(
                bytes.fromhex(key.sha256),
                Caller(key.id, frozenset(Scope(scope) for scope in key.scopes)),
                None if key.expires is None else parse_iso(key.expires),
            )
            for key in keys
        )

    def __bool__(self) -> bool:
        return bool(self._known)

    def find(self, key: str, wall_ns: int) -> Caller | None:
        """Return whose key it is, or None for a foreign or expired one.

        Every configured hash is compared, so the time tells nothing.
        """
        digest = hashlib.sha256(key.encode()).digest()
        found = None
        for known in self._known:
            same = hmac.compare_digest(digest, known.digest)
            valid = known.expires_ns is None or wall_ns < known.expires_ns
            if same and valid:
                found = known.caller
        return found


def new_key() -> tuple[str, str]:
    """Return a new key and its hash."""
    key = PREFIX + secrets.token_urlsafe(KEY_BYTES)
    return key, hashlib.sha256(key.encode()).hexdigest()
