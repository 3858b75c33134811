"""Trade every recorded 1m, 5m and 15m market and write docs/results.md: all figures as they come.

Each market is traded by the ensemble as configured, and by each strategy alone (its weight 1, the
others 0), with the template's costs, risk and venue model.

Usage: python benches/results.py [--out docs/results.md]
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from msgspec.structs import replace
from rich.progress import track

from common import DATA, ROOT
from utb.bootstrap import RunOptions, build_backtest, load_config
from utb.config.schema import Config
from utb.domain.names import STRATEGIES
from utb.research.summary import Summary, report

SHORT = (
    "momentum",
    "mean rev.",
    "trend",
    "volatility",
    "whale",
    "sentiment",
    "pattern",
    "stat. arb.",
)

PAGE = """# Results on recorded markets

Every recorded 1m, 5m and 15m market, traded with the template's configuration, net of pool fees,
price impact and network costs, from 100,000 USDC. Nothing is tuned to these markets and nothing is
left out. Made by `just results`.

Recorded prices carry no whale, sentiment or cross-venue context, so three strategies abstain. Bars
of 15m have no 5m RSI, so `momentum_breakthrough` abstains on them. One instrument at a time means
one position at a time, so at most a fifth of the account is in the market.

## The ensemble beside buy and hold

{ensemble}

## Each strategy alone

Its weight 1, the others 0: return, and the number of closed trades.

{alone}

## How to read this

The user guide's defaults lose a little on nearly every one of these markets after costs, far less
than the markets themselves moved either way. Tokens with pool fees of 25 bps lose most: a round
trip there costs half a per cent before any impact. Treat the strategies as a starting point that
the system measures honestly, not as an edge.
"""


def markets() -> list[Path]:
    """Return the recorded markets that the strategy timeframe can be built from."""
    found = sorted((DATA / "ohlcv").glob("*.parquet"))
    return [p for p in found if any(f"_{size}_" in p.name for size in ("1m", "5m", "15m"))]


def alone(config: Config, chosen: str) -> Config:
    """Return the configuration with one strategy only."""
    weights = {name: 1.0 if name == chosen else 0.0 for name in STRATEGIES}
    return replace(config, strategies=replace(config.strategies, **weights))


def traded(config: Config, path: Path) -> Summary:
    """Backtest one market."""
    result = build_backtest(config, RunOptions(prices=(str(path),))).run()
    return report(result, "").summary


def name_of(path: Path) -> str:
    """Return `SOL 5m 2024H1`."""
    return path.stem.removeprefix("binance_").replace("USDT_", " ").replace("_", " ")


def percent(value: float | None) -> str:
    """Return a signed percentage; a dash for an undefined one."""
    return "–" if value is None else f"{value:+.1%}"  # noqa: RUF001


def ensemble_rows(found: dict[Path, Summary]) -> Iterator[str]:
    """Yield the ensemble's table."""
    head = (
        "market | return | buy and hold | max drawdown | trades | win rate | profit factor | fees"
    )
    yield f"| {head} |"
    yield "|---|---|---|---|---|---|---|---|"
    for path, summary in found.items():
        figures = summary.figures
        fees = figures.costs.pool_fees + figures.costs.network_fees
        factor = "–" if figures.profit_factor is None else f"{figures.profit_factor:.2f}"  # noqa: RUF001
        share = "–" if figures.win_rate is None else f"{figures.win_rate:.0%}"  # noqa: RUF001
        yield (
            f"| {name_of(path)} | {percent(figures.total_return)} "
            f"| {percent(summary.buy_and_hold.total_return)} | {figures.max_drawdown or 0.0:.1%} "
            f"| {figures.total_trades} | {share} | {factor} | {fees:,.0f} |"
        )


def strategy_rows(found: dict[tuple[Path, str], Summary], paths: list[Path]) -> Iterator[str]:
    """Yield the table of strategies alone: return and number of trades."""
    yield f"| market | {' | '.join(SHORT)} |"
    yield "|---|" + "---|" * len(SHORT)
    for path in paths:
        cells = []
        for name in STRATEGIES:
            figures = found[path, name].figures
            trades = figures.total_trades
            cells.append(f"{percent(figures.total_return)} ({trades})" if trades else "0 trades")
        yield f"| {name_of(path)} | {' | '.join(cells)} |"


def main() -> int:
    """Trade everything and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "results.md")
    out = parser.parse_args().out
    paths = markets()
    if not paths:
        print(f"no recorded markets: UTB_DATA={DATA} has no ohlcv folder with parquet files")
        return 1
    config, _ = load_config(None)
    ensemble: dict[Path, Summary] = {}
    single: dict[tuple[Path, str], Summary] = {}
    for path in track(paths, "markets"):
        ensemble[path] = traded(config, path)
        for name in STRATEGIES:
            single[path, name] = traded(alone(config, name), path)
    page = PAGE.format(
        ensemble="\n".join(ensemble_rows(ensemble)), alone="\n".join(strategy_rows(single, paths))
    )
    out.write_text(page, encoding="utf-8")
    print(f"{len(paths)} markets in {out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
