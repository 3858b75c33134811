"""How fast a backtest runs: input bars without orders, cost per order, side by side with others.

Without orders: six months of 5m bars with an ensemble that can never act, the rest as configured.
With orders: the same bars with the template; the difference, per order, holds risk, journal,
ledger and triggers.
"""

import json
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from msgspec.structs import replace

from common import DATA, ROOT, Row, interleaved, median, options, write
from utb.bootstrap import RunOptions, build_backtest, load_config
from utb.config.schema import Config

BARS_PER_SECOND_BAR = 1e6
ORDER_US_BAR = 100.0
RECORDED = "binance_BTCUSDT_5m_2024H1.parquet"


def market(folder: Path) -> Path:
    """Return six months of recorded 5m bars, or as many made here where no recording is."""
    recorded = DATA / "ohlcv" / RECORDED
    if recorded.exists():
        return recorded
    count = 52_416
    draw = np.random.default_rng(7)
    close = 100 * np.exp(np.cumsum(draw.normal(0, 0.002, count)))
    opened = np.concatenate(([100.0], close[:-1]))
    spread = np.abs(draw.normal(0, 0.0005, count)) * close
    table = pa.table(
        {
            "ts": (1_704_067_200_000 + 300_000 * np.arange(count)).astype("datetime64[ms]"),
            "open": opened,
            "high": np.maximum(opened, close) + spread,
            "low": np.minimum(opened, close) - spread,
            "close": close,
            "volume": draw.exponential(100, count),
        }
    )
    made = folder / "BTC-USDC.parquet"
    pq.write_table(table, made)
    return made


def timed_run(config: Config, prices: tuple[str, ...]) -> tuple[float, int, int]:
    """Run one backtest; return its processor seconds without loading, input bars, and fills.

    Processor time equals wall time on a quiet machine and leaves other processes out on a busy one.
    """
    session = build_backtest(config, RunOptions(prices=prices))
    began = time.process_time()
    session.runner.run()
    took = time.process_time() - began
    fills = sum(session.runner.wiring.trader.book.state.ended.values())
    session.close()
    return took, session.runner.session.items // 4, fills


def peers(python: str, path: Path) -> list[Row]:
    """Run the other engines on the same file."""
    rows: list[Row] = []
    for script in ("nautilus_backtest.py", "numba_loop.py"):
        done = subprocess.run(
            [python, str(ROOT / "benches" / "peers" / script), str(path)],
            capture_output=True,
            text=True,
            check=True,
        )
        found = json.loads(done.stdout.splitlines()[-1])
        rows.append(
            {
                "name": f"backtest, {found['engine']}, bars/s",
                "value": found["bars_per_second"],
                "unit": "bars/s",
                "us_per_order": found["us_per_order"],
                "orders": found["orders"],
            }
        )
    return rows


def main() -> None:
    """Time and print the rows."""
    arguments = options(__doc__)
    config, _ = load_config(None)
    quiet = replace(config, ensemble=replace(config.ensemble, min_participation=1.0))
    with tempfile.TemporaryDirectory() as folder:
        path = market(Path(folder))
        prices = (f"BTC-USDC={path}",)
        times: dict[str, list[float]] = {"quiet": [], "busy": []}
        counts: dict[str, tuple[int, int]] = {}

        def run(name: str, chosen: Config) -> None:
            took, bars, fills = timed_run(chosen, prices)
            times[name].append(took)
            counts[name] = (bars, fills)

        interleaved(
            {"quiet": lambda: run("quiet", quiet), "busy": lambda: run("busy", config)},
            3 if arguments.smoke else 15,
        )
        others = peers(arguments.peer_python, path) if arguments.peer_python else []
    bars = counts["quiet"][0] / median(times["quiet"])
    orders = counts["busy"][1]
    cost_us = (median(times["busy"]) - median(times["quiet"])) / orders * 1e6
    write(
        [
            {
                "name": "backtest without orders, 5m bars/s",
                "value": bars,
                "unit": "bars/s",
                "orders": counts["quiet"][1],
                "bar": ">= 1 million bars/s",
                "pass": bars >= BARS_PER_SECOND_BAR,
            },
            {
                "name": "backtest, cost per order with risk and ledger",
                "value": cost_us,
                "unit": "us",
                "orders": orders,
                "bar": f"<= {ORDER_US_BAR:.0f} us",
                "pass": cost_us <= ORDER_US_BAR,
            },
            *others,
        ]
    )


if __name__ == "__main__":
    main()
