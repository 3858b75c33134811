"""What the generated market trades: eight markets with their scale, and where prices come from."""

import hashlib
from dataclasses import dataclass
from enum import Enum
from typing import Final

from utb.domain.market import Instrument
from utb.simnet import base58

USDC_MINT: Final = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"


class Wire(Enum):
    """How an instrument's prices reach the bot; the value is its primary source's name."""

    BIRDEYE_PRICE = ("birdeye", "price")
    BIRDEYE_TRADES = ("birdeye", "trades")
    DEXSCREENER = ("dexscreener", "pair")
    RAYDIUM_V4 = ("helius", "v4")
    RAYDIUM_CPMM = ("helius", "cpmm")

    @property
    def source(self) -> str:
        """Return the source's name in `feeds.primary`."""
        return self.value[0]

    @property
    def is_pool(self) -> bool:
        """Return whether prices come from a pool's vaults."""
        return self in {Wire.RAYDIUM_V4, Wire.RAYDIUM_CPMM}


@dataclass(frozen=True, slots=True)
class Profile:
    """One market: scale and noise of a real one of that kind."""

    symbol: str
    name: str
    base_mint: str
    base_decimals: int
    wire: Wire
    start_price: float
    price_decimals: int
    """Digits after the point in frames: the tick."""
    sigma_bar: float
    """Standard deviation of the log return over 15 minutes in a calm market."""
    market_share: float
    """Correlation of that return with the market factor."""
    spread_std: float
    """Standard deviation of the log price around its fair value (basket, other venues)."""
    volume_usd_daily: float
    depth_quote: float
    """Quote side of its pool, USD."""

    @property
    def base(self) -> str:
        """Return the base asset's name."""
        return self.symbol.partition("-")[0]

    @property
    def pair_address(self) -> str:
        """Return the address of its pool on DexScreener and on chain."""
        return base58.encode(key_of(f"pool {self.symbol}"))


PROFILES: Final = (
    Profile(
        symbol="SOL-USDC",
        name="Wrapped SOL",
        base_mint="So11111111111111111111111111111111111111112",
        base_decimals=9,
        wire=Wire.BIRDEYE_PRICE,
        start_price=152.4,
        price_decimals=4,
        sigma_bar=0.0042,
        market_share=0.74,
        spread_std=0.0040,
        volume_usd_daily=9.0e8,
        depth_quote=5.0e7,
    ),
    Profile(
        symbol="BTC-USDC",
        name="Wrapped BTC (Wormhole)",
        base_mint="3NZ9JMVBmGAqocybic2c7LQCJScmgsAZ6vQqTDzcqmJh",
        base_decimals=8,
        wire=Wire.BIRDEYE_PRICE,
        start_price=67250.0,
        price_decimals=2,
        sigma_bar=0.0026,
        market_share=0.80,
        spread_std=0.0030,
        volume_usd_daily=1.4e9,
        depth_quote=5.0e7,
    ),
    Profile(
        symbol="ETH-USDC",
        name="Ether (Portal)",
        base_mint="7vfCXTUXx5WJV5JADk17DUJ4ksgau7utNKj4b963voxs",
        base_decimals=8,
        wire=Wire.BIRDEYE_PRICE,
        start_price=3480.0,
        price_decimals=3,
        sigma_bar=0.0031,
        market_share=0.78,
        spread_std=0.0034,
        volume_usd_daily=1.0e9,
        depth_quote=5.0e7,
    ),
    Profile(
        symbol="BONK-USDC",
        name="Bonk",
        base_mint="DezXAZ8z7PnrnRJjz3wXBoRgixCa6xjnB7YaB1pPB263",
        base_decimals=5,
        wire=Wire.BIRDEYE_TRADES,
        start_price=2.614e-5,
        price_decimals=11,
        sigma_bar=0.0074,
        market_share=0.58,
        spread_std=0.0090,
        volume_usd_daily=1.6e8,
        depth_quote=8.0e6,
    ),
    Profile(
        symbol="WIF-USDC",
        name="dogwifhat",
        base_mint="EKpQGSJtjMFqKZ9KQanSqYXRcF8fBopzLHYxdM65zcjm",
        base_decimals=6,
        wire=Wire.RAYDIUM_V4,
        start_price=2.318,
        price_decimals=7,
        sigma_bar=0.0076,
        market_share=0.55,
        spread_std=0.0095,
        volume_usd_daily=1.3e8,
        depth_quote=8.0e6,
    ),
    Profile(
        symbol="JTO-USDC",
        name="JITO",
        base_mint="jtojtomepa8beP8AuQc6eXt5FriJwfFMwQx2v2f9mCL",
        base_decimals=9,
        wire=Wire.BIRDEYE_PRICE,
        start_price=2.871,
        price_decimals=6,
        sigma_bar=0.0066,
        market_share=0.52,
        spread_std=0.0090,
        volume_usd_daily=6.0e7,
        depth_quote=8.0e6,
    ),
    Profile(
        symbol="JUP-USDC",
        name="Jupiter",
        base_mint="JUPyiwrYJFskUPiHa7hkeR8VUtAeFoSYbKedZNsDvCN",
        base_decimals=6,
        wire=Wire.DEXSCREENER,
        start_price=0.9042,
        price_decimals=6,
        sigma_bar=0.0064,
        market_share=0.56,
        spread_std=0.0088,
        volume_usd_daily=9.0e7,
        depth_quote=8.0e6,
    ),
    Profile(
        symbol="RAY-USDC",
        name="Raydium",
        base_mint="4k3Dyjzvzp8eMZWUXbBCjEvwSkkk59S5iCNLY3QrkX6R",
        base_decimals=6,
        wire=Wire.RAYDIUM_CPMM,
        start_price=1.764,
        price_decimals=7,
        sigma_bar=0.0068,
        market_share=0.53,
        spread_std=0.0090,
        volume_usd_daily=5.0e7,
        depth_quote=8.0e6,
    ),
)
"""The markets in index order; every mint is in the configuration template."""


@dataclass(frozen=True, slots=True)
class Binding:
    """A subscription of the Helius feed and what its account means to an instrument."""

    key: str
    """Subscription id, as text: what `Pipeline.bind` takes."""
    instrument: int
    role: str
    """base_vault, quote_vault or pool."""


def instruments() -> list[Instrument]:
    """Return the instruments of the generated market, with its own primary sources."""
    return [
        Instrument(
            index=index,
            symbol=profile.symbol,
            base_mint=profile.base_mint,
            quote_mint=USDC_MINT,
            base_decimals=profile.base_decimals,
            quote_decimals=6,
            primary=profile.wire.source,
            liquid=True,
            min_order_quote_raw=10_000_000,
        )
        for index, profile in enumerate(PROFILES)
    ]


def subscription(index: int, role: str) -> int:
    """Return the subscription id of an instrument's account."""
    return 4_000 + 10 * index + ("base_vault", "quote_vault", "pool").index(role)


def bindings() -> list[Binding]:
    """Return the Helius subscriptions of the generated market."""
    return [
        Binding(str(subscription(index, role)), index, role)
        for index, profile in enumerate(PROFILES)
        if profile.wire.is_pool
        for role in ("base_vault", "quote_vault", "pool")
    ]


def account_address(index: int, role: str) -> str:
    """Return the address of an instrument's account, as it stands in its pool's own account."""
    profile = PROFILES[index]
    if role == "pool":
        return profile.pair_address
    return base58.encode(key_of(f"{role} {profile.symbol}"))


def key_of(label: str) -> bytes:
    """Return 32 bytes that stand for the public key of `label`."""
    return hashlib.sha256(f"utb simnet {label}".encode()).digest()
