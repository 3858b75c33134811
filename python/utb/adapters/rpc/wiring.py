"""What all endpoints share."""

from collections.abc import Callable

import msgspec

from utb.adapters.net.redact import Redactor
from utb.config.schema import Rpc
from utb.ports.clock import Clock
from utb.ports.livefeed import Timer


class RpcWiring(msgspec.Struct, frozen=True, kw_only=True):
    """Time, draws and settings."""

    clock: Clock
    timer: Timer
    elapsed_ns: Callable[[], int]
    """A clock that nobody sets: monotonic, or of a simulation."""
    stopwatch_ns: Callable[[], int]
    """The machine's monotonic clock, for latencies."""
    draws: Callable[[int], Callable[[], float]]
    """Gives a seeded generator of numbers in [0, 1) for each number."""
    redactor: Redactor
    settings: Rpc
    heartbeat_s: float = 15.0
    """Silence of a WebSocket before a ping, and time it has to be answered in."""
    reconnect_s_max: float = 30.0
