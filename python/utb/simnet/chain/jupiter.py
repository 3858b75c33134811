"""The aggregator's leg: its `route` instruction, as a stand-in for its API makes it.

Accounts: token program, user s, user's source w, user's destination w, a third party's destination
(the program's own address: none), destination mint, platform fee account (none likewise), event
authority, program; then for each step the AMM's program and the accounts of its swap, in order.
Data: discriminator, the steps, and a tail of 19 bytes: input u64, quoted output u64, slippage u16
in basis points, platform fee u8 in basis points. Steps that share an input split it by percent.

Source: the published IDL of the program; the numbers of the swaps are its enum's.
"""

import hashlib
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from utb.simnet.chain.amm import keys, pumpswap, raydium_amm, raydium_cpmm, whirlpool
from utb.simnet.chain.amm import pumpswap_layout as pump
from utb.simnet.chain.amm.calls import Call, Refused, View, ceil_div
from utb.simnet.chain.program.script import (
    ANY_AMOUNT,
    EVENT_CALL,
    INVALID_INSTRUCTION_DATA,
    NOT_ENOUGH_ACCOUNTS,
    SIGNER,
    WRITABLE,
    Script,
)

ROUTE: Final = bytes.fromhex("e517cb977ae3ad2a")
SWAP_EVENT: Final = hashlib.sha256(b"event:SwapEvent").digest()[:8]
TAIL_BYTES: Final = 19
_DATA_BYTES_MAX: Final = 1_232
FIXED_ACCOUNTS: Final = 9
UNITS: Final = 12_000
SLIPPAGE_EXCEEDED: Final = 6001
INVALID_FEE: Final = 6006
_BPS: Final = 10_000
_PERCENT: Final = 100

_RAYDIUM_V2, _RAYDIUM_CP, _PUMP_BUY, _PUMP_SELL, _WHIRLPOOL_V2 = 105, 46, 99, 100, 47
"""Numbers of the swaps in the program's enum."""
_PROGRAMS: Final = {
    _RAYDIUM_V2: keys.RAYDIUM_AMM,
    _RAYDIUM_CP: keys.RAYDIUM_CPMM,
    _PUMP_BUY: keys.PUMPSWAP,
    _PUMP_SELL: keys.PUMPSWAP,
    _WHIRLPOOL_V2: keys.WHIRLPOOL,
}
_ACCOUNTS: Final = {
    _RAYDIUM_V2: raydium_amm.ACCOUNTS,
    _RAYDIUM_CP: raydium_cpmm.ACCOUNTS,
    _WHIRLPOOL_V2: whirlpool.ACCOUNTS,
}
_USER, _SOURCE, _MINT, _EVENT_AUTHORITY, _PROGRAM = 1, 2, 5, 7, 8


@dataclass(frozen=True, slots=True)
class Step:
    """One swap of a route."""

    number: int
    """Of its kind in the enum."""
    a_to_b: bool
    """Of a Whirlpool only."""
    percent: int
    input_index: int
    output_index: int


@dataclass(frozen=True, slots=True)
class RouteData:
    """The data of a route instruction."""

    steps: tuple[Step, ...]
    in_amount_raw: int
    quoted_out_raw: int
    slippage_bps: int
    platform_fee_bps: int

    @property
    def min_out_raw(self) -> int:
        """Return the least output it accepts."""
        return ceil_div(self.quoted_out_raw * (_BPS - self.slippage_bps), _BPS)


def encode(data: RouteData) -> bytes:
    """Return the instruction's data."""
    body = ROUTE + struct.pack("<I", len(data.steps))
    for step in data.steps:
        body += bytes((step.number,))
        if step.number == _WHIRLPOOL_V2:
            body += bytes((step.a_to_b, 0))
        body += bytes((step.percent, step.input_index, step.output_index))
    tail = (data.in_amount_raw, data.quoted_out_raw, data.slippage_bps, data.platform_fee_bps)
    return body + struct.pack("<QQHB", *tail)


def decode(data: bytes) -> RouteData:
    """Read the instruction's data.

    Raises:
        ValueError: If it is not a route of known swaps.
    """
    if data[:8] != ROUTE or not 12 + TAIL_BYTES <= len(data) <= _DATA_BYTES_MAX:
        raise ValueError(f"{len(data)} bytes, expected a route")
    (count,) = struct.unpack_from("<I", data, 8)
    at, steps = 12, []
    for _ in range(count):
        number = data[at]
        if number not in _PROGRAMS:
            raise ValueError(f"swap {number}, expected one of {sorted(_PROGRAMS)}")
        flag = number == _WHIRLPOOL_V2
        a_to_b = flag and bool(data[at + 1])
        at += 3 if flag else 1
        if at + 3 > len(data) - TAIL_BYTES:
            raise ValueError(f"{len(data)} bytes, expected {count} steps and a tail")
        steps.append(Step(number, a_to_b, *data[at : at + 3]))
        at += 3
    if len(data) != at + TAIL_BYTES:
        raise ValueError(f"{len(data)} bytes, expected {at + TAIL_BYTES}")
    return RouteData(tuple(steps), *struct.unpack_from("<QQHB", data, at))


def step_of(swap: Instruction, percent: int) -> Step:
    """Return the step of a swap instruction that an AMM would be given."""
    kind = bytes(swap.data)[:8]
    if swap.program_id == keys.PUMPSWAP:
        number = _PUMP_SELL if kind == pumpswap.SELL else _PUMP_BUY
    else:
        number = next(one for one, program in _PROGRAMS.items() if program == swap.program_id)
    a_to_b = number == _WHIRLPOOL_V2 and bool(bytes(swap.data)[41])
    return Step(number, a_to_b, percent, 0, 1)


@dataclass(frozen=True, slots=True)
class RouteOrder:
    """Whose route it is, and its terms."""

    user: Pubkey
    source: Pubkey
    destination: Pubkey
    destination_mint: Pubkey
    token_program: Pubkey
    in_amount_raw: int
    quoted_out_raw: int
    slippage_bps: int
    platform_fee_bps: int = 0


def route(order: RouteOrder, swaps: Sequence[tuple[Instruction, int]]) -> Instruction:
    """Return the route instruction of one or several (swap, percent); percents add up to 100."""
    steps = tuple(step_of(swap, percent) for swap, percent in swaps)
    data = RouteData(
        steps,
        order.in_amount_raw,
        order.quoted_out_raw,
        order.slippage_bps,
        order.platform_fee_bps,
    )
    metas = [
        AccountMeta(order.token_program, is_signer=False, is_writable=False),
        AccountMeta(order.user, is_signer=True, is_writable=False),
        AccountMeta(order.source, is_signer=False, is_writable=True),
        AccountMeta(order.destination, is_signer=False, is_writable=True),
        AccountMeta(keys.JUPITER, is_signer=False, is_writable=False),
        AccountMeta(order.destination_mint, is_signer=False, is_writable=False),
        AccountMeta(keys.JUPITER, is_signer=False, is_writable=False),
        AccountMeta(keys.JUPITER_EVENT_AUTHORITY, is_signer=False, is_writable=False),
        AccountMeta(keys.JUPITER, is_signer=False, is_writable=False),
    ]
    for swap, _ in swaps:
        metas.append(AccountMeta(swap.program_id, is_signer=False, is_writable=False))
        metas += swap.accounts
    return Instruction(keys.JUPITER, encode(data), metas)


def script_key(call: Call) -> Pubkey | None:
    """Return the account that a script for this instruction goes into."""
    return keys.JUPITER_EVENT_AUTHORITY if keys.JUPITER_EVENT_AUTHORITY in call.keys else None


class Route:
    """A route instruction on its way to a script: the swaps it calls, and the check at the end."""

    def __init__(self, call: Call, view: View) -> None:
        """Read the instruction.

        Raises:
            Refused: If it is no route of known swaps, or takes a platform fee.
        """
        if len(call.keys) < FIXED_ACCOUNTS:
            raise Refused(NOT_ENOUGH_ACCOUNTS, "fewer than 9 accounts")
        try:
            self._data = decode(call.data)
        except (ValueError, IndexError) as error:
            raise Refused(INVALID_INSTRUCTION_DATA, str(error)) from error
        if self._data.platform_fee_bps:
            raise Refused(INVALID_FEE, "platform fees are not supported here")
        self._call, self._view = call, view
        self._at = self._leg_at = FIXED_ACCOUNTS
        self._out_raw = 0
        self._script = Script(keys.JUPITER, (_USER, call.keys[_USER]))
        self._script.burn(UNITS)
        self._script.signers(keys.signer_seeds(keys.JUPITER, b"__event_authority"))
        self._left = self._data.in_amount_raw

    def legs(self) -> Iterator[Call]:
        """Yield the AMM calls in order; `did` is told of each before the next.

        Raises:
            Refused: If a step's accounts are not where they must be.
        """
        steps = self._data.steps
        for number, step in enumerate(steps):
            amount = self._data.in_amount_raw * step.percent // _PERCENT
            if number == len(steps) - 1:
                amount = self._left
            self._left -= amount
            yield self._leg(step, amount)

    def did(self, leg: Call, script: Script) -> None:
        """Learn what the call does that was yielded last."""
        if self._script.amount[0] == ANY_AMOUNT and script.amount[0] != ANY_AMOUNT:
            # Tells it from another route of the same user in the transaction
            position, held_raw = script.amount
            self._script.amount = (self._leg_at + position, held_raw)
        self._out_raw += script.received_raw
        source = self._view.mint_of(self._call.keys[_SOURCE]) or Pubkey.default()
        body = SWAP_EVENT + bytes(leg.program)
        body += bytes(source) + struct.pack("<Q", script.paid_raw)
        body += bytes(self._call.keys[_MINT]) + struct.pack("<Q", script.received_raw)
        self._script.invoke(_PROGRAM, [(_EVENT_AUTHORITY, SIGNER)], EVENT_CALL + body)

    @property
    def falls_short(self) -> bool:
        """Return whether the output is below its minimum."""
        return self._out_raw < self._data.min_out_raw

    def script(self) -> Script:
        """Return the route's own script, which fails where it falls short."""
        if self.falls_short:
            self._script.fail(SLIPPAGE_EXCEEDED)
        self._script.paid_raw = self._data.in_amount_raw
        self._script.received_raw = self._out_raw
        return self._script

    def _leg(self, step: Step, amount: int) -> Call:
        call, begin = self._call, self._at + 1
        if begin >= len(call.keys) or call.keys[self._at] != _PROGRAMS[step.number]:
            raise Refused(NOT_ENOUGH_ACCOUNTS, "the step's program is not where it must be")
        end = begin + self._count(step, call.keys[begin])
        if end > len(call.keys):
            raise Refused(NOT_ENOUGH_ACCOUNTS, "the step's accounts end early")
        data = _swap_data(step, amount)
        user = call.keys[_USER]
        metas = [
            (
                index,
                (WRITABLE if call.writable[index] else 0)
                | (SIGNER if call.keys[index] == user else 0),
            )
            for index in range(begin, end)
        ]
        self._script.invoke(self._at, metas, data)
        self._leg_at, self._at = begin, end
        return Call(_PROGRAMS[step.number], call.keys[begin:end], data)

    def _count(self, step: Step, pool: Pubkey) -> int:
        """Return how many accounts a step's swap takes."""
        fixed = _ACCOUNTS.get(step.number)
        if fixed is not None:
            return fixed
        data = self._view.data(pool, keys.PUMPSWAP)
        if data is None:
            raise Refused(keys.ANCHOR_WRONG_OWNER, "not a pool")
        return pumpswap.accounts(pump.read_pool(data), selling=step.number == _PUMP_SELL)


def _swap_data(step: Step, amount: int) -> bytes:
    """Return the AMM's instruction data; the route itself checks the output."""
    amounts = struct.pack("<QQ", amount, 0)
    if step.number == _RAYDIUM_V2:
        return bytes((raydium_amm.SWAP_BASE_IN,)) + amounts
    if step.number == _RAYDIUM_CP:
        return raydium_cpmm.SWAP_BASE_INPUT + amounts
    if step.number == _PUMP_BUY:
        return pumpswap.BUY_EXACT_QUOTE_IN + amounts + b"\x01"
    if step.number == _PUMP_SELL:
        return pumpswap.SELL + amounts
    return whirlpool.SWAP_V2 + amounts + bytes(16) + bytes((1, step.a_to_b, 0))
