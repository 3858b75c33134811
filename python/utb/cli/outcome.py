"""How a finished run is told: one JSON object, or a table for people."""

from pathlib import Path

from rich.console import Console
from rich.table import Table

from utb.cli.common import write_note
from utb.errors import UsageError
from utb.node.result import ChainHeld
from utb.research.run import FinishedRun
from utb.research.summary import Summary

_ABSENT = "undefined"


def show(console: Console, summary: Summary) -> None:
    """Print what the run did and why."""
    console.print(
        f"\n[bold]{summary.mode}[/] {', '.join(summary.instruments)}, {summary.sim_start[:16]} to "
        f"{summary.sim_end[:16]}: {summary.events:,} events in {summary.wall_s:.1f} s"
    )
    console.print(_figures(summary))
    console.print(_leads(summary))
    console.print(_exits(summary))
    for note in summary.notes:
        console.print(f"[yellow]note:[/] {note}")
    if summary.chain is not None:
        console.print(chain_line(summary.chain))
    console.print(f"journal {summary.journal_hash}", style="dim", highlight=False)


def write_page(page: Path | None, run: FinishedRun) -> None:
    """Write a run's page if one is wanted; the summary is told before, as this may fail.

    Raises:
        UsageError: If it cannot be written.
    """
    if page is None:
        return
    from utb.research.report import write_report  # noqa: PLC0415 - draws with plotly

    try:
        write_report(page, run)
    except OSError as error:
        expected = f"a file that can be written ({error.strerror})"
        raise UsageError("--report", str(page), expected) from error
    write_note(f"report written to {page}")


def _figures(summary: Summary) -> Table:
    figures, hold = summary.figures, summary.buy_and_hold
    table = Table("figure", "value", "", "", box=None, header_style="dim")
    rows = (
        ("equity", f"{summary.equity_start:,.2f} to {summary.equity_end:,.2f} USDC"),
        ("return", _percent(figures.total_return)),
        ("buy and hold", _percent(hold.total_return)),
        ("max drawdown", _share(figures.max_drawdown)),
        ("trades", f"{figures.total_trades} ({figures.wins} won, {figures.losses} lost)"),
        ("win rate", _share(figures.win_rate)),
        ("profit factor", _number(figures.profit_factor)),
        ("expectancy", f"{_number(figures.expectancy)} USDC"),
        ("Sharpe / Sortino", f"{_number(figures.sharpe_ratio)} / {_number(figures.sortino_ratio)}"),
        ("execution", f"{_number(figures.avg_execution_time)} ms (simulated)"),
        ("slippage", f"{_number(figures.avg_slippage_bps)} bps"),
        ("pool fees", f"{figures.costs.pool_fees:,.2f} USDC"),
        ("network fees", f"{figures.costs.network_fees:,.2f} USDC"),
        ("exposure", _share(figures.exposure)),
    )
    half = -(-len(rows) // 2)
    for left, right in zip(rows[:half], rows[half:], strict=False):
        table.add_row(*left, *right)
    return table


def _leads(summary: Summary) -> Table:
    table = Table("entries led by", "", "held because", "bars", box=None, header_style="dim")
    leads = list(summary.entries_by_lead.items())
    holds = sorted(summary.holds_by_reason.items(), key=lambda item: -item[1])
    for index in range(max(len(leads), len(holds))):
        lead = leads[index] if index < len(leads) else ("", "")
        hold = holds[index] if index < len(holds) else ("", "")
        table.add_row(lead[0], str(lead[1]), hold[0], f"{hold[1]:,}" if hold[1] != "" else "")
    return table


def _exits(summary: Summary) -> Table:
    table = Table("exits by", "", "refused because", "orders", box=None, header_style="dim")
    exits = list(summary.exits_by_reason.items())
    refusals = sorted(summary.refusals_by_code.items(), key=lambda item: -item[1])
    for index in range(max(len(exits), len(refusals))):
        left = exits[index] if index < len(exits) else ("", "")
        right = refusals[index] if index < len(refusals) else ("", "")
        table.add_row(left[0], str(left[1]), right[0], str(right[1]))
    return table


def chain_line(held: ChainHeld) -> str:
    """Return what the wallet holds on the chain and whether the ledger says the same."""
    if not held.assets:
        return "[red]chain:[/] the wallet could not be read, or not beside the book"
    if held.equal:
        told = ", ".join(f"{row.asset} {row.chain_raw:,}" for row in held.assets if row.chain_raw)
        return f"chain: equal to the ledger at slot {held.slot:,}, in base units: {told}"
    told = ", ".join(
        f"{row.asset} {row.chain_raw:,} on the chain, {row.ledger_raw:,} in the ledger"
        for row in held.assets
        if row.chain_raw != row.ledger_raw
    )
    return f"[red]chain:[/] differs at slot {held.slot:,}: {told}"


def _number(value: float | None) -> str:
    return _ABSENT if value is None else f"{value:,.2f}"


def _percent(value: float | None) -> str:
    return _ABSENT if value is None else f"{value:+.2%}"


def _share(value: float | None) -> str:
    return _ABSENT if value is None else f"{value:.2%}"
