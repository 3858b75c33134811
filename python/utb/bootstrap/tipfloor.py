"""Who tells what tips landed of late."""

from typing import Final

from utb.adapters.net.budget import RateBudget
from utb.adapters.net.endpoint import Endpoint
from utb.adapters.net.http import HttpClient, HttpWiring
from utb.adapters.rpc.wiring import RpcWiring
from utb.config.schema import Config

PER_MINUTE: Final = 30
"""Questions at most."""


def tip_floor(config: Config, wiring: RpcWiring) -> HttpClient | None:
    """Return who tells what tips landed; None: nobody is asked."""
    jito = config.senders.jito
    if not jito.enabled or not jito.tip_floor_url:
        return None
    return HttpClient(
        Endpoint.of(jito.tip_floor_url, "senders.jito.tip_floor_url"),
        HttpWiring(
            clock=wiring.clock,
            timer=wiring.timer,
            stopwatch_ns=wiring.stopwatch_ns,
            budget=RateBudget(PER_MINUTE, wiring.timer, wiring.elapsed_ns),
            redactor=wiring.redactor,
            timeout_s=config.senders.timeout_seconds,
        ),
    )
