"""A trading process on the generated market without sockets to it: for work on its readers.

Usage: python tests/tools/devtrade.py --state DIR [--hours 120] [--speed 3600] [--keep]
"""

import argparse
import asyncio
import sys
from pathlib import Path

import uvloop

from utb import bootstrap
from utb.adapters.clocks import SystemClock
from utb.bootstrap import RunOptions, sources
from utb.bootstrap.assembly import assemble_pushed
from utb.bootstrap.loglines import log_lines
from utb.bootstrap.shell import Shell
from utb.bootstrap.trading import Market, trade
from utb.domain.names import TradingMode
from utb.domain.seam import FeedHealth, FeedStatus
from utb.ports.feed import ContextUpdate, Feed, Frame

BATCH = 32
"""Items between two looks at the clock: as much as a socket brings at once."""


class InProcessFeed:
    """The generated market, pushed item by item, no faster than `speed` times the wall's time."""

    def __init__(self, feed: Feed, speed: float) -> None:
        self._feed = feed
        self._speed = speed
        self.now_ns = 0
        self._frames = 0

    async def drive(self, shell: Shell) -> None:
        shell.know_feeds((self,))
        clock = SystemClock()
        origin_ns = wall_ns = 0
        for number, item in enumerate(self._feed.items(shell.runner.session.cursor)):
            if isinstance(item, Frame):
                self.now_ns = item.ts_recv_ns
                shell.on_frame(item.source, item.payload, item.ts_recv_ns)
            elif isinstance(item, ContextUpdate):
                self.now_ns = item.ts_ns
                shell.on_context(item.instrument, item.payload, item.ts_ns)
            self._frames += 1
            if number % BATCH == 0:
                if not origin_ns:
                    origin_ns, wall_ns = self.now_ns, clock.elapsed_ns()
                due_s = (self.now_ns - origin_ns) / self._speed / 1e9
                shell.check_health(self.now_ns)
                await asyncio.sleep(max(0.0, due_s - (clock.elapsed_ns() - wall_ns) / 1e9))
        shell.on_end()

    def health(self, now_ns: int) -> FeedHealth:
        return FeedHealth(
            source="birdeye",
            status=FeedStatus.FRESH if self._frames else FeedStatus.STARTING,
            reason="",
            since_ns=now_ns,
            last_item_ns=self.now_ns or None,
            connected=True,
            frames=self._frames,
            items=self._frames,
            rejected={},
            reconnects=0,
            requests=0,
        )


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--hours", type=int, default=120)
    parser.add_argument("--speed", type=float, default=1e9)
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    config, _ = bootstrap.load_config(None)
    log_lines(config, "trade")
    source = sources.generated(config, RunOptions(hours=options.hours))
    pushed = assemble_pushed(config, options.state, source, TradingMode.PAPER)
    assert source.feed is not None
    feed = InProcessFeed(source.feed, options.speed)
    market = Market(
        drive=feed.drive,
        now_ns=lambda: feed.now_ns,
        stale_after_ns=round(config.feeds.stale_after_seconds * 1e9),
        span_ns=source.span_ns,
    )
    result = uvloop.run(trade(config, pushed, market, keep=options.keep))
    print(result.journal_hash, result.events, f"{result.wall_s:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
