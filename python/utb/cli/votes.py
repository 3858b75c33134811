"""`utb votes`."""

from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter
from msgspec.structs import replace

from utb import bootstrap
from utb.cli.common import Common, check_output, write_json, write_note
from utb.config.schema import Config
from utb.errors import UsageError
from utb.research.votes import votes as vote_tables
from utb.research.votes import write_votes

_DEFAULT: Final = Common()
_TIMEFRAMES: Final = ("1m", "5m", "15m", "1h", "4h", "1d")


def votes(
    *,
    data: Annotated[tuple[str, ...], Parameter(consume_multiple=True, negative="")],
    out: Path,
    timeframe: str | None = None,
    context: Path | None = None,
    common: Common = _DEFAULT,
) -> int:
    """Write what every strategy votes at every closed bar of recorded prices.

    One row per closed bar, instrument and strategy: ts (bar open, ns), instrument, strategy, side,
    strength, confidence, stop, target, conditions (true, false or null, in the order of
    docs/strategies.md, for the BUY side).

    For example: utb votes --data SOL-USDC=sol_5m.parquet --out votes.parquet

    Args:
        data: Recorded bars, parquet or CSV, `PATH` or `SYMBOL=PATH`; several may follow.
        out: File to write: .parquet, or .jsonl for JSON lines.
        timeframe: Strategy timeframe instead of the configured one.
        context: Recorded context, JSON lines.
    """
    check_output("--out", out)
    config, _ = bootstrap.load_config(common.config, common.settings)
    if timeframe is not None:
        if timeframe not in _TIMEFRAMES:
            raise UsageError("--timeframe", timeframe, f"one of {', '.join(_TIMEFRAMES)}")
        config = replace(config, strategies=replace(config.strategies, timeframe=timeframe))
    session = _session(config, bootstrap.RunOptions(prices=data, context=context))
    try:
        tables = vote_tables(
            session.engine,
            session.feed,
            session.instruments,
            grace_ns=config.feeds.close_grace_ms * 1_000_000,
        )
        rows = write_votes(tables, out)
    except OSError as error:
        # The prices were read before: only the table's file is touched here
        expected = f"a file that can be written ({error.strerror or error})"
        raise UsageError("--out", str(out), expected) from error
    finally:
        session.close()
    if common.json:
        write_json({"rows": rows, "out": str(out)})
    else:
        write_note(f"{rows:,} rows in {out}")
    return 0


def _session(config: Config, options: bootstrap.RunOptions) -> bootstrap.Session:
    """Put the session together; what is wrong with its prices is named as this command does.

    Raises:
        UsageError: If a file is wrong.
    """
    try:
        return bootstrap.build_backtest(config, options)
    except UsageError as error:
        if error.field != "--prices":
            raise
        raise UsageError("--data", error.value, error.expected) from error
