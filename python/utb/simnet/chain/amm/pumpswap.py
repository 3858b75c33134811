"""PumpSwap: what its swaps do.

Sources: pump-fun/pump-public-docs; npm @pump-fun/pump-swap-sdk (MIT). The buyback share, which
the program takes out of the fees, is 0 here.
"""

import struct
from dataclasses import dataclass
from typing import Final

from solders.pubkey import Pubkey

from utb.simnet.chain import tokens
from utb.simnet.chain.amm import keys
from utb.simnet.chain.amm import pumpswap_layout as layout
from utb.simnet.chain.amm.calls import Call, Leg, Refused, View, ceil_div, transfer, u64
from utb.simnet.chain.amm.pumpswap_layout import Fees, Pool
from utb.simnet.chain.program.script import (
    EVENT_CALL,
    INVALID_INSTRUCTION_DATA,
    NOT_ENOUGH_ACCOUNTS,
    SIGNER,
    Script,
)

BUY: Final = bytes.fromhex("66063d1201daebea")
BUY_EXACT_QUOTE_IN: Final = bytes.fromhex("c62e1552b4d9e870")
SELL: Final = bytes.fromhex("33e685a4017f83ad")
BUY_EVENT: Final = bytes.fromhex("67f4521f2cf57777")
SELL_EVENT: Final = bytes.fromhex("3e2f370aa503dc2a")
UNITS: Final = 45_000
BPS: Final = 10_000

EXCEEDED_SLIPPAGE: Final = 6004
INVALID_PROTOCOL_RECIPIENT: Final = 6013
MORE_THAN_RESERVES: Final = 6016
DISABLED_BUY: Final = 6020
DISABLED_SELL: Final = 6021
NOT_ENOUGH_REMAINING: Final = 6044
BELOW_MIN_BASE: Final = 6040
BUYBACK_NOT_AUTHORIZED: Final = 6053
BUYBACK_MISSING: Final = 6058
ZERO_BASE: Final = 6001

_BUY_FIXED, _SELL_FIXED = 23, 21
(
    _POOL,
    _USER,
    _CONFIG,
    _BASE_MINT,
    _QUOTE_MINT,
    _USER_BASE,
    _USER_QUOTE,
    _BASE_VAULT,
    _QUOTE_VAULT,
    _RECIPIENT,
    _RECIPIENT_QUOTE,
    _BASE_PROGRAM,
    _QUOTE_PROGRAM,
    _SYSTEM,
    _ASSOCIATED,
    _EVENT_AUTHORITY,
    _PROGRAM,
    _CREATOR_QUOTE,
    _CREATOR_AUTHORITY,
) = range(19)


@dataclass(frozen=True, slots=True)
class Quote:
    """A swap in numbers."""

    base_raw: int
    curve_quote_raw: int
    """What the curve alone takes or gives."""
    lp_fee: int
    protocol_fee: int
    creator_fee: int

    @property
    def fees(self) -> int:
        """Return all fees, quote raw."""
        return self.lp_fee + self.protocol_fee + self.creator_fee


def _quote(base_raw: int, curve_quote_raw: int, fees: Fees) -> Quote:
    lp, protocol, creator = (
        ceil_div(curve_quote_raw * bps, BPS) for bps in (fees.lp, fees.protocol, fees.creator)
    )
    return Quote(base_raw, curve_quote_raw, lp, protocol, creator)


def sell_quote(base: int, quote: int, amount_in: int, fees: Fees) -> Quote:
    """Quote a sale; `quote` is the vault's balance and the virtual reserves."""
    return _quote(amount_in, quote * amount_in // (base + amount_in), fees)


def buy_quote(base: int, quote: int, amount_out: int, fees: Fees) -> Quote:
    """Quote an exact output of base; needs `amount_out` < `base`."""
    return _quote(amount_out, ceil_div(quote * amount_out, base - amount_out), fees)


def budget_quote(base: int, quote: int, budget: int, fees: Fees) -> Quote:
    """Quote an exact budget of quote; what rounding leaves of it is not spent."""
    curve = budget * BPS // (BPS + fees.total)
    over = curve + _quote(0, curve, fees).fees - budget
    if over > 0:
        curve -= over
    # The program's own: one unit of the input does not count.
    out = base * (curve - 1) // (quote + curve - 1) if curve > 1 else 0
    return _quote(out, curve, fees)


def script_key(call: Call) -> Pubkey | None:
    """Return the account that a script for this instruction goes into."""
    authority = keys.PUMPSWAP_EVENT_AUTHORITY
    return authority if authority in call.keys else None


def plan(call: Call, view: View) -> Script:
    """Return what the program does with a swap.

    Raises:
        Refused: With the program's error.
    """
    kind = call.data[:8]
    if kind not in {BUY, BUY_EXACT_QUOTE_IN, SELL} or len(call.data) < 24:  # noqa: PLR2004
        raise Refused(INVALID_INSTRUCTION_DATA, "not a swap")
    if len(call.keys) < (_SELL_FIXED if kind == SELL else _BUY_FIXED):
        raise Refused(NOT_ENOUGH_ACCOUNTS, "accounts are missing")
    pool = _checked(call, view, kind)
    swap = _Swap(call, view, pool)
    first, second = u64(call.data, 8), u64(call.data, 16)
    return swap.sell(first, second) if kind == SELL else swap.buy(kind, first, second)


def remaining(pool: Pool, *, selling: bool) -> int:
    """Return how many accounts follow the fixed ones."""
    return 2 + pool.has_creator + (pool.is_cashback * (2 if selling else 1))


def accounts(pool: Pool, *, selling: bool) -> int:
    """Return how many accounts a swap takes."""
    return (_SELL_FIXED if selling else _BUY_FIXED) + remaining(pool, selling=selling)


def _checked(call: Call, view: View, kind: bytes) -> Pool:
    data = view.data(call.keys[_POOL], keys.PUMPSWAP)
    config = view.data(call.keys[_CONFIG], keys.PUMPSWAP)
    if data is None or data[:8] != layout.POOL_DISCRIMINATOR:
        raise Refused(keys.ANCHOR_WRONG_OWNER, "not a pool")
    if call.keys[_CONFIG] != layout.GLOBAL_CONFIG or config is None:
        raise Refused(keys.ANCHOR_CONSTRAINT_SEEDS, "not the global configuration")
    pool = layout.read_pool(data)
    selling = kind == SELL
    recipient = call.keys[_RECIPIENT]
    creator = keys.pda(keys.PUMPSWAP, b"creator_vault", bytes(pool.coin_creator))
    quote_program = call.keys[_QUOTE_PROGRAM]
    fee_at = 19 if selling else 21
    checks = (
        (call.keys[_BASE_MINT] == pool.base_mint, keys.ANCHOR_CONSTRAINT_HAS_ONE),
        (call.keys[_QUOTE_MINT] == pool.quote_mint, keys.ANCHOR_CONSTRAINT_HAS_ONE),
        (call.keys[_BASE_VAULT] == pool.base_vault, keys.ANCHOR_CONSTRAINT_HAS_ONE),
        (call.keys[_QUOTE_VAULT] == pool.quote_vault, keys.ANCHOR_CONSTRAINT_HAS_ONE),
        (view.mint_of(call.keys[_USER_BASE]) in {None, pool.base_mint}, keys.ANCHOR_TOKEN_MINT),
        (view.mint_of(call.keys[_USER_QUOTE]) in {None, pool.quote_mint}, keys.ANCHOR_TOKEN_MINT),
        (recipient in layout.protocol_recipients(config), INVALID_PROTOCOL_RECIPIENT),
        (
            call.keys[_RECIPIENT_QUOTE]
            == tokens.associated(recipient, pool.quote_mint, quote_program),
            keys.ANCHOR_CONSTRAINT_ASSOCIATED,
        ),
        (call.keys[_CREATOR_AUTHORITY] == creator, keys.ANCHOR_CONSTRAINT_SEEDS),
        (
            call.keys[_CREATOR_QUOTE] == tokens.associated(creator, pool.quote_mint, quote_program),
            keys.ANCHOR_CONSTRAINT_ASSOCIATED,
        ),
        (call.keys[fee_at] == layout.FEE_CONFIG, keys.ANCHOR_CONSTRAINT_SEEDS),
        (
            call.keys[_EVENT_AUTHORITY] == keys.PUMPSWAP_EVENT_AUTHORITY,
            keys.ANCHOR_CONSTRAINT_SEEDS,
        ),
        (not (selling and layout.disable_flags(config) & 16), DISABLED_SELL),
        (selling or not layout.disable_flags(config) & 8, DISABLED_BUY),
    )
    for right, code in checks:
        if not right:
            raise Refused(code, "wrong account, or swaps are switched off")
    _check_remaining(call, pool, config, selling=selling)
    return pool


def _check_remaining(call: Call, pool: Pool, config: bytes, *, selling: bool) -> None:
    """Check the accounts after the fixed ones: pool-v2, buyback recipient, its quote account."""
    rest = call.keys[_SELL_FIXED if selling else _BUY_FIXED :]
    wanted = remaining(pool, selling=selling)
    if len(rest) == 0:
        raise Refused(BUYBACK_MISSING, "no buyback recipient")
    if len(rest) < wanted:
        raise Refused(NOT_ENOUGH_REMAINING, f"{len(rest)} remaining accounts, expected {wanted}")
    recipient, its_quote = rest[wanted - 2], rest[wanted - 1]
    if recipient not in layout.buyback_recipients(config):
        raise Refused(BUYBACK_NOT_AUTHORIZED, "not a buyback recipient")
    if its_quote != tokens.associated(recipient, pool.quote_mint, call.keys[_QUOTE_PROGRAM]):
        raise Refused(keys.ANCHOR_CONSTRAINT_ASSOCIATED, "not the buyback recipient's account")
    if pool.is_cashback:
        volume = keys.pda(keys.PUMPSWAP, b"user_volume_accumulator", bytes(call.keys[_USER]))
        account = tokens.associated(volume, pool.quote_mint, call.keys[_QUOTE_PROGRAM])
        if rest[0] != account or (selling and rest[1] != volume):
            raise Refused(keys.ANCHOR_CONSTRAINT_SEEDS, "not the user's volume accumulator")
    if pool.has_creator:
        second = keys.pda(keys.PUMPSWAP, b"pool-v2", bytes(pool.base_mint))
        if rest[wanted - 3] != second:
            raise Refused(keys.ANCHOR_CONSTRAINT_SEEDS, "not the coin's pool-v2 address")


class _Swap:
    """One swap in the making."""

    def __init__(self, call: Call, view: View, pool: Pool) -> None:
        self._call, self._view, self._pool = call, view, pool
        self._base = view.amount(pool.base_vault)
        self._vault_quote = view.amount(pool.quote_vault)
        self._quote = self._vault_quote + pool.virtual_quote_raw
        self._user_before = (
            view.amount(call.keys[_USER_BASE]),
            view.amount(call.keys[_USER_QUOTE]),
        )
        self._fees = self._rates()

    def buy(self, kind: bytes, first: int, second: int) -> Script:
        """Plan a purchase of base."""
        if kind == BUY:
            if first >= self._base:
                raise Refused(MORE_THAN_RESERVES, "more base than there is")
            done = buy_quote(self._base, self._quote, first, self._fees)
            if done.curve_quote_raw + done.fees > second:
                raise Refused(EXCEEDED_SLIPPAGE, "more quote than the maximum")
        else:
            done = budget_quote(self._base, self._quote, first, self._fees)
            if done.base_raw < second:
                raise Refused(BELOW_MIN_BASE, f"{done.base_raw} out, expected at least {second}")
        if done.base_raw == 0:
            raise Refused(ZERO_BASE, "nothing out")
        script = self._begin(_QUOTE_VAULT, self._vault_quote)
        into_pool = done.curve_quote_raw + done.lp_fee
        self._move(script, (_USER_QUOTE, _QUOTE_VAULT, _USER), into_pool, base=False)
        self._pay_fees(script, done, _USER_QUOTE, _USER)
        self._move(script, (_BASE_VAULT, _USER_BASE, _POOL), done.base_raw, base=True)
        paid = done.curve_quote_raw + done.fees
        script.paid_raw, script.received_raw = paid, done.base_raw
        # track_volume, four volume counters, then the minimum and the instruction's name.
        minimum = second if kind == BUY_EXACT_QUOTE_IN else first
        name = b"buy" if kind == BUY else b"buy_exact_quote_in"
        tail = bytes((1,)) + bytes(32) + struct.pack("<QI", minimum, len(name)) + name
        most = second if kind == BUY else first
        head = struct.pack("<qQQ", self._view.time_s, done.base_raw, most)
        mid = (done.curve_quote_raw, into_pool, paid)
        self._emit(script, BUY_EVENT + head, done, mid, tail)
        return script

    def sell(self, amount_in: int, minimum: int) -> Script:
        """Plan a sale of base."""
        if amount_in == 0:
            raise Refused(ZERO_BASE, "nothing in")
        done = sell_quote(self._base, self._quote, amount_in, self._fees)
        received = done.curve_quote_raw - done.fees
        if received < max(1, minimum):
            raise Refused(EXCEEDED_SLIPPAGE, f"{received} out, expected at least {minimum}")
        if self._vault_quote < done.curve_quote_raw - done.lp_fee:
            raise Refused(MORE_THAN_RESERVES, "more quote than there is")
        script = self._begin(_BASE_VAULT, self._base)
        script.paid_raw, script.received_raw = amount_in, received
        self._move(script, (_USER_BASE, _BASE_VAULT, _USER), amount_in, base=True)
        self._move(script, (_QUOTE_VAULT, _USER_QUOTE, _POOL), received, base=False)
        self._pay_fees(script, done, _QUOTE_VAULT, _POOL)
        head = struct.pack("<qQQ", self._view.time_s, amount_in, minimum)
        mid = (done.curve_quote_raw, done.curve_quote_raw - done.lp_fee, received)
        self._emit(script, SELL_EVENT + head, done, mid, b"")
        return script

    def _rates(self) -> Fees:
        view, pool = self._view, self._pool
        data = view.data(layout.FEE_CONFIG) or b""
        if not pool.is_canonical:
            found = layout.flat_fees(data)
        else:
            mint = view.data(pool.base_mint) or bytes(tokens.MINT_BYTES)
            cap = self._quote * u64(mint, tokens.SUPPLY_AT) // max(1, self._base)
            stable = pool.quote_mint == tokens.USDC
            found = layout.fees_of(data, stable=stable, market_cap_raw=cap)
        return found if pool.has_creator else Fees(found.lp, found.protocol, 0)

    def _begin(self, amount_index: int, amount_raw: int) -> Script:
        script = Script(keys.PUMPSWAP, (_POOL, self._call.keys[_POOL]), (amount_index, amount_raw))
        script.burn(UNITS)
        pool = self._pool
        seeds = layout.pool_address(pool.index, pool.creator, pool.base_mint, pool.quote_mint)
        script.signers(
            keys.signer_seeds(keys.PUMPSWAP, *seeds),
            keys.signer_seeds(keys.PUMPSWAP, b"__event_authority"),
        )
        return script

    def _pay_fees(self, script: Script, done: Quote, source: int, authority: int) -> None:
        for fee, to in ((done.protocol_fee, _RECIPIENT_QUOTE), (done.creator_fee, _CREATOR_QUOTE)):
            if fee:
                self._move(script, (source, to, authority), fee, base=False)

    def _move(
        self, script: Script, way: tuple[int, int, int], amount_raw: int, *, base: bool
    ) -> None:
        source, destination, authority = way
        program, mint = (_BASE_PROGRAM, _BASE_MINT) if base else (_QUOTE_PROGRAM, _QUOTE_MINT)
        decimals = self._view.decimals(self._call.keys[mint])
        transfer(script, Leg(program, source, destination, authority, mint), amount_raw, decimals)
        self._view.move(self._call.keys[source], -amount_raw)
        self._view.move(self._call.keys[destination], amount_raw)

    def _emit(
        self, script: Script, head: bytes, done: Quote, mid: tuple[int, int, int], tail: bytes
    ) -> None:
        """Add the event, which the program sends to itself."""
        call, fees, pool = self._call, self._fees, self._pool
        curve, with_lp, user = mid
        body = head + struct.pack("<4Q", *self._user_before, self._base, self._vault_quote)
        body += struct.pack(
            "<7Q", curve, fees.lp, done.lp_fee, fees.protocol, done.protocol_fee, with_lp, user
        )
        for index in (_POOL, _USER, _USER_BASE, _USER_QUOTE, _RECIPIENT, _RECIPIENT_QUOTE):
            body += bytes(call.keys[index])
        body += bytes(pool.coin_creator) + struct.pack("<QQ", fees.creator, done.creator_fee)
        body += tail + bytes(32)
        script.invoke(_PROGRAM, [(_EVENT_AUTHORITY, SIGNER)], EVENT_CALL + body)
