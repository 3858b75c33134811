"""Rent that is brought back: what, and by which instructions."""

from transactions import TOKEN, USDC, WALLET, WSOL, key

from utb.adapters.chain import base58
from utb.adapters.chain.housekeeping import Batch, plan
from utb.adapters.chain.wallet import (
    TOKEN_2022_PROGRAM,
    Guard,
    TokenAccount,
    guard_address,
)


def guard(number: int, lamports: int = 890_880) -> Guard:
    seed = f"{number:016x}"
    return Guard(address=guard_address(WALLET, seed), seed=seed, lamports=lamports)


def empty(number: int, **changes: object) -> TokenAccount:
    fields: dict[str, object] = {
        "address": key(number),
        "program": TOKEN,
        "mint": key(100 + number),
        "amount_raw": 0,
        "rent_lamports": 2_039_280,
        "frozen": False,
        "withheld": False,
    }
    return TokenAccount(**{**fields, **changes})  # type: ignore[arg-type]


def planned(
    guards: list[Guard], accounts: list[TokenAccount], *, open_seeds: set[str] | None = None
) -> tuple[Batch, ...]:
    return plan(WALLET, guards, accounts, open_seeds=open_seeds or set(), kept_mints={USDC, WSOL})


def test_guard_of_an_open_intent_stays() -> None:
    """With its rent gone another attempt of the intent would land."""
    batches = planned([guard(1), guard(2)], [], open_seeds={guard(1).seed})
    assert [batch.accounts for batch in batches] == [(guard(2).address,)]
    assert batches[0].lamports == 890_880


def test_guards_instruction_is_exact() -> None:
    """solana.md 7.6: tag 11, lamports u64, seed length u64, seed, owner; from w, base s, to w."""
    ((program, accounts, data),) = planned([guard(1, 89_088)], [])[0].instructions
    assert program == bytes(32)
    assert accounts == (
        (base58.decode(guard(1).address), False, True),
        (bytes(range(32)), True, False),
        (bytes(range(32)), False, True),
    )
    seed = b"0000000000000001"
    assert (
        data.hex() == "0b000000" + "005c010000000000" + "1000000000000000" + seed.hex() + "00" * 32
    )


def test_closing_instruction_is_exact() -> None:
    """spl-token tag 9: account w, destination w, owner s; under the account's own program."""
    ((program, accounts, data),) = planned([], [empty(50, program=TOKEN_2022_PROGRAM)])[
        0
    ].instructions
    assert base58.encode(program) == TOKEN_2022_PROGRAM
    assert accounts == (
        (bytes([50] * 32), False, True),
        (bytes(range(32)), False, True),
        (bytes(range(32)), True, False),
    )
    assert data == b"\x09"


def test_only_empty_closable_accounts_of_other_mints_are_closed() -> None:
    batches = planned(
        [],
        [
            empty(50, amount_raw=1),
            empty(51, frozen=True),
            empty(52, withheld=True),
            empty(53, mint=USDC),
            empty(54, mint=WSOL),
            empty(55),
        ],
    )
    assert [batch.accounts for batch in batches] == [(key(55),)]


def test_eight_instructions_make_a_transaction() -> None:
    batches = planned([guard(n) for n in range(10)], [empty(n) for n in range(50, 57)])
    assert [len(batch.instructions) for batch in batches] == [8, 8, 1]
    assert sum(batch.lamports for batch in batches) == 10 * 890_880 + 7 * 2_039_280
    for batch in batches:
        keys = {key for _, accounts, _ in batch.instructions for key, _, _ in accounts}
        programs = {program for program, _, _ in batch.instructions}
        body = sum(len(data) + 8 for _, _, data in batch.instructions)
        # Signature, header and blockhash are 64 + 1 + 3 + 1 + 32, with counts below 110 bytes.
        assert len(keys | programs) * 32 + body + 110 <= 1_232


def test_nothing_to_bring_back_is_no_transaction() -> None:
    assert planned([], []) == ()
