"""The chain half of the core from Python: pools, quotes, orders to messages."""

from typing import Any

import msgspec
import pytest
from chain_cases import AMM, COIN, COIN_VAULT, PC, POOL, SLOT, TOKEN, known_pools, leg
from solders.keypair import Keypair
from solders.message import MessageV0, from_bytes_versioned
from solders.pubkey import Pubkey

from utb.domain.chain import Program
from utb.engine.chain import (
    BuildOrder,
    Guard,
    LookupTable,
    NoQuote,
    Pools,
    Quote,
    Tip,
    TokenAccount,
    TransactionBuilder,
    transaction,
)
from utb.errors import UsageError

WALLET = bytes(Keypair.from_seed(bytes(range(32))).pubkey())
BLOCKHASH = bytes([7]) * 32
SEED = b"0123456789abcdef"
TIP = Tip(account=bytes([9]) * 32, lamports=10_000)
ORDER = BuildOrder(compute_unit_limit=200_000, compute_unit_price=1_024, legs=(leg(),))


def read(message: bytes) -> tuple[MessageV0, list[tuple[str, list[Pubkey], bytes]]]:
    """Return a message as solders reads it: program, accounts and data per instruction."""
    found = from_bytes_versioned(message)
    assert isinstance(found, MessageV0)
    keys = found.account_keys
    return found, [
        (str(keys[it.program_id_index]), [keys[at] for at in it.accounts], bytes(it.data))
        for it in found.instructions
    ]


def test_known_pool_quotes_the_layouts_vector() -> None:
    """1,000,000 pc in give 6,649,955 coin (fee 2,500); a fee of 25/10000 of 1,000,000 is 2,500."""
    pools = known_pools()
    quote = pools.quote(POOL, PC, 1_000_000)
    assert isinstance(quote, Quote)
    assert (quote.in_raw, quote.out_raw, quote.fee_raw) == (1_000_000, 6_649_955, 2_500)
    assert quote.slot == SLOT
    # 1000 whole coins against 150,000 whole pc: 150 pc per coin.
    found = pools.price(POOL, COIN)
    assert found is not None
    assert found[0] == pytest.approx(150.0)
    assert found[1] == SLOT
    assert quote.price_before == pytest.approx(1 / 150)


def test_unknown_pool_answers_with_a_reason() -> None:
    pools = Pools()
    assert isinstance(pools.quote(POOL, PC, 1), NoQuote)
    assert pools.price(POOL, PC) is None
    pools.watch(Program.RAYDIUM_AMM, POOL)
    assert pools.missing() == [POOL]


def test_rollback_makes_later_accounts_unknown() -> None:
    pools = known_pools()
    pools.rollback(SLOT - 1)
    answer = pools.quote(POOL, PC, 1_000_000)
    assert isinstance(answer, NoQuote)
    assert "fork" in answer.reason
    assert COIN_VAULT in pools.missing()


def test_entry_has_its_instructions_in_order() -> None:
    order = msgspec.structs.replace(
        ORDER,
        create_token_accounts=(TokenAccount(mint=COIN, token_program=TOKEN),),
        memo=SEED,
        tip=TIP,
    )
    builder = TransactionBuilder(WALLET, known_pools())
    message = builder.build(order, BLOCKHASH)
    found, instructions = read(message)
    assert bytes(found.recent_blockhash) == BLOCKHASH
    assert [program[:5] for program, _, _ in instructions] == [
        "Compu", "Compu", "AToke", "675kP", "MemoS", "11111",
    ]  # fmt: skip
    assert instructions[3][2] == bytes([16]) + (1_000_000).to_bytes(8, "little") + (
        6_600_000
    ).to_bytes(8, "little")
    assert instructions[4][2] == SEED
    assert instructions[5][1] == [Pubkey(WALLET), Pubkey(TIP.account)]
    assert len(transaction(message, [bytes(64)])) == 65 + len(message)


def test_guarded_exits_open_the_account_of_each_seed() -> None:
    builder = TransactionBuilder(WALLET, known_pools())
    for seed in (SEED, b"fedcba9876543210"):
        order = msgspec.structs.replace(ORDER, guard=Guard(seed=seed, lamports=890_880))
        _, instructions = read(builder.build(order, BLOCKHASH))
        program, accounts, data = instructions[2]
        expected = Pubkey.create_with_seed(Pubkey(WALLET), seed.decode(), Pubkey.default())
        assert program == str(Pubkey.default())
        assert accounts == [Pubkey(WALLET), expected]
        assert seed in data


def test_second_build_says_what_a_first_one_says() -> None:
    again = TransactionBuilder(WALLET, known_pools())
    for step in range(1, 5):
        order = msgspec.structs.replace(
            ORDER, compute_unit_price=step, legs=(leg(step, step + 1),), memo=b"%016x" % step
        )
        blockhash = bytes([step]) * 32
        first = TransactionBuilder(WALLET, known_pools()).build(order, blockhash)
        assert again.build(order, blockhash) == first


def test_own_table_takes_accounts_out_of_the_message() -> None:
    table = LookupTable(bytes([90]) * 32, (COIN_VAULT, bytes([91]) * 32, POOL))
    plain = TransactionBuilder(WALLET, known_pools()).build(ORDER, BLOCKHASH)
    short = TransactionBuilder(WALLET, known_pools(), [table]).build(ORDER, BLOCKHASH)
    found = from_bytes_versioned(short)
    assert isinstance(found, MessageV0)
    [lookup] = found.address_table_lookups
    assert sorted(lookup.writable_indexes) == [0, 2]
    assert len(short) < len(plain)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"legs": ()}, "legs"),
        ({"legs": (leg(0),)}, "amount_in_raw"),
        ({"legs": (leg(1, 0),)}, "min_out_raw"),
        ({"legs": (leg(-1),)}, "amount_in_raw"),
        ({"legs": (leg(2**64),)}, "order"),
        ({"legs": (msgspec.structs.replace(leg(), pool=AMM),)}, "pool"),
        ({"legs": (msgspec.structs.replace(leg(), input_mint=AMM),)}, "pool"),
        ({"legs": (msgspec.structs.replace(leg(), program=Program.WHIRLPOOL),)}, "program"),
        ({"legs": (msgspec.structs.replace(leg(), program=Program.JUPITER),)}, "program"),
        ({"legs": (msgspec.structs.replace(leg(), pool=b"short"),)}, "pool"),
        ({"compute_unit_limit": 2**32}, "compute_unit_limit"),
        ({"guard": Guard(seed=SEED, lamports=0)}, "guard lamports"),
        ({"guard": Guard(seed=b"a" * 33, lamports=1)}, "seed length"),
        ({"memo": b"\xff"}, "memo"),
        ({"memo": b"a" * 1_000}, "message length"),
        ({"tip": Tip(account=b"short", lamports=1)}, "tip account"),
    ],
)
def test_order_that_cannot_be_built_names_its_field(change: dict[str, Any], field: str) -> None:
    builder = TransactionBuilder(WALLET, known_pools())
    with pytest.raises(UsageError) as refusal:
        builder.build(msgspec.structs.replace(ORDER, **change), BLOCKHASH)
    assert refusal.value.field == field


def test_blockhash_of_another_length_is_refused() -> None:
    with pytest.raises(UsageError, match="blockhash is 31 bytes, expected 32 bytes"):
        TransactionBuilder(WALLET, known_pools()).build(ORDER, bytes(31))
