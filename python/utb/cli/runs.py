"""Runs in this process, a backtest or a replay: run, watch, tell."""

import sys
from pathlib import Path

from msgspec.structs import replace
from rich.console import Console

from utb.bootstrap import RunOptions, Session, build_demo, load_config
from utb.cli.common import Common, write_json
from utb.cli.display import Display
from utb.cli.outcome import show, write_page
from utb.node.result import RunResult
from utb.research.summary import report as summarise


def run_and_tell(session: Session, *, json: bool, headless: bool, page: Path | None) -> int:
    """Run a session to its end and print what came of it; the page is written if asked for.

    Raises:
        UsageError: If the page cannot be written; what came of the run is printed all the same.
    """
    command = " ".join(["utb", *sys.argv[1:]])
    reported = summarise(watched(session, headless=headless), command)
    if json:
        write_json(reported.summary)
    else:
        show(Console(highlight=False), reported.summary)
    write_page(page, reported.run)
    return 0


def logged(
    options: RunOptions, state_dir: Path, common: Common, *, headless: bool, page: Path | None
) -> int:
    """Run a demo that reads or writes an input log, in this process."""
    config, _ = load_config(common.config, common.settings)
    session = build_demo(config, replace(options, state_dir=state_dir))
    return run_and_tell(session, json=common.json, headless=headless, page=page)


def watched(session: Session, *, headless: bool) -> RunResult:
    """Run with the live display where there is a terminal to show it on."""
    console = Console(stderr=True)
    if headless or not console.is_terminal:
        return session.run()
    with Display(console, session) as display:
        session.watch(display)
        return session.run()
