"""Answers of health."""

from typing import Final

import msgspec


class HealthAnswer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One word: HEALTHY with status 200, DOWN with 503."""

    status: str
    reasons: tuple[str, ...] = ()
    """Why it is down."""
    warming_up: tuple[str, ...] = ()
    """Instruments whose indicators are not complete yet."""
    age_s: float | None = None


class ComponentRow(msgspec.Struct, frozen=True, kw_only=True):
    """One component."""

    name: str
    state: str
    """UP, STARTING, DEGRADED, DOWN, OFF or UNKNOWN."""
    since: str | None
    reason: str
    age: float | None
    """Seconds since its last sign of life."""


class ComponentsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """One row per component."""

    status: str
    reasons: tuple[str, ...]
    components: tuple[ComponentRow, ...]


class StageRow(msgspec.Struct, frozen=True, kw_only=True):
    """One stage of the hot path."""

    stage: str
    count: int
    p50_us: float | None
    """Of about the last minute; null when the stage did not run in it."""
    p99_us: float | None
    max_us: float | None
    """Since the process started; null before the first."""


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """Durations of the hot path's stages."""

    stages: tuple[StageRow, ...]
    as_of: str | None
    age_s: float | None


class FeedRow(msgspec.Struct, frozen=True, kw_only=True):
    """One feed."""

    source: str
    status: str
    reason: str
    since: str | None
    last_item: str | None
    age_s: float | None
    """Of its last item, market time."""
    connected: bool
    frames: int
    items: int
    rejected: dict[str, int]
    reconnects: int
    requests: int
    latency_p50_ms: float | None
    latency_p99_ms: float | None
    request_p50_ms: float | None
    request_p99_ms: float | None


class Feeds(msgspec.Struct, frozen=True, kw_only=True):
    """All feeds."""

    feeds: tuple[FeedRow, ...]
    as_of: str | None
    age_s: float | None


class ApiFigures(msgspec.Struct, frozen=True, kw_only=True):
    """This API's own answers."""

    requests: int
    error_rate: float | None
    """Share of answers with a status of 500 and above."""
    response_p50_ms: float | None
    response_p99_ms: float | None
    websocket_clients: int


class SystemRow(msgspec.Struct, frozen=True, kw_only=True):
    """The machine and this process."""

    cpu_percent: float
    memory_percent: float
    memory_available_mb: float
    disk_percent: float
    disk_free_mb: float
    load_1m: float
    process_cpu_seconds: float
    process_memory_mb: float
    process_threads: int
    process_open_files: int


class HealthDetail(msgspec.Struct, frozen=True, kw_only=True):
    """Health with everything that is measured."""

    status: str
    reasons: tuple[str, ...]
    components: tuple[ComponentRow, ...]
    warming_up: tuple[str, ...]
    uptime: int
    system: SystemRow
    api: ApiFigures
    latency: tuple[StageRow, ...]
    feeds: tuple[FeedRow, ...]
    as_of: str | None
    age_s: float | None


EXAMPLE: Final = HealthAnswer(status="HEALTHY", age_s=0.2)
DOWN_EXAMPLE: Final = HealthAnswer(
    status="DOWN", reasons=("trading process: not running",), age_s=12.4
)
