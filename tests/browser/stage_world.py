"""A market and an account that answer like the API: a recording that goes on with a seeded walk.

For the page's tests and for its development. Nothing here decides or trades.
"""

import gzip
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

Row = dict[str, Any]

RECORDING = Path(__file__).with_name("recording.json.gz")
SECONDS = {"1m": 60, "5m": 300, "15m": 900, "1h": 3600, "4h": 14_400, "1d": 86_400}
STRATEGY_FRAME = "15m"
FINEST_S = 300
BASE_WEIGHTS = (0.15, 0.12, 0.14, 0.13, 0.16, 0.11, 0.10, 0.09)
LIMITS = {
    "rsi_momentum": (">", 0.7),
    "volume": (">", 1.5),
    "breakout": (">", 0.0),
    "roc": (">", 0.0),
    "deviation": (">", 0.03),
    "adx": (">", 25.0),
    "volatility_ratio": (">", 1.8),
    "buy_sell_ratio": (">", 1.5),
    "accumulation": (">", 0.7),
    "outflow": (">", 0.0),
    "overall": (">", 0.7),
    "momentum": (">", 0.3),
    "social_volume": (">", 0.6),
    "pattern": (">", 0.6),
    "z": ("<", -2.0),
    "reversion_probability": (">", 0.7),
    "price_difference": (">", 0.005),
}


def iso(seconds: float) -> str:
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def grouped(bars: list[Row], span: int) -> list[Row]:
    """Join five-minute bars into longer ones."""
    joined: list[Row] = []
    for bar in bars:
        opened = bar["time"] // span * span
        if not joined or joined[-1]["time"] != opened:
            joined.append({**bar, "time": opened})
            continue
        last = joined[-1]
        last["high"] = max(last["high"], bar["high"])
        last["low"] = min(last["low"], bar["low"])
        last["close"] = bar["close"]
        last["volume"] = (last["volume"] or 0) + (bar["volume"] or 0)
    return joined


def split(bars: list[Row]) -> list[Row]:
    """Make five one-minute bars of each, along open, low, high, close."""
    parts = []
    for bar in bars[-200:]:
        way = [bar["open"], bar["low"], bar["high"], bar["close"], bar["close"], bar["close"]]
        for at in range(5):
            ends = way[at : at + 2]
            parts.append(
                {
                    "time": bar["time"] + 60 * at,
                    "open": ends[0],
                    "high": max(ends),
                    "low": min(ends),
                    "close": ends[1],
                    "volume": (bar["volume"] or 0) / 5,
                }
            )
    return parts


@dataclass
class Stage:
    """Everything the answers are made of."""

    status: str = "RUNNING"
    mode: str = "paper"
    key: str | None = None
    stale: tuple[str, ...] = ()
    finished: bool = False
    speed: float = 20.0
    seq: int = 60_000
    now: float = 0.0
    given: list[Row] = field(default_factory=list)
    sales: list[tuple[float, str, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.tape = msgspec.json.decode(gzip.decompress(RECORDING.read_bytes()))
        self.now = float(self.tape["now"])
        self.walk = random.Random(7)  # noqa: S311 - prices of a play
        names = ("time", "open", "high", "low", "close", "volume")
        self.bars = {
            symbol: [dict(zip(names, row, strict=True)) for row in rows]
            for symbol, rows in self.tape["bars"].items()
        }
        self.positions: list[Row] = self.tape["positions"]
        self.trades: list[Row] = self.tape["trades"]
        self.markers: list[Row] = self.tape["markers"]
        self.orders: list[Row] = self.tape["orders"]
        self.alerts = alerts(self.now)
        self.peak = max(value for _, value in self.tape["equity"])
        held = sum(p["size"] * self.price(p["symbol"]) for p in self.positions)
        self.cash = self.tape["equity"][-1][1] - held

    @property
    def symbols(self) -> list[str]:
        return list(self.bars)

    def price(self, symbol: str) -> float:
        return float(self.bars[symbol][-1]["close"])

    def decimals(self, symbol: str) -> int:
        return int(self.tape["decimals"][symbol])

    def step(self, seconds: float) -> None:
        """Let simulated time pass."""
        self.now += seconds
        for symbol, bars in self.bars.items():
            if symbol in self.stale:
                continue
            drift = self.walk.gauss(0.0, 0.00035)
            price = round(self.price(symbol) * (1 + drift), self.decimals(symbol) + 1)
            opened = int(self.now) // FINEST_S * FINEST_S
            last = bars[-1]
            if last["time"] < opened:
                last = {"time": opened, "open": last["close"], "volume": 0.0}
                last |= {"high": last["open"], "low": last["open"]}
                bars.append(last)
            last["close"] = price
            last["high"] = max(last["high"], price)
            last["low"] = min(last["low"], price)
            last["volume"] = (last["volume"] or 0.0) + self.walk.random() * 90_000 / price
        due = [sale for sale in self.sales if sale[0] <= self.now]
        self.sales = [sale for sale in self.sales if sale[0] > self.now]
        for _, symbol, fraction in due:
            self._sell(symbol, fraction)

    def sell(self, position: Row, fraction: float) -> None:
        """Sell a little later, as a chain does."""
        self.sales.append((self.now + self.speed * 0.8, position["symbol"], fraction))

    def _sell(self, symbol: str, fraction: float) -> None:
        held = next((p for p in self.positions if p["symbol"] == symbol), None)
        if held is None:
            return
        price, size = self.price(symbol), held["size"] * fraction
        self.cash += size * price
        self.seq += 1
        self.markers.append(
            {
                "time": int(self.now),
                "symbol": symbol,
                "side": "SELL",
                "price": price,
                "size": size,
                "reason": "MANUAL",
                "trade_id": held["id"],
                "strategy": held["strategy"],
            }
        )
        if fraction < 1:
            held["size"] -= size
            return
        self.positions.remove(held)
        self.trades.insert(
            0,
            {
                "id": f"{held['id']}x",
                "symbol": symbol,
                "side": "BUY",
                "size": size,
                "price": held["entry_price"],
                "fees": 3.1,
                "timestamp": iso(self.now),
                "strategy": held["strategy"],
                "pnl": (price - held["entry_price"]) * size,
                "exit_price": price,
                "exit_reason": "MANUAL",
                "opened_at": held["opened_at"],
                "slippage_bps": 4.2,
                "execution_ms": 812.0,
                "r_multiple": None,
                "costs": {"pool_fees": 3.0, "network_fees": 0.1, "slippage": 1.2},
            },
        )

    def equity(self) -> float:
        return float(self.cash + sum(p["size"] * self.price(p["symbol"]) for p in self.positions))


def alerts(now: float) -> list[Row]:
    told = (
        (
            "WARNING",
            "RISK",
            "Drawdown warning",
            "drawdown 0.10 of 0.15",
            {"value": 0.1, "limit": 0.15},
        ),
        ("INFO", "TRADE", "Bought BONK-USDC", "551,145,972 at 0.00002131", {"symbol": "BONK-USDC"}),
        (
            "CRITICAL",
            "MARKET",
            "Flash crash JUP-USDC",
            "fell 11% within 5 minutes",
            {"symbol": "JUP-USDC", "value": 0.11, "limit": 0.1},
        ),
    )
    return [
        {
            "id": f"alert_{at}",
            "severity": severity,
            "category": category,
            "title": title,
            "message": message,
            "timestamp": iso(now - 700 * (at + 1)),
            "data": data,
        }
        for at, (severity, category, title, message, data) in enumerate(told)
    ]
