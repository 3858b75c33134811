"""Accounts of Orca Whirlpools: pools and fixed tick arrays.

Layouts are facts of the deployed program; see also `ticks`.
"""

import struct
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from solders.pubkey import Pubkey

from utb.simnet.chain.amm import keys
from utb.simnet.chain.amm.calls import key_at, u128

POOL_DISCRIMINATOR: Final = bytes.fromhex("3f95d10ce1806309")
ARRAY_DISCRIMINATOR: Final = bytes.fromhex("4561bdbe6e0742bb")
DYNAMIC_DISCRIMINATOR: Final = bytes.fromhex("11d8f68ee1c7da38")
POOL_BYTES: Final = 653
ARRAY_BYTES: Final = 9_988
TICKS: Final = 88
"""Of one array."""
TICK_BYTES: Final = 113
_DYNAMIC_TICKS_AT: Final = 60
_DYNAMIC_REST_BYTES: Final = 80
"""Of an initialised tick, behind its liquidity: fee and reward growths."""
LIQUIDITY_AT: Final = 49
SQRT_PRICE_AT: Final = 65
TICK_AT: Final = 81
OWED_AT: Final = (85, 93)
GROWTH_AT: Final = (165, 245)


@dataclass(frozen=True, slots=True)
class Pool:
    """What a swap needs of a pool's account."""

    config: Pubkey
    bump: int
    tick_spacing: int
    fee_rate: int
    """Out of a million."""
    protocol_fee_rate: int
    """Of the fee, out of ten thousand."""
    liquidity: int
    sqrt_price: int
    tick: int
    mints: tuple[Pubkey, Pubkey]
    vaults: tuple[Pubkey, Pubkey]

    @property
    def seeds(self) -> tuple[bytes, ...]:
        """Return the seeds of its address, with the bump."""
        return (*pool_seeds(self.config, self.mints, self.tick_spacing), bytes((self.bump,)))

    def at(self, *, liquidity: int, sqrt_price: int, tick: int) -> "Pool":
        """Return the same pool at another price."""
        return replace(self, liquidity=liquidity, sqrt_price=sqrt_price, tick=tick)


def without_fee(pool: Pool) -> Pool:
    """Return the same pool with no fee: what the arbitrageur trades with."""
    return replace(pool, fee_rate=0)


def pool_seeds(config: Pubkey, mints: tuple[Pubkey, Pubkey], spacing: int) -> tuple[bytes, ...]:
    """Return the seeds of a pool's address; its fee tier is that of its tick spacing."""
    return (
        b"whirlpool",
        bytes(config),
        bytes(mints[0]),
        bytes(mints[1]),
        spacing.to_bytes(2, "little"),
    )


def array_address(pool: Pubkey, start: int) -> Pubkey:
    """Return the address of the tick array that begins at `start`."""
    return keys.pda(keys.WHIRLPOOL, b"tick_array", bytes(pool), str(start).encode())


def oracle_address(pool: Pubkey) -> Pubkey:
    """Return the address of a pool's oracle; without adaptive fees there is no account."""
    return keys.pda(keys.WHIRLPOOL, b"oracle", bytes(pool))


def array_start(tick: int, spacing: int) -> int:
    """Return where the tick array of a tick begins."""
    span = TICKS * spacing
    return tick // span * span


def read_pool(data: bytes) -> Pool:
    """Read a pool's account."""
    spacing, _, fee_rate, protocol_rate = struct.unpack_from("<HHHH", data, 41)
    (tick,) = struct.unpack_from("<i", data, TICK_AT)
    return Pool(
        config=key_at(data, 8),
        bump=data[40],
        tick_spacing=spacing,
        fee_rate=fee_rate,
        protocol_fee_rate=protocol_rate,
        liquidity=u128(data, LIQUIDITY_AT),
        sqrt_price=u128(data, SQRT_PRICE_AT),
        tick=tick,
        mints=(key_at(data, 101), key_at(data, 181)),
        vaults=(key_at(data, 133), key_at(data, 213)),
    )


def pool_data(pool: Pool) -> bytes:
    """Return a pool's account; no fee was taken yet."""
    data = bytearray(POOL_BYTES)
    data[:8] = POOL_DISCRIMINATOR
    data[8:40] = bytes(pool.config)
    data[40] = pool.bump
    spacing = pool.tick_spacing
    struct.pack_into("<HHHH", data, 41, spacing, spacing, pool.fee_rate, pool.protocol_fee_rate)
    for offset, body in state_patches(pool):
        data[offset : offset + len(body)] = body
    for offset, key in ((101, pool.mints[0]), (181, pool.mints[1])):
        data[offset : offset + 32] = bytes(key)
    for offset, key in ((133, pool.vaults[0]), (213, pool.vaults[1])):
        data[offset : offset + 32] = bytes(key)
    return bytes(data)


def state_patches(pool: Pool) -> tuple[tuple[int, bytes], ...]:
    """Return (offset, bytes) of what a swap changes: liquidity, price and tick lie together."""
    body = pool.liquidity.to_bytes(16, "little") + pool.sqrt_price.to_bytes(16, "little")
    return ((LIQUIDITY_AT, body + struct.pack("<i", pool.tick)),)


def array_data(pool: Pubkey, start: int, spacing: int, nets: dict[int, int]) -> bytes:
    """Return a fixed tick array; `nets` is the net liquidity of initialised ticks of the pool."""
    data = bytearray(ARRAY_BYTES)
    data[:8] = ARRAY_DISCRIMINATOR
    struct.pack_into("<i", data, 8, start)
    for tick, net in nets.items():
        index, rest = divmod(tick - start, spacing)
        if rest == 0 and 0 <= index < TICKS:
            at = 12 + TICK_BYTES * index
            data[at] = 1
            data[at + 1 : at + 17] = net.to_bytes(16, "little", signed=True)
            data[at + 17 : at + 33] = abs(net).to_bytes(16, "little")
    data[ARRAY_BYTES - 32 :] = bytes(pool)
    return bytes(data)


def dynamic_array_data(pool: Pubkey, start: int, spacing: int, nets: dict[int, int]) -> bytes:
    """Return the same as a dynamic tick array, which has room for initialised ticks only."""
    bits, ticks = 0, b""
    for index in range(TICKS):
        net = nets.get(start + index * spacing)
        if net is None:
            ticks += b"\0"
            continue
        bits |= 1 << index
        ticks += b"\1" + net.to_bytes(16, "little", signed=True)
        ticks += abs(net).to_bytes(16, "little") + bytes(_DYNAMIC_REST_BYTES)
    head = DYNAMIC_DISCRIMINATOR + struct.pack("<i", start) + bytes(pool)
    return head + bits.to_bytes(16, "little") + ticks


@lru_cache(maxsize=1_024)
def array_nets(data: bytes, spacing: int) -> tuple[int, dict[int, int]]:
    """Return (start, net liquidity by initialised tick) of a tick array of either kind."""
    (start,) = struct.unpack_from("<i", data, 8)
    dynamic = data[:8] == DYNAMIC_DISCRIMINATOR
    at = _DYNAMIC_TICKS_AT if dynamic else 12
    nets = {}
    for index in range(TICKS):
        if data[at]:
            net = int.from_bytes(data[at + 1 : at + 17], "little", signed=True)
            nets[start + index * spacing] = net
        at += TICK_BYTES if not dynamic or data[at] else 1
    return start, nets
