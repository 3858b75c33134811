"""Makes the accounts of the AMM world: mints, vaults, pools, configurations, the arbitrageur's."""

import struct
from dataclasses import dataclass
from fractions import Fraction
from math import isqrt
from typing import Final

from solders.account import Account
from solders.litesvm import LiteSVM
from solders.pubkey import Pubkey

from utb.domain.chain import Program
from utb.simnet.chain import tokens
from utb.simnet.chain.accounts import SYSTEM, Accounts
from utb.simnet.chain.amm import keys, raydium_amm, raydium_cpmm, whirlpool
from utb.simnet.chain.amm import pumpswap_layout as pump
from utb.simnet.chain.amm import whirlpool_layout as pools
from utb.simnet.chain.amm.spec import MarketSpec
from utb.simnet.chain.amm.ticks import TICK_MAX, sqrt_price_at, tick_at
from utb.simnet.chain.types import PoolAddress
from utb.simnet.profiles import key_of

ARBITRAGEUR: Final = Pubkey(key_of("arbitrageur"))
ARBITRAGEUR_SHARE: Final = 200
"""Its tokens, in depths of one pool: four pools take 31 each where a price moves by 1,000."""
_BASE_RAW_MAX: Final = 2**63 // (ARBITRAGEUR_SHARE + 8)
"""Of one pool, so that all of a mint's tokens together stay below 2^63."""
TICK_SPACING: Final = 64
WHIRLPOOL_FEE: Final = 3_000
WHIRLPOOL_PROTOCOL_FEE: Final = 1_300
_BANDS: Final = ((TICK_MAX // TICK_SPACING * TICK_SPACING, 1), (4_096, 2), (1_152, 4))
"""Liquidity of a Whirlpool: (half width in ticks, share in full-range liquidities)."""
_RATES: Final = raydium_cpmm.Rates(trade=2_500, protocol=120_000, fund=40_000, creator=500)
_QUOTE_DECIMALS: Final = 6
_CASHBACK_NUMBER: Final = 3
"""Every fourth market's coin is a cashback coin: more accounts, the same amounts."""


@dataclass(frozen=True, slots=True)
class Built:
    """One pool, as the arbitrageur needs to know it."""

    program: Program
    pool: Pubkey
    base_mint: Pubkey
    base_vault: Pubkey
    quote_vault: Pubkey
    nets: tuple[tuple[int, int], ...] = ()
    """Of a Whirlpool: net liquidity by initialised tick."""

    @property
    def address(self) -> PoolAddress:
        """Return where it lies."""
        return PoolAddress(
            self.program.value, str(self.pool), str(self.base_mint), str(tokens.USDC)
        )


class Builder:
    """Makes accounts before the first slot."""

    def __init__(self, svm: LiteSVM, accounts: Accounts, authority: Pubkey) -> None:
        self._svm = svm
        self._accounts = accounts
        self._authority = authority
        self._supply: dict[Pubkey, int] = {}
        self._new_mints: set[Pubkey] = set()
        """Of Token-2022."""
        self._fee_mints: set[Pubkey] = set()

    def base(self) -> None:
        """Make what all markets share."""
        self._put(pump.GLOBAL_CONFIG, pump.config_data(self._authority, _RECIPIENTS), keys.PUMPSWAP)
        self._put(pump.FEE_CONFIG, pump.fees_data(self._authority), keys.PUMP_FEES)
        self._put(cpmm_config(), raydium_cpmm.config_data(_RATES), keys.RAYDIUM_CPMM)
        for owner in (*_RECIPIENTS, *pump.BUYBACK_RECIPIENTS):
            self._tokens(tokens.associated(owner, tokens.USDC, tokens.TOKEN), tokens.USDC, owner, 0)
        self._put(tokens.WRAPPED_SOL, _native_mint(), tokens.TOKEN)

    def market(self, number: int, spec: MarketSpec) -> tuple[Built, ...]:
        """Make a market's mint and pools."""
        base = Pubkey.from_string(spec.base_mint)
        if spec.is_token_2022:
            self._new_mints.add(base)
        if spec.transfer_fee_bps is not None:
            self._fee_mints.add(base)
        quote_raw = int(spec.depth_quote * 10**_QUOTE_DECIMALS)
        base_raw = int(quote_raw / spec.raw_price(spec.price))
        if base_raw > _BASE_RAW_MAX:
            quote_raw, base_raw = quote_raw * _BASE_RAW_MAX // base_raw, _BASE_RAW_MAX
        amounts = (base_raw, quote_raw)
        built = []
        if not spec.is_token_2022:
            built.append(self._raydium_amm(spec, base, amounts))
            built.append(self._pumpswap(number, spec, base, amounts))
        built.append(self._raydium_cpmm(number, spec, base, amounts))
        built.append(self._whirlpool(number, base, amounts))
        for mint, amount in ((base, base_raw), (tokens.USDC, quote_raw)):
            self._arbitrageur(mint, ARBITRAGEUR_SHARE * amount)
        if base != tokens.WRAPPED_SOL:
            extensions = list(spec.extensions)
            if spec.transfer_fee_bps is not None:
                fee = tokens.TransferFee(spec.transfer_fee_bps, 2**62)
                extensions.append(tokens.transfer_fee_extension(self._authority, fee))
            data = tokens.mint_data(
                self._authority,
                spec.base_decimals,
                self._supply[base],
                freeze=spec.freeze_authority,
                extensions=extensions,
            )
            self._put(base, data, self.program_of(base))
        return tuple(built)

    def finish(self) -> None:
        """Make the quote mint, whose supply is known now."""
        supply = self._supply.get(tokens.USDC, 0)
        data = tokens.mint_data(self._authority, _QUOTE_DECIMALS, supply)
        self._put(tokens.USDC, data, tokens.TOKEN)

    def program_of(self, mint: Pubkey) -> Pubkey:
        """Return a mint's token program."""
        return tokens.TOKEN_2022 if mint in self._new_mints else tokens.TOKEN

    def _raydium_amm(self, spec: MarketSpec, base: Pubkey, amounts: tuple[int, int]) -> Built:
        pool, vaults = spec.places(Program.RAYDIUM_AMM)
        # A part of the vaults is owed to the pool's owner and no reserve.
        owed = (amounts[0] // 10_000, amounts[1] // 10_000)
        for vault, mint, amount, due in zip(
            vaults, (base, tokens.USDC), amounts, owed, strict=True
        ):
            self._tokens(vault, mint, keys.RAYDIUM_AMM_AUTHORITY, amount + due)
        data = raydium_amm.pool_data(
            vaults=vaults,
            mints=(base, tokens.USDC),
            decimals=(spec.base_decimals, _QUOTE_DECIMALS),
            owed_raw=owed,
            label=Pubkey(key_of(f"unread {spec.symbol}")),
        )
        self._put(pool, data, keys.RAYDIUM_AMM)
        return Built(Program.RAYDIUM_AMM, pool, base, *vaults)

    def _raydium_cpmm(
        self, number: int, spec: MarketSpec, base: Pubkey, amounts: tuple[int, int]
    ) -> Built:
        pool, vaults = spec.places(Program.RAYDIUM_CPMM)
        mints, decimals = (base, tokens.USDC), (spec.base_decimals, _QUOTE_DECIMALS)
        sides = []
        for mint, vault, places, amount in zip(mints, vaults, decimals, amounts, strict=True):
            owed = amount // 20_000
            self._tokens(vault, mint, keys.RAYDIUM_CPMM_AUTHORITY, amount + owed)
            side = raydium_cpmm.Side(mint, vault, self.program_of(mint), places, owed)
            sides.append(side)
        first, second = sorted(sides, key=lambda side: bytes(side.mint))
        observation = keys.pda(keys.RAYDIUM_CPMM, b"observation", bytes(pool))
        # Every other pool has a creator's fee, on each of the three sides in turn.
        creator_fee_on = number // 2 % 3 if number % 2 else None
        data = raydium_cpmm.pool_data(cpmm_config(), (first, second), observation, creator_fee_on)
        self._put(pool, data, keys.RAYDIUM_CPMM)
        self._put(observation, bytes(raydium_cpmm.OBSERVATION_BYTES), keys.RAYDIUM_CPMM)
        return Built(Program.RAYDIUM_CPMM, pool, base, *vaults)

    def _pumpswap(
        self, number: int, spec: MarketSpec, base: Pubkey, amounts: tuple[int, int]
    ) -> Built:
        # wSOL has no coin page, so its pool is anybody's and has the flat fees.
        canonical = base != tokens.WRAPPED_SOL
        creator = Pubkey(key_of(f"pool creator {spec.symbol}"))
        if canonical:
            creator = keys.pda(keys.PUMP, b"pool-authority", bytes(base))
        has_creator = canonical and number % 2 == 0
        coin_creator = Pubkey(key_of(f"creator {spec.symbol}")) if has_creator else SYSTEM
        pool = keys.pda(keys.PUMPSWAP, *pump.pool_address(0, creator, base, tokens.USDC))
        mints = (base, tokens.USDC)
        vaults = tuple(tokens.associated(pool, mint, tokens.TOKEN) for mint in mints)
        virtual = amounts[1] // 50 if number % 3 == 1 else 0
        for vault, mint, amount in zip(
            vaults, mints, (amounts[0], amounts[1] - virtual), strict=True
        ):
            self._tokens(vault, mint, pool, amount)
        new = pump.NewPool(
            creator=creator,
            mints=mints,
            vaults=(vaults[0], vaults[1]),
            lp_mint=keys.pda(keys.PUMPSWAP, b"pool_lp_mint", bytes(pool)),
            coin_creator=coin_creator,
            virtual_quote_raw=virtual,
            # Only where there is no creator's fee that it would go to.
            is_cashback=number % 4 == _CASHBACK_NUMBER,
        )
        self._put(pool, pump.pool_data(new), keys.PUMPSWAP)
        paid = keys.pda(keys.PUMPSWAP, b"creator_vault", bytes(coin_creator))
        if has_creator:
            its_quote = tokens.associated(paid, tokens.USDC, tokens.TOKEN)
            self._tokens(its_quote, tokens.USDC, paid, 0)
        return Built(Program.PUMPSWAP, pool, base, vaults[0], vaults[1])

    def _whirlpool(self, number: int, base: Pubkey, amounts: tuple[int, int]) -> Built:
        mints = tuple(sorted((base, tokens.USDC), key=bytes))
        price = Fraction(amounts[1], amounts[0])
        root = sqrt_price(price if mints[0] == base else 1 / price)
        tick = tick_at(root)
        nets, owned = _bands(root, tick, isqrt(amounts[0] * amounts[1]) // 2)
        seeds = pools.pool_seeds(keys.WHIRLPOOLS_CONFIG, (mints[0], mints[1]), TICK_SPACING)
        address, bump = Pubkey.find_program_address(list(seeds), keys.WHIRLPOOL)
        vaults = (Pubkey(key_of(f"vault a {address}")), Pubkey(key_of(f"vault b {address}")))
        for vault, mint, amount in zip(vaults, mints, owned, strict=True):
            self._tokens(vault, mint, address, amount)
        pool = pools.Pool(
            config=keys.WHIRLPOOLS_CONFIG,
            bump=bump,
            tick_spacing=TICK_SPACING,
            fee_rate=WHIRLPOOL_FEE,
            protocol_fee_rate=WHIRLPOOL_PROTOCOL_FEE,
            liquidity=sum(net for at, net in nets.items() if at <= tick),
            sqrt_price=root,
            tick=tick,
            mints=(mints[0], mints[1]),
            vaults=vaults,
        )
        self._put(address, pools.pool_data(pool), keys.WHIRLPOOL)
        for start in sorted({pools.array_start(at, TICK_SPACING) for at in nets}):
            # Both kinds of tick array exist on mainnet.
            make = pools.dynamic_array_data if number % 2 else pools.array_data
            data = make(address, start, TICK_SPACING, nets)
            self._put(pools.array_address(address, start), data, keys.WHIRLPOOL)
        places = vaults if mints[0] == base else (vaults[1], vaults[0])
        return Built(Program.WHIRLPOOL, address, base, *places, tuple(sorted(nets.items())))

    def _arbitrageur(self, mint: Pubkey, amount: int) -> None:
        key = tokens.associated(ARBITRAGEUR, mint, self.program_of(mint))
        held = self._accounts.data(key)
        before = 0 if held is None else tokens.amount_raw(held)
        self._tokens(key, mint, ARBITRAGEUR, before + amount)
        self._supply[mint] -= before

    def _tokens(self, key: Pubkey, mint: Pubkey, owner: Pubkey, amount: int) -> None:
        program = self.program_of(mint)
        native = mint == tokens.WRAPPED_SOL
        has_fee = mint in self._fee_mints
        size = len(tokens.account_data(mint, owner, 0, fee=has_fee))
        rent = self._svm.minimum_balance_for_rent_exemption(size)
        data = tokens.account_data(
            mint, owner, amount, native_rent=rent if native else None, fee=has_fee
        )
        self._accounts.plant(key, Account(rent + (amount if native else 0), data, program))
        self._supply[mint] = self._supply.get(mint, 0) + amount

    def _put(self, key: Pubkey, data: bytes, owner: Pubkey) -> None:
        rent = self._svm.minimum_balance_for_rent_exemption(len(data))
        self._accounts.plant(key, Account(rent, data, owner))


_RECIPIENTS: Final = tuple(Pubkey(key_of(f"protocol fee recipient {n}")) for n in range(8))


def cpmm_config() -> Pubkey:
    """Return the address of Raydium CPMM's configuration 0; its number is big-endian."""
    return keys.pda(keys.RAYDIUM_CPMM, b"amm_config", struct.pack(">H", 0))


def sqrt_price(price: Fraction) -> int:
    """Return the square-root price, Q64.64, of b raw per a raw."""
    return isqrt((price.numerator << 128) // price.denominator)


def _native_mint() -> bytes:
    return struct.pack("<I32sQBBI32s", 0, bytes(32), 0, 9, 1, 0, bytes(32))


def _bands(root: int, tick: int, liquidity: int) -> tuple[dict[int, int], tuple[int, int]]:
    """Return net liquidity by tick, and what the vaults must hold of both tokens."""
    nets: dict[int, int] = {}
    owned = [0, 0]
    middle = tick // TICK_SPACING * TICK_SPACING
    edge = _BANDS[0][0]
    for half, share in _BANDS:
        low, high = (-edge, edge) if half == edge else (middle - half, middle + half)
        part = share * liquidity
        nets[low] = nets.get(low, 0) + part
        nets[high] = nets.get(high, 0) - part
        below, above = sqrt_price_at(low), sqrt_price_at(high)
        owned[0] += whirlpool.between(part, root, above, in_a=True, up=True) + 1
        owned[1] += whirlpool.between(part, below, root, in_a=False, up=True) + 1
    return nets, (owned[0], owned[1])
