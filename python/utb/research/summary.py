"""The object that `utb demo --json` and `utb backtest --json` print, and what reports need."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
import numpy as np

from utb.domain.market import Instrument
from utb.domain.names import STRATEGIES
from utb.domain.orders import Fill
from utb.domain.times import iso
from utb.engine import BAR_DTYPE, EQUITY_DTYPE
from utb.node.latency import StageLatency
from utb.node.result import ChainHeld, RunResult
from utb.research.run import Bars, BuyAndHold, FillMark, FinishedRun, buy_and_hold
from utb.telemetry.figures import EquityCurve, Figures, figures

SCHEMA: Final = 1
HOUR_INDEX: Final = 3
"""Number of the 1h timeframe in the core's bar log."""
CHART_BARS_MAX: Final = 2500
"""More candles than this are joined: a screen cannot show them apart."""


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a machine wants to know of a finished run."""

    schema: int
    mode: str
    seed: int
    instruments: tuple[str, ...]
    sim_start: str
    sim_end: str
    wall_s: float
    events: int
    finished: bool
    resumed: bool
    equity_start: float
    equity_end: float
    figures: Figures
    buy_and_hold: BuyAndHold
    entries_by_lead: dict[str, int]
    exits_by_reason: dict[str, int]
    refusals_by_code: dict[str, int]
    holds_by_reason: dict[str, int]
    feeds: Mapping[str, Any]
    latency_us: dict[str, StageLatency]
    notes: tuple[str, ...]
    chain: ChainHeld | None
    """Wallet and ledger at the end of a live run; null where there is no chain."""
    journal_hash: str


class Reported(msgspec.Struct, frozen=True, kw_only=True):
    """A summary and what its page is drawn from."""

    summary: Summary
    run: FinishedRun


def report(result: RunResult, command: str) -> Reported:
    """Return a finished run's summary beside its charts' data."""
    unit = 10.0**-6
    curve = equity_curve(result, unit)
    hourly = hourly_bars(result)
    opening = result.equity_start_quote_raw * unit
    hold, hold_curve = buy_and_hold(hourly, result.instruments, opening)
    summary = Summary(
        schema=SCHEMA,
        mode=result.mode.value,
        seed=result.seed,
        instruments=tuple(i.symbol for i in result.instruments),
        sim_start=iso(result.sim_start_ns),
        sim_end=iso(result.sim_end_ns),
        wall_s=result.wall_s,
        events=result.events,
        finished=result.finished,
        resumed=result.resumed,
        equity_start=opening,
        equity_end=result.equity_end_quote_raw * unit,
        figures=figures(result.trades, curve),
        buy_and_hold=hold,
        entries_by_lead=result.entries_by_lead,
        exits_by_reason=result.exits_by_reason,
        refusals_by_code=result.refusals_by_code,
        holds_by_reason=dict(result.counters["holds_by_reason"]),
        feeds=result.counters["items"],
        latency_us=result.latency,
        notes=notes(result),
        chain=result.chain,
        journal_hash=result.journal_hash,
    )
    run = FinishedRun(
        title=f"utb {result.mode.value}: {', '.join(i.base for i in result.instruments)}",
        command=command,
        instruments=result.instruments,
        summary=msgspec.to_builtins(summary),
        trades=result.trades,
        fills=tuple(fill_mark(f, result.instruments[f.instrument]) for f in result.fills),
        curve=curve,
        hold_curve=hold_curve,
        bars={index: joined(bars) for index, bars in hourly.items()},
        notes=summary.notes,
    )
    return Reported(summary=summary, run=run)


def equity_curve(result: RunResult, unit: float) -> EquityCurve:
    """Return the equity marks with the opening and the closing value around them."""
    rows = np.frombuffer(result.equity, dtype=EQUITY_DTYPE)
    inner = rows[(rows["ts_ns"] > result.sim_start_ns) & (rows["ts_ns"] < result.sim_end_ns)]
    return EquityCurve(
        ts_ns=np.concatenate(([result.sim_start_ns], inner["ts_ns"], [result.sim_end_ns])),
        equity=np.concatenate(
            (
                [result.equity_start_quote_raw * unit],
                inner["equity"],
                [result.equity_end_quote_raw * unit],
            )
        ),
    )


def hourly_bars(result: RunResult) -> dict[int, Bars]:
    """Return the closed 1h bars by instrument."""
    rows = np.frombuffer(result.bars, dtype=BAR_DTYPE)
    rows = rows[rows["timeframe"] == HOUR_INDEX]
    found = {}
    for instrument in result.instruments:
        own = rows[rows["instrument"] == instrument.index]
        columns = {name: own[name].copy() for name in ("open", "high", "low", "close")}
        found[instrument.index] = Bars(open_ns=own["ts_ns"].copy(), **columns)
    return found


def joined(bars: Bars) -> Bars:
    """Join neighbouring bars until a chart can show them."""
    size = bars.open_ns.size
    step = -(-size // CHART_BARS_MAX)
    if step <= 1:
        return bars
    starts = np.arange(0, size, step)
    ends = np.minimum(starts + step, size) - 1
    return Bars(
        open_ns=bars.open_ns[starts],
        open=bars.open[starts],
        high=np.maximum.reduceat(bars.high, starts),
        low=np.minimum.reduceat(bars.low, starts),
        close=bars.close[ends],
    )


def fill_mark(fill: Fill, instrument: Instrument) -> FillMark:
    """Return a fill as a chart shows it."""
    scale = 10.0 ** (instrument.base_decimals - instrument.quote_decimals)
    return FillMark(
        instrument=fill.instrument,
        ts_ns=fill.ts_ns,
        price=fill.quote_raw / fill.base_raw * scale,
        side=fill.side.value,
        label=fill.lead if fill.exit_reason is None else fill.exit_reason.value,
    )


def notes(result: RunResult) -> tuple[str, ...]:
    """Return what a reader must know to read the figures."""
    found = []
    contexts = result.contexts_by_kind
    silent = [
        strategy
        for strategy, kind in (
            (STRATEGIES[4], "whale"),
            (STRATEGIES[5], "sentiment"),
            (STRATEGIES[7], "hedge or venue"),
        )
        if not any(contexts.get(name, 0) for name in kind.split(" or "))
    ]
    if silent:
        found.append(f"No recorded context for {', '.join(silent)}: they abstained.")
    if any(fill.indicative for fill in result.fills):
        found.append("Some fills are indicative: their source gives no executable price.")
    if not result.finished:
        found.append("The run was shut down before its end; positions are as they were.")
    return tuple(found)
