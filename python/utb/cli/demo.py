"""`utb demo`."""

import tempfile
from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter

from utb import bootstrap
from utb.cli.common import Stateful, write_note
from utb.cli.runs import run_and_tell
from utb.errors import UsageError

_DEFAULT: Final = Stateful()


def demo(
    *,
    seed: int | None = None,
    hours: int | None = None,
    speed: float | None = None,
    prices: Annotated[tuple[str, ...], Parameter(consume_multiple=True, negative="")] = (),
    context: Path | None = None,
    record: Path | None = None,
    replay: Path | None = None,
    report: Path | None = None,
    headless: Annotated[bool, Parameter(negative="")] = False,
    common: Stateful = _DEFAULT,
) -> int:
    """Trade on paper in simulated time, on the generated market or on recorded prices.

    Time advances only with the market's frames, so the outcome depends on the seed and not on
    this machine. With --state, a run that was interrupted is continued.

    For example: utb demo --seed 7 --hours 240

    Args:
        seed: Seed of the generated market and of the venue's draws; default paper.seed.
        hours: Simulated hours; default three weeks, or the whole recording.
        speed: Simulated seconds per second; default as fast as it goes.
        prices: Recorded bars, parquet or CSV, `PATH` or `SYMBOL=PATH`; several may follow.
        context: Recorded context, JSON lines.
        record: Input log to write: every frame, context and command, for --replay.
        replay: Input log to take the market from instead of making it.
        report: HTML page to write.
        headless: No live display.
    """
    for field, value in (("--hours", hours), ("--speed", speed)):
        if value is not None and not value > 0:
            raise UsageError(field, str(value), "a number > 0")
    config, _ = bootstrap.load_config(common.config)
    with tempfile.TemporaryDirectory(prefix="utb-demo-") as fresh:
        options = bootstrap.RunOptions(
            seed=seed,
            hours=hours,
            speed=speed,
            prices=prices,
            context=context,
            record=record,
            replay=replay,
            state_dir=common.state or Path(fresh),
        )
        session = bootstrap.build_demo(config, options)
        if session.unfinished:
            write_note(f"continuing the unfinished run in {common.state}")
        return run_and_tell(session, json=common.json, headless=headless, page=report)
