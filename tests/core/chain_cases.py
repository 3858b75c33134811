"""A Raydium pool made here, byte by byte from its layout, and a world that knows it."""

import struct

from utb.domain.chain import Program
from utb.engine.chain import Pools, SwapSpec, key_bytes

AMM = key_bytes("675kPX9MHTjS2zt1qfr1NYHuzeLXfQM9H24wFSUt1Mp8")
TOKEN = key_bytes("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")
POOL, COIN_VAULT, PC_VAULT, COIN, PC = (bytes([at]) * 32 for at in range(1, 6))
COIN_RAW, PC_RAW = 1_000_000_000_000, 150_000_000_000
SLOT = 100


def amm_account() -> bytes:
    """Return an `AmmInfo` that swaps (status 6), 9 and 6 decimals, fee 25/10000."""
    data = bytearray(752)
    for at, value in ((0, 6), (32, 9), (40, 6), (176, 25), (184, 10_000)):
        struct.pack_into("<Q", data, at, value)
    for at, key in ((336, COIN_VAULT), (368, PC_VAULT), (400, COIN), (432, PC)):
        data[at : at + 32] = key
    return bytes(data)


def token_account(mint: bytes, amount_raw: int) -> bytes:
    """Return an initialised token account."""
    data = bytearray(165)
    data[:32] = mint
    struct.pack_into("<Q", data, 64, amount_raw)
    data[108] = 1
    return bytes(data)


def mint_account(decimals: int) -> bytes:
    """Return an initialised mint."""
    data = bytearray(82)
    data[44:46] = bytes([decimals, 1])
    return bytes(data)


def known_pools() -> Pools:
    """Return pools of which one is fully known: its quotes are those of the layout's vectors."""
    pools = Pools()
    pools.watch(Program.RAYDIUM_AMM, POOL)
    assert pools.apply(POOL, AMM, amm_account(), SLOT)
    for key, data in (
        (COIN_VAULT, token_account(COIN, COIN_RAW)),
        (PC_VAULT, token_account(PC, PC_RAW)),
        (COIN, mint_account(9)),
        (PC, mint_account(6)),
    ):
        if key in pools.needs(POOL):
            assert pools.apply(key, TOKEN, data, SLOT)
    return pools


def leg(amount_in_raw: int = 1_000_000, min_out_raw: int = 6_600_000) -> SwapSpec:
    """Return a purchase of the coin."""
    return SwapSpec(
        program=Program.RAYDIUM_AMM,
        pool=POOL,
        input_mint=PC,
        amount_in_raw=amount_in_raw,
        min_out_raw=min_out_raw,
    )
