"""`utb demo`."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import Parameter

from utb import bootstrap
from utb.cli.common import Stateful, check_output, write_note
from utb.errors import UsageError

if TYPE_CHECKING:
    from utb.bootstrap.chainstand import ChainOptions

HOURS: Final = 180
"""Simulated hours of a demo on the generated market: entries led by each of the eight strategies
with the default seed, in less than three minutes on two cores."""

SLOT_MS: Final = 20
"""Milliseconds of a slot: twenty times as fast as the real ones, so that a demo ends."""
RENT: Final = 6_960
"""Lamports per byte, as it is today."""

_DEFAULT: Final = Stateful()


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class OnChain:
    """Options of a demo that trades on the stand-in's chain."""

    live: Annotated[
        bool,
        Parameter(
            help="Trade with a funded throwaway wallet on the stand-in's chain, as in live "
            "trading: a signer in a process of its own, transactions, fees, rent, finality.",
            negative="",
            show_default=False,
        ),
    ] = False
    slot_ms: Annotated[int, Parameter(help="Milliseconds of the chain's slots, with --live.")] = (
        SLOT_MS
    )
    rent: Annotated[int, Parameter(help="The chain's rent, lamports per byte, with --live.")] = RENT

    def options(self) -> "ChainOptions | None":
        """Return what chain the demo trades on; None: on paper.

        Raises:
            UsageError: If the slots take no time.
        """
        if self.slot_ms < 1:
            raise UsageError("--slot-ms", str(self.slot_ms), "1 or more")
        if not self.live:
            return None
        from utb.bootstrap.chainstand import ChainOptions  # noqa: PLC0415 - only where wanted

        return ChainOptions(slot_ms=self.slot_ms, rent_lamports_per_byte=self.rent)


_ON_PAPER: Final = OnChain()


def demo(
    *,
    seed: int | None = None,
    hours: int | None = None,
    speed: float | None = None,
    prices: Annotated[
        tuple[str, ...], Parameter(consume_multiple=True, negative="", show_default=False)
    ] = (),
    context: Path | None = None,
    record: Path | None = None,
    replay: Path | None = None,
    report: Path | None = None,
    port: int | None = None,
    keep: Annotated[bool, Parameter(negative="", show_default=False)] = False,
    headless: Annotated[bool, Parameter(negative="", show_default=False)] = False,
    chain: OnChain = _ON_PAPER,
    common: Stateful = _DEFAULT,
) -> int:
    """Trade on paper in simulated time, with dashboard and API, on a stand-in for the world.

    The whole system over real sockets: prices of a generated market, or recorded ones, come from
    local servers that speak as the real sources do. Time advances only with the market's frames,
    so the outcome depends on the seed and not on this machine. With --state, a run that was
    interrupted is continued. Nothing outside this machine is asked or told anything.

    For example: utb demo --seed 7 --hours 240

    Args:
        seed: Seed of the generated market and of the venue's draws; default paper.seed.
        hours: Simulated hours; default 180, or the whole recording.
        speed: Simulated seconds per second; default as fast as it goes.
        prices: Recorded bars, parquet or CSV, `PATH` or `SYMBOL=PATH`; several may follow.
        context: Recorded context, JSON lines.
        record: Input log to write: every frame, context and command, for --replay. The run is in
            one process then, without dashboard and API; its journal is the same.
        replay: Input log to take the market from instead of making it; in one process, too.
        report: HTML page to write.
        port: Of the dashboard and the API; default 8080, or a free one.
        keep: Go on serving after the end, until Ctrl-C.
        headless: No live display.
    """
    _check(hours, speed, port, {"--record": record, "--report": report})
    options = bootstrap.RunOptions(
        seed=seed,
        hours=hours,
        speed=speed,
        prices=prices,
        context=context,
        record=record,
        replay=replay,
    )
    with _state_dir(common.state) as state_dir:
        if (log := _input_log(options)) is not None:
            _check_logged(log, keep=keep, port=port is not None)
            from utb.cli.runs import logged  # noqa: PLC0415 - the whole engine

            return logged(options, state_dir, common, headless=headless, page=report)
        from utb.cli.demonstration import Demonstration  # noqa: PLC0415 - only what is needed

        return Demonstration(
            options,
            state_dir,
            common,
            port=port,
            keep=keep,
            headless=headless,
            report=report,
            hours=HOURS,
            live=chain.options(),
        ).run()


def _input_log(options: bootstrap.RunOptions) -> str | None:
    """Return which option names an input log; None: none does."""
    if options.replay is not None:
        return "--replay"
    return "--record" if options.record is not None else None


def _check(
    hours: int | None, speed: float | None, port: int | None, outputs: dict[str, Path | None]
) -> None:
    for field, value in (("--hours", hours), ("--speed", speed)):
        if value is not None and not value > 0:
            raise UsageError(field, str(value), "a number > 0")
    if port is not None and not 0 < port < 2**16:
        raise UsageError("--port", str(port), "1..65535")
    for field, path in outputs.items():
        check_output(field, path)


def _check_logged(log: str, *, keep: bool, port: bool) -> None:
    """Refuse what needs servers for a run that reads or writes an input log."""
    for name, given in (("--keep", keep), ("--port", port)):
        if given:
            raise UsageError(name, "given", f"no {log}: an input log has no servers")


@contextmanager
def _state_dir(given: Path | None) -> Iterator[Path]:
    """Return the state directory; one that nobody asked for is gone afterwards."""
    if given is not None:
        if (given / "journal.sqlite").exists():
            write_note(f"continuing the run in {given}")
        yield given.absolute()
        return
    with tempfile.TemporaryDirectory(prefix="utb-demo-") as fresh:
        yield Path(fresh)
