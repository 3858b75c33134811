"""Tables of the journal database, and how it is opened."""

import sqlite3
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path

from utb.errors import UsageError

SCHEMA_VERSION = 1
APPLICATION_ID = 0x55544200
"""`UTB` and a zero byte: tells our files from other SQLite databases."""

_TABLES = """
CREATE TABLE records(
    seq INTEGER PRIMARY KEY, wall_ts INTEGER NOT NULL, kind TEXT NOT NULL, payload BLOB NOT NULL
);
CREATE TABLE commands(
    id INTEGER PRIMARY KEY, items INTEGER NOT NULL, events INTEGER NOT NULL, payload BLOB NOT NULL
);
CREATE TABLE snapshot(
    id INTEGER PRIMARY KEY CHECK (id = 1), seq INTEGER NOT NULL, payload BLOB NOT NULL
);
CREATE TABLE bars(
    instrument INTEGER NOT NULL, timeframe INTEGER NOT NULL, ts_open INTEGER NOT NULL,
    open REAL NOT NULL, high REAL NOT NULL, low REAL NOT NULL, close REAL NOT NULL, volume REAL,
    PRIMARY KEY (instrument, timeframe, ts_open)
) WITHOUT ROWID;
CREATE TABLE equity(ts INTEGER PRIMARY KEY, equity REAL NOT NULL);
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""

INSERT_BAR = "INSERT OR REPLACE INTO bars VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
INSERT_EQUITY = "INSERT OR REPLACE INTO equity VALUES (?, ?)"
_EQUITY = struct.Struct("<qd")
"""ts, equity in quote units; 16 bytes."""

_BAR = struct.Struct("<qIIddddd8x")
"""ts open, instrument, timeframe, open, high, low, close, volume; 64 bytes."""

_BarRow = tuple[int, int, int, float, float, float, float, float | None]


def bar_rows(bars: bytes) -> Iterator[_BarRow]:
    """Yield the rows of 64-byte bar records; an unknown volume (NaN) is NULL."""
    for ts_ns, instrument, timeframe, opened, high, low, close, volume in _BAR.iter_unpack(bars):
        known = None if volume != volume else volume  # noqa: PLR0124 - NaN is the one such number
        yield instrument, timeframe, ts_ns, opened, high, low, close, known


def bar_bytes(rows: Iterable[_BarRow]) -> bytes:
    """Return rows as `bar_rows` read them, in 64-byte records again."""
    packed = bytearray()
    for instrument, timeframe, ts_ns, opened, high, low, close, volume in rows:
        known = float("nan") if volume is None else volume
        packed += _BAR.pack(ts_ns, instrument, timeframe, opened, high, low, close, known)
    return bytes(packed)


def equity_rows(equity: bytes) -> Iterator[tuple[int, float]]:
    """Yield the rows of 16-byte equity records."""
    yield from _EQUITY.iter_unpack(equity)


def equity_bytes(rows: Iterable[tuple[int, float]]) -> bytes:
    """Return rows as `equity_rows` read them, in 16-byte records again."""
    return b"".join(_EQUITY.pack(*row) for row in rows)


def open_database(path: Path, options_digest: str, synchronous: str) -> sqlite3.Connection:
    """Open or create a journal for writing.

    Raises:
        UsageError: If the file is no journal, damaged, of another schema or of other options.
    """
    database = sqlite3.connect(path)
    try:
        (tables,) = database.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if tables == 0:
            _create(database, options_digest)
        else:
            _check(database, path, options_digest)
        database.execute("PRAGMA journal_mode = WAL")
        database.execute(f"PRAGMA synchronous = {synchronous}")
    except sqlite3.DatabaseError as error:
        database.close()
        raise UsageError("--state", str(path), f"a journal database ({error})") from error
    except UsageError:
        database.close()
        raise
    return database


def open_read_only(path: Path) -> sqlite3.Connection:
    """Open a journal for reading beside its writer."""
    return sqlite3.connect(f"file:{path}?mode=ro", uri=True)


def _create(database: sqlite3.Connection, options_digest: str) -> None:
    """Create everything in one transaction: a crash leaves an empty file, never half a schema."""
    database.executescript(
        f"BEGIN; {_TABLES} PRAGMA application_id = {APPLICATION_ID};"
        f"PRAGMA user_version = {SCHEMA_VERSION};"
    )
    database.execute("INSERT INTO meta VALUES ('options', ?)", (options_digest,))
    database.commit()


def _check(database: sqlite3.Connection, path: Path, options_digest: str) -> None:
    (application_id,) = database.execute("PRAGMA application_id").fetchone()
    if application_id != APPLICATION_ID:
        raise UsageError("--state", str(path), "a journal of this program, not a foreign database")
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if version != SCHEMA_VERSION:
        raise UsageError("--state", str(path), f"schema version {SCHEMA_VERSION}, found {version}")
    (intact,) = database.execute("PRAGMA quick_check(1)").fetchone()
    if intact != "ok":
        raise UsageError("--state", str(path), f"an undamaged journal ({intact})")
    (stored,) = database.execute("SELECT value FROM meta WHERE key = 'options'").fetchone()
    if stored != options_digest:
        raise UsageError(
            "--state", str(path), "a run of the same options, or another directory for this one"
        )
