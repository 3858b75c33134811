"""Which markets an AMM world has, and where their pools lie."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import isfinite
from typing import Final

from solders.pubkey import Pubkey

from utb.domain.chain import Program
from utb.domain.market import Instrument
from utb.errors import UsageError
from utb.simnet import base58
from utb.simnet.profiles import PROFILES, Wire, key_of

DEFAULT_PRICE: Final = 1.0
"""Of an instrument that the generated market does not trade."""
DEFAULT_DEPTH_QUOTE: Final = 8.0e6
_DEFAULT_ACCOUNT_STATE, _NON_TRANSFERABLE, _PERMANENT_DELEGATE = 6, 9, 12
_TRANSFER_HOOK, _PAUSABLE = 14, 26
"""Extension types of Token-2022 mints."""
_QUOTE_DECIMALS: Final = 6
_CPMM_FIRST: Final = frozenset(
    profile.symbol for profile in PROFILES if profile.wire is Wire.RAYDIUM_CPMM
)
"""Markets whose feed is of a CPMM pool; all others' is of an AMM v4 pool, if of a pool at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketSpec:
    """A market to make: an instrument against USDC and how deep its pools are."""

    symbol: str
    base_mint: str
    base_decimals: int
    price: float
    """Quote per base in whole units, finite, > 0."""
    depth_quote: float = DEFAULT_DEPTH_QUOTE
    """Quote side of each pool, USD."""
    transfer_fee_bps: int | None = None
    """Not None: the base is a Token-2022 mint with this transfer fee, 0..10000."""
    extensions: tuple[tuple[int, bytes], ...] = ()
    """Other Token-2022 extensions of the base mint: (type, value)."""
    freeze_authority: bool = False
    """Whether somebody may freeze the base's accounts."""

    @property
    def is_token_2022(self) -> bool:
        """Return whether the base mint is of Token-2022."""
        return self.transfer_fee_bps is not None or bool(self.extensions)

    def raw_price(self, price: float) -> Fraction:
        """Return quote raw per base raw, exactly the float's value.

        Raises:
            UsageError: If the price is not finite or not above 0.
        """
        if not (isfinite(price) and price > 0):
            raise UsageError("price", str(price), "a finite number above 0")
        return Fraction(price) * Fraction(10**_QUOTE_DECIMALS, 10**self.base_decimals)

    def places(self, program: Program) -> tuple[Pubkey, tuple[Pubkey, Pubkey]]:
        """Return the addresses of a Raydium pool and its (base, quote) vaults.

        The pool that the generated market's feed is of has the feed's addresses.
        """
        first = Program.RAYDIUM_CPMM if self.symbol in _CPMM_FIRST else Program.RAYDIUM_AMM
        prefix = "" if program is first else f"{program.value} "
        pool, base, quote = (
            Pubkey(key_of(f"{prefix}{role} {self.symbol}"))
            for role in ("pool", "base_vault", "quote_vault")
        )
        return pool, (base, quote)


def fee_token_spec(transfer_fee_bps: int = 100) -> MarketSpec:
    """Return a test market whose base is a Token-2022 mint with a transfer fee."""
    return MarketSpec(
        symbol="FEE-USDC",
        base_mint=base58.encode(key_of("mint FEE")),
        base_decimals=6,
        price=2.0,
        transfer_fee_bps=transfer_fee_bps,
    )


def hostile_specs() -> tuple[MarketSpec, ...]:
    """Return test markets whose base mints a careful buyer refuses, named after the reason."""
    anybody = key_of("hostile authority")
    extensions: dict[str, tuple[tuple[int, bytes], ...]] = {
        "FROZEN": ((_DEFAULT_ACCOUNT_STATE, b"\x02"),),
        "STUCK": ((_NON_TRANSFERABLE, b""),),
        "SEIZED": ((_PERMANENT_DELEGATE, anybody),),
        # No hook is set, but its authority may set one any time.
        "HOOKED": ((_TRANSFER_HOOK, anybody + bytes(32)),),
        "PAUSED": ((_PAUSABLE, anybody + b"\x01"),),
        "FREEZABLE": (),
    }
    return tuple(
        MarketSpec(
            symbol=f"{name}-USDC",
            base_mint=base58.encode(key_of(f"mint {name}")),
            base_decimals=6,
            price=2.0,
            extensions=found,
            freeze_authority=name in {"FREEZABLE", "FROZEN"},
        )
        for name, found in extensions.items()
    )


def specs_of(
    instruments: Iterable[Instrument], prices: Mapping[str, float] | None = None
) -> tuple[MarketSpec, ...]:
    """Return the markets of instruments.

    A price is the caller's, else the generated market's first one, else 1.
    """
    known = {profile.symbol: profile for profile in PROFILES}
    found = []
    for one in instruments:
        profile = known.get(one.symbol)
        start = profile.start_price if profile else DEFAULT_PRICE
        found.append(
            MarketSpec(
                symbol=one.symbol,
                base_mint=one.base_mint,
                base_decimals=one.base_decimals,
                price=(prices or {}).get(one.symbol, start),
                depth_quote=profile.depth_quote if profile else DEFAULT_DEPTH_QUOTE,
            )
        )
    return tuple(found)
