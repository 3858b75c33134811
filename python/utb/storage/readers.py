"""Reads a journal's file beside its writer, or after it."""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from utb.domain.market import Instrument
from utb.domain.records import Record
from utb.errors import InvariantError
from utb.storage import schema
from utb.storage.encoding import JournalHash, decode_record, is_hashed
from utb.storage.journal import INSTRUMENTS


def read_records(
    path: Path, after: int, upto: int | None = None
) -> Iterator[tuple[int, int, Record]]:
    """Yield (sequence, wall ns, record) of a journal's file beside its writer, `after` left out.

    Args:
        path: The database file.
        after: Sequence to begin behind, 0 for all.
        upto: Last sequence; None: what the file holds when asked.

    Raises:
        UsageError: If there is no journal.
        InvariantError: If a sequence is missing.
    """
    last = (1 << 62) if upto is None else upto
    database = schema.open_read_only(path)
    try:
        query = "SELECT seq, wall_ts, payload FROM records WHERE seq > ? AND seq <= ? ORDER BY seq"
        for seq, wall_ns, payload in database.execute(query, (after, last)):
            after += 1
            if seq != after:
                raise InvariantError(f"{path}: record {after} is missing")
            yield seq, wall_ns, decode_record(payload)
    finally:
        database.close()


def read_instruments(path: Path) -> tuple[Instrument, ...]:
    """Return the instruments of a journal's file.

    Raises:
        UsageError: If there is no journal.
        InvariantError: If it does not say.
    """
    found = read_noted(path, INSTRUMENTS)
    if found is None:
        raise InvariantError(f"{path} does not say what its instruments are")
    return msgspec.json.decode(found, type=tuple[Instrument, ...])


def read_noted(path: Path, key: str) -> str | None:
    """Return what a journal's file has under a key beside its records; None: nothing."""
    database = schema.open_read_only(path)
    try:
        return schema.noted(database, key)
    finally:
        database.close()


def read_bars(path: Path, instrument: int, timeframe: int, *, before_ns: int, limit: int) -> bytes:
    """Return the newest `limit` kept bars that open before a time, oldest first.

    Args:
        path: The database file.
        instrument: Dense index.
        timeframe: 0..5 for 1m, 5m, 15m, 1h, 4h, 1d.
        before_ns: Exclusive bound on the bars' open.
        limit: Most bars.

    Returns:
        64-byte bar records.
    """
    query = (
        "SELECT * FROM bars WHERE instrument = ? AND timeframe = ? AND ts_open < ? "
        "ORDER BY ts_open DESC LIMIT ?"
    )
    database = schema.open_read_only(path)
    try:
        rows = database.execute(query, (instrument, timeframe, before_ns, limit)).fetchall()
    finally:
        database.close()
    return schema.bar_bytes(reversed(rows))


def read_equity(path: Path, *, after_ns: int = 0) -> bytes:
    """Return kept equity from behind a time on, 16-byte records, oldest first."""
    database = schema.open_read_only(path)
    try:
        rows = database.execute("SELECT * FROM equity WHERE ts > ? ORDER BY ts", (after_ns,))
        return schema.equity_bytes(rows)
    finally:
        database.close()


def recompute_hash(path: Path) -> str:
    """Return the `journal_hash` of a journal file, read from its first record to its last."""
    total = JournalHash()
    with schema.open_read_only(path) as database:
        for (payload,) in database.execute("SELECT payload FROM records ORDER BY seq"):
            if is_hashed(decode_record(payload)):
                total.add(payload)
    database.close()
    return total.hexdigest()
