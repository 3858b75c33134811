"""Structured logs: one JSON object a line on stderr, without secrets.

Words that are searched for stand in `event`: EXECUTED (a fill), TRADE (a closed trade),
PERFORMANCE (figures), API_ERROR (an error answer).
"""

import io
import logging
import re
import sys
from collections.abc import Callable, MutableMapping
from contextlib import suppress
from typing import Any, Final, TextIO, cast

import msgspec
import structlog

from utb.domain.times import iso

MASK: Final = "***"
TEXT_MAX: Final = 2_000
"""Longest text of one field."""

_SECRET_NAME: Final = re.compile(
    r"token|api[_-]?key|secret|passw|private|credential|authorization|^key$"
)
_SECRET_TEXT: Final = re.compile(
    r"utb_[A-Za-z0-9_-]{20,}"  # our own API keys
    r"|\b\d{8,10}:[A-Za-z0-9_-]{35}\b"  # Telegram tokens
    r"|(?<=://)[^/\s@]+@"  # user and password in an address
    r"|(?<=[?&])[^=\s&]{1,64}=[^&\s\"']+",  # queries carry keys
)

_Event = MutableMapping[str, Any]


class _Stderr(io.TextIOBase):
    """Standard error as it is when something is written, not as it was at the start.

    A line that cannot be written stops nothing: on a full disk an exit matters more than its log.
    """

    def write(self, text: str) -> int:
        """Write to the present one; what it does not take is lost, or written with a later line."""
        with suppress(OSError):
            sys.stderr.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush the present one."""
        with suppress(OSError):
            sys.stderr.flush()


def redact(value: Any, name: str = "") -> Any:
    """Return a value without what may be a secret."""
    if isinstance(value, dict):
        return {key: redact(item, str(key)) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [redact(item, name) for item in value]
    if _SECRET_NAME.search(name.lower()) and value not in (None, ""):
        return MASK
    if isinstance(value, str):
        return _SECRET_TEXT.sub(MASK, value)[:TEXT_MAX]
    return value


def configure(
    level: str, *, process: str, wall_ns: Callable[[], int], out: TextIO | None = None
) -> None:
    """Write logs from now on, those of libraries included.

    Args:
        level: DEBUG, INFO, WARNING or ERROR.
        process: Name of this process.
        wall_ns: The wall clock.
        out: Where to; None: stderr.
    """
    stream = out if out is not None else cast("TextIO", _Stderr())

    def stamp(_: object, __: str, event: _Event) -> _Event:
        event["timestamp"] = iso(wall_ns())
        event["process"] = process
        event["level"] = str(event.get("level", "info")).upper()
        return event

    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.processors.format_exc_info,
        stamp,
        _redacted,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer(serializer=_json)],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.WriteLoggerFactory(file=stream),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processor=structlog.processors.JSONRenderer(serializer=_json),
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)


def _redacted(_: object, __: str, event: _Event) -> _Event:
    return {key: redact(value, key) for key, value in event.items()}


def _json(event: Any, **_: Any) -> str:
    return msgspec.json.encode(event, enc_hook=str).decode()
