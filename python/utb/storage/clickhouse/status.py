"""What `run/analytics.json` says: where the store is, and how it takes what is written to it."""

from pathlib import Path
from typing import Final

import msgspec

STATUS_FILE: Final = "analytics.json"


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """Where the store is, without user and password, and how it is."""

    url: str
    database: str
    embedded: bool
    pid: int
    stored_seq: int | None
    """Last record that every table holds; None: the store was not opened yet."""
    trouble: str
    """Why the store does not take what is written, in words; empty: it does."""
    since_ns: int
    """Wall time since when there is trouble, or none."""
    told_ns: int
    """Wall time of these words."""


def write_status(run_dir: Path, status: Status) -> Path:
    """Write a status; a reader never sees half of it."""
    path = run_dir / STATUS_FILE
    fresh = path.with_suffix(".new")
    fresh.write_bytes(msgspec.json.encode(status) + b"\n")
    fresh.replace(path)
    return path


def read_status(state_dir: Path) -> Status | None:
    """Return the status of a state directory's store, or None if no process says one."""
    try:
        return msgspec.json.decode((state_dir / "run" / STATUS_FILE).read_bytes(), type=Status)
    except (OSError, msgspec.DecodeError):
        return None
