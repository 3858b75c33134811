"""Times as people and JSON read them."""

from datetime import UTC, datetime

_NS_PER_S = 1_000_000_000
_NS_PER_MS = 1_000_000


def iso(ts_ns: int) -> str:
    """Return a time as ISO 8601 with milliseconds and Z.

    Args:
        ts_ns: Nanoseconds since the epoch, years 1 to 9999.
    """
    seconds, rest = divmod(ts_ns, _NS_PER_S)
    moment = datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)
    return f"{moment.isoformat()}.{rest // _NS_PER_MS:03d}Z"


def parse_iso(text: str) -> int:
    """Return the nanoseconds since the epoch of an ISO 8601 time; without a zone it is UTC.

    Raises:
        ValueError: If the text is no such time.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * _NS_PER_S + since.microseconds * 1_000
