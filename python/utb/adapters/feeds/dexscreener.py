"""DexScreener: prices of pairs by polling; no key, no history, no time of its own."""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Final

from utb.adapters.feeds.vitals import Vitals
from utb.adapters.feeds.wiring import FeedWiring
from utb.adapters.net.http import Body, Failure, HttpClient
from utb.domain.clock import ITEM_HEADER
from utb.domain.market import Instrument
from utb.domain.seam import FeedHealth
from utb.ports.livefeed import History

NAME: Final = "dexscreener"
SOURCE: Final = 0

TOKENS_MAX: Final = 30
"""Tokens of one call; docs.dexscreener.com/api/reference."""

KNOWN_MAX: Final = 16
"""Last different answers that are remembered, to tell what came before from news."""

NO_HISTORY: Final = "DexScreener has no history: indicators warm up from live prices"


class DexScreener:
    """Polls all instruments, `feeds.poll_seconds` from one round to the next."""

    def __init__(
        self, instruments: Sequence[Instrument], client: HttpClient, wiring: FeedWiring
    ) -> None:
        """Poll `instruments`, up to thirty in a call."""
        self._client = client
        self._wiring = wiring
        self._paths = tuple(
            "/tokens/" + ",".join(one.base_mint for one in instruments[at : at + TOKENS_MAX])
            for at in range(0, len(instruments), TOKENS_MAX)
        )
        self._vitals = Vitals(NAME, wiring)
        self._backoff = wiring.backoff(SOURCE, wiring.settings.poll_seconds)
        self._known: deque[int] = deque(maxlen=KNOWN_MAX)

    @property
    def name(self) -> str:
        """Return the source's name."""
        return NAME

    @property
    def source(self) -> int:
        """Return the source's number in the core."""
        return SOURCE

    async def run(self) -> None:
        """Poll until cancelled."""
        self._vitals.watch()
        try:
            if self._wiring.prompted:
                await asyncio.get_running_loop().create_future()
            while True:
                await self._round()
        finally:
            self._vitals.unwatch()
            await self._client.close()

    async def poll(self, item: int) -> Body | Failure | None:
        """Poll once, for the market item that an entry of the schedule names.

        Returns:
            What came, which the caller hands on; None without a poll: the source said to wait.
        """
        if not self._client.granted():
            self._vitals.reject("held_back")
            return None
        headers = {ITEM_HEADER: str(item)}
        outcome = await self._client.get_granted(self._paths[0], headers=headers)
        self._note(outcome)
        return outcome

    def take(self, payload: bytes | memoryview, ts_recv_ns: int) -> None:
        """Hand a frame to the sink, unless it came before.

        Answers carry no time. One that repeats another byte for byte, volumes of the day and all,
        tells nothing new: its prices must not pass for present ones.
        """
        known = hash(bytes(payload))
        if known in self._known:
            self._vitals.reject("unchanged")
            return
        self._known.append(known)
        self._vitals.on_item(ts_recv_ns)
        self._wiring.sink.on_frame(SOURCE, payload, ts_recv_ns)

    def refused(self, reason: str) -> None:
        """Count what never reached the sink."""
        self._vitals.reject(reason)

    def health(self, now_ns: int) -> FeedHealth:  # noqa: ARG002 - the port's own argument
        """Return how the feed is."""
        client = self._client
        return self._vitals.health(requests=client.requests, round_trips=client.round_trips)

    def reconnect(self) -> None:
        """Keep no connection; the next poll connects."""
        self._client.renew()

    async def history(self, instrument: Instrument, timeframe: str, count: int) -> History:  # noqa: ARG002 - the port's own arguments
        """Return nothing: the source has none."""
        return History((), NO_HISTORY)

    async def _round(self) -> None:
        """Poll every batch once and wait for the next round, longer after a failure."""
        wiring = self._wiring
        started_ns = wiring.elapsed_ns()
        failed = False
        for path in self._paths:
            failed |= not self._judge(await self._client.get(path))
        pace_s = wiring.settings.poll_seconds
        if failed:
            pace_s = self._backoff.next()
        else:
            self._backoff.reset()
        spent_s = (wiring.elapsed_ns() - started_ns) / 1e9
        await wiring.timer.sleep(max(0.0, pace_s - spent_s))

    def _judge(self, outcome: Body | Failure) -> bool:
        """Hand a body over, or note the failure; return whether it was a body."""
        self._note(outcome)
        if isinstance(outcome, Body):
            self._wiring.turns.offer(self, outcome.payload)
        return isinstance(outcome, Body)

    def _note(self, outcome: Body | Failure) -> None:
        vitals = self._vitals
        if isinstance(outcome, Body):
            vitals.reached()
            return
        vitals.reject(outcome.reason)
        if outcome.unreached:
            vitals.lost(outcome.sentence)
        else:
            vitals.troubled(outcome.sentence)
