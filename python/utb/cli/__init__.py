"""The command line: one module per command, imported when it is called."""

import sys
import traceback
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Final

from cyclopts import App, CycloptsError
from rich.console import Console

from utb.errors import UtbError

COMMANDS: Final = {
    "demo": (
        "utb.cli.demo:demo",
        (
            "Trade on paper in simulated time, with dashboard and API, and watch it.\n\n"
            "The whole system over real sockets: prices of a generated market, or recorded ones, "
            "come from local servers that speak as the real sources do. Time advances only with "
            "the market's frames, so the outcome depends on the seed and not on this machine. "
            "With --state, a run that was interrupted is continued. Nothing outside this machine "
            "is asked or told anything.\n\n"
            "For example: utb demo --seed 7 --hours 240"
        ),
    ),
    "run": (
        "utb.cli.run:run",
        (
            "Trade on paper with live prices, with dashboard and API.\n\n"
            "Trade, serve and analytics under one supervisor: what falls is restarted; Ctrl-C or "
            "SIGTERM stops everything in order. Each process has its log in STATE/log. With "
            "--json, every event is one JSON object on a line of stdout.\n\n"
            "For example: utb run --state ./state --port 8080"
        ),
    ),
    "trade": (
        "utb.cli.trade:trade",
        (
            "Run the trading process alone: feeds, strategies, risk, ledger and journal.\n\n"
            "`utb run` starts it together with the API and the analytics, and restarts it.\n\n"
            "For example: utb trade --state ./state"
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
    "analytics": (
        "utb.cli.analytics:analytics",
        (
            "Keep everything that happens in ClickHouse, and answer queries.\n\n"
            "Follows the trading process of the same state directory. The store is embedded and "
            "answers ClickHouse's HTTP dialect, read only; with CLICKHOUSE_URL set it is that "
            "server or cluster.\n\n"
            "For example: utb analytics --state ./state --port 8123"
        ),
    ),
    "query": (
        "utb.cli.query:query",
        (
            "Ask the ClickHouse store.\n\n"
            'For example: utb query "SELECT symbol, sum(sign) FROM trades GROUP BY symbol"'
        ),
    ),
    "orders": (
        "utb.cli.orders:orders",
        (
            "List the orders on record, or show one with every step of its life.\n\n"
            "Reads the journal of a state directory, also beside its running bot.\n\n"
            "For example: utb orders --state state --open"
        ),
    ),
    "reconcile": (
        "utb.cli.reconcile:reconcile_command",
        (
            "Compare what the chain says the wallet holds with what the journal says it should.\n\n"
            "At one finalized slot, asset by asset, also beside the running bot. Exit code 1 if "
            "something differs.\n\n"
            "For example: utb reconcile --state state"
        ),
    ),
    "explain": (
        "utb.cli.explain:explain_command",
        (
            "Explain a trade: votes, weights, risk, route, fees and timeline.\n\n"
            "Every number is recomputed from what is on record and compared with it.\n\n"
            "For example: utb explain 12 --state state"
        ),
    ),
    "simnet": (
        "utb.cli.simnet:simnet",
        (
            "Stand in for the sources of market data, and for Solana (--chain), offline.\n\n"
            "A bot that joins /clock drives it in lock step; with --wall it runs with the wall "
            "clock. Faults on demand at /faults.\n\n"
            "For example: utb simnet --seed 7 --hours 240 --http-port 8181 --ws-port 8182"
        ),
    ),
    "votes": (
        "utb.cli.votes:votes",
        (
            "Write what every strategy votes at every closed bar of recorded prices.\n\n"
            "For example: utb votes --data SOL-USDC=sol_5m.parquet --out votes.parquet"
        ),
    ),
    "serve": (
        "utb.cli.serve:serve_command",
        (
            "Serve the API and the dashboard.\n\n"
            "Reads what the trading process of the same state directory tells, and gives it "
            "commands; it may be stopped and started at any time. Listens on this machine only, "
            "unless a key is configured (`utb keys new`).\n\n"
            "For example: utb serve --state state --port 8080"
        ),
    ),
    "sign": (
        "utb.cli.sign:app",
        (
            "Hold the wallet's key and sign what the policy lets pass.\n\n"
            "A process of its own, on a Unix socket: it judges every message by itself, so that "
            "whoever commands the trading process cannot empty the wallet.\n\n"
            "For example: utb sign --state ./state"
        ),
    ),
    "wallet": ("utb.cli.wallet:app", "Make, import and show the wallet's key file."),
    "keys": ("utb.cli.keys:app", "Make keys for the API."),
    **{
        name: (f"utb.cli.control:{name.replace('-', '_')}", text)
        for name, text in (
            ("pause", "Stop entries; exits go on.\n\nFor example: utb pause --state state"),
            (
                "resume",
                "Trade again after a pause or safe mode.\n\nFor example: utb resume --json",
            ),
            (
                "safe-mode",
                "Allow only reducing orders, and tighten stops.\n\nFor example: utb safe-mode",
            ),
            (
                "emergency-stop",
                (
                    "Sell everything and refuse entries until a reset.\n\n"
                    "For example: utb emergency-stop --state state"
                ),
            ),
            ("reset", "Leave the emergency stop.\n\nFor example: utb reset --state state"),
            (
                "close-all",
                "Sell every position at market.\n\nFor example: utb close-all --state state",
            ),
        )
    },
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
    except OSError as error:
        errors.print(_told(error), markup=False)
        return FAILED
    return result if isinstance(result, int) else DONE


def _told(error: OSError) -> str:
    """Return a sentence for an error of the system that no command turned into one of its own.

    It names the place in the code; where the process writes a log, the whole trace goes there.
    """
    import structlog  # noqa: PLC0415 - only then

    if structlog.is_configured():
        structlog.get_logger(__name__).error("the system refused", exc_info=error)
    what = error.strerror or str(error) or type(error).__name__
    file = "" if error.filename is None else f": {error.filename}"
    root = Path(__file__).parents[1]
    ours = [
        f" (at {Path(frame.filename).relative_to(root)}:{frame.lineno})"
        for frame in traceback.extract_tb(error.__traceback__)
        if root in Path(frame.filename).parents
    ]
    return f"{what}{file}{ours[-1] if ours else ''}"


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
