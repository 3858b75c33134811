"""What landed transactions did, on recorded ones and on made ones."""

from typing import NamedTuple

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transactions import (
    JITO_TIP,
    SIGNATURE,
    USDC,
    WALLET,
    WSOL,
    Made,
    create,
    create_with_seed,
    key,
    needs_data,
    payer,
    recorded,
    transfer_with_seed,
)

from utb.adapters.chain import base58
from utb.adapters.chain.fills import guard_failed, read_fill
from utb.adapters.chain.landed import Landed, Unread, read_landed
from utb.adapters.chain.wallet import guard_address
from utb.adapters.rpc.answers import TransactionValue
from utb.domain.chain import ChainFill

JUP = "JUPyiwrYJFskUPiHa7hkeR8VUtAeFoSYbKedZNsDvCN"
MINT = key(40)
SEED = "00f3a9d2c47b6e18"
GUARD_LAMPORTS = 890_880


def landed(transaction: TransactionValue, wallet: str = WALLET) -> Landed:
    found = read_landed(transaction, wallet)
    assert isinstance(found, Landed), found
    return found


def fill(made: Made, *, base: str = MINT, quote: str = USDC) -> ChainFill:
    found = read_fill(made.value(), WALLET, base, quote)
    assert isinstance(found, ChainFill), found
    return found


def refusal(transaction: TransactionValue, *, base: str = MINT, quote: str = USDC) -> str:
    found = read_fill(transaction, WALLET, base, quote)
    assert isinstance(found, Unread), found
    return found.sentence


def bought() -> Made:
    """Return a buy of 5,000 raw for 2,000 USDC raw."""
    made = Made()
    made.holding(key(41), USDC, 9_000, 7_000)
    made.holding(key(42), MINT, 100, 5_100)
    return made


# Recorded on mainnet


@needs_data
def test_recorded_usdc_to_jup_is_a_buy_to_the_base_unit() -> None:
    """Pre and post token balances of the payer: 2,928,521 -> 1,828,521 USDC; fee 80,001."""
    transaction = recorded("getTransaction_swap-usdc-to-jup")
    balances = transaction.meta.pre_token_balances or (), transaction.meta.post_token_balances or ()
    mine = [
        {b.mint: int(b.ui_token_amount.amount) for b in side if b.owner == payer(transaction)}
        for side in balances
    ]
    found = read_fill(transaction, payer(transaction), JUP, USDC)
    assert isinstance(found, ChainFill)
    assert found.quote_raw == mine[0][USDC] - mine[1][USDC] == 1_100_000
    assert found.base_raw == mine[1][JUP] - mine[0][JUP]
    assert (found.fee_lamports, found.tip_lamports, found.rent_lamports) == (80_001, 0, 0)
    assert found.compute_units == 61_355


@needs_data
def test_recorded_swap_that_unwraps_gives_rent_back() -> None:
    """Wallet +1,024,208 = 2,039,280 rent back - 15,072 fee - 1,000,000 SOL swapped.

    The pool got 991,250 and a fee account 8,750 of them.
    """
    transaction = recorded("getTransaction_swap-sol-to-usdc")
    found = landed(transaction, payer(transaction))
    assert found.wallet_lamports == 1_024_208
    assert (found.fee_lamports, found.rent_lamports) == (15_072, -2_039_280)
    assert found.other_lamports == -1_000_000
    swap = read_fill(transaction, payer(transaction), WSOL, USDC, native_sol=True)
    assert isinstance(swap, ChainFill)
    assert swap.base_raw == 1_000_000
    assert swap.quote_raw == found.tokens[USDC] > 0


@needs_data
def test_recorded_swap_with_a_short_lived_account_locks_one_rent() -> None:
    """Wallet -12,051,065 = -11,785 fee - 2,039,280 for the new account - 0.01 SOL swapped."""
    transaction = recorded("getTransaction_swap-sol-to-sahur")
    wallet = payer(transaction)
    found = landed(transaction, wallet)
    assert (found.fee_lamports, found.rent_lamports, found.other_lamports) == (
        11_785,
        2_039_280,
        -10_000_000,
    )
    mint = next(mint for mint in found.tokens if mint != WSOL)
    swap = read_fill(transaction, wallet, mint, WSOL, native_sol=True)
    assert isinstance(swap, ChainFill)
    assert (swap.quote_raw, swap.rent_lamports) == (10_000_000, 2_039_280)
    strict = read_fill(transaction, wallet, mint, WSOL)
    assert isinstance(strict, Unread)
    assert strict.sentence == "-10000000 lamports of the wallet are neither fee, tip nor rent"


@needs_data
def test_recorded_failed_swap_costs_its_fee_alone() -> None:
    transaction = recorded("getTransaction_failed-swap")
    found = landed(transaction, payer(transaction))
    assert found.err == '{"InstructionError":[6,{"Custom":1}]}'
    assert found.fee_lamports == -found.wallet_lamports == 520_451
    assert (found.tip_lamports, found.rent_lamports, found.other_lamports) == (0, 0, 0)
    assert not any(found.tokens.values())
    said = read_fill(transaction, payer(transaction), JUP, USDC)
    assert said == Unread('the transaction failed: {"InstructionError":[6,{"Custom":1}]}')


@pytest.mark.parametrize(
    ("name", "sent"),
    [("getTransaction_native-sol-transfer", True), ("getTransaction_send-usdc-transfer", False)],
)
@needs_data
def test_recorded_transfer_is_no_swap(name: str, *, sent: bool) -> None:
    transaction = recorded(name)
    found = landed(transaction, payer(transaction))
    assert found.fee_lamports == 5_000
    assert (found.other_lamports < 0) == sent
    assert isinstance(read_fill(transaction, payer(transaction), JUP, USDC), Unread)


# Made ones


def test_plain_buy_is_read() -> None:
    assert fill(bought()) == ChainFill(
        signature=SIGNATURE,
        slot=77,
        base_raw=5_000,
        quote_raw=2_000,
        fee_lamports=5_000,
        tip_lamports=0,
        rent_lamports=0,
        compute_units=61_355,
    )


def test_tip_and_rent_are_told_apart_from_the_fee() -> None:
    made = Made(fee=7_000)
    made.holding(key(41), USDC, 9_000, 7_000)
    new = made.holding(key(42), MINT, None, 5_000)
    made.after[0] -= 2_039_280
    made.system([0, new], create(2_039_280), called=True)
    tip = made.account(JITO_TIP, 50, 10_050)
    made.pay(tip, 10_000)
    found = fill(made)
    assert (found.fee_lamports, found.tip_lamports, found.rent_lamports) == (
        7_000,
        10_000,
        2_039_280,
    )


def test_guard_is_rent() -> None:
    made = bought()
    guard = made.account(guard_address(WALLET, SEED), 0, GUARD_LAMPORTS)
    made.after[0] -= GUARD_LAMPORTS
    made.system([0, guard], create_with_seed(WALLET, SEED, GUARD_LAMPORTS))
    assert fill(made).rent_lamports == GUARD_LAMPORTS


def test_account_of_a_program_opened_for_us_is_rent() -> None:
    """PumpSwap keeps an account for each user's volume, which the user pays for."""
    made = bought()
    kept = made.account(key(60), 0, 1_844_400)
    made.after[0] -= 1_844_400
    made.system([0, kept], create(1_844_400, 137), called=True)
    assert fill(made).rent_lamports == 1_844_400


def test_guards_rent_comes_back_as_negative_rent() -> None:
    made = Made()
    guard = made.account(guard_address(WALLET, SEED), GUARD_LAMPORTS, 0)
    made.after[0] += GUARD_LAMPORTS
    made.system([guard, 0, 0], transfer_with_seed(SEED, GUARD_LAMPORTS))
    found = landed(made.value())
    assert (found.rent_lamports, found.other_lamports) == (-GUARD_LAMPORTS, 0)
    assert found.wallet_lamports == GUARD_LAMPORTS - 5_000


def test_closed_token_account_gives_its_rent_back() -> None:
    made = Made()
    made.holding(key(42), MINT, 0, None, rent=203_928)
    made.after[0] += 203_928
    found = landed(made.value())
    assert (found.rent_lamports, found.other_lamports) == (-203_928, 0)


def test_permanent_wrapped_sol_is_a_token_and_its_rent_stays() -> None:
    """A sale of 300 wrapped SOL raw: the account's lamports fall with it, the wallet's do not."""
    made = Made()
    made.holding(key(41), USDC, 1_000, 1_500)
    made.holding(key(43), WSOL, 1_000, 700)
    found = fill(made, base=WSOL)
    assert (found.base_raw, found.quote_raw, found.rent_lamports) == (300, 500, 0)


def test_short_lived_account_locks_nothing() -> None:
    made = bought()
    passing = made.account(key(61), 0, 0)
    made.system([0, passing], create(2_039_280))
    assert fill(made).rent_lamports == 0


def test_lamports_that_leave_for_a_stranger_are_refused() -> None:
    made = bought()
    stranger = made.account(key(62), 0, 123)
    made.pay(stranger, 123)
    assert refusal(made.value()) == "-123 lamports of the wallet are neither fee, tip nor rent"


def test_another_token_lost_beside_the_swap_is_refused() -> None:
    made = bought()
    made.holding(key(44), JUP, 900, 100)
    assert refusal(made.value()) == f"beside the swap the wallet lost -800 of {JUP}"


def test_gift_beside_the_swap_is_left_to_reconciliation() -> None:
    made = bought()
    made.holding(key(44), JUP, 900, 901)
    assert fill(made).base_raw == 5_000


@pytest.mark.parametrize(("base", "quote"), [(5_100, 9_500), (100, 9_000), (5_100, 9_000)])
def test_both_sides_one_way_or_still_are_no_swap(base: int, quote: int) -> None:
    made = Made()
    made.holding(key(41), USDC, 9_000, quote)
    made.holding(key(42), MINT, 100, base)
    told = f"no swap: base changed by {base - 100}, quote by {quote - 9_000}"
    assert refusal(made.value()) == told


def test_foreign_owners_accounts_do_not_count() -> None:
    made = bought()
    made.holding(key(45), MINT, 90_000, 85_000, owner=key(9))
    assert fill(made).base_raw == 5_000


def test_wallet_that_takes_no_part_is_refused() -> None:
    found = read_landed(bought().value(), key(9))
    assert found == Unread("the wallet takes no part in the transaction")


def test_balances_of_another_length_are_refused() -> None:
    made = bought()
    made.after.append(1)
    assert "4 accounts, but 4 and 5 balances" in refusal(made.value())


def test_amount_that_is_no_number_is_refused() -> None:
    made = bought()
    made.tokens_after[0]["uiTokenAmount"]["amount"] = "-5"
    assert refusal(made.value()) == "a token balance is '-5', expected a whole number"


def test_broken_system_instruction_is_refused() -> None:
    made = bought()
    made.instructions.append(
        {"programIdIndex": 1, "accounts": [], "data": base58.encode(bytes(12))}
    )
    assert refusal(made.value()).startswith("an instruction of the System program cannot be read")


@needs_data
def test_parsed_encoding_is_not_taken_for_the_other() -> None:
    """`jsonParsed` has objects for accounts: it is refused when decoded, not misread."""
    with pytest.raises(msgspec.ValidationError, match="accountKeys"):
        recorded("pumpfun_buy_getTransaction_jsonParsed")


def test_guard_error_is_told_from_others() -> None:
    """The System program's AccountAlreadyInUse is Custom(0) at the guard's own instruction."""
    assert guard_failed({"InstructionError": [2, {"Custom": 0}]}, 2)
    assert not guard_failed({"InstructionError": [3, {"Custom": 0}]}, 2)
    assert not guard_failed({"InstructionError": [2, {"Custom": 1}]}, 2)
    assert not guard_failed("BlockhashNotFound", 2)
    assert not guard_failed({"InstructionError": [2, {"Custom": 0}]}, None)


def test_guard_address_is_the_chains() -> None:
    """solana.md 7.6: payer of seed 00..1f and sixteen times "ab"."""
    payer_key = "FAe4sisG95oZ42w7buUn5qEE4TAnfTTFPiguZUHmhiF"
    expected = "59A9toprHK5MLZjYQmgwiRqFh1FHxtEvGTYsfRFQkJya"
    assert guard_address(payer_key, "ab" * 16) == expected


@given(st.binary(max_size=80))
def test_base58_comes_back(data: bytes) -> None:
    assert base58.decode(base58.encode(data)) == data


class Costs(NamedTuple):
    """What a swap costs and moves."""

    fee: int
    tip: int
    guard: int
    rent: int
    base: int
    quote: int
    selling: bool


costs = st.builds(
    Costs,
    fee=st.integers(5_000, 2_000_000),
    tip=st.integers(0, 500_000),
    guard=st.sampled_from([0, 89_088, 890_880]),
    rent=st.sampled_from([0, 203_928, 2_039_280]),
    base=st.integers(1, 2**63),
    quote=st.integers(1, 2**63),
    selling=st.booleans(),
)


@settings(max_examples=300)
@given(costs)
def test_costs_add_up_whatever_they_are(case: Costs) -> None:
    """The wallet's change is -(fee + tip + rent), and each is found again."""
    made = Made(fee=case.fee)
    sign = -1 if case.selling else 1
    opens = bool(case.rent) and not case.selling
    made.holding(key(41), USDC, 2**63, 2**63 - sign * case.quote)
    before = case.base if case.selling else None if opens else 0
    after = 0 if case.selling else case.base
    opened = made.holding(key(42), MINT, before, after, rent=case.rent)
    if opens:
        made.after[0] -= case.rent
        made.system([0, opened], create(case.rent), called=True)
    if case.tip:
        made.pay(made.account(JITO_TIP, 7, 7 + case.tip), case.tip)
    if case.guard:
        index = made.account(guard_address(WALLET, SEED), 0, case.guard)
        made.after[0] -= case.guard
        made.system([0, index], create_with_seed(WALLET, SEED, case.guard))
    found = fill(made)
    assert (found.base_raw, found.quote_raw) == (case.base, case.quote)
    assert (found.fee_lamports, found.tip_lamports) == (case.fee, case.tip)
    assert found.rent_lamports == case.guard + (case.rent if opens else 0)
