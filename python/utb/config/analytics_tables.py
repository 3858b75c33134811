"""Type of `[analytics]`: the ClickHouse store, its address and its readers' limits."""

from typing import Annotated

from msgspec import Meta

from utb.config.table import Table

Host = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9.:_-]{1,253}\Z",
        description="a host name or address without brackets, for example 127.0.0.1",
    ),
]
Port = Annotated[int, Meta(ge=0, le=65_535)]
KeyDigest = Annotated[
    str,
    Meta(
        pattern=r"^(?:[0-9a-f]{64})?\Z",
        description="empty, or 64 hexadecimal digits: the SHA-256 of a key",
    ),
]
Mebibytes = Annotated[int, Meta(ge=16, le=1_048_576)]


class Analytics(Table, frozen=True):
    """The ClickHouse store: where it listens, how it writes, what a reader may use."""

    host: Host
    port: Port
    key_sha256: KeyDigest
    flush_ms: Annotated[int, Meta(ge=10, le=60_000)]
    batch_rows: Annotated[int, Meta(ge=100, le=1_000_000)]
    history_days: Annotated[int, Meta(ge=1, le=36_500)]
    memory_mib_max: Annotated[int, Meta(ge=512, le=1_048_576)]
    queries_max: Annotated[int, Meta(ge=1, le=64)]
    query_seconds_max: Annotated[float, Meta(ge=0.1, le=600.0)]
    query_memory_mib_max: Mebibytes
    result_rows_max: Annotated[int, Meta(ge=1, le=100_000_000)]
    result_mib_max: Mebibytes
