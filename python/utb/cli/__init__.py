"""The command line: one module per command, imported when it is called."""

import sys
from collections.abc import Sequence
from importlib import metadata
from typing import Final

from cyclopts import App, CycloptsError
from rich.console import Console

from utb.errors import UtbError

COMMANDS: Final = {
    "demo": (
        "utb.cli.demo:demo",
        (
            "Trade on paper in simulated time, and watch it.\n\n"
            "Time advances only with the market's frames, so the outcome depends on the seed and "
            "not on this machine. With --state, a run that was interrupted is continued.\n\n"
            "For example: utb demo --seed 7 --hours 240"
        ),
    ),
    "backtest": (
        "utb.cli.backtest:backtest",
        (
            "Trade recorded prices, or the generated market, and report what came of it.\n\n"
            "The same node, risk gate, ledger and venue model as `utb demo`: on the same prices, "
            "context and seed their journals are equal.\n\n"
            "For example: utb backtest --prices SOL-USDC=sol_5m.parquet --report report.html"
        ),
    ),
    "votes": (
        "utb.cli.votes:votes",
        (
            "Write what every strategy votes at every closed bar of recorded prices.\n\n"
            "For example: utb votes --data SOL-USDC=sol_5m.parquet --out votes.parquet"
        ),
    ),
    "config": ("utb.cli.config:app", "Check and show the configuration."),
}
"""Command -> where its function or group is, and its help; the first line is the list's."""

DONE: Final = 0
FAILED: Final = 1
WRONG_USE: Final = 2
INTERRUPTED: Final = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code.

    0 done, 1 failed, 2 wrong use or configuration, 3 refused for safety, 10-15 live trading
    refused (one per cause), 130 interrupted.
    """
    tokens = sys.argv[1:] if argv is None else list(argv)
    errors = Console(stderr=True, soft_wrap=True, highlight=False)
    try:
        result = _app(errors)(tokens, exit_on_error=False, result_action="return_value")
        sys.stdout.flush()
    except CycloptsError:
        # Printed by the application.
        return WRONG_USE
    except UtbError as error:
        errors.print(str(error), markup=False)
        return error.exit_code
    except KeyboardInterrupt:
        errors.print("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output went away; Python must not complain again at exit.
        sys.stdout = None
        return FAILED
    return result if isinstance(result, int) else DONE


def _version() -> str:
    try:
        return metadata.version("utb")
    except metadata.PackageNotFoundError:
        return "not installed as a package"


def _app(errors: Console) -> App:
    app = App(
        name="utb",
        help="Ultimate Trading Bot. Every command's --help shows an example.",
        version=_version,
        error_console=errors,
        suppress_keyboard_interrupt=False,
    )
    for name, (place, line) in COMMANDS.items():
        app.command(place, name=name, help=line)
    return app
