"""What a path needs: a scope, a key, a turn."""

import re
from typing import Final

from utb.api.keys import Scope

_TRADE: Final = frozenset({"trade", "pause", "safe_mode", "emergency_stop", "positions/close_all"})
"""Trading, and everything that stops it."""
_CLOSE: Final = re.compile(r"positions/[^/]+/close")
_PREFIX: Final = re.compile(r"^/api/(v1/)?")
_TWO_WAYS: Final = re.compile(r"//|/\.{1,2}(?:/|$)|\\")
_ENCODED: Final = re.compile(rb"%2f|%5c", re.IGNORECASE)


def needs(method: str, path: str) -> Scope:
    """Return the scope a request needs.

    Looking needs `read`; trading, and everything that stops it, `trade`; what lets it go on or
    changes the rules, `admin`, and so does every path that is not known here.
    """
    if method in {"GET", "HEAD", "OPTIONS"}:
        return Scope.READ
    name = _PREFIX.sub("", path).rstrip("/")
    return Scope.TRADE if name in _TRADE or _CLOSE.fullmatch(name) else Scope.ADMIN


def is_plain(path: str, raw_path: bytes) -> bool:
    """Return whether a path can be read in one way only.

    The routes drop empty parts, so `/api//reset` would be another path to them than it is here.

    Args:
        path: Decoded.
        raw_path: As sent.
    """
    return _TWO_WAYS.search(path) is None and _ENCODED.search(raw_path) is None


def open_to_all(path: str) -> bool:
    """Return whether a path needs no key: health in a word, and the dashboard's files."""
    return path in {"/", "/health", "/dashboard"} or path.startswith("/dashboard/")


def unlimited(path: str) -> bool:
    """Return whether a path counts for no limit: probes, scrapes and the dashboard's files."""
    return path == "/metrics" or open_to_all(path)
