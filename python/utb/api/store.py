"""How the ClickHouse store is, as its process tells in a file of the state directory."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from utb.storage.clickhouse.status import Status, read_status
from utb.storage.lock import holder
from utb.telemetry.health import Component, Condition

PROCESS: Final = "analytics"
SILENT_S: Final = 15.0
"""It tells every second, and everything else on a busy machine comes first."""


class StoreState(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the store."""

    component: Component
    stored_seq: int | None
    """Last record it holds; None: nobody says."""


class StoreWatch:
    """Looks after the store's process, and remembers since when it is as it is."""

    def __init__(self, state_dir: Path, now_ns: Callable[[], int]) -> None:
        """Know nothing yet; `now_ns` is the wall clock."""
        self._state_dir = state_dir
        self._now_ns = now_ns
        self._since: tuple[Condition, int] | None = None

    def look(self) -> StoreState:
        """Return how it is now: its process lives while it holds its lock."""
        owner = holder(self._state_dir, PROCESS)
        if owner is None:
            return self._state(Condition.OFF, "not running", None)
        status = read_status(self._state_dir)
        if status is None or status.pid != owner:
            # What a killed process left says nothing of the one that runs
            return self._state(Condition.STARTING, "it has not told anything yet", None)
        age_s = max(self._now_ns() - status.told_ns, 0) / 1e9
        if age_s > SILENT_S:
            return self._state(Condition.DEGRADED, f"silent for {age_s:.0f} s", status)
        if status.trouble:
            reason = f"the store does not take what is written: {status.trouble}"
            return self._state(Condition.DEGRADED, reason, status, status.since_ns)
        if status.stored_seq is None:
            return self._state(Condition.STARTING, "the store is being opened", status)
        return self._state(Condition.UP, "", status, status.since_ns)

    def _state(
        self, state: Condition, reason: str, status: Status | None, since_ns: int | None = None
    ) -> StoreState:
        if self._since is None or self._since[0] is not state:
            self._since = (state, self._now_ns() if since_ns is None else since_ns)
        age_s = None if status is None else max(self._now_ns() - status.told_ns, 0) / 1e9
        return StoreState(
            component=Component(
                name=PROCESS, state=state, since_ns=self._since[1], reason=reason, age_s=age_s
            ),
            stored_seq=None if status is None else status.stored_seq,
        )
