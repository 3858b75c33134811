"""A feed that is not used, and says why."""

import asyncio

from utb.domain.market import Instrument
from utb.domain.seam import FeedHealth, FeedStatus
from utb.ports.livefeed import History


class FeedOff:
    """Delivers nothing."""

    def __init__(self, name: str, reason: str, since_ns: int) -> None:
        """Be off since `since_ns` for `reason`, a sentence."""
        self._name = name
        self._reason = reason
        self._since_ns = since_ns

    @property
    def name(self) -> str:
        """Return the source's name."""
        return self._name

    async def run(self) -> None:
        """Wait to be cancelled."""
        await asyncio.get_running_loop().create_future()

    def health(self, now_ns: int) -> FeedHealth:  # noqa: ARG002 - the port's own argument
        """Return OFF and why."""
        return FeedHealth(
            source=self._name,
            status=FeedStatus.OFF,
            reason=self._reason,
            since_ns=self._since_ns,
            last_item_ns=None,
            connected=False,
            frames=0,
            items=0,
            rejected={},
            reconnects=0,
            requests=0,
        )

    def reconnect(self) -> None:
        """Do nothing: there is no connection."""

    async def history(self, instrument: Instrument, timeframe: str, count: int) -> History:  # noqa: ARG002 - the port's own arguments
        """Return nothing and why."""
        return History((), self._reason)
