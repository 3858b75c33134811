"""Charts of a report, as plotly figures."""

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from utb.domain.market import Instrument
from utb.research.run import Bars, FillMark, FinishedRun
from utb.telemetry.figures import EquityCurve

UP, DOWN, NEUTRAL, MUTED = "#1a9c78", "#d1495b", "#3a6ea5", "#8a93a3"
POINTS_MAX = 4000
"""Most points of a line: more than a screen has pixels only makes the page slow."""


def equity_chart(run: FinishedRun) -> go.Figure:
    """Return equity beside buy-and-hold, and the drawdown below."""
    chart = make_subplots(
        rows=2, cols=1, shared_xaxes=True, row_heights=[0.7, 0.3], vertical_spacing=0.04
    )
    for curve, name, colour, width in (
        (run.hold_curve, "buy and hold", MUTED, 1.2),
        (run.curve, "equity", NEUTRAL, 2),
    ):
        thin = _thin(curve)
        line = {"color": colour, "width": width}
        chart.add_trace(
            go.Scatter(x=_dates(thin.ts_ns), y=thin.equity, name=name, line=line), row=1, col=1
        )
    drawdown = EquityCurve(
        ts_ns=run.curve.ts_ns,
        equity=-100 * (1 - run.curve.equity / np.maximum.accumulate(run.curve.equity))
        if run.curve.equity.size
        else run.curve.equity,
    )
    thin = _thin(drawdown)
    chart.add_trace(
        go.Scatter(
            x=_dates(thin.ts_ns),
            y=thin.equity,
            name="drawdown",
            fill="tozeroy",
            line={"color": DOWN, "width": 1},
        ),
        row=2,
        col=1,
    )
    chart.update_yaxes(title_text="equity, USDC", row=1, col=1)
    chart.update_yaxes(title_text="drawdown, %", row=2, col=1)
    return _styled(chart, height=480)


def price_chart(instrument: Instrument, bars: Bars, fills: tuple[FillMark, ...]) -> go.Figure:
    """Return candles of one instrument with its fills on them."""
    chart = go.Figure(
        go.Candlestick(
            x=_dates(bars.open_ns),
            open=bars.open,
            high=bars.high,
            low=bars.low,
            close=bars.close,
            name=instrument.symbol,
            increasing_line_color=UP,
            decreasing_line_color=DOWN,
        )
    )
    own = [f for f in fills if f.instrument == instrument.index]
    for side, symbol, colour in (("BUY", "triangle-up", UP), ("SELL", "triangle-down", DOWN)):
        marks = [f for f in own if f.side == side]
        if marks:
            chart.add_trace(
                go.Scatter(
                    x=_dates(np.array([f.ts_ns for f in marks])),
                    y=[f.price for f in marks],
                    text=[f.label for f in marks],
                    mode="markers",
                    name=side.lower(),
                    marker={
                        "symbol": symbol,
                        "size": 11,
                        "color": colour,
                        "line": {"width": 1, "color": "white"},
                    },
                    hovertemplate="%{text}<br>%{y}<br>%{x}<extra></extra>",
                )
            )
    chart.update_layout(xaxis_rangeslider_visible=False)
    chart.update_yaxes(title_text=f"{instrument.symbol}, {instrument.quote}")
    return _styled(chart, height=420)


def trade_chart(run: FinishedRun) -> go.Figure:
    """Return the distribution of results in units of initial risk."""
    results = [
        t.pnl_quote_raw / t.initial_risk_quote_raw for t in run.trades if t.initial_risk_quote_raw
    ]
    chart = go.Figure()
    for name, colour, values in (
        ("losses", DOWN, [r for r in results if r <= 0]),
        ("wins", UP, [r for r in results if r > 0]),
    ):
        chart.add_trace(go.Histogram(x=values, name=name, marker_color=colour, xbins={"size": 0.1}))
    chart.update_layout(barmode="overlay", bargap=0.05)
    chart.update_xaxes(title_text="result, R (initial risk)")
    chart.update_yaxes(title_text="trades")
    return _styled(chart, height=320)


def _thin(curve: EquityCurve) -> EquityCurve:
    """Keep the lowest and highest mark of each stretch, so that no peak or trough is lost."""
    size = curve.equity.size
    if size <= POINTS_MAX:
        return curve
    stretch = -(-size * 2 // POINTS_MAX)
    keep = {0, size - 1}
    for start in range(0, size, stretch):
        part = curve.equity[start : start + stretch]
        keep.update((start + int(part.argmin()), start + int(part.argmax())))
    chosen = np.array(sorted(keep))
    return EquityCurve(ts_ns=curve.ts_ns[chosen], equity=curve.equity[chosen])


def _dates(ts_ns: NDArray[np.int64]) -> NDArray[np.datetime64]:
    return np.asarray(ts_ns, dtype=np.int64).astype("datetime64[ns]").astype("datetime64[ms]")


def _styled(chart: go.Figure, *, height: int) -> go.Figure:
    chart.update_layout(
        height=height,
        margin={"l": 60, "r": 20, "t": 20, "b": 40},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": "system-ui, sans-serif", "color": MUTED, "size": 12},
        legend={"orientation": "h", "y": 1.06},
        hovermode="closest",
        modebar={"bgcolor": "rgba(0,0,0,0)", "color": MUTED, "activecolor": NEUTRAL},
    )
    chart.update_xaxes(gridcolor="rgba(138,147,163,0.18)")
    chart.update_yaxes(gridcolor="rgba(138,147,163,0.18)", zerolinecolor="rgba(138,147,163,0.4)")
    return chart
