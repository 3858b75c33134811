"""What a run is asked to do."""

from pathlib import Path

import msgspec


class RunOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What a demo or backtest is asked to do."""

    seed: int | None = None
    """None: `paper.seed`."""
    hours: int | None = None
    """Simulated length; None: the generated market's own, or the whole recording."""
    prices: tuple[str, ...] = ()
    """Recorded bars, `PATH` or `SYMBOL=PATH`; empty: the generated market."""
    context: Path | None = None
    state_dir: Path | None = None
    """None: the journal is in memory, and nothing outlives the process."""
    record: Path | None = None
    """Input log to write."""
    replay: Path | None = None
    """Input log to take the market from."""
    cash_usdc: float | None = None
    """None: `paper.cash_usdc`."""
    speed: float | None = None
    """Simulated seconds per second of wall time; None: as fast as it goes."""
