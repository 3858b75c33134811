"""How other processes reach the trading process."""

from collections.abc import AsyncIterator
from types import TracebackType
from typing import Protocol, Self

from utb.domain.commands import Answer, Command
from utb.domain.seam import FromTrader, Hello


class Seam(Protocol):
    """One connection; leaving its context closes it."""

    hello: Hello

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def __aiter__(self) -> AsyncIterator[FromTrader]:
        """Yield what is published; `TransientError` when the connection is lost."""
        ...

    async def give(self, command: Command) -> Answer:
        """Give a command and return its answer; `TransientError` when there is none."""
        ...


class OpenSeam(Protocol):
    """Opens a connection."""

    async def __call__(self, *, reader: str, lane: bool = True, records: bool = True) -> Seam:
        """Attach to the trading process.

        Raises:
            TransientError: If nobody listens, or it does not greet in time.
        """
        ...
