"""Frames of the generated market against the shapes in the sources' documentation."""

import base64
import json
from typing import Any

import pytest

from utb.ports.feed import Frame
from utb.simnet import base58
from utb.simnet.market import MarketChunk, SimulatedMarket
from utb.simnet.profiles import (
    PROFILES,
    Wire,
    subscription,
)


@pytest.fixture(scope="module")
def chunk() -> MarketChunk:
    return next(SimulatedMarket(seed=7, hours=6).chunks())


@pytest.fixture(scope="module")
def frames(chunk: MarketChunk) -> list[Frame]:
    return [item for item in chunk.items() if isinstance(item, Frame)]


def index_of(wire: Wire) -> int:
    return [profile.wire for profile in PROFILES].index(wire)


def bodies(frames: list[Frame], source: int) -> list[tuple[Frame, Any]]:
    return [(frame, json.loads(frame.payload)) for frame in frames if frame.source == source]


def test_price_data_has_the_documented_members_and_forms_a_bar(
    frames: list[Frame], chunk: MarketChunk
) -> None:
    index = index_of(Wire.BIRDEYE_PRICE)
    mint = PROFILES[index].base_mint
    rows = [
        (frame, body["data"])
        for frame, body in bodies(frames, 1)
        if body["type"] == "PRICE_DATA" and body["data"]["address"] == mint
    ]
    members = ["o", "h", "l", "c", "eventType", "type", "unixTime", "v", "symbol", "address"]
    assert all(list(data) == members for _, data in rows)
    assert [data["c"] for _, data in rows] == chunk.path.price[index].tolist()
    for place in range(0, len(rows), 3):
        minute = [data for _, data in rows[place : place + 3]]
        assert len({data["unixTime"] for data in minute}) == 1
        assert minute[0]["o"] == minute[1]["o"] == minute[2]["o"] == minute[0]["c"]
        closes = [data["c"] for data in minute]
        assert (minute[2]["h"], minute[2]["l"]) == (max(closes), min(closes))
        assert 0 < minute[0]["v"] < minute[1]["v"] < minute[2]["v"]
    for frame, data in rows:
        assert data["unixTime"] % 60 == 0
        assert 0 <= frame.ts_recv_ns // 10**9 - data["unixTime"] < 60


def test_txs_data_has_the_documented_members_and_agreeing_legs(frames: list[Frame]) -> None:
    rows = [body["data"] for _, body in bodies(frames, 1) if body["type"] == "TXS_DATA"]
    members = ["blockUnixTime", "owner", "source", "txHash", "side", "tokenAddress", "alias"]
    members += ["isTradeOnBe", "platform", "pricePair", "volumeUSD", "from", "to"]
    profile = PROFILES[index_of(Wire.BIRDEYE_TRADES)]
    assert len({data["txHash"] for data in rows}) == len(rows) == 1080
    for data in rows:
        assert list(data) == members
        leg = data["to"] if data["side"] == "buy" else data["from"]
        assert leg["address"] == data["tokenAddress"] == profile.base_mint
        assert leg["amount"] == round(leg["uiAmount"] * 10**5)
        assert data["volumeUSD"] == pytest.approx(leg["uiAmount"] * leg["price"], abs=1e-6)
        assert len(data["txHash"]) == 88
        assert not set("0OIl") & set(data["txHash"])


def test_dexscreener_body_has_the_documented_members(frames: list[Frame]) -> None:
    primary = PROFILES[index_of(Wire.DEXSCREENER)]
    sizes = set()
    for _, body in bodies(frames, 0):
        assert list(body) == ["schemaVersion", "pairs", "pair"]
        sizes.add(len(body["pairs"]))
        for pair in body["pairs"]:
            assert pair["chainId"] == "solana"
            assert float(pair["priceUsd"]) == float(pair["priceNative"]) > 0
            assert list(pair["txns"]) == ["m5", "h1", "h6", "h24"]
            assert list(pair["volume"]) == ["h24", "h6", "h1", "m5"]
            assert 0 < pair["volume"]["m5"] < pair["volume"]["h1"] < pair["volume"]["h24"]
            is_primary = pair["baseToken"]["address"] == primary.base_mint
            assert is_primary == (len(body["pairs"]) == 1)
    assert sizes == {1, 7}


def test_dexscreener_five_minute_volume_is_the_sum_of_its_slots(
    frames: list[Frame], chunk: MarketChunk
) -> None:
    index = index_of(Wire.DEXSCREENER)
    rows = [body["pairs"][0] for _, body in bodies(frames, 0) if len(body["pairs"]) == 1]
    expected = chunk.path.volume_usd[index][86:101].sum()
    assert rows[100]["volume"]["m5"] == pytest.approx(expected, abs=0.006)


@pytest.mark.parametrize("wire", [Wire.RAYDIUM_V4, Wire.RAYDIUM_CPMM])
def test_vaults_are_token_accounts_whose_reserves_price_the_pool(
    frames: list[Frame], chunk: MarketChunk, wire: Wire
) -> None:
    index = index_of(wire)
    profile = PROFILES[index]
    amounts: dict[int, int] = {}
    fees: list[int] = []
    prices: list[float] = []
    for frame, body in bodies(frames, 2):
        params = body["params"]
        role = params["subscription"] - subscription(index, "base_vault")
        if role not in {0, 1, 2}:
            continue
        value = params["result"]["value"]
        account = base64.b64decode(value["data"][0])
        assert value["data"][1] == "base64"
        assert value["space"] == len(account)
        if role == 2:
            fees = pool_fees(wire, account)
            continue
        assert len(account) == 165
        assert account[108] == 1
        mint = base58.encode(account[:32])
        assert (mint == profile.base_mint) == (role == 0)
        amounts[role] = int.from_bytes(account[64:72], "little")
        assert params["result"]["context"]["slot"] == (frame.ts_recv_ns - role * 10**6) // (
            400 * 10**6
        )
        if role == 1:
            base = (amounts[0] - fees[0]) / 10**profile.base_decimals
            prices.append((amounts[1] - fees[1]) / 1e6 / base)
    # Raw units round at 1e-12 of the reserves or so.
    assert prices == pytest.approx(chunk.path.price[index].tolist(), rel=1e-9)


def pool_fees(wire: Wire, account: bytes) -> list[int]:
    at = (192, 200) if wire is Wire.RAYDIUM_V4 else (341, 349)
    fees = [int.from_bytes(account[place : place + 8], "little") for place in at]
    mints = (400, 432) if wire is Wire.RAYDIUM_V4 else (168, 200)
    first, second = (base58.encode(account[place : place + 32]) for place in mints)
    assert {first, second} == {PROFILES[index_of(wire)].base_mint, second}
    if wire is Wire.RAYDIUM_CPMM:
        assert account[:8].hex() == "f7ede3f5d7c3de46"
        assert account[168:200] < account[200:232]
        assert account[329] == 0
    else:
        assert int.from_bytes(account[:8], "little") == 6
    return fees


def test_pool_reserves_move_in_opposite_directions_and_their_product_only_grows(
    chunk: MarketChunk,
) -> None:
    """A swap takes from one side what it pays for on the other; fees stay in both."""
    index = index_of(Wire.RAYDIUM_CPMM)
    reserves = chunk._parts.reserves[index]
    base = reserves.base_raw.astype(float)
    quote = reserves.quote_raw.astype(float)
    hour = 180
    for begin in range(0, 1080, hour):
        product = (base * quote)[begin : begin + hour]
        assert (product[1:] >= product[:-1] * (1 - 1e-9)).all()
    moved = (base[1:] != base[:-1]) & (quote[1:] != quote[:-1])
    opposite = (base[1:] > base[:-1]) != (quote[1:] > quote[:-1])
    assert (moved & opposite).mean() > 0.99


def test_base58_of_a_known_key() -> None:
    """The system program's key is 32 zero bytes and is written as 32 ones."""
    assert base58.encode(bytes(32)) == "1" * 32
    usdc = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"
    assert base58.encode(base58.decode(usdc)) == usdc
    assert base58.decode("11111111111111111111111111111112") == bytes(31) + b"\x01"
