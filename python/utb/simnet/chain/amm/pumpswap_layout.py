"""Accounts of PumpSwap: pools, the global configuration, the fee configuration.

Source: pump-fun/pump-public-docs, idl/pump_amm.json and docs.
"""

import struct
from dataclasses import dataclass
from typing import Final

from solders.pubkey import Pubkey

from utb.simnet.chain.amm import keys
from utb.simnet.chain.amm.calls import key_at, u64, u128

POOL_DISCRIMINATOR: Final = bytes.fromhex("f19a6d0411b16dbc")
CONFIG_DISCRIMINATOR: Final = bytes.fromhex("95089ccaa0fcb0d9")
FEES_DISCRIMINATOR: Final = bytes.fromhex("8f3492bbdb7b4c9b")
POOL_BYTES: Final = 300
CONFIG_BYTES: Final = 949

GLOBAL_CONFIG: Final = keys.pda(keys.PUMPSWAP, b"global_config")
FEE_CONFIG: Final = keys.pda(keys.PUMP_FEES, b"fee_config", bytes(keys.PUMPSWAP))
GLOBAL_VOLUME: Final = keys.pda(keys.PUMPSWAP, b"global_volume_accumulator")
BUYBACK_RECIPIENTS: Final = tuple(
    map(
        Pubkey.from_string,
        (
            "5YxQFdt3Tr9zJLvkFccqXVUwhdTWJQc1fFg2YPbxvxeD",
            "9M4giFFMxmFGXtc3feFzRai56WbBqehoSeRE5GK7gf7",
            "GXPFM2caqTtQYC2cJ5yJRi9VDkpsYZXzYdwYpGnLmtDL",
            "3BpXnfJaUTiwXnJNe7Ej1rcbzqTTQUvLShZaWazebsVR",
            "5cjcW9wExnJJiqgLjq7DEG75Pm6JBgE1hNv4B2vHXUW6",
            "EHAAiTxcdDwQ3U4bU6YcMsQGaekdzLS3B5SmYo46kJtL",
            "5eHhjP8JaYkz83CWwvGU2uMUXefd3AazWGx4gpcuEEYD",
            "A7hAgCzFw14fejgCp387JUJRMNyz4j89JKnhtKU8piqW",
        ),
    )
)
_PROTOCOL_RECIPIENTS_AT: Final = 57
_BUYBACK_RECIPIENTS_AT: Final = 643
_RECIPIENTS: Final = 8
_DISABLE_FLAGS_AT: Final = 56
_USDC_PER_SOL: Final = 150
_TIERS_AT: Final = 65
_VIRTUAL_AT: Final = 245


@dataclass(frozen=True, slots=True)
class Fees:
    """Fee rates of a swap, basis points."""

    lp: int
    protocol: int
    creator: int

    @property
    def total(self) -> int:
        """Return all of them together."""
        return self.lp + self.protocol + self.creator


FLAT_FEES: Final = Fees(25, 5, 0)
TIERS: Final = (
    (0, Fees(2, 93, 30)),
    (420, Fees(20, 5, 95)),
    (1_470, Fees(20, 5, 90)),
    (2_460, Fees(20, 5, 85)),
    (9_820, Fees(20, 5, 70)),
    (24_560, Fees(20, 5, 55)),
    (49_120, Fees(20, 5, 30)),
    (98_240, Fees(20, 5, 5)),
)
"""(market cap from which it holds, SOL; rates): some of mainnet's rows."""


@dataclass(frozen=True, slots=True)
class Pool:
    """What a swap needs of a pool's account."""

    index: int
    creator: Pubkey
    base_mint: Pubkey
    quote_mint: Pubkey
    base_vault: Pubkey
    quote_vault: Pubkey
    coin_creator: Pubkey
    is_cashback: bool
    virtual_quote_raw: int

    @property
    def has_creator(self) -> bool:
        """Return whether somebody takes the creator fee."""
        return self.coin_creator != Pubkey.default()

    @property
    def is_canonical(self) -> bool:
        """Return whether it is a coin's own pool, with fees by market cap."""
        own = keys.pda(keys.PUMP, b"pool-authority", bytes(self.base_mint))
        return self.index == 0 and self.creator == own


def pool_address(index: int, creator: Pubkey, base: Pubkey, quote: Pubkey) -> tuple[bytes, ...]:
    """Return the seeds of a pool's address."""
    return (b"pool", struct.pack("<H", index), bytes(creator), bytes(base), bytes(quote))


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPool:
    """What a pool's account is made from; pairs are (base, quote), the index is 0."""

    creator: Pubkey
    mints: tuple[Pubkey, Pubkey]
    vaults: tuple[Pubkey, Pubkey]
    lp_mint: Pubkey
    coin_creator: Pubkey
    """Of zeros: nobody takes a creator's fee."""
    virtual_quote_raw: int = 0
    is_cashback: bool = False


def pool_data(new: NewPool) -> bytes:
    """Return the account of a pool."""
    body = POOL_DISCRIMINATOR + struct.pack("<BH", 255, 0)
    for address in (new.creator, *new.mints, new.lp_mint, *new.vaults):
        body += bytes(address)
    body += struct.pack("<Q", 10**12) + bytes(new.coin_creator) + bytes((0, new.is_cashback))
    body += new.virtual_quote_raw.to_bytes(16, "little", signed=True)
    return body + bytes(POOL_BYTES - len(body))


def virtual_quote(data: bytes) -> int:
    """Return a pool's virtual quote reserves, which may be negative."""
    return int.from_bytes(data[_VIRTUAL_AT : _VIRTUAL_AT + 16], "little", signed=True)


def read_pool(data: bytes) -> Pool:
    """Read a pool's account; what an older, shorter one does not have is zero."""
    data = data.ljust(POOL_BYTES, b"\0")
    return Pool(
        index=int.from_bytes(data[9:11], "little"),
        creator=key_at(data, 11),
        base_mint=key_at(data, 43),
        quote_mint=key_at(data, 75),
        base_vault=key_at(data, 139),
        quote_vault=key_at(data, 171),
        coin_creator=key_at(data, 211),
        is_cashback=bool(data[244]),
        virtual_quote_raw=virtual_quote(data),
    )


def config_data(admin: Pubkey, recipients: tuple[Pubkey, ...]) -> bytes:
    """Return the global configuration; `recipients` are the eight of the protocol fee."""
    data = bytearray(CONFIG_BYTES)
    data[:8] = CONFIG_DISCRIMINATOR
    data[8:40] = bytes(admin)
    struct.pack_into("<QQ", data, 40, FLAT_FEES.lp, FLAT_FEES.protocol)
    for at, listed in (
        (_PROTOCOL_RECIPIENTS_AT, recipients),
        (_BUYBACK_RECIPIENTS_AT, BUYBACK_RECIPIENTS),
    ):
        body = b"".join(map(bytes, listed))
        data[at : at + len(body)] = body
    return bytes(data)


def protocol_recipients(config: bytes) -> tuple[Pubkey, ...]:
    """Return who may get the protocol fee."""
    return tuple(key_at(config, _PROTOCOL_RECIPIENTS_AT + 32 * n) for n in range(_RECIPIENTS))


def buyback_recipients(config: bytes) -> tuple[Pubkey, ...]:
    """Return who may stand as buyback recipient."""
    return tuple(key_at(config, _BUYBACK_RECIPIENTS_AT + 32 * n) for n in range(_RECIPIENTS))


def disable_flags(config: bytes) -> int:
    """Return what is switched off: bit 3 buying, bit 4 selling."""
    return config[_DISABLE_FLAGS_AT]


def fees_data(admin: Pubkey) -> bytes:
    """Return the fee configuration: tiers in lamports and the same in USDC."""

    def rates(fees: Fees) -> bytes:
        return struct.pack("<QQQ", fees.lp, fees.protocol, fees.creator)

    def tiers(unit: int) -> bytes:
        rows = b"".join((cap * unit).to_bytes(16, "little") + rates(one) for cap, one in TIERS)
        return struct.pack("<I", len(TIERS)) + rows

    body = FEES_DISCRIMINATOR + b"\xff" + bytes(admin) + rates(FLAT_FEES)
    return body + tiers(10**9) + tiers(_USDC_PER_SOL * 10**6) + rates(FLAT_FEES)


def fees_of(data: bytes, *, stable: bool, market_cap_raw: int) -> Fees:
    """Return the rates of a canonical pool: the last tier at or below its market cap."""
    at = _TIERS_AT
    for skipped in range(2 if stable else 1):
        (count,) = struct.unpack_from("<I", data, at)
        rows = at + 4
        at = rows + 40 * count
        if skipped == (1 if stable else 0):
            break
    found = rows
    for row in range(rows, at, 40):
        if u128(data, row) <= market_cap_raw:
            found = row
    return Fees(*(u64(data, found + 16 + 8 * n) for n in range(3)))


def flat_fees(data: bytes) -> Fees:
    """Return the rates of any other pool."""
    return Fees(*(u64(data, 41 + 8 * n) for n in range(3)))
