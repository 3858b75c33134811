"""Raydium CPMM: its accounts, and what its swaps do.

Source: raydium-io/raydium-cp-swap, programs/cp-swap/src.
"""

import struct
from dataclasses import dataclass
from typing import Final

from solders.pubkey import Pubkey

from utb.simnet.chain.amm import keys
from utb.simnet.chain.amm.calls import Call, Leg, Refused, View, ceil_div, key_at, transfer, u64
from utb.simnet.chain.program.script import INVALID_INSTRUCTION_DATA, NOT_ENOUGH_ACCOUNTS, Script

POOL_DISCRIMINATOR: Final = bytes.fromhex("f7ede3f5d7c3de46")
CONFIG_DISCRIMINATOR: Final = bytes.fromhex("daf42168cbcb2b6f")
SWAP_BASE_INPUT: Final = bytes.fromhex("8fbe5adac41e33de")
SWAP_BASE_OUTPUT: Final = bytes.fromhex("37d96256a34ab4ad")
SWAP_EVENT: Final = bytes.fromhex("40c6cde8260871e2")
POOL_BYTES: Final = 637
CONFIG_BYTES: Final = 236
OBSERVATION_BYTES: Final = 4075
ACCOUNTS: Final = 13
UNITS: Final = 26_000
RATE_DENOMINATOR: Final = 1_000_000

NOT_APPROVED: Final = 6000
EXCEEDED_SLIPPAGE: Final = 6005
ZERO_TRADING_TOKENS: Final = 6006
INVALID_VAULT: Final = 6008

(
    _PAYER,
    _AUTHORITY,
    _CONFIG,
    _POOL,
    _SOURCE,
    _DESTINATION,
    _IN_VAULT,
    _OUT_VAULT,
    _IN_PROGRAM,
    _OUT_PROGRAM,
    _IN_MINT,
    _OUT_MINT,
    _OBSERVATION,
) = range(ACCOUNTS)
_SWAP_OFF: Final = 4
_VAULTS_AT, _MINTS_AT, _PROGRAMS_AT = 72, 168, 232
_PROTOCOL_FEES_AT, _FUND_FEES_AT, _CREATOR_FEES_AT = 341, 357, 397
_U64_END: Final = 2**64
_SIGNER_SEEDS: Final = keys.signer_seeds(keys.RAYDIUM_CPMM, b"vault_and_lp_mint_auth_seed")


@dataclass(frozen=True, slots=True)
class Rates:
    """Fee rates of a config, out of a million."""

    trade: int
    protocol: int
    """Of the trade fee."""
    fund: int
    """Of the trade fee."""
    creator: int


@dataclass(frozen=True, slots=True)
class Quote:
    """A swap in numbers; transfer fees of Token-2022 are outside of it."""

    amount_in: int
    amount_out: int
    trade_fee: int
    creator_fee: int


@dataclass(frozen=True, slots=True)
class Side:
    """One of a pool's two tokens."""

    mint: Pubkey
    vault: Pubkey
    program: Pubkey
    decimals: int
    owed_raw: int
    """Protocol fees in the vault that are no reserve."""


def pool_data(
    config: Pubkey,
    sides: tuple[Side, Side],
    observation: Pubkey,
    creator_fee_on: int | None,
) -> bytes:
    """Return a pool's account; its sides are in the order of their mints' bytes.

    `creator_fee_on` is None where the pool has no creator fee, else 0 (both), 1 or 2.
    """
    data = bytearray(POOL_BYTES)
    data[:8] = POOL_DISCRIMINATOR
    addresses = {8: config, 296: observation}
    for index, side in enumerate(sides):
        addresses[_VAULTS_AT + 32 * index] = side.vault
        addresses[_MINTS_AT + 32 * index] = side.mint
        addresses[_PROGRAMS_AT + 32 * index] = side.program
    for offset, address in addresses.items():
        data[offset : offset + 32] = bytes(address)
    data[328] = 253
    data[330:333] = bytes((9, sides[0].decimals, sides[1].decimals))
    struct.pack_into("<QQQ", data, 333, 10**12, sides[0].owed_raw, sides[1].owed_raw)
    if creator_fee_on is not None:
        data[389], data[390] = creator_fee_on, 1
    return bytes(data)


def config_data(rates: Rates) -> bytes:
    """Return a fee configuration's account."""
    data = bytearray(CONFIG_BYTES)
    data[:8] = CONFIG_DISCRIMINATOR
    struct.pack_into("<QQQ", data, 12, rates.trade, rates.protocol, rates.fund)
    struct.pack_into("<Q", data, 108, rates.creator)
    return bytes(data)


def owed(pool: bytes) -> tuple[int, int]:
    """Return the fees that lie in the vaults but are no reserves, (0, 1)."""
    first, second = (
        sum(u64(pool, at + side) for at in (_PROTOCOL_FEES_AT, _FUND_FEES_AT, _CREATOR_FEES_AT))
        for side in (0, 8)
    )
    return first, second


def exact_in(
    reserve_in: int, reserve_out: int, amount_in: int, rates: tuple[int, int], *, on_input: bool
) -> Quote:
    """Quote an exact input; rates are (trade, creator), `on_input` where the creator's is taken."""
    trade, creator = rates
    if on_input:
        fee = ceil_div(amount_in * (trade + creator), RATE_DENOMINATOR)
        creator_fee = fee * creator // (trade + creator) if creator else 0
        after_fee = amount_in - fee
        out = reserve_out * after_fee // (reserve_in + after_fee)
        return Quote(amount_in, out, fee - creator_fee, creator_fee)
    fee = ceil_div(amount_in * trade, RATE_DENOMINATOR)
    after_fee = amount_in - fee
    out = reserve_out * after_fee // (reserve_in + after_fee)
    creator_fee = ceil_div(out * creator, RATE_DENOMINATOR)
    return Quote(amount_in, out - creator_fee, fee, creator_fee)


def exact_out(
    reserve_in: int, reserve_out: int, amount_out: int, rates: tuple[int, int], *, on_input: bool
) -> Quote:
    """Quote an exact output."""
    trade, creator = rates
    out = amount_out
    rate = trade + creator if on_input else trade
    if not on_input:
        out = ceil_div(amount_out * RATE_DENOMINATOR, RATE_DENOMINATOR - creator)
    if out >= reserve_out:
        raise Refused(ZERO_TRADING_TOKENS, "more out than there is")
    before_fee = ceil_div(reserve_in * out, reserve_out - out)
    amount_in = ceil_div(before_fee * RATE_DENOMINATOR, RATE_DENOMINATOR - rate)
    fee = amount_in - before_fee
    if not on_input:
        return Quote(amount_in, amount_out, fee, out - amount_out)
    creator_fee = fee * creator // rate if creator else 0
    return Quote(amount_in, amount_out, fee - creator_fee, creator_fee)


def script_key(call: Call) -> Pubkey | None:
    """Return the account that a script for this instruction goes into."""
    return keys.RAYDIUM_CPMM_AUTHORITY if keys.RAYDIUM_CPMM_AUTHORITY in call.keys else None


def plan(call: Call, view: View) -> Script:
    """Return what the program does with a swap.

    Raises:
        Refused: With the program's error.
    """
    kind = call.data[:8]
    if kind not in {SWAP_BASE_INPUT, SWAP_BASE_OUTPUT} or len(call.data) != 24:  # noqa: PLR2004
        raise Refused(INVALID_INSTRUCTION_DATA, "not a swap")
    if len(call.keys) < ACCOUNTS:
        raise Refused(NOT_ENOUGH_ACCOUNTS, "fewer than 13 accounts")
    pool, side = _checked(call, view)
    swap = _Swap(call, view, pool, side)
    first, second = u64(call.data, 8), u64(call.data, 16)
    swap.quote(base_in=kind == SWAP_BASE_INPUT, first=first, second=second)
    return swap.script(base_in=kind == SWAP_BASE_INPUT)


def _checked(call: Call, view: View) -> tuple[bytes, int]:
    """Return the pool's account and which of its tokens comes in."""
    pool = view.data(call.keys[_POOL], keys.RAYDIUM_CPMM)
    if pool is None or pool[:8] != POOL_DISCRIMINATOR:
        raise Refused(keys.ANCHOR_WRONG_OWNER, "not a pool")
    vaults = [key_at(pool, _VAULTS_AT), key_at(pool, _VAULTS_AT + 32)]
    given = [call.keys[_IN_VAULT], call.keys[_OUT_VAULT]]
    checks = [
        (call.keys[_AUTHORITY] == keys.RAYDIUM_CPMM_AUTHORITY, keys.ANCHOR_CONSTRAINT_SEEDS),
        (call.keys[_CONFIG] == key_at(pool, 8), keys.ANCHOR_CONSTRAINT_ADDRESS),
        (all(one in vaults for one in given), keys.ANCHOR_CONSTRAINT_RAW),
        (given[0] != given[1], INVALID_VAULT),
    ]
    side = 0 if given[0] == vaults[0] else 1
    for index, mint, program in (
        (side, _IN_MINT, _IN_PROGRAM),
        (1 - side, _OUT_MINT, _OUT_PROGRAM),
    ):
        at = 32 * index
        checks.append(
            (call.keys[mint] == key_at(pool, _MINTS_AT + at), keys.ANCHOR_CONSTRAINT_ADDRESS)
        )
        right = call.keys[program] == key_at(pool, _PROGRAMS_AT + at)
        checks.append((right, keys.ANCHOR_CONSTRAINT_ADDRESS))
    checks.append((call.keys[_OBSERVATION] == key_at(pool, 296), keys.ANCHOR_CONSTRAINT_ADDRESS))
    for account, mint in ((_SOURCE, _IN_MINT), (_DESTINATION, _OUT_MINT)):
        held = view.mint_of(call.keys[account])
        checks.append((held in {None, call.keys[mint]}, keys.ANCHOR_TOKEN_MINT))
    closed = bool(pool[329] & _SWAP_OFF) or view.time_s < u64(pool, 373)
    checks.append((not closed, NOT_APPROVED))
    for right, code in checks:
        if not right:
            raise Refused(code, "wrong account or closed pool")
    return pool, side


class _Swap:
    """One swap in the making."""

    def __init__(self, call: Call, view: View, pool: bytes, side: int) -> None:
        self._call, self._view, self._pool, self._side = call, view, pool, side
        config = view.data(call.keys[_CONFIG]) or bytes(CONFIG_BYTES)
        self._rates = Rates(u64(config, 12), u64(config, 20), u64(config, 28), u64(config, 108))
        enabled, on = bool(pool[390]), pool[389]
        self._creator = self._rates.creator if enabled else 0
        self._on_input = on == 0 or on == side + 1
        fees = owed(pool)
        self._vault_in = view.amount(call.keys[_IN_VAULT])
        self._vault_out = view.amount(call.keys[_OUT_VAULT])
        self._reserves = (self._vault_in - fees[side], self._vault_out - fees[1 - side])

    def quote(self, *, base_in: bool, first: int, second: int) -> None:
        view, call = self._view, self._call
        in_mint, out_mint = call.keys[_IN_MINT], call.keys[_OUT_MINT]
        rates = (self._rates.trade, self._creator)
        if base_in:
            self._paid = first
            self._in_fee = view.transfer_fee(in_mint, first)
            if first <= self._in_fee:
                raise Refused(ZERO_TRADING_TOKENS, "nothing in")
            found = exact_in(*self._reserves, first - self._in_fee, rates, on_input=self._on_input)
            self._out_fee = view.transfer_fee(out_mint, found.amount_out)
            received = found.amount_out - self._out_fee
            if found.amount_out == 0:
                raise Refused(ZERO_TRADING_TOKENS, "nothing out")
            if received < second:
                raise Refused(EXCEEDED_SLIPPAGE, f"{received} out, expected at least {second}")
        else:
            gross = _before_fee(view, out_mint, second)
            self._out_fee = gross - second
            found = exact_out(*self._reserves, gross, rates, on_input=self._on_input)
            self._paid = _before_fee(view, in_mint, found.amount_in)
            self._in_fee = self._paid - found.amount_in
            if self._paid > first:
                raise Refused(EXCEEDED_SLIPPAGE, f"{self._paid} in, expected at most {first}")
        self._found = found

    def script(self, *, base_in: bool) -> Script:
        call, view, found = self._call, self._view, self._found
        script = Script(keys.RAYDIUM_CPMM, (_POOL, call.keys[_POOL]), (_IN_VAULT, self._vault_in))
        script.paid_raw, script.received_raw = self._paid, found.amount_out - self._out_fee
        script.burn(UNITS)
        script.signers(_SIGNER_SEEDS)
        taken = Leg(_IN_PROGRAM, _SOURCE, _IN_VAULT, _PAYER, _IN_MINT)
        given = Leg(_OUT_PROGRAM, _OUT_VAULT, _DESTINATION, _AUTHORITY, _OUT_MINT)
        transfer(script, taken, self._paid, view.decimals(call.keys[_IN_MINT]))
        transfer(script, given, found.amount_out, view.decimals(call.keys[_OUT_MINT]))
        view.move(call.keys[_SOURCE], -self._paid)
        view.move(call.keys[_IN_VAULT], self._paid - self._in_fee)
        view.move(call.keys[_OUT_VAULT], -found.amount_out)
        view.move(call.keys[_DESTINATION], found.amount_out - self._out_fee)
        self._owe(script)
        script.event(self._event(base_in=base_in))
        return script

    def _owe(self, script: Script) -> None:
        """Put the protocol's, the fund's and the creator's part aside in the pool's account."""
        rates, found, side = self._rates, self._found, self._side
        creator_side = side if self._on_input else 1 - side
        for at, change in (
            (_PROTOCOL_FEES_AT + 8 * side, found.trade_fee * rates.protocol // RATE_DENOMINATOR),
            (_FUND_FEES_AT + 8 * side, found.trade_fee * rates.fund // RATE_DENOMINATOR),
            (_CREATOR_FEES_AT + 8 * creator_side, found.creator_fee),
        ):
            if change:
                body = (u64(self._pool, at) + change).to_bytes(8, "little")
                script.patch(_POOL, at, body)
                self._view.write(self._call.keys[_POOL], at, body)

    def _event(self, *, base_in: bool) -> bytes:
        call, found = self._call, self._found
        return (
            SWAP_EVENT
            + bytes(call.keys[_POOL])
            + struct.pack(
                "<6Q",
                *self._reserves,
                self._paid - self._in_fee,
                found.amount_out,
                self._in_fee,
                self._out_fee,
            )
            + bytes((base_in,))
            + bytes(call.keys[_IN_MINT])
            + bytes(call.keys[_OUT_MINT])
            + struct.pack("<QQ?", found.trade_fee, found.creator_fee, self._on_input)
        )


def _before_fee(view: View, mint: Pubkey, received_raw: int) -> int:
    """Return what must be sent so that `received_raw` arrive."""
    sent = received_raw
    while (short := received_raw - (sent - view.transfer_fee(mint, sent))) > 0:
        sent += short
        if sent >= _U64_END:
            raise Refused(ZERO_TRADING_TOKENS, "the transfer fee takes all")
    return sent
