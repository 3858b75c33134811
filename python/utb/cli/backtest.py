"""`utb backtest`."""

from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter

from utb import bootstrap
from utb.cli.common import Stateful, check_output
from utb.cli.runs import run_and_tell
from utb.errors import UsageError

_DEFAULT: Final = Stateful()


def backtest(
    *,
    prices: Annotated[
        tuple[str, ...], Parameter(name=["--prices", "--data"], consume_multiple=True, negative="")
    ] = (),
    seed: int | None = None,
    hours: int | None = None,
    cash_usdc: float | None = None,
    context: Path | None = None,
    report: Path | None = None,
    headless: Annotated[bool, Parameter(negative="")] = False,
    common: Stateful = _DEFAULT,
) -> int:
    """Trade recorded prices, or the generated market, and report what came of it.

    The same node, risk gate, ledger and venue model as `utb demo`: on the same prices, context
    and seed their journals are equal.

    For example: utb backtest --prices SOL-USDC=sol_5m.parquet --report report.html

    Args:
        prices: Recorded bars, parquet or CSV, `PATH` or `SYMBOL=PATH`; several may follow; none:
            the generated market.
        seed: Seed of the venue's draws (and of the generated market); default paper.seed.
        hours: Simulated hours; default the whole recording.
        cash_usdc: Opening cash; default paper.cash_usdc.
        context: Recorded context, JSON lines.
        report: HTML page to write.
        headless: No live display.
    """
    for field, value in (("--hours", hours), ("--cash-usdc", cash_usdc)):
        if value is not None and not value > 0:
            raise UsageError(field, str(value), "a number > 0")
    check_output("--report", report)
    config, _ = bootstrap.load_config(common.config, common.settings)
    options = bootstrap.RunOptions(
        seed=seed,
        hours=hours,
        prices=prices,
        context=context,
        cash_usdc=cash_usdc,
        state_dir=common.state,
    )
    session = bootstrap.build_backtest(config, options)
    return run_and_tell(session, json=common.json, headless=headless, page=report)
