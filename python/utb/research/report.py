"""One HTML page of a finished run: self-contained, no request leaves the reader's machine."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path

import numpy as np

from utb.domain.names import STRATEGIES
from utb.domain.orders import Trade
from utb.research.charts import equity_chart, price_chart, trade_chart
from utb.research.run import FinishedRun
from utb.telemetry.figures import DAY_NS, EquityCurve, Figures, figures

ABSENT = "\N{EN DASH}"
"""What an undefined figure is shown as: never 0."""

TRADES_MAX = 500
"""Most rows of the trade list: the newest; the JSON output holds all figures."""

_STYLE = """
:root{--bg:#f7f8fa;--card:#fff;--ink:#1b2430;--muted:#5d6878;--line:#e3e7ed;--up:#137a5d;--down:#b8324a}
@media(prefers-color-scheme:dark){:root{--bg:#12161c;--card:#1a2029;--ink:#e4e9f0;--muted:#93a0b2;
--line:#2a323d;--up:#3cc79b;--down:#f0798c}}
*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--ink);
font:14px/1.5 system-ui,sans-serif;font-variant-numeric:tabular-nums}
main{max-width:1180px;margin:0 auto;padding:24px 16px 64px}h1{font-size:22px;margin:0}
h2{font-size:16px;margin:36px 0 10px}p,.muted{color:var(--muted)}code{font-size:12px}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(170px,1fr));gap:10px;
margin-top:18px}.card,.panel{background:var(--card);border:1px solid var(--line);
border-radius:8px;padding:12px 14px}
.card b{display:block;font-size:19px;font-weight:600}.card span{color:var(--muted);font-size:12px}
.up{color:var(--up)}.down{color:var(--down)}.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:13px}th,td{padding:5px 8px;text-align:right;
border-bottom:1px solid var(--line);white-space:nowrap}th{color:var(--muted);font-weight:500}
th:first-child,td:first-child{text-align:left}.two{display:grid;gap:16px;
grid-template-columns:repeat(auto-fit,minmax(420px,1fr))}li{color:var(--muted)}
"""


def write_report(path: Path, run: FinishedRun) -> None:
    """Write the page.

    Raises:
        OSError: If the file cannot be written.
    """
    path.write_text(page(run), encoding="utf-8")


def page(run: FinishedRun) -> str:
    """Return the page as HTML."""
    overall = figures(run.trades, run.curve)
    body = "".join(
        (
            f"<h1>{escape(run.title)}</h1>",
            f"<p>{escape(_period(run.curve))} · <code>{escape(run.command)}</code></p>",
            _notes(run.notes),
            _cards(run, overall),
            "<h2>Equity and drawdown</h2>",
            _panel(equity_chart(run), library=True),
            "<h2>Results by month</h2>",
            _months(run.curve),
            "<div class=two><div><h2>By lead strategy</h2>",
            _groups(run, ((t.lead, t) for t in run.trades), first="lead", order=STRATEGIES),
            "</div><div><h2>By instrument</h2>",
            _groups(run, ((_symbol(run, t), t) for t in run.trades), first="instrument"),
            "</div><div><h2>By exit reason</h2>",
            _groups(run, ((t.exit_reason.value, t) for t in run.trades), first="reason"),
            "</div><div><h2>Results in R</h2>",
            _panel(trade_chart(run)),
            "</div><div><h2>Why it held</h2>",
            _counts(run.summary.get("holds_by_reason"), "reason", "bars"),
            "</div><div><h2>Why risk refused</h2>",
            _counts(run.summary.get("refusals_by_code"), "code", "orders"),
            "</div></div>",
            _prices(run),
            "<h2>Trades</h2>",
            _trades(run),
        )
    )
    return (
        "<!doctype html><html lang=en><head><meta charset=utf-8>"
        "<meta name=viewport content='width=device-width,initial-scale=1'>"
        f"<title>{escape(run.title)}</title><style>{_STYLE}</style></head>"
        f"<body><main>{body}</main></body></html>"
    )


def _panel(chart: object, *, library: bool = False) -> str:
    html = chart.to_html(  # type: ignore[attr-defined]
        full_html=False, include_plotlyjs=library, config={"displaylogo": False, "responsive": True}
    )
    return f"<div class=panel>{html}</div>"


def _cards(run: FinishedRun, overall: Figures) -> str:
    hold = run.summary.get("buy_and_hold")
    held = hold.get("total_return") if isinstance(hold, Mapping) else None
    costs = overall.costs
    cells = (
        ("Return", _percent(overall.total_return), overall.total_return),
        ("Buy and hold", _percent(held), held),
        ("Net profit", _number(overall.total_pnl), overall.total_pnl),
        ("Max drawdown", _share(overall.max_drawdown), None),
        ("Sharpe", _number(overall.sharpe_ratio), None),
        ("Sortino", _number(overall.sortino_ratio), None),
        ("Profit factor", _number(overall.profit_factor), None),
        ("Win rate", _share(overall.win_rate), None),
        ("Trades", str(overall.total_trades), None),
        ("Expectancy", _number(overall.expectancy), overall.expectancy),
        ("Expectancy, R", _number(overall.expectancy_r), overall.expectancy_r),
        ("Pool fees", _number(costs.pool_fees), None),
        ("Network fees", _number(costs.network_fees), None),
        ("Slippage, bps", _number(overall.avg_slippage_bps), None),
        ("Execution, ms", _number(overall.avg_execution_time), None),
        ("Exposure", _share(overall.exposure), None),
        ("Turnover", _number(overall.turnover), None),
        ("Mean duration, min", _number(overall.avg_duration_minutes), None),
    )
    return (
        "<div class=cards>"
        + "".join(
            f"<div class=card><span>{escape(name)}</span><b class='{_sign(sign)}'>{text}</b></div>"
            for name, text, sign in cells
        )
        + "</div>"
    )


def _months(curve: EquityCurve) -> str:
    if curve.equity.size < 2:  # noqa: PLR2004 - a return needs two marks
        return "<p>No equity marks.</p>"
    months = curve.ts_ns.astype("datetime64[ns]").astype("datetime64[M]")
    last = np.flatnonzero(np.append(months[1:] != months[:-1], [True]))
    closes = np.concatenate((curve.equity[:1], curve.equity[last]))
    rows = [
        (str(months[at]), closes[i + 1] / closes[i] - 1, curve.equity[at])
        for i, at in enumerate(last)
    ]
    return _table(
        ("month", "return", "equity at end"),
        [(m, _coloured(_percent(r), r), _number(e)) for m, r, e in rows],
    )


def _groups(
    run: FinishedRun,
    keyed: Iterable[tuple[str, Trade]],
    *,
    first: str,
    order: tuple[str, ...] = (),
) -> str:
    groups: dict[str, list[Trade]] = {name: [] for name in order}
    for key, trade in keyed:
        groups.setdefault(key, []).append(trade)
    nothing = EquityCurve(ts_ns=run.curve.ts_ns[:0], equity=run.curve.equity[:0])
    rows = []
    for name, trades in groups.items():
        f = figures(trades, nothing)
        rows.append(
            (
                escape(name),
                str(f.total_trades),
                _share(f.win_rate),
                _coloured(_number(f.total_pnl), f.total_pnl),
                _number(f.profit_factor),
                _number(f.expectancy_r),
                _number(f.avg_duration_minutes),
            )
        )
    header = (first, "trades", "win rate", "profit", "factor", "R", "minutes")
    return _table(header, rows)


def _counts(counts: object, first: str, second: str) -> str:
    if not isinstance(counts, Mapping) or not counts:
        return "<p>None.</p>"
    rows = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return _table((first, second), [(escape(str(k)), f"{v:,}") for k, v in rows])


def _prices(run: FinishedRun) -> str:
    traded = {f.instrument for f in run.fills}
    parts = ["<h2>Prices and fills</h2>"]
    parts.extend(
        _panel(price_chart(instrument, run.bars[instrument.index], run.fills))
        for instrument in run.instruments
        if instrument.index in traded and instrument.index in run.bars
    )
    if len(parts) == 1:
        parts.append("<p>No fills.</p>")
    return "".join(parts)


def _trades(run: FinishedRun) -> str:
    newest = sorted(run.trades, key=lambda t: t.closed_ts_ns, reverse=True)
    rows = []
    for trade in newest[:TRADES_MAX]:
        instrument = run.instruments[trade.instrument]
        scale = 10.0 ** (instrument.base_decimals - instrument.quote_decimals) / trade.base_raw
        pnl = trade.pnl_quote_raw / 10**instrument.quote_decimals
        rows.append(
            (
                escape(instrument.symbol),
                _time(trade.opened_ts_ns),
                _time(trade.closed_ts_ns),
                escape(trade.lead),
                trade.exit_reason.value,
                f"{trade.entry_quote_raw * scale:.6g}",
                f"{trade.exit_quote_raw * scale:.6g}",
                _coloured(_number(pnl), pnl),
                _number(trade.slippage_bps),
            )
        )
    more = len(newest) - TRADES_MAX
    note = f"<p>{more:,} older trades are not listed.</p>" if more > 0 else ""
    header = ("instrument", "opened", "closed", "lead", "exit", "entry price", "exit price")
    return _table((*header, "net profit", "slippage, bps"), rows) + note


def _table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in header)
    body = "".join("<tr>" + "".join(f"<td>{c}</td>" for c in row) + "</tr>" for row in rows)
    return f"<div class='panel scroll'><table><tr>{head}</tr>{body}</table></div>"


def _notes(notes: tuple[str, ...]) -> str:
    return "<ul>" + "".join(f"<li>{escape(n)}</li>" for n in notes) + "</ul>" if notes else ""


def _symbol(run: FinishedRun, trade: Trade) -> str:
    return run.instruments[trade.instrument].symbol


def _period(curve: EquityCurve) -> str:
    if not curve.ts_ns.size:
        return "no equity marks"
    days = (curve.ts_ns[-1] - curve.ts_ns[0]) / DAY_NS
    return f"{_time(curve.ts_ns[0])} to {_time(curve.ts_ns[-1])} UTC, {days:.1f} days"


def _time(ts_ns: int) -> str:
    return str(np.datetime64(int(ts_ns), "ns").astype("datetime64[m]")).replace("T", " ")


def _number(value: float | None) -> str:
    return ABSENT if value is None else f"{value:,.2f}"


def _percent(value: object) -> str:
    return f"{value:+.2%}" if isinstance(value, float) else ABSENT


def _share(value: float | None) -> str:
    return ABSENT if value is None else f"{value:.1%}"


def _coloured(text: str, value: float) -> str:
    return f"<span class='{_sign(value)}'>{text}</span>"


def _sign(value: object) -> str:
    if not isinstance(value, float) or value == 0:
        return ""
    return "up" if value > 0 else "down"
