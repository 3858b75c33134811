"""Waits until the readers of a state directory have what its journal holds."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import msgspec

from utb.storage.journal import FILE_NAME
from utb.storage.schema import open_read_only

LOOK_S: Final = 0.1
TIMEOUT_S: Final = 2.0
QUERY: Final = "SELECT max(seq) FROM utb.events FORMAT JSONCompactColumns"


def clickhouse_has_all(state_dir: Path, address: str) -> Callable[[], Awaitable[None]]:
    """Return what waits until the ClickHouse store at an address has every record.

    A store that refuses to answer is not waited for: it may want a key.
    """

    async def wait() -> None:
        import httpx  # noqa: PLC0415 - needed once, at the end

        last = last_seq(state_dir / FILE_NAME)
        async with httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False) as client:
            while True:
                try:
                    answer = await client.post(address, content=QUERY)
                except httpx.HTTPError:
                    return
                if answer.status_code != httpx.codes.OK or _held(answer.content) >= last:
                    return
                await asyncio.sleep(LOOK_S)

    return wait


def last_seq(journal: Path) -> int:
    """Return the sequence of the last record in a journal's file, 0 if there is none."""
    if not journal.exists():
        return 0
    database = open_read_only(journal)
    try:
        row = database.execute("SELECT coalesce(max(seq), 0) FROM records").fetchone()
        return int(row[0])
    finally:
        database.close()


def _held(answer: bytes) -> int:
    """Return the sequence in an answer; numbers of 64 bits may come as texts."""
    columns = msgspec.json.decode(answer, type=list[list[int | str]])
    return int(columns[0][0])
