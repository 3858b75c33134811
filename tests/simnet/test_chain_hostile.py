"""Mangled AMM instructions: the chain refuses or executes them, and never falls over."""

import struct

import numpy as np
import pytest
from chain_stand import NOW, SPECS, Stand
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from utb.domain.chain import USDC_MINT
from utb.simnet.chain import jupiter
from utb.simnet.chain.amm.instructions import SwapOrder
from utb.simnet.chain.amm.markets import RouteTerms
from utb.simnet.chain.types import PoolAddress

PROGRAMS = ("raydium_amm", "raydium_cpmm", "pumpswap", "whirlpool")
EXTREMES = (0, 1, 2**32, 2**63, 2**64 - 1)


@pytest.fixture(scope="module")
def stand() -> Stand:
    return Stand(tuple(one for one in SPECS if one.symbol in {"SOL-USDC", "ETH-USDC"}))


def legal(stand: Stand, place: PoolAddress, *, buying: bool, routed: bool) -> Instruction:
    mint = place.quote_mint if buying else place.base_mint
    if routed:
        terms = RouteTerms(
            user=str(stand.wallet),
            input_mint=mint,
            in_amount_raw=10**7,
            quoted_out_raw=1,
            slippage_bps=50,
        )
        return stand.chain.amm.route(terms, [(place, 100)])
    order = SwapOrder(
        place=place,
        user=stand.wallet,
        input_mint=Pubkey.from_string(mint),
        amount_in_raw=10**7,
        min_out_raw=1,
    )
    return stand.chain.amm.swap(order)


def mangled(swap: Instruction, draws: np.random.Generator) -> Instruction:
    """Return the instruction with data flipped or cut, accounts swapped, lost or doubled."""
    data, metas = bytearray(bytes(swap.data)), list(swap.accounts)
    kind = int(draws.integers(6))
    if kind == 0:
        data[int(draws.integers(len(data)))] ^= 1 << int(draws.integers(8))
    elif kind == 1:
        del data[int(draws.integers(len(data))) :]
    elif kind == 2:
        one, other = (int(draws.integers(len(metas))) for _ in range(2))
        keys = (metas[other].pubkey, metas[one].pubkey)
        for index, key in zip((one, other), keys, strict=True):
            was = metas[index]
            metas[index] = AccountMeta(key, is_signer=was.is_signer, is_writable=was.is_writable)
    elif kind == 3:
        del metas[int(draws.integers(len(metas)))]
    elif kind == 4:
        metas.insert(int(draws.integers(len(metas))), metas[int(draws.integers(len(metas)))])
    else:
        at = 1 + 8 * int(draws.integers(2)) if len(data) == 17 else 8 + 8 * int(draws.integers(2))
        data[at : at + 8] = struct.pack("<Q", EXTREMES[int(draws.integers(len(EXTREMES)))])
    return Instruction(swap.program_id, bytes(data), metas)


@pytest.mark.parametrize("routed", [False, True], ids=["direct", "routed"])
@pytest.mark.parametrize("program", PROGRAMS)
def test_mangled_swaps_lose_no_token(stand: Stand, program: str, routed: bool) -> None:  # noqa: FBT001
    draws = np.random.default_rng([11, PROGRAMS.index(program), routed])
    had, outcomes = stand.sums(), set()
    for number in range(150):
        symbol = ("SOL-USDC", "ETH-USDC")[number % 2]
        swap = legal(stand, stand.pool(symbol, program), buying=bool(number & 2), routed=routed)
        broken = mangled(swap, draws)
        # Only the wallet can sign.
        metas = [
            AccountMeta(
                one.pubkey, is_signer=one.pubkey == stand.wallet, is_writable=one.is_writable
            )
            for one in broken.accounts
        ]
        broken = Instruction(broken.program_id, bytes(broken.data), metas)
        landed = stand.land(broken)
        outcomes.add(str(landed.meta.err))
    assert stand.sums() == had
    assert len(outcomes) > 5
    place = stand.pool("ETH-USDC", program)
    before, quoted = stand.amount(place.base_mint), stand.chain.amm.quote(place, USDC_MINT, 10**7)
    assert stand.land(legal(stand, place, buying=True, routed=routed)).meta.err is None
    assert stand.amount(place.base_mint) - before == quoted
    assert stand.chain.account(place.pool, NOW) is not None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        jupiter.ROUTE,
        jupiter.ROUTE + struct.pack("<I", 2**32 - 1) + bytes(40),
        jupiter.ROUTE + struct.pack("<I", 3) + bytes((46, 100, 0, 1)) + bytes(19),
        jupiter.ROUTE + struct.pack("<I", 1) + bytes((47, 1)) + bytes(19),
        jupiter.ROUTE + struct.pack("<I", 1) + bytes((46, 100, 0, 1)) + bytes(20),
    ],
)
def test_route_data_that_is_none(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"expected|swap \d+"):
        jupiter.decode(data)


def test_route_data_round_trip() -> None:
    steps = (
        jupiter.Step(47, a_to_b=True, percent=60, input_index=0, output_index=1),
        jupiter.Step(105, a_to_b=False, percent=40, input_index=0, output_index=1),
    )
    data = jupiter.RouteData(steps, 10**9, 318, 50, 0)
    assert jupiter.decode(jupiter.encode(data)) == data
    # A captured answer of the aggregator: 318 at 50 basis points gives 317.
    assert data.min_out_raw == 317


@pytest.mark.parametrize("program", PROGRAMS)
def test_two_routes_in_a_transaction_are_judged_each(stand: Stand, program: str) -> None:
    place, amount = stand.pool("ETH-USDC", program), 10**7
    quoted = stand.chain.amm.quote(place, USDC_MINT, amount)

    def route(quoted_out_raw: int) -> Instruction:
        terms = RouteTerms(
            user=str(stand.wallet),
            input_mint=place.quote_mint,
            in_amount_raw=amount,
            quoted_out_raw=quoted_out_raw,
            slippage_bps=0,
        )
        return stand.chain.amm.route(terms, [(place, 100)])

    fair, greedy = route(quoted * 9 // 10), route(quoted * 2)
    before = stand.amount(place.base_mint)
    assert stand.land(fair, fair).meta.err is None
    assert stand.amount(place.base_mint) - before > quoted * 18 // 10
    assert stand.land(fair, greedy).meta.err == {"InstructionError": [3, {"Custom": 6001}]}
    assert stand.land(greedy, fair).meta.err == {"InstructionError": [2, {"Custom": 6001}]}
