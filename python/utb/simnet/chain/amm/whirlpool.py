"""Orca Whirlpools: what an exact-input swap does, in concentrated-liquidity steps.

The maths is the standard step of concentrated liquidity, confirmed on the deployed program's
numbers. Swaps of an exact output are refused: nothing here makes them.
"""

import hashlib
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from solders.pubkey import Pubkey

from utb.simnet.chain import tokens
from utb.simnet.chain.amm import keys
from utb.simnet.chain.amm import whirlpool_layout as layout
from utb.simnet.chain.amm.calls import Call, Leg, Refused, View, ceil_div, transfer, u64, u128
from utb.simnet.chain.amm.ticks import SQRT_PRICE_MAX, SQRT_PRICE_MIN, sqrt_price_at, tick_at
from utb.simnet.chain.amm.whirlpool_layout import Pool
from utb.simnet.chain.program.script import INVALID_INSTRUCTION_DATA, NOT_ENOUGH_ACCOUNTS, Script

SWAP: Final = bytes.fromhex("f8c69e91e17587c8")
SWAP_V2: Final = bytes.fromhex("2b04ed0b1ac91e62")
TRADED: Final = hashlib.sha256(b"event:Traded").digest()[:8]
UNITS: Final = 33_000
FEE_DENOMINATOR: Final = 1_000_000

SQRT_PRICE_OUT_OF_BOUNDS: Final = 6011
INVALID_ARRAY_SEQUENCE: Final = 6023
INVALID_LIMIT_DIRECTION: Final = 6034
ZERO_TRADABLE_AMOUNT: Final = 6035
AMOUNT_OUT_BELOW_MINIMUM: Final = 6036
ARRAY_SEQUENCE_EXHAUSTED: Final = 6038


@dataclass(frozen=True, slots=True)
class Places:
    """Positions of the accounts, which differ between the two forms of the instruction."""

    program_a: int
    program_b: int
    authority: int
    pool: int
    mint_a: int | None
    mint_b: int | None
    user_a: int
    vault_a: int
    user_b: int
    vault_b: int
    arrays: int
    oracle: int


_V1: Final = Places(0, 0, 1, 2, None, None, 3, 4, 5, 6, 7, 10)
_V2: Final = Places(0, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 14)
ACCOUNTS: Final = 15
"""Of the second form, which is the one that is built."""


@dataclass(frozen=True, slots=True)
class Swapped:
    """A swap in numbers."""

    amount_in: int
    """Fee included; less than asked for where a price limit was met."""
    amount_out: int
    fee: int
    protocol_fee: int
    growth: int
    """What the input's fee growth rises by, Q64.64."""
    pool: Pool


@dataclass(frozen=True, slots=True)
class Step:
    """One step inside of which liquidity does not change."""

    amount_in: int
    amount_out: int
    fee: int
    sqrt_price: int
    reached: bool


def step(pool: Pool, amount: int, target: int, *, a_to_b: bool) -> Step:
    """Return one step towards `target`, a square-root price, with `amount` left (fee included)."""
    fee_rate, price, liquidity = pool.fee_rate, pool.sqrt_price, pool.liquidity
    usable = amount * (FEE_DENOMINATOR - fee_rate) // FEE_DENOMINATOR
    need = between(liquidity, price, target, in_a=a_to_b, up=True)
    reached = need <= usable
    if reached:
        after = target
    elif a_to_b:
        after = ceil_div((liquidity * price) << 64, (liquidity << 64) + usable * price)
    else:
        after = price + (usable << 64) // liquidity
    taken = between(liquidity, price, after, in_a=a_to_b, up=True)
    out = between(liquidity, price, after, in_a=not a_to_b, up=False)
    fee = ceil_div(taken * fee_rate, FEE_DENOMINATOR - fee_rate) if reached else amount - taken
    return Step(taken, out, fee, after, reached)


def between(liquidity: int, one: int, other: int, *, in_a: bool, up: bool) -> int:
    """Return how much of a token lies between two square-root prices."""
    low, high = min(one, other), max(one, other)
    if in_a:
        numerator, denominator = (liquidity << 64) * (high - low), high * low
    else:
        numerator, denominator = liquidity * (high - low), 1 << 64
    return ceil_div(numerator, denominator) if up else numerator // denominator


def swap(
    pool: Pool, nets: dict[int, int], edge: int, amount: int, *, a_to_b: bool, limit: int = 0
) -> Swapped:
    """Swap an exact input.

    Args:
        pool: The pool before it.
        nets: Net liquidity by initialised tick, of the arrays that were passed.
        edge: Outermost tick that those arrays reach in the direction of the swap.
        amount: Input raw, fee included.
        a_to_b: Whether token a comes in.
        limit: Square-root price at which it stops; 0: none.

    Raises:
        Refused: If the arrays do not reach far enough.
    """
    bound = limit or (SQRT_PRICE_MIN if a_to_b else SQRT_PRICE_MAX)
    ticks = _ahead(nets, pool.tick, a_to_b=a_to_b)
    left, out, fees, protocol, growth = amount, 0, 0, 0, 0
    while left > 0 and pool.sqrt_price != bound:
        tick = ticks[0] if ticks else edge
        target = sqrt_price_at(tick)
        target = max(target, bound) if a_to_b else min(target, bound)
        if pool.sqrt_price == target and not ticks:
            raise Refused(ARRAY_SEQUENCE_EXHAUSTED, "the tick arrays end before the amount")
        done = step(pool, left, target, a_to_b=a_to_b)
        left -= done.amount_in + done.fee
        out += done.amount_out
        fees += done.fee
        owed = done.fee * pool.protocol_fee_rate // 10_000
        protocol += owed
        if pool.liquidity:
            growth += ((done.fee - owed) << 64) // pool.liquidity
        pool = _after(pool, done, tick, ticks, nets, a_to_b=a_to_b)
    return Swapped(amount - left, out, fees, protocol, growth, pool)


def _ahead(nets: dict[int, int], tick: int, *, a_to_b: bool) -> list[int]:
    """Return the initialised ticks in the direction of a swap, nearest first."""
    if a_to_b:
        return sorted((one for one in nets if one <= tick), reverse=True)
    return sorted(one for one in nets if one > tick)


def _after(
    pool: Pool, done: Step, tick: int, ticks: list[int], nets: dict[int, int], *, a_to_b: bool
) -> Pool:
    """Return the pool after a step, its liquidity changed where a tick was crossed."""
    crossed = bool(ticks) and done.reached and done.sqrt_price == sqrt_price_at(tick)
    if not crossed:
        at = pool.tick if done.sqrt_price == pool.sqrt_price else tick_at(done.sqrt_price)
        return pool.at(liquidity=pool.liquidity, sqrt_price=done.sqrt_price, tick=at)
    ticks.pop(0)
    net = nets[tick]
    return pool.at(
        liquidity=pool.liquidity + (-net if a_to_b else net),
        sqrt_price=done.sqrt_price,
        tick=tick - 1 if a_to_b else tick,
    )


def script_key(call: Call) -> Pubkey | None:
    """Return the account that a script for this instruction goes into: the pool's oracle."""
    places = _places(call)
    return call.keys[places.oracle] if places and len(call.keys) > places.oracle else None


def plan(call: Call, view: View) -> Script:
    """Return what the program does with a swap.

    Raises:
        Refused: With the program's error.
    """
    places = _places(call)
    if places is None or len(call.data) < 42:  # noqa: PLR2004
        raise Refused(INVALID_INSTRUCTION_DATA, "not a swap")
    if len(call.keys) <= places.oracle:
        raise Refused(NOT_ENOUGH_ACCOUNTS, "accounts are missing")
    amount, least = u64(call.data, 8), u64(call.data, 16)
    limit, exact_input, a_to_b = u128(call.data, 24), bool(call.data[40]), bool(call.data[41])
    if not exact_input:
        raise Refused(INVALID_INSTRUCTION_DATA, "exact output")
    pool = _checked(call, view, places)
    _check_limit(pool, limit, a_to_b=a_to_b)
    mints = pool.mints if a_to_b else (pool.mints[1], pool.mints[0])
    in_fee = view.transfer_fee(mints[0], amount)
    if amount <= in_fee:
        raise Refused(ZERO_TRADABLE_AMOUNT, "nothing in")
    nets, edge = _arrays(call, view, places, pool, a_to_b=a_to_b)
    done = swap(pool, nets, edge, amount - in_fee, a_to_b=a_to_b, limit=limit)
    out_fee = view.transfer_fee(mints[1], done.amount_out)
    if done.amount_out - out_fee < least:
        raise Refused(
            AMOUNT_OUT_BELOW_MINIMUM, f"{done.amount_out - out_fee} out, expected {least}"
        )
    paid = amount if done.amount_in == amount - in_fee else done.amount_in + in_fee
    return _script(call, view, places, (pool, done), (paid, in_fee, out_fee, a_to_b))


def _places(call: Call) -> Places | None:
    return {SWAP: _V1, SWAP_V2: _V2}.get(call.data[:8])


def _checked(call: Call, view: View, places: Places) -> Pool:
    data = view.data(call.keys[places.pool], keys.WHIRLPOOL)
    if data is None or data[:8] != layout.POOL_DISCRIMINATOR:
        raise Refused(keys.ANCHOR_WRONG_OWNER, "not a pool")
    pool = layout.read_pool(data)
    checks = [
        (
            call.keys[places.oracle] == layout.oracle_address(call.keys[places.pool]),
            keys.ANCHOR_CONSTRAINT_SEEDS,
        ),
        (call.keys[places.vault_a] == pool.vaults[0], keys.ANCHOR_CONSTRAINT_ADDRESS),
        (call.keys[places.vault_b] == pool.vaults[1], keys.ANCHOR_CONSTRAINT_ADDRESS),
        (
            view.mint_of(call.keys[places.user_a]) in {None, pool.mints[0]},
            keys.ANCHOR_CONSTRAINT_RAW,
        ),
        (
            view.mint_of(call.keys[places.user_b]) in {None, pool.mints[1]},
            keys.ANCHOR_CONSTRAINT_RAW,
        ),
    ]
    for place, mint in ((places.mint_a, pool.mints[0]), (places.mint_b, pool.mints[1])):
        if place is not None:
            checks.append((call.keys[place] == mint, keys.ANCHOR_CONSTRAINT_ADDRESS))
    for program in (places.program_a, places.program_b):
        right = call.keys[program] in tokens.TOKEN_PROGRAMS
        checks.append((right, keys.ANCHOR_CONSTRAINT_ADDRESS))
    for right, code in checks:
        if not right:
            raise Refused(code, "wrong account")
    return pool


def _check_limit(pool: Pool, limit: int, *, a_to_b: bool) -> None:
    if limit == 0:
        return
    if not SQRT_PRICE_MIN <= limit <= SQRT_PRICE_MAX:
        raise Refused(SQRT_PRICE_OUT_OF_BOUNDS, "price limit out of bounds")
    if (limit >= pool.sqrt_price) if a_to_b else (limit <= pool.sqrt_price):
        raise Refused(INVALID_LIMIT_DIRECTION, "price limit on the wrong side")


def _arrays(
    call: Call, view: View, places: Places, pool: Pool, *, a_to_b: bool
) -> tuple[dict[int, int], int]:
    """Return the initialised ticks of the arrays passed, and how far these reach."""
    spacing, span = pool.tick_spacing, layout.TICKS * pool.tick_spacing
    # Going up, a price on an array's last tick already needs the next one.
    start = layout.array_start(pool.tick if a_to_b else pool.tick + spacing, spacing)
    given = set(call.keys[places.arrays : places.arrays + 3])
    nets: dict[int, int] = {}
    edge = None
    for count in range(3):
        begin = start - count * span if a_to_b else start + count * span
        address = layout.array_address(call.keys[places.pool], begin)
        if address not in given:
            break
        data = view.data(address, keys.WHIRLPOOL)
        if data is not None:
            nets.update(layout.array_nets(data, spacing)[1])
        edge = begin if a_to_b else begin + span - spacing
    if edge is None:
        raise Refused(INVALID_ARRAY_SEQUENCE, "the array of the current tick is missing")
    return nets, _clamped(edge)


def _clamped(tick: int) -> int:
    return max(-443_636, min(443_636, tick))


def _script(
    call: Call,
    view: View,
    places: Places,
    state: tuple[Pool, Swapped],
    paid: tuple[int, int, int, bool],
) -> Script:
    pool, done = state
    amount, in_fee, out_fee, a_to_b = paid
    a = (places.program_a, places.user_a, places.vault_a, places.mint_a)
    b = (places.program_b, places.user_b, places.vault_b, places.mint_b)
    taken, given = (a, b) if a_to_b else (b, a)
    script = Script(
        keys.WHIRLPOOL,
        (places.pool, call.keys[places.pool]),
        (taken[2], view.amount(call.keys[taken[2]])),
    )
    script.paid_raw, script.received_raw = amount, done.amount_out - out_fee
    script.burn(UNITS)
    script.signers(pool.seeds)
    into = Leg(taken[0], taken[1], taken[2], places.authority, taken[3])
    out_of = Leg(given[0], given[2], given[1], places.pool, given[3])
    mints = pool.mints if a_to_b else (pool.mints[1], pool.mints[0])
    transfer(script, into, amount, view.decimals(mints[0]))
    transfer(script, out_of, done.amount_out, view.decimals(mints[1]))
    view.move(call.keys[taken[1]], -amount)
    view.move(call.keys[taken[2]], amount - in_fee)
    view.move(call.keys[given[2]], -done.amount_out)
    view.move(call.keys[given[1]], done.amount_out - out_fee)
    for offset, body in _patches(call, view, places, done, a_to_b=a_to_b):
        script.patch(places.pool, offset, body)
        view.write(call.keys[places.pool], offset, body)
    lp_fee = done.fee - done.protocol_fee
    traded = struct.pack("<?", a_to_b) + pool.sqrt_price.to_bytes(16, "little")
    traded += done.pool.sqrt_price.to_bytes(16, "little")
    traded += struct.pack(
        "<6Q", amount, done.amount_out, in_fee, out_fee, lp_fee, done.protocol_fee
    )
    script.event(TRADED + bytes(call.keys[places.pool]) + traded)
    return script


def _patches(
    call: Call, view: View, places: Places, done: Swapped, *, a_to_b: bool
) -> Iterable[tuple[int, bytes]]:
    """Return what the swap changes in the pool's account."""
    data = view.data(call.keys[places.pool]) or b""
    side = 0 if a_to_b else 1
    yield from layout.state_patches(done.pool)
    owed_at, growth_at = layout.OWED_AT[side], layout.GROWTH_AT[side]
    yield owed_at, (u64(data, owed_at) + done.protocol_fee).to_bytes(8, "little")
    growth = (u128(data, growth_at) + done.growth) % 2**128
    yield growth_at, growth.to_bytes(16, "little")
