"""Allowed ranges of configuration values, by what a number means."""

from typing import Annotated, Literal

from msgspec import Meta

Share = Annotated[float, Meta(gt=0.0, le=1.0)]
"""A part of a whole that cannot be nothing."""

ShareOrNone = Annotated[float, Meta(ge=0.0, le=1.0)]
"""A part of a whole; 0 switches the rule off or stands for certainty of nothing."""

OpenShare = Annotated[float, Meta(gt=0.0, lt=1.0)]
"""A part of a whole, both ends excluded."""

ShareBelowOne = Annotated[float, Meta(ge=0.0, lt=1.0)]
"""A part of a whole with room above it."""

RiskShare = Annotated[float, Meta(gt=0.0, le=0.2)]
"""Loss at the stop / equity: above a fifth, five losses in a row end the account."""

Tolerance = Annotated[float, Meta(gt=0.0, le=0.5)]
"""Slippage as a fraction: at most the 5,000 bps an order may carry."""

Correlation = Annotated[float, Meta(ge=-1.0, le=1.0)]

Positive = Annotated[float, Meta(gt=0.0, le=1e12)]
NotNegative = Annotated[float, Meta(ge=0.0, le=1e12)]
"""Up to 1e12, so that every amount fits 64 bits in base units of six decimals."""

Ratio = Annotated[float, Meta(ge=0.0, le=100.0)]
"""A ratio of two like amounts."""

Multiple = Annotated[float, Meta(gt=0.0, le=50.0)]
"""A number of ATR, standard deviations or costs."""

Oscillator = Annotated[float, Meta(ge=0.0, le=100.0)]
"""RSI or ADX."""

LowerHalf = Annotated[float, Meta(gt=0.0, lt=50.0)]
"""An oversold RSI: its mirror image is the overbought one."""

Factor = Annotated[float, Meta(gt=0.0, le=2.0)]
"""Multiplies a position's size."""

RegimeFactor = Annotated[float, Meta(ge=0.5, le=2.0)]
"""Multiplies a strategy's weight."""

StopFactor = Annotated[float, Meta(gt=0.0, le=2.0)]
"""Multiplies the ATR multiple of a stop."""

Percent = Annotated[float, Meta(ge=0.0, le=100.0)]

Bars = Annotated[int, Meta(ge=1, le=100_000)]
Trades = Annotated[int, Meta(ge=1, le=10_000)]
Count = Annotated[int, Meta(ge=1, le=1_000)]
Minutes = Annotated[int, Meta(ge=1, le=10_080)]
AgeMinutes = Annotated[float, Meta(gt=0.0, le=10_080.0)]
Millis = Annotated[int, Meta(ge=0, le=60_000)]
Seconds = Annotated[float, Meta(gt=0.0, le=3_600.0)]
Attempts = Annotated[int, Meta(ge=0, le=10)]
ExitAttempts = Annotated[int, Meta(ge=1, le=4)]
"""`trading.md` allows four attempts of an exit."""
PerMinute = Annotated[int, Meta(ge=1, le=1_000_000)]
Bps = Annotated[int, Meta(ge=0, le=5_000)]
Lamports = Annotated[int, Meta(ge=0, le=1_000_000_000)]
"""Up to one SOL."""
Decimals = Annotated[int, Meta(ge=0, le=18)]
Seed = Annotated[int, Meta(ge=0, le=2**63 - 1)]

Timeframe = Literal["1m", "5m", "15m", "1h", "4h", "1d"]
Source = Literal["dexscreener", "birdeye", "helius", "recorded"]
"""Names of the core's price sources."""

Duration = Annotated[
    str,
    Meta(
        pattern=r"^[1-9][0-9]{0,5}(s|m|h|d)\Z",
        description='a whole number and s, m, h or d, for example "15m"',
    ),
]
Url = Annotated[
    str,
    Meta(
        pattern=r"^https?://[^\s/@?#]+(/[^\s@?#]*)?\Z",
        description="an http(s):// address without user or query (keys belong in .env)",
    ),
]
WebSocketUrl = Annotated[
    str,
    Meta(
        pattern=r"^wss?://[^\s/@?#]+(/[^\s@?#]*)?\Z",
        description="a ws(s):// address without user or query (keys belong in .env)",
    ),
]
Mint = Annotated[
    str,
    Meta(
        pattern=r"^[1-9A-HJ-NP-Za-km-z]{32,44}\Z",
        description="a mint address: 32 to 44 characters of base58",
    ),
]
Symbol = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9]{1,20}-[A-Za-z0-9]{1,20}\Z",
        description='a pair BASE-QUOTE, for example "SOL-USDC"',
    ),
]

_SECONDS_BY_UNIT = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def duration_ns(text: Duration) -> int:
    """Return the nanoseconds of a duration such as `15m`."""
    return int(text[:-1]) * _SECONDS_BY_UNIT[text[-1]] * 1_000_000_000
