"""`utb trade`."""

import sys
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

import structlog
import uvloop
from cyclopts import Parameter
from rich.console import Console

from utb import bootstrap
from utb.bootstrap.loglines import log_lines
from utb.bootstrap.markets import Simulated, trade_live, trade_lock_step
from utb.cli.common import Stateful, check_output, write_json
from utb.cli.outcome import show, write_page
from utb.errors import UsageError
from utb.node.result import RunResult
from utb.research.summary import report as summarise

DEFAULT_STATE: Final = Path("state")
_DEFAULT: Final = Stateful()


def trade(
    *,
    clock: str | None = None,
    keep: Annotated[bool, Parameter(negative="")] = False,
    report: Path | None = None,
    common: Stateful = _DEFAULT,
) -> int:
    """Run the trading process alone: feeds, strategies, risk, ledger and journal.

    `utb run` starts it together with the API and the analytics, and restarts it. It reads
    DexScreener without a key, and Birdeye and Helius when theirs are set. After a crash it goes on
    where its journal ends.

    For example: utb trade --state ./state

    Args:
        clock: Trade in the simulated time of a `utb simnet`, for example
            ws://127.0.0.1:8182/clock.
        keep: Go on answering after a simulated market's end, until stopped.
        report: HTML page to write at the end.
    """
    check_output("--report", report)
    if clock is not None and not _is_socket(clock):
        raise UsageError("--clock", clock, "an address ws://HOST:PORT/clock")
    loaded = bootstrap.load(common.config, common.settings)
    log_lines(loaded.config, "trade")
    for note in loaded.notes:
        structlog.get_logger("utb.config").warning("note", note=note)
    state_dir = common.state or DEFAULT_STATE
    teller = _Teller(report, as_json=common.json)
    if clock is None:
        running = trade_live(loaded.config, loaded.secrets, state_dir, loaded.mode)
    else:
        simulated = Simulated(url=clock, keep=keep, on_end=teller.tell)
        running = trade_lock_step(loaded.config, loaded.secrets, state_dir, loaded.mode, simulated)
    teller.tell(uvloop.run(running))
    return 0


def _is_socket(address: str) -> bool:
    """Return whether an address is one of a WebSocket."""
    try:
        parts = urlsplit(address)
        # Reading the port is what checks it
        return parts.scheme in {"ws", "wss"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


class _Teller:
    """Tells what a run came to, once: at the market's end, or else when it was stopped."""

    def __init__(self, page: Path | None, *, as_json: bool) -> None:
        self._page = page
        self._as_json = as_json
        self._told = False

    def tell(self, result: RunResult) -> None:
        """Write the outcome, and the page if one is wanted."""
        if self._told:
            return
        self._told = True
        reported = summarise(result, " ".join(["utb", *sys.argv[1:]]))
        if self._as_json:
            write_json(reported.summary)
        else:
            show(Console(highlight=False), reported.summary)
        sys.stdout.flush()
        write_page(self._page, reported.run)
