"""Tables of the journal database, and how it is opened."""

import os
import sqlite3
import struct
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Final

from utb.errors import UsageError
from utb.ports.journal import Tail

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

_TAIL = """
CREATE TABLE IF NOT EXISTS tail(
    id INTEGER PRIMARY KEY, log INTEGER NOT NULL, at INTEGER NOT NULL, body BLOB NOT NULL
)
"""

INSERT_RECORD = "INSERT INTO records(seq, wall_ts, kind, payload) VALUES (?, ?, ?, ?)"
INSERT_COMMAND = "INSERT INTO commands(items, events, payload) VALUES (?, ?, ?)"
_NEW: Final = ".new"
"""Behind the name of a journal that is being created."""
_LOGS: Final = ("-wal", "-journal")
"""Behind the name of a database: what SQLite writes into it at the next opening."""

INSERT_BAR = "INSERT OR REPLACE INTO bars VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
INSERT_EQUITY = "INSERT OR REPLACE INTO equity VALUES (?, ?)"
_EQUITY = struct.Struct("<qd")
"""ts, equity in quote units; 16 bytes."""

_BAR = struct.Struct("<qIIddddd8x")
"""ts open, instrument, timeframe, open, high, low, close, volume; 64 bytes."""

_NO_ROOM = frozenset(
    {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE}
)
"""SQLite's words for a write that failed; a quota and a limit on a file's length are the second."""
_CHECKPOINT_PAGES_MAX = 16_384
"""Pages of 4 KiB in the log of writes from which on even a commit waits for a checkpoint."""

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


def open_database(
    path: Path, options_digest: str, synchronous: str, facts: Mapping[str, str]
) -> sqlite3.Connection:
    """Open or create a journal for writing; the caller checks `options_of` an existing one.

    Args:
        path: The file.
        options_digest: Of the run that creates it.
        synchronous: FULL or NORMAL, SQLite's durability.
        facts: Kept beside the options in a journal that is created.

    Raises:
        UsageError: If the file is no journal, damaged, or of another schema, or if it is missing
            and its write-ahead log is there.
    """
    if not path.exists():
        _check_no_log(path)
        _create(path, options_digest, facts)
    database = sqlite3.connect(path)
    try:
        if _is_empty(database):
            # Of a file that was made and never written: nothing is in it that could be lost
            database.close()
            _create(path, options_digest, facts)
            database = sqlite3.connect(path)
        _check(database, path)
        _check_intact(database, path)
        database.execute("PRAGMA journal_mode = WAL")
        database.execute(f"PRAGMA synchronous = {synchronous}")
        database.execute(_TAIL)
    except sqlite3.DatabaseError as error:
        database.close()
        raise UsageError("--state", str(path), f"a journal database ({error})") from error
    except UsageError:
        database.close()
        raise
    return database


def checkpoint_late(database: sqlite3.Connection) -> None:
    """Let no commit wait for a checkpoint, which takes the disk ten times as long."""
    database.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES_MAX}")


def checkpoint(path: Path) -> None:
    """Move what the log of writes holds to the database; who writes or reads meanwhile goes on.

    Without room for it everything stays in the log.
    """
    with closing(sqlite3.connect(path)) as database:
        try:
            database.execute("PRAGMA wal_checkpoint(PASSIVE)")
        except sqlite3.OperationalError as error:
            if not lacks_room(error):
                raise


def lacks_room(error: sqlite3.Error) -> bool:
    """Return whether an error says that a write found no room, and that nothing of it stays."""
    return getattr(error, "sqlite_errorcode", None) in _NO_ROOM


def open_read_only(path: Path) -> sqlite3.Connection:
    """Open a journal for reading beside its writer.

    Raises:
        UsageError: If there is none, or the file is no journal or of another schema.
    """
    try:
        database = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    except sqlite3.OperationalError as error:
        raise UsageError("--state", str(path), f"a journal that can be read ({error})") from error
    try:
        _check(database, path)
    except UsageError:
        database.close()
        raise
    except sqlite3.DatabaseError as error:
        database.close()
        if isinstance(error, sqlite3.OperationalError):
            # A lock that lasts, or a disk that fails: the file may be a journal all the same
            raise
        raise UsageError("--state", str(path), f"a journal database ({error})") from error
    return database


def _is_empty(database: sqlite3.Connection) -> bool:
    (tables,) = database.execute("SELECT count(*) FROM sqlite_master").fetchone()
    (application_id,) = database.execute("PRAGMA application_id").fetchone()
    return bool(tables == 0 and application_id == 0)


def _check_no_log(path: Path) -> None:
    """See that no log waits for a missing journal: SQLite would write it into the new one."""
    for suffix in _LOGS:
        log = _beside(path, suffix)
        if log.exists():
            expected = (
                f"{path.name} beside it, or neither: it holds records of a journal that is gone"
            )
            raise UsageError("--state", str(log), expected)


def _create(path: Path, options_digest: str, facts: Mapping[str, str]) -> None:
    """Create a journal under another name and give it its own when it is whole and on the disk.

    Whoever reads beside finds no journal or a whole one. A crash leaves none; what it leaves of
    the other name goes with the next start.
    """
    new = _beside(path, _NEW)
    for suffix in ("", *_LOGS, "-shm"):
        _beside(new, suffix).unlink(missing_ok=True)
    with closing(sqlite3.connect(new)) as database:
        database.execute("PRAGMA synchronous = FULL")
        database.executescript(
            f"BEGIN; {_TABLES} PRAGMA application_id = {APPLICATION_ID};"
            f"PRAGMA user_version = {SCHEMA_VERSION};"
        )
        rows = [("options", options_digest), *facts.items()]
        database.executemany("INSERT INTO meta VALUES (?, ?)", rows)
        database.commit()
        # Now: a reader that came first would keep the writer from changing it
        database.execute("PRAGMA journal_mode = WAL")
    new.replace(path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _check(database: sqlite3.Connection, path: Path) -> None:
    (application_id,) = database.execute("PRAGMA application_id").fetchone()
    if application_id != APPLICATION_ID:
        raise UsageError("--state", str(path), "a journal of this program, not a foreign database")
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if version != SCHEMA_VERSION:
        raise UsageError("--state", str(path), f"schema version {SCHEMA_VERSION}, found {version}")


def _check_intact(database: sqlite3.Connection, path: Path) -> None:
    (intact,) = database.execute("PRAGMA quick_check(1)").fetchone()
    if intact != "ok":
        raise UsageError("--state", str(path), f"an undamaged journal ({intact})")


def options_of(database: sqlite3.Connection) -> str:
    """Return the digest of the options that a journal was made with."""
    (stored,) = database.execute("SELECT value FROM meta WHERE key = 'options'").fetchone()
    return str(stored)


def adopt_options(database: sqlite3.Connection, options_digest: str) -> None:
    """Let a journal go on with other options."""
    with database:
        database.execute("UPDATE meta SET value = ? WHERE key = 'options'", (options_digest,))


def keep_tail(database: sqlite3.Connection, tail: Tail) -> None:
    """Keep inputs that are not on the disk elsewhere, within the transaction that is open."""
    if tail.first:
        database.execute("DELETE FROM tail")
    query = "INSERT INTO tail(log, at, body) VALUES (?, ?, ?)"
    database.execute(query, (tail.log, tail.offset, tail.body))


def tails(database: sqlite3.Connection) -> list[Tail]:
    """Return the inputs that are kept, in their order."""
    rows = database.execute("SELECT log, at, body FROM tail ORDER BY id").fetchall()
    return [
        Tail(log=log, offset=at, body=body, first=not place)
        for place, (log, at, body) in enumerate(rows)
    ]


def forget_tails(database: sqlite3.Connection) -> None:
    """Forget them: all are where they belong."""
    with database:
        database.execute("DELETE FROM tail")


def note(database: sqlite3.Connection, key: str, value: str) -> None:
    """Keep a fact about the journal, durably."""
    with database:
        database.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))


def noted(database: sqlite3.Connection, key: str) -> str | None:
    """Return a fact that `note` kept; None if nobody did."""
    row = database.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return None if row is None else str(row[0])
