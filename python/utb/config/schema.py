"""Types of `trading.toml`, table by table; ranges stand with each field.

No value has a default here: defaults are the shipped template's values (`config/load.py`).
"""

from typing import Annotated, Literal

from msgspec import Meta

from utb.config.analytics_tables import Analytics
from utb.config.ranges import (
    AgeMinutes,
    Attempts,
    Bps,
    Decimals,
    Duration,
    ExitAttempts,
    Lamports,
    Millis,
    Mint,
    NotNegative,
    Percent,
    PerMinute,
    Positive,
    Seconds,
    Seed,
    Share,
    Source,
    Symbol,
    Timeframe,
    Url,
    WebSocketUrl,
    duration_ns,
)
from utb.config.risk_tables import Adjustments, Pool, Risk, Trading
from utb.config.routing_tables import PoolAddress, Routing
from utb.config.rpc_tables import Rpc, RpcEndpoint, Senders
from utb.config.server_tables import Server, ServerKey
from utb.config.signer_tables import SignerConfig, SignerTable
from utb.config.strategy_tables import (
    Ensemble,
    EvaluateTable,
    Exits,
    Regimes,
    Scales,
    Statistics,
    Strategies,
    Thresholds,
)
from utb.config.table import Secret, Table

__all__ = [
    "Adjustments",
    "AlertThresholds",
    "Alerts",
    "Analytics",
    "Api",
    "ApiSource",
    "Config",
    "Context",
    "Ensemble",
    "Environment",
    "EvaluateTable",
    "Execution",
    "Exits",
    "Feeds",
    "InstrumentConfig",
    "Node",
    "Paper",
    "Pool",
    "Quote",
    "Regimes",
    "Risk",
    "Routing",
    "Rpc",
    "RpcEndpoint",
    "Scales",
    "Secret",
    "Senders",
    "Server",
    "ServerKey",
    "SignerConfig",
    "SignerTable",
    "Statistics",
    "Strategies",
    "StreamSource",
    "Telegram",
    "Thresholds",
    "Trading",
]


class Environment(Table, frozen=True):
    """Where and how the bot runs."""

    trading_env: Literal["paper", "live"]
    execution_mode: Literal["simulation", "live"]
    debug_mode: bool
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"]


class Feeds(Table, frozen=True):
    """Rules for incoming prices."""

    close_grace_ms: Millis
    max_gap: Duration
    outlier_factor: Annotated[float, Meta(gt=1.0, le=1_000.0)]
    cross_check_difference: Share
    stale_after_seconds: Seconds
    latency_limit_ms: Annotated[int, Meta(ge=1, le=3_600_000)]
    poll_seconds: Annotated[float, Meta(ge=0.1, le=3_600.0)]
    heartbeat_seconds: Annotated[float, Meta(ge=1.0, le=600.0)]
    reconnect_seconds_max: Annotated[float, Meta(ge=1.0, le=3_600.0)]
    recorded: Literal["birdeye", "recorded"]

    @property
    def max_gap_ns(self) -> int:
        """Return `max_gap` in nanoseconds."""
        return duration_ns(self.max_gap)


class Context(Table, frozen=True):
    """Ages at which slow inputs are missing."""

    whale_max_age_minutes: AgeMinutes
    sentiment_max_age_minutes: AgeMinutes
    forecast_max_age_minutes: AgeMinutes
    hedge_max_age_minutes: AgeMinutes
    venue_max_age_minutes: AgeMinutes


class ApiSource(Table, frozen=True):
    """One data source's address and limits."""

    base_url: Url
    rate_limit: PerMinute
    """Requests per minute."""
    timeout: Seconds
    """Seconds."""


class StreamSource(ApiSource, frozen=True):
    """One data source's addresses, the one of its WebSocket too, and limits."""

    ws_url: WebSocketUrl


class Api(Table, frozen=True):
    """Limits of requests in general, and each source's own."""

    timeout_seconds: Seconds
    rate_limit_per_minute: PerMinute
    retry_attempts: Attempts
    retry_delay_seconds: Annotated[float, Meta(ge=0.0, le=60.0)]
    dexscreener: ApiSource
    birdeye: StreamSource
    helius: StreamSource
    jupiter: ApiSource


class Paper(Table, frozen=True):
    """The paper account and its simulated venue."""

    cash_usdc: Positive
    sol_reserve: NotNegative
    sol_price_usdc: Positive
    seed: Seed
    landing_probability: Share
    latency_ms_median: Annotated[float, Meta(gt=0.0, le=60_000.0)]
    latency_ms_sigma: Annotated[float, Meta(ge=0.0, le=3.0)]
    expiry_seconds: Seconds
    impact_memory_seconds: Annotated[float, Meta(ge=0.0, le=86_400.0)]
    base_fee_lamports: Lamports
    priority_fee_lamports: Lamports
    pools: dict[str, Pool]
    """By symbol; `default` serves every other instrument."""

    def pool(self, symbol: str) -> Pool:
        """Return the pool of an instrument."""
        return self.pools.get(symbol, self.pools["default"])


class Execution(Table, frozen=True):
    """Limits of orders on their way."""

    max_fee_lamports: Lamports
    exit_attempts_max: ExitAttempts
    exit_slippage_step_bps: Bps
    min_order_usdc: Positive
    exit_fee_step_percent: Annotated[int, Meta(ge=0, le=500)]
    exit_reprice_slots: Annotated[int, Meta(ge=2, le=150)]
    compute_unit_price: Annotated[int, Meta(ge=1_024, le=1_000_000_000)]


class Node(Table, frozen=True):
    """How the trading process keeps its state."""

    snapshot_every_bars: Annotated[int, Meta(ge=1, le=10_000)]
    wallet_locks: str
    reserve_mib: Annotated[int, Meta(ge=1, le=1_024)]
    journal_synchronous: Literal["FULL", "NORMAL"]


class Alerts(Table, frozen=True):
    """Which kinds of alert are sent."""

    trade_alerts: bool
    performance_alerts: bool
    risk_alerts: bool
    system_alerts: bool
    market_alerts: bool


class AlertThresholds(Table, frozen=True):
    """When alerts are sent."""

    profit_milestone: Positive
    loss_warning: Positive
    risk_level_warning: Percent
    system_cpu_warning: Percent


class Telegram(Table, frozen=True):
    """Where alerts would go: this version sends nothing to Telegram."""

    token: Secret
    chat_id: str
    alerts: Alerts
    thresholds: AlertThresholds


class Quote(Table, frozen=True):
    """A quote asset."""

    mint: Mint
    decimals: Decimals


class InstrumentConfig(Table, frozen=True):
    """One `[[instruments]]` table."""

    symbol: Symbol
    base_mint: Mint
    base_decimals: Decimals
    primary: Source
    liquid: bool = False
    """Unknown liquidity is none: such a mint is assumed to lose everything."""
    timeframe: Timeframe | None = None
    """None: `strategies.timeframe`."""
    pool: Mint | None = None
    """Address of its pool's account, for `primary = "helius"`; so the two vaults."""
    base_vault: Mint | None = None
    quote_vault: Mint | None = None
    pools: Annotated[tuple[PoolAddress, ...], Meta(max_length=8)] = ()
    """Pools that its orders may go to directly."""


class Config(Table, frozen=True):
    """A whole, checked configuration."""

    environment: Environment
    trading: Trading
    strategies: Strategies
    ensemble: Ensemble
    risk: Risk
    feeds: Feeds
    context: Context
    api: Api
    paper: Paper
    execution: Execution
    routing: Routing
    signer: SignerConfig
    rpc: Rpc
    senders: Senders
    node: Node
    analytics: Analytics
    server: Server
    telegram: Telegram
    quotes: dict[str, Quote]
    instruments: tuple[InstrumentConfig, ...]
