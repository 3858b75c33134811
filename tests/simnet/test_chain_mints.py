"""Mints a careful buyer refuses, as Token-2022 itself treats their tokens."""

import pytest
from chain_stand import Stand
from solders.pubkey import Pubkey
from test_chain_tokens import open_account

from utb.domain.chain import USDC_MINT
from utb.simnet.chain.amm.instructions import SwapOrder
from utb.simnet.chain.amm.spec import hostile_specs

FROZEN, STUCK, PAUSED = 17, 37, 67
"""Errors of Token-2022: account frozen, not transferable, paused."""


@pytest.fixture(scope="module")
def stand() -> Stand:
    stand = Stand(hostile_specs(), tokens_of_base=False)
    stand.chain.airdrop_tokens(str(stand.wallet), USDC_MINT, 10**12)
    stand.chain.tick()
    return stand


@pytest.mark.parametrize("program", ["raydium_cpmm", "whirlpool"])
@pytest.mark.parametrize(
    ("name", "buying", "selling"),
    [
        ("FROZEN", FROZEN, None),
        ("PAUSED", PAUSED, None),
        ("STUCK", None, STUCK),
        ("SEIZED", None, None),
        ("HOOKED", None, None),
        ("FREEZABLE", None, None),
    ],
)
def test_hostile_mint(
    stand: Stand, program: str, name: str, buying: int | None, selling: int | None
) -> None:
    """STUCK can be bought and never sold: what a simulated round trip is for."""
    place, market = stand.pool(f"{name}-USDC", program), stand.market(f"{name}-USDC")
    base = Pubkey.from_string(market.base_mint)
    usdc = Pubkey.from_string(USDC_MINT)
    opened = open_account(stand.wallet, base, Pubkey.from_string(market.base_program))
    quoted = stand.chain.amm.quote(place, USDC_MINT, 10**6)
    bought, sold = (
        stand.chain.amm.swap(
            SwapOrder(place=place, user=stand.wallet, input_mint=mint, amount_in_raw=amount)
        )
        for mint, amount in ((usdc, 10**6), (base, quoted))
    )
    failed = {"InstructionError": [3, {"Custom": buying}]} if buying else None
    assert stand.land(opened, bought).meta.err == failed
    both = stand.chain.simulate(stand.sign(opened, bought, sold)).err
    if selling:
        assert both == {"InstructionError": [4, {"Custom": selling}]}
    else:
        assert both == failed
