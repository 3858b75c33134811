"""Raydium AMM v4: its account, and what its eight-account swaps do.

Source: raydium-io/raydium-amm, program/src (state, processor, math, error, log).
"""

import base64
import struct
from dataclasses import dataclass
from typing import Final

from solders.pubkey import Pubkey

from utb.simnet.chain import tokens
from utb.simnet.chain.amm import keys
from utb.simnet.chain.amm.calls import (
    Call,
    Leg,
    Refused,
    View,
    ceil_div,
    key_at,
    transfer,
    u64,
    u128,
)
from utb.simnet.chain.program.script import INVALID_INSTRUCTION_DATA, NOT_ENOUGH_ACCOUNTS, Script

STATE_BYTES: Final = 752
SWAP_BASE_IN, SWAP_BASE_OUT = 16, 17
ACCOUNTS: Final = 8
UNITS: Final = 22_000
"""Of a swap, beside the transfers: what mainnet's spends, about."""

INVALID_AUTHORITY: Final = 1
INVALID_COIN_VAULT: Final = 4
INVALID_PC_VAULT: Final = 5
INVALID_STATUS: Final = 22
INVALID_INPUT: Final = 29
EXCEEDED_SLIPPAGE: Final = 30
INVALID_TOKEN_PROGRAM: Final = 38
INSUFFICIENT_FUNDS: Final = 40
INVALID_USER_TOKEN: Final = 42

_SWAPPABLE: Final = frozenset({1, 6})
_WAITING: Final = 7
_OPEN_TIME_AT: Final = 224
_FEE_AT: Final = 176
_OWED_AT: Final = 192
_VAULTS_AT: Final = 336
_MINTS_AT: Final = 400
_TOTALS_AT: Final = {True: (256, 272, 328), False: (296, 312, 288)}
"""Where the pool counts what came in, what went out and the fee, by whether coin came in."""
_TOKEN, _AMM, _AUTHORITY, _COIN, _PC, _SOURCE, _DESTINATION, _USER = range(ACCOUNTS)
_PC_TO_COIN, _COIN_TO_PC = 1, 2
"""Directions as the program logs them."""


@dataclass(frozen=True, slots=True)
class Pool:
    """What a quote needs."""

    coin_vault: Pubkey
    pc_vault: Pubkey
    coin_mint: Pubkey
    pc_mint: Pubkey
    fee_numerator: int
    fee_denominator: int
    owed_coin_raw: int
    owed_pc_raw: int
    status: int
    open_time_s: int


def read(data: bytes) -> Pool:
    """Read a pool's account."""
    return Pool(
        key_at(data, _VAULTS_AT),
        key_at(data, _VAULTS_AT + 32),
        key_at(data, _MINTS_AT),
        key_at(data, _MINTS_AT + 32),
        u64(data, _FEE_AT),
        u64(data, _FEE_AT + 8),
        u64(data, _OWED_AT),
        u64(data, _OWED_AT + 8),
        u64(data, 0),
        u64(data, _OPEN_TIME_AT),
    )


def owed(data: bytes) -> tuple[int, int]:
    """Return what lies in the vaults but is no reserve, (coin, pc)."""
    return u64(data, _OWED_AT), u64(data, _OWED_AT + 8)


def pool_data(
    *,
    vaults: tuple[Pubkey, Pubkey],
    mints: tuple[Pubkey, Pubkey],
    decimals: tuple[int, int],
    owed_raw: tuple[int, int],
    label: Pubkey,
) -> bytes:
    """Return a pool's account, coin before pc; `label` stands for its other addresses."""
    data = bytearray(STATE_BYTES)
    numbers = {
        0: 6,  # status: SwapOnly
        8: 254,  # nonce: the authority's bump
        32: decimals[0],
        40: decimals[1],
        144: 25,
        152: 10_000,
        160: 12,
        168: 100,
        _FEE_AT: 25,
        _FEE_AT + 8: 10_000,
        _OWED_AT: owed_raw[0],
        _OWED_AT + 8: owed_raw[1],
    }
    for offset, value in numbers.items():
        struct.pack_into("<Q", data, offset, value)
    addresses = (*vaults, *mints, label, label, label)
    for index, address in enumerate(addresses):
        at = _VAULTS_AT + 32 * index
        data[at : at + 32] = bytes(address)
    return bytes(data)


def exact_in(reserve_in: int, reserve_out: int, amount_in: int, fee: tuple[int, int]) -> int:
    """Return the output of an exact input; the fee is (numerator, denominator), rounded up."""
    after_fee = amount_in - ceil_div(amount_in * fee[0], fee[1])
    return reserve_out * after_fee // (reserve_in + after_fee)


def exact_out(reserve_in: int, reserve_out: int, amount_out: int, fee: tuple[int, int]) -> int:
    """Return the input that an exact output takes; needs `amount_out` < `reserve_out`."""
    before_fee = ceil_div(reserve_in * amount_out, reserve_out - amount_out)
    return ceil_div(before_fee * fee[1], fee[1] - fee[0])


def script_key(call: Call) -> Pubkey | None:
    """Return the account that a script for this instruction goes into."""
    return keys.RAYDIUM_AMM_AUTHORITY if keys.RAYDIUM_AMM_AUTHORITY in call.keys else None


def plan(call: Call, view: View) -> Script:
    """Return what the program does with a swap.

    Raises:
        Refused: With the program's error.
    """
    if len(call.data) != 17 or call.data[0] not in {SWAP_BASE_IN, SWAP_BASE_OUT}:  # noqa: PLR2004
        raise Refused(INVALID_INSTRUCTION_DATA, "not one of the eight-account swaps")
    if len(call.keys) < ACCOUNTS:
        raise Refused(NOT_ENOUGH_ACCOUNTS, "fewer than 8 accounts")
    pool = _checked(call, view)
    coin_in = _direction(call, view, pool)
    owed = (pool.owed_coin_raw, pool.owed_pc_raw)
    balances = (view.amount(pool.coin_vault), view.amount(pool.pc_vault))
    coin, pc = balances[0] - owed[0], balances[1] - owed[1]
    reserves = (coin, pc) if coin_in else (pc, coin)
    first, second = u64(call.data, 1), u64(call.data, 9)
    amount_in, amount_out = _amounts(call.data[0], (first, second), reserves, pool)
    vaults = (_COIN, _PC) if coin_in else (_PC, _COIN)
    source_raw = view.amount(call.keys[_SOURCE])
    script = Script(
        keys.RAYDIUM_AMM, (_AMM, call.keys[_AMM]), (vaults[0], balances[0 if coin_in else 1])
    )
    script.paid_raw, script.received_raw = amount_in, amount_out
    script.require(_SOURCE, amount_in, INSUFFICIENT_FUNDS)
    script.burn(UNITS)
    script.signers(_SIGNER_SEEDS)
    transfer(script, Leg(_TOKEN, _SOURCE, vaults[0], _USER, None), amount_in, 0)
    transfer(script, Leg(_TOKEN, vaults[1], _DESTINATION, _AUTHORITY, None), amount_out, 0)
    view.move(call.keys[_SOURCE], -amount_in)
    view.move(call.keys[vaults[0]], amount_in)
    view.move(call.keys[vaults[1]], -amount_out)
    view.move(call.keys[_DESTINATION], amount_out)
    fee = ceil_div(amount_in * pool.fee_numerator, pool.fee_denominator)
    _count(call, view, script, (coin_in, amount_in, amount_out, fee))
    # The program logs the exact output of one kind and the input of the other.
    direction = _COIN_TO_PC if coin_in else _PC_TO_COIN
    result = amount_out if call.data[0] == SWAP_BASE_IN else amount_in
    kind = 3 if call.data[0] == SWAP_BASE_IN else 4
    body = struct.pack("<B7Q", kind, first, second, direction, source_raw, coin, pc, result)
    script.log(f"ray_log: {base64.b64encode(body).decode()}")
    return script


_SIGNER_SEEDS: Final = keys.signer_seeds(keys.RAYDIUM_AMM, b"amm authority")


def _checked(call: Call, view: View) -> Pool:
    data = view.data(call.keys[_AMM], keys.RAYDIUM_AMM)
    if data is None or len(data) != STATE_BYTES:
        raise Refused(INVALID_STATUS, "not a pool")
    pool = read(data)
    checks = (
        (call.keys[_TOKEN] == tokens.TOKEN, INVALID_TOKEN_PROGRAM),
        (call.keys[_AUTHORITY] == keys.RAYDIUM_AMM_AUTHORITY, INVALID_AUTHORITY),
        (call.keys[_COIN] == pool.coin_vault, INVALID_COIN_VAULT),
        (call.keys[_PC] == pool.pc_vault, INVALID_PC_VAULT),
        (
            pool.status in _SWAPPABLE
            or (pool.status == _WAITING and view.time_s >= pool.open_time_s),
            INVALID_STATUS,
        ),
    )
    for right, code in checks:
        if not right:
            raise Refused(code, "wrong account or closed pool")
    return pool


def _direction(call: Call, view: View, pool: Pool) -> bool:
    """Return whether coin comes in; an account that does not exist yet is taken as fitting."""
    source, destination = (view.mint_of(call.keys[index]) for index in (_SOURCE, _DESTINATION))
    for coin_in, pair in (
        (True, (pool.coin_mint, pool.pc_mint)),
        (False, (pool.pc_mint, pool.coin_mint)),
    ):
        known = source is not None or destination is not None
        if known and source in {None, pair[0]} and destination in {None, pair[1]}:
            return coin_in
        if not known and call.keys[_SOURCE] == tokens.associated(
            call.keys[_USER], pair[0], tokens.TOKEN
        ):
            return coin_in
    raise Refused(INVALID_USER_TOKEN, "the user's accounts are not of the pool's mints")


def _amounts(
    tag: int, asked: tuple[int, int], reserves: tuple[int, int], pool: Pool
) -> tuple[int, int]:
    """Return (in, out) of a swap."""
    fee = (pool.fee_numerator, pool.fee_denominator)
    amount_in, amount_out = asked
    if tag == SWAP_BASE_IN:
        if amount_in == 0:
            raise Refused(INVALID_INPUT, "nothing in")
        out = exact_in(*reserves, amount_in, fee)
        if out < amount_out:
            raise Refused(EXCEEDED_SLIPPAGE, f"{out} out, expected at least {amount_out}")
        if out == 0 or out >= reserves[1]:
            raise Refused(INVALID_INPUT, "nothing out")
        return amount_in, out
    if amount_out == 0 or amount_out >= reserves[1]:
        raise Refused(INVALID_INPUT, "more out than there is, or nothing")
    needed = exact_out(*reserves, amount_out, fee)
    if needed > amount_in:
        raise Refused(EXCEEDED_SLIPPAGE, f"{needed} in, expected at most {amount_in}")
    return needed, amount_out


def _count(call: Call, view: View, script: Script, done: tuple[bool, int, int, int]) -> None:
    """Let the pool's account count what was swapped."""
    coin_in, amount_in, amount_out, fee = done
    data = view.data(call.keys[_AMM]) or b""
    in_at, out_at, fee_at = _TOTALS_AT[coin_in]
    for offset, width, change in (
        (in_at, 16, amount_in),
        (out_at, 16, amount_out),
        (fee_at, 8, fee),
    ):
        was = u128(data, offset) if width == 16 else u64(data, offset)  # noqa: PLR2004
        body = (was + change).to_bytes(width, "little")
        script.patch(_AMM, offset, body)
        view.write(call.keys[_AMM], offset, body)
