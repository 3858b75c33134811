"""What becomes of an item on its way out: subscribers, faults, and the frames that are sent."""

from typing import Final, NamedTuple

from utb.domain.clock import DEXSCREENER
from utb.simnet.grid import SECOND_NS
from utb.simnet.server.faults import Board, Fault, Kind
from utb.simnet.server.mangle import garbage, lie, repeat_pairs
from utb.simnet.server.sockets import Hub, SourceConnection
from utb.simnet.server.wire import Key, frame_key
from utb.simnet.server.world import SOURCES, Body

COPIES_MAX: Final = 100
"""Most frames that one item becomes."""

_NOTHING_COMES: Final = (Kind.SILENCE, Kind.HALF_OPEN)
_CHANGES: Final = frozenset({Kind.GARBAGE, Kind.STALE, Kind.LYING})


class Outgoing(NamedTuple):
    """What an item became."""

    source: int
    key: Key
    body: Body
    copies: int
    delay_ns: int


class Sender:
    """Knows what was sent last, who gets what, and which faults act."""

    def __init__(self, hub: Hub, board: Board) -> None:
        self._hub = hub
        self._board = board
        self._last: dict[Key, bytes] = {}
        self._turns = [0] * len(SOURCES)
        self.lost = [False] * len(SOURCES)
        """Whether the last item of each source was lost."""
        self.truth: dict[Key, bytes] = {}
        """Last frame of each key as the market made it, whatever became of it."""

    def forget(self) -> None:
        """Begin as if nothing had been sent yet: the market goes back."""
        self._last.clear()
        self._turns = [0] * len(SOURCES)
        self.lost = [False] * len(SOURCES)

    def outgoing(self, source: int, payload: bytes) -> Outgoing | None:
        """Return what becomes of a frame; None: it is lost."""
        key = frame_key(source, payload)
        self.truth[key] = payload
        faults = self._board.active[source]
        if not faults:
            self._last[key] = payload
            if source == DEXSCREENER or self._hub.targets(source, key):
                self.lost[source] = False
                return Outgoing(source, key, Body(payload), 1, 0)
            self.lost[source] = True
            return None
        found = self._faulty(source, key, payload, faults)
        self.lost[source] = found is None
        return found

    def targets(self, out: Outgoing) -> list[SourceConnection]:
        """Return who gets an item."""
        return self._hub.targets(out.source, out.key)

    def last_bodies(self) -> list[bytes]:
        """Return the last DexScreener body of each kind."""
        return [
            body
            for key, body in self._last.items()
            if isinstance(key, bytes) and key.startswith(b"pair ")
        ]

    def _faulty(
        self, source: int, key: Key, payload: bytes, faults: tuple[Fault, ...]
    ) -> Outgoing | None:
        polled = source == DEXSCREENER
        silent = self._board.find(source, *_NOTHING_COMES)
        if silent is None and not polled:
            silent = self._board.find(source, Kind.CUT)
        if silent is not None:
            silent.count("items_lost")
            return None
        if not polled and not self._hub.targets(source, key):
            return None
        body, copies, delay_ns = Body(payload), 1, 0
        for fault in faults:
            if fault.kind in _CHANGES:
                body = self._changed(source, key, body, fault)
            elif fault.kind is Kind.SLOW:
                delay_ns += int((fault.value or 0) * SECOND_NS)
                fault.count("items_delayed")
            elif fault.kind is Kind.FLOOD:
                times = int(fault.value or 1)
                fault.count("items_added", times - 1)
                if polled and not body.binary:
                    body = Body(repeat_pairs(body.payload, times))
                elif not polled:
                    copies = min(copies * times, COPIES_MAX)
        return Outgoing(source, key, body, copies, delay_ns)

    def _changed(self, source: int, key: Key, body: Body, fault: Fault) -> Body:
        if body.binary:
            return body
        if fault.kind is Kind.STALE:
            payload = self._last.setdefault(key, body.payload)
            fault.count("items_changed", int(payload != body.payload))
            return Body(payload)
        fault.count("items_changed")
        if fault.kind is Kind.LYING:
            return Body(lie(source, body.payload, fault.value or 1.0))
        self._turns[source] += 1
        return Body(*garbage(body.payload, self._turns[source] - 1))
