"""Swap instructions of the AMM world's pools, by the venues' account lists.

What a client builds by itself; the aggregator's stand-in and the tests take them from here.
"""

import struct
from dataclasses import dataclass

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey
from solders.system_program import ID as SYSTEM

from utb.domain.chain import Program
from utb.simnet.chain import tokens
from utb.simnet.chain.accounts import Accounts
from utb.simnet.chain.amm import keys, pumpswap, raydium_amm, raydium_cpmm, whirlpool
from utb.simnet.chain.amm import pumpswap_layout as pump
from utb.simnet.chain.amm import whirlpool_layout as pools
from utb.simnet.chain.amm.calls import key_at
from utb.simnet.chain.types import PoolAddress


@dataclass(frozen=True, slots=True, kw_only=True)
class SwapOrder:
    """An exact input into one pool."""

    place: PoolAddress
    user: Pubkey
    input_mint: Pubkey
    amount_in_raw: int
    min_out_raw: int = 0

    @property
    def pool(self) -> Pubkey:
        """Return the pool's address."""
        return Pubkey.from_string(self.place.pool)

    @property
    def buying(self) -> bool:
        """Return whether quote comes in."""
        return str(self.input_mint) == self.place.quote_mint

    @property
    def output_mint(self) -> Pubkey:
        """Return the mint that comes out."""
        return Pubkey.from_string(self.place.base_mint if self.buying else self.place.quote_mint)


def swap(order: SwapOrder, accounts: Accounts) -> Instruction:
    """Return the instruction of an order; pool state is read for what it takes."""
    maker = {
        Program.RAYDIUM_AMM: _raydium_amm,
        Program.RAYDIUM_CPMM: _raydium_cpmm,
        Program.PUMPSWAP: _pumpswap,
        Program.WHIRLPOOL: _whirlpool,
    }[Program(order.place.program)]
    return maker(order, accounts)


def token_account(accounts: Accounts, owner: Pubkey, mint: Pubkey) -> tuple[Pubkey, Pubkey]:
    """Return the owner's associated account of a mint, and its token program."""
    found = accounts.get(mint)
    program = tokens.TOKEN if found is None else found.owner
    return tokens.associated(owner, mint, program), program


def _raydium_amm(order: SwapOrder, accounts: Accounts) -> Instruction:
    pool = raydium_amm.read(accounts.data(order.pool) or b"")
    source, _ = token_account(accounts, order.user, order.input_mint)
    destination, _ = token_account(accounts, order.user, order.output_mint)
    data = struct.pack("<BQQ", raydium_amm.SWAP_BASE_IN, order.amount_in_raw, order.min_out_raw)
    metas = [
        _read(tokens.TOKEN),
        _write(order.pool),
        _read(keys.RAYDIUM_AMM_AUTHORITY),
        _write(pool.coin_vault),
        _write(pool.pc_vault),
        _write(source),
        _write(destination),
        _sign(order.user),
    ]
    return Instruction(keys.RAYDIUM_AMM, data, metas)


def _raydium_cpmm(order: SwapOrder, accounts: Accounts) -> Instruction:
    pool = accounts.data(order.pool) or b""
    side = 0 if key_at(pool, 168) == order.input_mint else 1
    at_in, at_out = 32 * side, 32 * (1 - side)
    source, in_program = token_account(accounts, order.user, order.input_mint)
    destination, out_program = token_account(accounts, order.user, order.output_mint)
    data = struct.pack("<QQ", order.amount_in_raw, order.min_out_raw)
    metas = [
        _sign(order.user),
        _read(keys.RAYDIUM_CPMM_AUTHORITY),
        _read(key_at(pool, 8)),
        _write(order.pool),
        _write(source),
        _write(destination),
        _write(key_at(pool, 72 + at_in)),
        _write(key_at(pool, 72 + at_out)),
        _read(in_program),
        _read(out_program),
        _read(order.input_mint),
        _read(order.output_mint),
        _write(key_at(pool, 296)),
    ]
    return Instruction(keys.RAYDIUM_CPMM, raydium_cpmm.SWAP_BASE_INPUT + data, metas)


def _pumpswap(order: SwapOrder, accounts: Accounts) -> Instruction:
    pool = pump.read_pool(accounts.data(order.pool) or b"")
    config = accounts.data(pump.GLOBAL_CONFIG) or b""
    recipient = pump.protocol_recipients(config)[0]
    buyback = pump.buyback_recipients(config)[0]
    base_account, base_program = token_account(accounts, order.user, pool.base_mint)
    quote_account, quote_program = token_account(accounts, order.user, pool.quote_mint)
    creator = keys.pda(keys.PUMPSWAP, b"creator_vault", bytes(pool.coin_creator))

    def quote_of(owner: Pubkey) -> Pubkey:
        return tokens.associated(owner, pool.quote_mint, quote_program)

    volume = keys.pda(keys.PUMPSWAP, b"user_volume_accumulator", bytes(order.user))
    metas = [
        _write(order.pool),
        AccountMeta(order.user, is_signer=True, is_writable=True),
        _read(pump.GLOBAL_CONFIG),
        _read(pool.base_mint),
        _read(pool.quote_mint),
        _write(base_account),
        _write(quote_account),
        _write(pool.base_vault),
        _write(pool.quote_vault),
        _read(recipient),
        _write(quote_of(recipient)),
        _read(base_program),
        _read(quote_program),
        _read(SYSTEM),
        _read(tokens.ASSOCIATED),
        _read(keys.PUMPSWAP_EVENT_AUTHORITY),
        _read(keys.PUMPSWAP),
        _write(quote_of(creator)),
        _read(creator),
    ]
    if order.buying:
        metas += [_read(pump.GLOBAL_VOLUME), _write(volume)]
    metas += [_read(pump.FEE_CONFIG), _read(keys.PUMP_FEES)]
    if pool.is_cashback:
        metas.append(_write(quote_of(volume)))
        metas += [] if order.buying else [_write(volume)]
    if pool.has_creator:
        metas.append(_read(keys.pda(keys.PUMPSWAP, b"pool-v2", bytes(pool.base_mint))))
    metas += [_read(buyback), _write(quote_of(buyback))]
    data = struct.pack("<QQ", order.amount_in_raw, order.min_out_raw)
    if order.buying:
        return Instruction(keys.PUMPSWAP, pumpswap.BUY_EXACT_QUOTE_IN + data + b"\x01", metas)
    return Instruction(keys.PUMPSWAP, pumpswap.SELL + data, metas)


def _whirlpool(order: SwapOrder, accounts: Accounts) -> Instruction:
    pool = pools.read_pool(accounts.data(order.pool) or b"")
    a_to_b = pool.mints[0] == order.input_mint
    spacing, span = pool.tick_spacing, pools.TICKS * pool.tick_spacing
    start = pools.array_start(pool.tick if a_to_b else pool.tick + spacing, spacing)
    starts = [start - n * span if a_to_b else start + n * span for n in range(3)]
    (user_a, program_a), (user_b, program_b) = (
        token_account(accounts, order.user, mint) for mint in pool.mints
    )
    data = struct.pack("<QQ", order.amount_in_raw, order.min_out_raw)
    data += bytes(16) + bytes((1, a_to_b, 0))
    metas = [
        _read(program_a),
        _read(program_b),
        _read(keys.MEMO),
        _sign(order.user),
        _write(order.pool),
        _read(pool.mints[0]),
        _read(pool.mints[1]),
        _write(user_a),
        _write(pool.vaults[0]),
        _write(user_b),
        _write(pool.vaults[1]),
        *(_write(pools.array_address(order.pool, one)) for one in starts),
        _write(pools.oracle_address(order.pool)),
    ]
    return Instruction(keys.WHIRLPOOL, whirlpool.SWAP_V2 + data, metas)


def _read(key: Pubkey) -> AccountMeta:
    return AccountMeta(key, is_signer=False, is_writable=False)


def _write(key: Pubkey) -> AccountMeta:
    return AccountMeta(key, is_signer=False, is_writable=True)


def _sign(key: Pubkey) -> AccountMeta:
    return AccountMeta(key, is_signer=True, is_writable=False)
