"""A backtest of recorded bars in nautilus_trader: bars/s without orders, and time per order.

Runs in an environment of its own (`benches/peers/requirements.txt`). Prints one JSON object.
Usage: python nautilus_backtest.py BARS.parquet
"""

import json
import sys
import time

import pandas as pd
from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.config import LoggingConfig
from nautilus_trader.examples.strategies.ema_cross import EMACross, EMACrossConfig
from nautilus_trader.model.currencies import USDT
from nautilus_trader.model.data import BarType
from nautilus_trader.model.enums import AccountType, OmsType
from nautilus_trader.model.identifiers import Venue
from nautilus_trader.model.objects import Money
from nautilus_trader.persistence.wranglers import BarDataWrangler
from nautilus_trader.test_kit.providers import TestInstrumentProvider
from nautilus_trader.trading.strategy import Strategy


class Watch(Strategy):
    """Receives every bar and does nothing."""

    def __init__(self, bar_type: BarType) -> None:
        super().__init__()
        self.bar_type = bar_type
        self.bars = 0

    def on_start(self) -> None:
        self.subscribe_bars(self.bar_type)

    def on_bar(self, bar: object) -> None:
        self.bars += 1


def run(path: str, *, trading: bool) -> tuple[float, int, int]:
    """Return (seconds, bars, orders)."""
    engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True)))
    instrument = TestInstrumentProvider.btcusdt_binance()
    engine.add_venue(
        venue=Venue("BINANCE"),
        oms_type=OmsType.NETTING,
        account_type=AccountType.MARGIN,
        base_currency=None,
        starting_balances=[Money(10_000_000, USDT)],
    )
    engine.add_instrument(instrument)
    bar_type = BarType.from_str("BTCUSDT.BINANCE-5-MINUTE-LAST-EXTERNAL")
    frame = pd.read_parquet(path).set_index("ts")
    bars = BarDataWrangler(bar_type, instrument).process(
        frame[["open", "high", "low", "close", "volume"]]
    )
    engine.add_data(bars)
    if trading:
        engine.add_strategy(
            EMACross(
                EMACrossConfig(
                    instrument_id=instrument.id,
                    bar_type=bar_type,
                    trade_size="0.010",
                    fast_ema_period=10,
                    slow_ema_period=20,
                )
            )
        )
    else:
        engine.add_strategy(Watch(bar_type))
    began = time.perf_counter()
    engine.run()
    took = time.perf_counter() - began
    orders = len(engine.cache.orders())
    engine.dispose()
    return took, len(bars), orders


if __name__ == "__main__":
    quiet, count, _ = run(sys.argv[1], trading=False)
    busy, _, placed = run(sys.argv[1], trading=True)
    print(
        json.dumps(
            {
                "engine": "nautilus_trader",
                "bars": count,
                "bars_per_second": count / quiet,
                "orders": placed,
                "us_per_order": (busy - quiet) / placed * 1e6 if placed else None,
            }
        )
    )
