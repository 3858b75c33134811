"""Faults of the chain's endpoints on demand: which ones act, on what, and what they did."""

from enum import StrEnum
from typing import Final

import msgspec
import numpy as np

from utb.errors import UsageError

FAULTS_MAX: Final = 256
"""Most faults that are kept; the oldest that are over make room."""
SLOTS_MAX: Final = 10_000_000
_NEVER: Final = 2**63 - 1

RPC_ENDPOINTS: Final = ("a", "b", "c")
"""Names of the JSON-RPC endpoints: nodes over one chain."""
JITO: Final = "jito"
HELIUS: Final = "helius"
JUPITER: Final = "jupiter"
CHAIN: Final = "chain"
"""Stands for the chain itself, behind all endpoints."""
ENDPOINTS: Final = (*RPC_ENDPOINTS, JITO, HELIUS, JUPITER, CHAIN)


class Kind(StrEnum):
    """What goes wrong with an endpoint."""

    DROP = "drop"
    """A sent transaction is answered with its signature and goes nowhere."""
    DELAY = "delay"
    """A sent transaction reaches the chain `value` slots later."""
    DUPLICATE = "duplicate"
    """A sent transaction reaches the chain `value` times."""
    REORDER = "reorder"
    """Sent transactions are held for `value` slots and then forwarded last first."""
    ERROR_AFTER = "error_after"
    """A sent transaction is forwarded, and its sender is told of an HTTP error `value`."""
    LIE_NULL = "lie_null"
    """Nothing is known of any signature."""
    LIE_OLD = "lie_old"
    """Of signatures that is known which was true `value` slots ago."""
    LIE_HEIGHT = "lie_height"
    """Told block heights are `value` more than the true ones."""
    LAG = "lag"
    """The node is `value` slots behind in everything it tells, and says it is healthy."""
    UNHEALTHY = "unhealthy"
    """Every call is answered that the node is `value` slots behind."""
    SLOW = "slow"
    """Answers come `value` seconds late."""
    HANG = "hang"
    """Answers do not come."""
    TOO_MANY = "429"
    """HTTP 429 with `Retry-After: value`."""
    BROKEN = "5xx"
    """HTTP status `value`."""
    GARBAGE = "garbage"
    """Truncated, broken and foreign bodies in turn."""
    BLACKOUT = "blackout"
    """Connections are closed, and refused while it lasts."""
    DEAF = "deaf"
    """Subscriptions tell nothing; pings and calls are answered."""
    PLATFORM_FEE = "platform_fee"
    """Jupiter: swaps carry a platform fee of `value` bps."""
    FOREIGN_DESTINATION = "foreign_destination"
    """Jupiter: swaps pay out to somebody else's token account."""
    WORSE_TAIL = "worse_tail"
    """Jupiter: the least output in swaps is `value` bps below what the quote told."""
    NO_ROUTES = "no_routes"
    """Jupiter: no route is found."""
    FORK = "fork"
    """The chain: its last `value` slots are replaced; their transactions land again."""
    FORK_DROP = "fork_drop"
    """The chain: its last `value` slots are replaced; their transactions vanish."""


class _Value(msgspec.Struct, frozen=True):
    """Default, least and most `value` of a kind, and how a person is told."""

    default: float
    least: float
    most: float
    expected: str


_SLOT_COUNT: Final = "slots from 1 to 100000"
_BEHIND: Final = "slots from 1 to 600"
"""As far back as endpoints remember, less some."""
_VALUES: Final = {
    Kind.DELAY: _Value(5, 1, 100_000, _SLOT_COUNT),
    Kind.DUPLICATE: _Value(2, 2, 100, "copies from 2 to 100"),
    Kind.REORDER: _Value(2, 1, 100_000, _SLOT_COUNT),
    Kind.ERROR_AFTER: _Value(502, 500, 599, "an HTTP status from 500 to 599"),
    Kind.LIE_OLD: _Value(10, 1, 600, _BEHIND),
    Kind.LIE_HEIGHT: _Value(500, -1e9, 1e9, "blocks from -1000000000 to 1000000000"),
    Kind.LAG: _Value(500, 1, 600, _BEHIND),
    Kind.UNHEALTHY: _Value(42, 1, 100_000, _SLOT_COUNT),
    Kind.SLOW: _Value(2, 0.001, 600, "seconds from 0.001 to 600"),
    Kind.TOO_MANY: _Value(5, 0, 3600, "seconds from 0 to 3600"),
    Kind.BROKEN: _Value(503, 500, 599, "an HTTP status from 500 to 599"),
    Kind.PLATFORM_FEE: _Value(85, 1, 10_000, "bps from 1 to 10000"),
    Kind.WORSE_TAIL: _Value(5_000, 1, 10_000, "bps from 1 to 10000"),
    Kind.FORK: _Value(2, 1, 64, "slots from 1 to 64"),
    Kind.FORK_DROP: _Value(2, 1, 64, "slots from 1 to 64"),
}
_ONLY: Final = {
    Kind.PLATFORM_FEE: JUPITER,
    Kind.FOREIGN_DESTINATION: JUPITER,
    Kind.WORSE_TAIL: JUPITER,
    Kind.NO_ROUTES: JUPITER,
    Kind.FORK: CHAIN,
    Kind.FORK_DROP: CHAIN,
}
"""Where a kind has one place only."""


class FaultRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `POST /simnet/chain/faults` asks for."""

    endpoint: str
    """A name of `ENDPOINTS`, or `*` for all JSON-RPC endpoints."""
    kind: str
    slots: int | None = None
    """How long; None: until it is taken away."""
    value: float | None = None
    chance: float = 1.0
    """Part of what it could act on that it acts on, drawn by its seed."""
    times: int | None = None
    """Most things it acts on; None: any number."""
    method: str | None = None
    """Acts on this method only; None: on any."""
    seed: int = 0


class Fault(msgspec.Struct, kw_only=True):
    """One fault and what it did."""

    id: int
    endpoint: str
    kind: Kind
    value: float
    chance: float
    times: int | None
    method: str | None
    seed: int
    start_slot: int
    end_slot: int | None
    over: bool = False
    did: int = 0
    """Things it acted on: sends, answers, notifications or connections."""

    @property
    def whole(self) -> int:
        """Return the value as a whole number."""
        return round(self.value)


class Board:
    """All faults; slots end them, clients take them away."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self._draws: dict[int, np.random.Generator] = {}
        self._next_id = 1

    def add(self, request: FaultRequest, slot: int) -> list[Fault]:
        """Let a fault begin now, one for each endpoint that is meant.

        Raises:
            UsageError: If a field is wrong, or too many faults are not over yet.
        """
        names = RPC_ENDPOINTS if request.endpoint == "*" else (request.endpoint,)
        made = [_checked(request, name, slot) for name in names]
        for fault in made:
            self._make_room()
            fault.id = self._next_id
            self._next_id += 1
            self.faults.append(fault)
            self._draws[fault.id] = np.random.default_rng([fault.seed, *fault.endpoint.encode()])
        return made

    def end_all(self) -> None:
        """Take every fault away."""
        for fault in self.faults:
            fault.over = True

    def move(self, slot: int) -> None:
        """Let end what ends at a slot."""
        for fault in self.faults:
            if fault.end_slot is not None and slot >= fault.end_slot:
                fault.over = True

    def acting(self, endpoint: str, kind: Kind) -> Fault | None:
        """Return the first fault of a kind that acts on an endpoint, whatever its chance."""
        for fault in self.faults:
            if not fault.over and fault.kind is kind and fault.endpoint == endpoint:
                return fault
        return None

    def strike(self, endpoint: str, kind: Kind, methods: tuple[str, ...] = ()) -> Fault | None:
        """Let a fault of a kind act on one thing; None where none does.

        Args:
            endpoint: Whose thing it is.
            kind: What could happen to it.
            methods: Methods that are called, if any.
        """
        for fault in self.faults:
            if fault.over or fault.kind is not kind or fault.endpoint != endpoint:
                continue
            if fault.method is not None and fault.method not in methods:
                continue
            if fault.chance < 1 and self._draws[fault.id].random() >= fault.chance:
                continue
            fault.did += 1
            if fault.times is not None and fault.did >= fault.times:
                fault.over = True
            return fault
        return None

    def _make_room(self) -> None:
        while len(self.faults) >= FAULTS_MAX:
            over = next((one for one in self.faults if one.over), None)
            if over is None:
                raise UsageError("faults", str(len(self.faults)), f"less than {FAULTS_MAX}")
            self.faults.remove(over)
            self._draws.pop(over.id, None)


def _checked(request: FaultRequest, endpoint: str, slot: int) -> Fault:
    if endpoint not in ENDPOINTS:
        raise UsageError("endpoint", endpoint, f"one of {', '.join(ENDPOINTS)}, *")
    if request.kind not in list(Kind):
        raise UsageError("kind", request.kind, f"one of {', '.join(Kind)}")
    kind = Kind(request.kind)
    if (only := _ONLY.get(kind)) and endpoint != only:
        raise UsageError("endpoint", endpoint, f"{only} for {kind}")
    if endpoint == CHAIN and kind not in _ONLY:
        raise UsageError("endpoint", endpoint, f"another one for {kind}")
    if request.slots is not None and not 0 < request.slots <= SLOTS_MAX:
        raise UsageError("slots", str(request.slots), f"1 to {SLOTS_MAX}")
    if not 0 < request.chance <= 1:
        raise UsageError("chance", str(request.chance), "more than 0, at most 1")
    if request.times is not None and request.times < 1:
        raise UsageError("times", str(request.times), "1 or more")
    if not 0 <= request.seed < _NEVER:
        raise UsageError("seed", str(request.seed), "0 or more, below 2^63")
    return Fault(
        id=0,
        endpoint=endpoint,
        kind=kind,
        value=_checked_value(kind, request.value),
        chance=request.chance,
        times=request.times,
        method=request.method,
        seed=request.seed,
        start_slot=slot,
        end_slot=None if request.slots is None else slot + request.slots,
    )


def _checked_value(kind: Kind, value: float | None) -> float:
    known = _VALUES.get(kind)
    if known is None:
        if value is not None:
            raise UsageError("value", str(value), f"none: {kind} takes no value")
        return 0.0
    if value is None:
        return known.default
    if not known.least <= value <= known.most:
        raise UsageError("value", str(value), known.expected)
    return value
