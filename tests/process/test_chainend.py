"""Wallet beside ledger at the end of a run."""

import msgspec

from utb.adapters.chain.reconcile import BookView
from utb.adapters.chain.wallet import Guard, TokenAccount, WalletReading
from utb.bootstrap.chainend import beside
from utb.cli.outcome import chain_line
from utb.domain.chain import USDC_MINT, WRAPPED_SOL_MINT

NAMES = {USDC_MINT: "USDC", WRAPPED_SOL_MINT: "SOL"}
USDC_HELD = TokenAccount(
    address="own",
    program="token",
    mint=USDC_MINT,
    amount_raw=70,
    rent_lamports=2_039_280,
    frozen=False,
    withheld=False,
)
READING = WalletReading(
    endpoint="a",
    slot=968,
    lamports=5_000,
    accounts=(USDC_HELD,),
    guards=(Guard(address="guard", seed="seed", lamports=890_880),),
    signatures=(),
)
VIEW = BookView(
    slot=968,
    tokens={USDC_MINT: 70, WRAPPED_SOL_MINT: 0},
    lamports=5_000,
    rent_lamports=2_039_280 + 890_880,
)


def test_equal_books_are_told_with_what_is_held() -> None:
    held = beside(READING, VIEW, NAMES)
    assert held.equal
    assert [(row.asset, row.chain_raw) for row in held.assets] == [
        ("SOL", 5_000),
        ("rent", 2_930_160),
        ("USDC", 70),
        ("wSOL", 0),
    ]
    assert "equal to the ledger at slot 968" in chain_line(held)
    assert "USDC 70" in chain_line(held)


def test_one_lamport_too_few_is_a_difference_that_is_named() -> None:
    less = msgspec.structs.replace(READING, lamports=4_999)
    held = beside(less, VIEW, NAMES)
    assert not held.equal
    assert "SOL 4,999 on the chain, 5,000 in the ledger" in chain_line(held)
    assert "USDC" not in chain_line(held)


def test_a_token_that_the_ledger_does_not_know_is_a_difference() -> None:
    stranger = msgspec.structs.replace(USDC_HELD, mint="other", amount_raw=1, rent_lamports=0)
    more = msgspec.structs.replace(READING, accounts=(USDC_HELD, stranger))
    held = beside(more, VIEW, NAMES)
    assert not held.equal
    assert "other 1 on the chain, 0 in the ledger" in chain_line(held)
