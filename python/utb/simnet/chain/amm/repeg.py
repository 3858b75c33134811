"""The arbitrageur: moves a pool to a price, trading tokens of its own against the vaults.

It pays no fee and leaves the curve's invariant as it was, rounded for the pool; what the vaults
lose it gains. So pools follow the market, and no token comes or goes.
"""

from fractions import Fraction
from math import isqrt
from typing import Final

from solders.account import Account
from solders.pubkey import Pubkey

from utb.domain.chain import Program
from utb.simnet.chain import tokens
from utb.simnet.chain.accounts import Accounts
from utb.simnet.chain.amm import keys, raydium_amm, raydium_cpmm, whirlpool
from utb.simnet.chain.amm import pumpswap_layout as pump
from utb.simnet.chain.amm import whirlpool_layout as pools
from utb.simnet.chain.amm.build import ARBITRAGEUR, Built, sqrt_price
from utb.simnet.chain.amm.calls import ceil_div
from utb.simnet.chain.amm.ticks import SQRT_PRICE_MAX, SQRT_PRICE_MIN, TICK_MAX

_ENDLESS: Final = 2**200
"""More than any pool takes; the price limit ends the swap."""


class Arbitrageur:
    """Trades with every pool of the world."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    def move(self, market: tuple[Built, ...], price: Fraction) -> None:
        """Bring the pools of a market to a price, quote raw per base raw."""
        total_base = total_quote = 0
        for built in market:
            vaults = self._get(built.base_vault), self._get(built.quote_vault)
            if built.program is Program.WHIRLPOOL:
                base, quote = self._whirlpool(built, price)
            else:
                base, quote = self._product(built, vaults, price)
            self._add(built.base_vault, vaults[0], base)
            self._add(built.quote_vault, vaults[1], quote)
            total_base += base
            total_quote += quote
        base_mint = self._get(market[0].base_vault)
        for mint, program, change in (
            (market[0].base_mint, base_mint.owner, total_base),
            (tokens.USDC, tokens.TOKEN, total_quote),
        ):
            own = tokens.associated(ARBITRAGEUR, mint, program)
            self._add(own, self._get(own), -change)

    def _product(
        self, built: Built, vaults: tuple[Account, Account], price: Fraction
    ) -> tuple[int, int]:
        """Return the changes (base, quote) of a constant-product pool's vaults."""
        base_out, quote_out = self._not_reserves(built)
        base = tokens.amount_raw(vaults[0].data) - base_out
        quote = tokens.amount_raw(vaults[1].data) - quote_out
        product = base * quote
        wanted = isqrt(product * price.denominator // price.numerator)
        if built.program is Program.RAYDIUM_CPMM and wanted != base:
            # Every swap writes the pool's own account, by which readers know its balances whole
            self._accounts.note(built.pool, self._get(built.pool))
        return wanted - base, ceil_div(product, wanted) - quote

    def _not_reserves(self, built: Built) -> tuple[int, int]:
        """Return what is in the vaults but not on the curve, (base, quote)."""
        data = self._get(built.pool).data
        if built.program is Program.RAYDIUM_AMM:
            return raydium_amm.owed(data)
        if built.program is Program.RAYDIUM_CPMM:
            owed = raydium_cpmm.owed(data)
            first = bytes(built.base_mint) < bytes(tokens.USDC)
            return owed if first else (owed[1], owed[0])
        return 0, -pump.virtual_quote(data)

    def _whirlpool(self, built: Built, price: Fraction) -> tuple[int, int]:
        account = self._get(built.pool)
        pool = pools.read_pool(account.data)
        base_is_a = pool.mints[0] == built.base_mint
        target = sqrt_price(price if base_is_a else 1 / price)
        target = max(SQRT_PRICE_MIN, min(SQRT_PRICE_MAX, target))
        if target == pool.sqrt_price:
            return 0, 0
        a_to_b = target < pool.sqrt_price
        free = pools.without_fee(pool)
        edge = -TICK_MAX if a_to_b else TICK_MAX
        done = whirlpool.swap(free, dict(built.nets), edge, _ENDLESS, a_to_b=a_to_b, limit=target)
        data = account.data
        for offset, body in pools.state_patches(done.pool):
            data = data[:offset] + body + data[offset + len(body) :]
        self._accounts.replace(built.pool, account, Account(account.lamports, data, keys.WHIRLPOOL))
        a, b = done.amount_in, -done.amount_out
        if not a_to_b:
            a, b = b, a
        return (a, b) if base_is_a else (b, a)

    def _get(self, key: Pubkey) -> Account:
        account = self._accounts.get(key)
        if account is None:
            raise LookupError(f"account {key} of the AMM world is missing")
        return account

    def _add(self, key: Pubkey, account: Account, change: int) -> None:
        if change == 0:
            return
        data = tokens.with_amount(account.data, tokens.amount_raw(account.data) + change)
        lamports = account.lamports + (change if tokens.is_native(data) else 0)
        self._accounts.replace(key, account, Account(lamports, data, account.owner))
