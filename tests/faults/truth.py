"""What the generated market's prices are, from its items alone."""

from functools import cache
from pathlib import Path

import numpy as np

from utb import bootstrap
from utb.bootstrap import RunOptions, sources
from utb.domain.names import STRATEGIES, Regime
from utb.engine import BAR_DTYPE, Engine, build_params, instruments_document
from utb.ports.feed import ContextUpdate, Frame
from utb.simnet.profiles import bindings
from utb.storage.readers import read_bars

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DRAIN_EVERY = 50_000
BARS_MAX = 100_000


class Truth:
    """The true path, and where in it each market item stands."""

    def __init__(self, hours: int) -> None:
        config = bootstrap.load_config(None)[0]
        source = sources.generated(config, RunOptions(hours=hours))
        self.instruments = source.instruments
        self.start_ns = source.span_ns[0]
        params = build_params(config, 1, [[0.125] * len(STRATEGIES)] * len(Regime))
        core = Engine(params, instruments_document(config, list(source.instruments)), "1m")
        for one in bindings():
            core.bind(2, one.key, one.instrument, one.role)
        core.log(ticks=True)
        times, ticks = [], []
        for item in source.drawn.items(0):
            if isinstance(item, Frame):
                times.append(item.ts_recv_ns)
                core.ingest(item.source, item.payload, item.ts_recv_ns)
            else:
                assert isinstance(item, ContextUpdate)
                times.append(item.ts_ns)
            if len(times) % DRAIN_EVERY == 0:
                ticks.append(core.drain_ticks())
        rows = np.concatenate([*ticks, core.drain_ticks()])
        self._times = np.array(times)
        self._prices = [rows[rows["instrument"] == one.index] for one in self.instruments]

    def cursor(self, minutes: float) -> int:
        """Return the first item at or after a time since the market's start."""
        return int(np.searchsorted(self._times, self.start_ns + int(minutes * MINUTE)))

    def price(self, instrument: int, ts_ns: int) -> float:
        """Return the last price at a time."""
        rows = self._prices[instrument]
        return float(rows["price"][np.searchsorted(rows["ts_recv_ns"], ts_ns, "right") - 1])

    def minute(self, ts_ns: int) -> float:
        return (ts_ns - self.start_ns) / MINUTE

    def strays(self, journal: Path, lag_ns: int) -> list[str]:
        """Return what of a journal's bars no price of that time, or shortly before, ever was."""
        wrong = []
        for one, rows in zip(self.instruments, self._prices, strict=True):
            stored = read_bars(journal, one.index, 1, before_ns=2**62, limit=BARS_MAX)
            bars = np.frombuffer(stored, dtype=BAR_DTYPE)
            assert len(bars)
            for bar in bars:
                window = [bar["ts_ns"] - lag_ns, bar["ts_ns"] + 5 * MINUTE + lag_ns]
                first, last = np.searchsorted(rows["ts_recv_ns"], window)
                known = rows["price"][first:last]
                for name in ("open", "high", "low", "close"):
                    if bar[name] not in known:
                        at = self.minute(bar["ts_ns"])
                        wrong.append(f"{one.symbol}: {name} {bar[name]} at minute {at:g}")
        return wrong


@cache
def truth(hours: int) -> Truth:
    return Truth(hours)
