"""Faults on demand: which ones there are, when they act, and what they did."""

from enum import StrEnum
from typing import Final

import msgspec

from utb.errors import UsageError
from utb.simnet.grid import SECOND_NS
from utb.simnet.server.world import SOURCES

FAULTS_MAX: Final = 256
"""Most faults that are kept; the oldest that are over make room."""
SECONDS_MAX: Final = 30 * 86_400.0
_NEVER: Final = 2**63 - 1


class Kind(StrEnum):
    """What goes wrong with a source; where several act, they do so in this order."""

    CUT = "cut"
    """Connections are closed, and refused while it lasts."""
    SILENCE = "silence"
    """Connected, and nothing comes."""
    HALF_OPEN = "half_open"
    """Connected, and nothing comes, not even pongs."""
    SLOW = "slow"
    """Items come `value` seconds late."""
    TOO_MANY = "429"
    """Requests are answered 429 with `Retry-After: value`."""
    BROKEN = "500"
    """Requests are answered 500."""
    STALE = "stale"
    """The last items before it are repeated, with their old times and prices."""
    LYING = "lying"
    """Prices are `value` times the true ones."""
    FLOOD = "flood"
    """Every item comes `value` times."""
    GARBAGE = "garbage"
    """Truncated, broken, binary and oversize bodies in turn."""


_VALUES: Final = {
    Kind.SLOW: (5.0, 0.001, 3600.0, "seconds from 0.001 to 3600"),
    Kind.TOO_MANY: (5.0, 0.0, 3600.0, "seconds from 0 to 3600"),
    Kind.LYING: (1.5, 1e-6, 1e6, "a factor from 0.000001 to 1000000"),
    Kind.FLOOD: (10.0, 2.0, 100.0, "copies from 2 to 100"),
}
"""Default, least and most `value`, and how a person is told."""


class FaultRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `POST /faults` asks for."""

    source: str
    kind: str
    seconds: float
    """How long, market time."""
    value: float | None = None
    cursor: int | None = None
    """Market item at which it begins; None: now."""


class Fault(msgspec.Struct, kw_only=True):
    """One fault and what it did."""

    id: int
    source: str
    kind: Kind
    seconds: float
    value: float | None
    cursor: int | None
    status: str = "waiting"
    """waiting, active or over."""
    start_ns: int | None = None
    """Market time; None while it waits for its cursor."""
    end_ns: int | None = None
    did: dict[str, int] = msgspec.field(default_factory=dict)
    """Counts: items_lost, items_changed, items_delayed, items_added, connections_closed,
    connections_refused, pongs_withheld, requests_failed."""

    def count(self, what: str, number: int = 1) -> None:
        """Count what it did."""
        self.did[what] = self.did.get(what, 0) + number


class Board:
    """All faults; moved on by whoever moves the market's time."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.active: tuple[tuple[Fault, ...], ...] = ((),) * len(SOURCES)
        """Those that act, by source number, in the order of their kinds."""
        self.change_ns = _NEVER
        """Market time at which the next one begins or ends."""
        self.change_cursor = _NEVER
        """Market item at which the next one begins."""
        self._next_id = 1

    def add(self, request: FaultRequest, now_ns: int) -> Fault:
        """Add a fault that begins with whatever comes after `now_ns`, or at its cursor.

        Raises:
            UsageError: If a field is wrong, or too many faults are not over yet.
        """
        fault = _checked(request, self._next_id)
        while len(self.faults) >= FAULTS_MAX:
            over = next((one for one in self.faults if one.status == "over"), None)
            if over is None:
                raise UsageError("faults", str(len(self.faults)), f"less than {FAULTS_MAX}")
            self.faults.remove(over)
        if fault.cursor is None:
            fault.start_ns = now_ns + 1
            fault.end_ns = fault.start_ns + int(fault.seconds * SECOND_NS)
        self._next_id += 1
        self.faults.append(fault)
        self._plan()
        return fault

    def end_all(self, now_ns: int) -> None:
        """Let every fault end with whatever comes after `now_ns`; those that wait never begin."""
        for fault in self.faults:
            if fault.status == "waiting":
                fault.status, fault.cursor, fault.start_ns = "over", None, None
            elif fault.status == "active":
                fault.end_ns = now_ns + 1
        self._plan()

    def due(self, ts_ns: int, cursor: int) -> bool:
        """Return whether something begins or ends before an item is sent."""
        return ts_ns >= self.change_ns or cursor >= self.change_cursor

    def move(self, ts_ns: int, cursor: int) -> list[Fault]:
        """Let begin and end what does at a time and item, and return what began."""
        began = []
        for fault in self.faults:
            if fault.status == "waiting" and fault.cursor is not None and cursor >= fault.cursor:
                fault.start_ns, fault.cursor = ts_ns, None
                fault.end_ns = ts_ns + int(fault.seconds * SECOND_NS)
            if fault.status == "waiting" and fault.start_ns is not None and ts_ns >= fault.start_ns:
                fault.status = "active"
                began.append(fault)
            if fault.status == "active" and fault.end_ns is not None and ts_ns >= fault.end_ns:
                fault.status = "over"
        self._plan()
        return [fault for fault in began if fault.status == "active"]

    def rewind(self, ts_ns: int) -> None:
        """Go back to a time: what acted later acts again when the time comes."""
        for fault in self.faults:
            if fault.start_ns is not None and fault.end_ns is not None and ts_ns < fault.end_ns:
                fault.status = "waiting"
        self._plan()

    def find(self, source: int, *kinds: Kind) -> Fault | None:
        """Return the first active fault of one of some kinds, or None."""
        for fault in self.active[source]:
            if fault.kind in kinds:
                return fault
        return None

    def _plan(self) -> None:
        order = list(Kind)
        acting = sorted(
            (fault for fault in self.faults if fault.status == "active"),
            key=lambda fault: order.index(fault.kind),
        )
        self.active = tuple(tuple(f for f in acting if f.source == name) for name in SOURCES)
        times = [f.start_ns for f in self.faults if f.status == "waiting"]
        times += [f.end_ns for f in self.faults if f.status == "active"]
        cursors = [f.cursor for f in self.faults if f.status == "waiting"]
        self.change_ns = min((time for time in times if time is not None), default=_NEVER)
        self.change_cursor = min((one for one in cursors if one is not None), default=_NEVER)


def _checked(request: FaultRequest, number: int) -> Fault:
    if request.source not in SOURCES:
        raise UsageError("source", request.source, f"one of {', '.join(SOURCES)}")
    if request.kind not in list(Kind):
        raise UsageError("kind", request.kind, f"one of {', '.join(Kind)}")
    if not 0 < request.seconds <= SECONDS_MAX:
        raise UsageError("seconds", str(request.seconds), f"more than 0, at most {SECONDS_MAX:.0f}")
    if request.cursor is not None and request.cursor < 0:
        raise UsageError("cursor", str(request.cursor), "0 or more")
    kind = Kind(request.kind)
    return Fault(
        id=number,
        source=request.source,
        kind=kind,
        seconds=request.seconds,
        value=_checked_value(kind, request.value),
        cursor=request.cursor,
    )


def _checked_value(kind: Kind, value: float | None) -> float | None:
    known = _VALUES.get(kind)
    if known is None:
        if value is not None:
            raise UsageError("value", str(value), f"none: {kind} takes no value")
        return None
    default, least, most, expected = known
    if value is None:
        return default
    if not least <= value <= most:
        raise UsageError("value", str(value), expected)
    return value
