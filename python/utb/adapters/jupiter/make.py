"""The aggregator's client of a configuration."""

from collections.abc import Callable, Mapping
from typing import Final

from utb.adapters.jupiter.client import JupiterClient
from utb.adapters.jupiter.flavour import flavour_of
from utb.adapters.net.budget import RateBudget
from utb.adapters.net.http import Body, Failure, HttpClient, HttpWiring
from utb.adapters.net.redact import Redactor
from utb.config.schema import ApiSource
from utb.config.table import Secret
from utb.ports.clock import Clock
from utb.ports.livefeed import Timer

KEY_HEADER: Final = "x-api-key"


class BudgetedHttp:
    """Requests of both kinds within one budget."""

    def __init__(self, http: HttpClient, budget: RateBudget) -> None:
        self._http = http
        self._budget = budget

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Body | Failure:
        """Ask with GET, when the budget allows it."""
        return await self._http.get(path, query)

    async def post(self, path: str, body: bytes) -> Body | Failure:
        """Ask with POST, when the budget allows it."""
        await self._budget.acquire()
        return await self._http.post_granted(path, body)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()


def jupiter_http(
    source: ApiSource,
    key: Secret | None,
    *,
    clock: Clock,
    timer: Timer,
    elapsed_ns: Callable[[], int],
    redactor: Redactor,
) -> BudgetedHttp:
    """Return the requests of `[api.jupiter]`.

    Args:
        source: The table.
        key: `JUPITER_API_KEY`; sent only where it stays secret.
        clock: For the times of answers.
        timer: Passes the waits.
        elapsed_ns: A clock that nobody sets.
        redactor: Knows the key already.
    """
    _, place = flavour_of(source.base_url)
    headers = {}
    if key is not None and place.keeps_secrets:
        headers[KEY_HEADER] = key.reveal()
    budget = RateBudget(source.rate_limit, timer, elapsed_ns)
    wiring = HttpWiring(
        clock=clock,
        timer=timer,
        stopwatch_ns=elapsed_ns,
        budget=budget,
        redactor=redactor,
        timeout_s=source.timeout,
        headers=headers,
    )
    return BudgetedHttp(HttpClient(place, wiring), budget)


def jupiter_client(
    source: ApiSource, http: BudgetedHttp, elapsed_ns: Callable[[], int]
) -> JupiterClient:
    """Return the client at `[api.jupiter]`'s address, in the form its path means."""
    flavour, _ = flavour_of(source.base_url)
    return JupiterClient(http, flavour, elapsed_ns)
