"""Raw values of a file: comparing them and showing them in a message."""

import datetime as dt
import re
from typing import Final
from urllib.parse import urlsplit, urlunsplit

RawValue = (
    str
    | int
    | float
    | bool
    | dt.datetime
    | dt.date
    | dt.time
    | list["RawValue"]
    | dict[str, "RawValue"]
)

MASK: Final = "***"

_SHOWN_CHARS: Final = 60
_SHOWN_BITS: Final = 128
_SECRET_NAME: Final = re.compile(
    r"token|key|secret|passw|private|credential|seed_phrase|mnemonic|auth"
)
_PLAIN_WORD: Final = re.compile(r"[A-Za-z_./ -]{0,16}\Z")
_LONG_WORD: Final = re.compile(r"[A-Za-z0-9_\-]{20,}")


def same(left: object, right: object) -> bool:
    """Return whether two values are equal and of one type (1, 1.0 and true differ)."""
    if type(left) is not type(right):
        return False
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    return left == right


def render(value: object) -> str:
    """Return a value as TOML would write it, cut short."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and value.bit_length() > _SHOWN_BITS:
        return f"an integer of {value.bit_length()} bits"
    if isinstance(value, str):
        text = '"' + mask_url(value).encode("unicode_escape").decode("ascii") + '"'
    elif isinstance(value, (list, tuple)):
        text = "[" + ", ".join(render(item) for item in value[:8])
        text += ", ...]" if len(value) > 8 else "]"  # noqa: PLR2004 - eight strategies fit
    elif isinstance(value, dict):
        text = "a table"
    else:
        text = str(value)
    return text if len(text) <= _SHOWN_CHARS else text[: _SHOWN_CHARS - 3] + "..."


def is_http_address(text: str) -> bool:
    """Return whether a text is an address of HTTP, with or without encryption."""
    if not text.isprintable() or " " in text:
        return False
    try:
        parts = urlsplit(text)
        # Reading the port is what checks it.
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def mask_url(text: str) -> str:
    """Return a URL without what may be a credential: user, query and long path parts."""
    if "://" not in text:
        return text
    try:
        parts = urlsplit(text)
    except ValueError:
        return MASK
    host = parts.netloc.rpartition("@")[2]
    netloc = f"{MASK}@{host}" if "@" in parts.netloc else host
    path = _LONG_WORD.sub(MASK, parts.path)
    return urlunsplit((parts.scheme, netloc, path, MASK if parts.query else "", ""))


def render_unknown(key: str, value: object) -> str:
    """Return the value of a key we do not know, hidden if it may be a secret."""
    if isinstance(value, (list, dict)):
        return ""
    if _SECRET_NAME.search(key.lower()) or (
        isinstance(value, str) and not _PLAIN_WORD.match(value)
    ):
        return MASK
    return render(value)
