"""Bodies of frames in the sources' own formats, a chunk of one instrument at a time."""

import struct
from base64 import b64encode
from typing import Final

import numpy as np
from numpy.typing import NDArray

from utb.simnet import base58
from utb.simnet.paths import Array
from utb.simnet.profiles import (
    USDC_MINT,
    Profile,
    Wire,
    key_of,
    subscription,
)

_TOKEN_PROGRAM: Final = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"  # noqa: S105 - a program id
_V4_PROGRAM: Final = "675kPX9MHTjS2zt1qfr1NYHuzeLXfQM9H24wFSUt1Mp8"
_CPMM_PROGRAM: Final = "CPMMoo8L3F4NbTegBCKVNunggL7H1ZpdTHKxQB5qKP1C"
_CPMM_DISCRIMINATOR: Final = bytes.fromhex("f7ede3f5d7c3de46")
_VAULT_BYTES: Final = 165
_AMOUNT_AT: Final = 64
_WALLETS: Final = tuple(base58.encode(key_of(f"wallet {number}")) for number in range(64))
_HASH_HEAD: Final = base58.encode(key_of("hash") + key_of("tail"))[:78]


def price_frames(
    profile: Profile, seconds: NDArray[np.int64], price: Array, volume: Array, minute_slots: int
) -> list[bytes]:
    """Return Birdeye `PRICE_DATA` bodies: updates of the forming one-minute bar.

    Args:
        profile: The instrument.
        seconds: Open of each slot, seconds since the epoch.
        price: Last price in each slot.
        volume: Base volume of each slot.
        minute_slots: Slots of a minute.
    """
    minutes = price.reshape(-1, minute_slots)
    opens = np.repeat(minutes[:, 0], minute_slots).tolist()
    highs = np.maximum.accumulate(minutes, axis=1).ravel().tolist()
    lows = np.minimum.accumulate(minutes, axis=1).ravel().tolist()
    totals = np.round(np.cumsum(volume.reshape(-1, minute_slots), axis=1), 4).ravel().tolist()
    times = (seconds // 60 * 60).tolist()
    tail = f',"symbol":"{profile.base}","address":"{profile.base_mint}"}}}}'
    return [
        f'{{"type":"PRICE_DATA","data":{{"o":{o!r},"h":{h!r},"l":{l!r},"c":{c!r},'
        f'"eventType":"ohlcv","type":"1m","unixTime":{time},"v":{v!r}{tail}'.encode()
        for o, h, l, c, time, v in zip(  # noqa: E741 - the frame's own field names
            opens, highs, lows, price.tolist(), times, totals, strict=True
        )
    ]


def trade_frames(
    profile: Profile,
    seconds: NDArray[np.int64],
    price: Array,
    volume: Array,
    numbers: NDArray[np.int64],
) -> list[bytes]:
    """Return Birdeye `TXS_DATA` bodies: one swap per slot, a buy where the price rose.

    Args:
        profile: The instrument.
        seconds: Block time of each swap, seconds since the epoch.
        price: Its price.
        volume: Its base amount.
        numbers: Its number since the beginning, which makes its hash.
    """
    rose = np.diff(price, prepend=price[0]) >= 0
    base_raw = np.round(volume * 10**profile.base_decimals)
    volume = base_raw / 10**profile.base_decimals
    usd = np.round(volume * price, 6)
    base_leg = f'"symbol":"{profile.base}","decimals":{profile.base_decimals},'
    base_leg += f'"address":"{profile.base_mint}"'
    quote_leg = f'"symbol":"USDC","decimals":6,"address":"{USDC_MINT}"'
    begin = '{"type":"TXS_DATA","data":{"blockUnixTime":'
    platform = f'"tokenAddress":"{profile.base_mint}","alias":null,"isTradeOnBe":false,'
    platform += '"platform":"Raydium","pricePair":'
    frames: list[bytes] = []
    columns = (seconds, price, volume, base_raw.astype(np.int64), usd, numbers, rose)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    for second, c, amount, raw, value, number, up in rows:
        # Base58 has no zero.
        digits = f"{number:010d}".replace("0", "z")
        base = f'{{{base_leg},"amount":{raw},"uiAmount":{amount!r},"price":{c!r}}}'
        quote = f'{{{quote_leg},"amount":{round(value * 1e6)},"uiAmount":{value!r},"price":1.0}}'
        side, gave, got = ("buy", quote, base) if up else ("sell", base, quote)
        frames.append(
            f'{begin}{second},"owner":"{_WALLETS[number * 7 % 64]}","source":"raydium",'
            f'"txHash":"{_HASH_HEAD}{digits}","side":"{side}",{platform}{c!r},'
            f'"volumeUSD":{value!r},"from":{gave},"to":{got}}}}}'.encode()
        )
    return frames


def vault_frames(
    profile: Profile,
    index: int,
    role: str,
    amounts_raw: NDArray[np.int64],
    slots: NDArray[np.int64],
) -> list[bytes]:
    """Return `accountNotification` bodies of one vault of a pool: balance and chain slot."""
    mint = profile.base_mint if role == "base_vault" else USDC_MINT
    authority = key_of(f"authority {profile.wire.name}")
    account = base58.decode(mint) + authority + bytes(8) + bytes(36) + b"\x01" + bytes(56)
    assert len(account) == _VAULT_BYTES  # noqa: S101 - the layout above is the program's
    # Base64 works on groups of three bytes: only the group with the balance changes.
    before = b64encode(account[: _AMOUNT_AT - 1]).decode()
    after = b64encode(account[_AMOUNT_AT + 8 :]).decode()
    edge = account[_AMOUNT_AT - 1 : _AMOUNT_AT]
    begin = '{"jsonrpc":"2.0","method":"accountNotification","params":{"result":{"context":{"slot":'
    middle = f'}},"value":{{"data":["{before}'
    end = f'{after}","base64"],"executable":false,"lamports":2039280,"owner":"{_TOKEN_PROGRAM}",'
    end += '"rentEpoch":18446744073709551615,"space":165}},"subscription":'
    end += f"{subscription(index, role)}}}}}"
    pack = struct.Struct("<Q").pack
    return [
        f"{begin}{slot}{middle}{b64encode(edge + pack(amount)).decode()}{end}".encode()
        for slot, amount in zip(slots.tolist(), amounts_raw.tolist(), strict=True)
    ]


def pool_frame(profile: Profile, index: int, fees_raw: tuple[int, int], slot: int) -> bytes:
    """Return the `accountNotification` body of a pool's own account: fees owed of both sides."""
    is_v4 = profile.wire is Wire.RAYDIUM_V4
    account = _v4_account(profile, fees_raw) if is_v4 else _cpmm_account(profile, fees_raw)
    owner = _V4_PROGRAM if is_v4 else _CPMM_PROGRAM
    return (
        '{"jsonrpc":"2.0","method":"accountNotification","params":{"result":{"context":{"slot":'
        f'{slot}}},"value":{{"data":["{b64encode(account).decode()}","base64"],'
        f'"executable":false,"lamports":6124800,"owner":"{owner}",'
        f'"rentEpoch":18446744073709551615,"space":{len(account)}}}}},'
        f'"subscription":{subscription(index, "pool")}}}}}'
    ).encode()


def _v4_account(profile: Profile, fees_raw: tuple[int, int]) -> bytes:
    """Lay out a Raydium v4 `AmmInfo`, 752 bytes; coin = base, pc = quote."""
    account = bytearray(752)
    numbers = {
        0: 6,  # status: swaps only
        8: 254,
        32: profile.base_decimals,
        40: 6,
        144: 25,
        152: 10_000,
        176: 25,
        184: 10_000,
        192: fees_raw[0],
        200: fees_raw[1],
        224: 1_672_531_200,
    }
    for at, number in numbers.items():
        struct.pack_into("<Q", account, at, number)
    account[336:368] = key_of(f"base_vault {profile.symbol}")
    account[368:400] = key_of(f"quote_vault {profile.symbol}")
    account[400:432] = base58.decode(profile.base_mint)
    account[432:464] = base58.decode(USDC_MINT)
    return bytes(account)


def _cpmm_account(profile: Profile, fees_raw: tuple[int, int]) -> bytes:
    """Lay out a Raydium CPMM `PoolState`, 637 bytes; token 0 has the smaller mint."""
    account = bytearray(637)
    account[:8] = _CPMM_DISCRIMINATOR
    base_mint, quote_mint = base58.decode(profile.base_mint), base58.decode(USDC_MINT)
    sides = [
        (base_mint, key_of(f"base_vault {profile.symbol}"), profile.base_decimals, fees_raw[0]),
        (quote_mint, key_of(f"quote_vault {profile.symbol}"), 6, fees_raw[1]),
    ]
    sides.sort()
    for place, (mint, vault, decimals, fees) in enumerate(sides):
        account[72 + 32 * place : 104 + 32 * place] = vault
        account[168 + 32 * place : 200 + 32 * place] = mint
        account[232 + 32 * place : 264 + 32 * place] = base58.decode(_TOKEN_PROGRAM)
        account[331 + place] = decimals
        struct.pack_into("<Q", account, 341 + 8 * place, fees)
    account[8:40] = key_of("amm config 0")
    account[330] = 9
    struct.pack_into("<Q", account, 373, 1_700_000_000)
    return bytes(account)
