"""Our instructions, messages and transactions against solders, byte for byte.

`UTB_SOLANA_CASES` says how many random transactions each form gets.
"""

import os
from collections.abc import Sequence

import numpy as np
import pytest
from solana_build import PLAIN, World, flat, flat_theirs
from solana_swaps import SWAPS
from solders.address_lookup_table_account import AddressLookupTableAccount
from solders.hash import Hash
from solders.instruction import Instruction as Theirs
from solders.keypair import Keypair
from solders.message import Message, MessageV0
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from utb.engine.chain import (
    Instruction,
    LookupTable,
    associated_token_address,
    compile_legacy,
    compile_v0,
    create_with_seed,
    find_program_address,
    key_bytes,
    key_text,
    signature_bytes,
    transaction,
)
from utb.errors import UsageError

CASES = int(os.environ.get("UTB_SOLANA_CASES", "250"))
LIMIT = 1232
ENCODERS = PLAIN | SWAPS
NAMES = sorted(ENCODERS)


def world(seed: int) -> World:
    draw = np.random.default_rng(seed)
    wallet = Keypair.from_seed(draw.bytes(32)).pubkey()
    return World(draw, [Pubkey(draw.bytes(32)) for _ in range(8)], wallet)


def tables(of: World, made: Sequence[Theirs]) -> list[AddressLookupTableAccount]:
    """Return up to three tables that hold some of the accounts, others too, and each other's."""
    used = sorted({bytes(meta.pubkey) for it in made for meta in it.accounts})
    found = []
    for _ in range(int(of.draw.integers(4))):
        addresses = [Pubkey(key) for key in used if of.draw.random() < 0.6]
        addresses += [Pubkey(of.draw.bytes(32)) for _ in range(int(of.draw.integers(5)))]
        order = of.draw.permutation(len(addresses))
        key = Pubkey(of.draw.bytes(32))
        found.append(AddressLookupTableAccount(key, [addresses[at] for at in order]))
    return found


def own(table: AddressLookupTableAccount) -> LookupTable:
    return LookupTable(bytes(table.key), tuple(map(bytes, table.addresses)))


def assert_same(
    message: bytes | UsageError, theirs: Message | MessageV0, draw: np.random.Generator
) -> int:
    """Compare message and transaction bytes; return 1 if it fits into a transaction."""
    count = theirs.header.num_required_signatures
    signatures = [draw.bytes(64) for _ in range(count)]
    wire = VersionedTransaction.populate(theirs, [Signature(s) for s in signatures])
    if isinstance(message, UsageError):
        assert len(bytes(wire)) > LIMIT
        return 0
    assert transaction(message, signatures) == bytes(wire)
    assert bytes(wire).endswith(message)
    return 1


@pytest.mark.parametrize("name", NAMES)
def test_instruction_of_each_kind_is_theirs(name: str) -> None:
    for seed in range(40):
        mine, theirs = ENCODERS[name](world(seed))
        assert flat(mine) == flat_theirs(theirs)


def drawn(of: World) -> tuple[list[Instruction], list[Theirs]]:
    names = of.draw.choice(NAMES, int(of.draw.integers(1, 7)))
    pairs = [ENCODERS[name](of) for name in names]
    return [mine for mine, _ in pairs], [theirs for _, theirs in pairs]


def test_random_legacy_transactions_are_theirs() -> None:
    fitted = 0
    for seed in range(CASES):
        of = world(1_000_000 + seed)
        mine, theirs = drawn(of)
        blockhash = of.draw.bytes(32)
        message: bytes | UsageError
        try:
            message = compile_legacy(bytes(of.wallet), mine, blockhash)
        except UsageError as error:
            message = error
        expected = Message.new_with_blockhash(theirs, of.wallet, Hash(blockhash))
        fitted += assert_same(message, expected, of.draw)
    assert fitted > CASES // 4


def test_random_version_0_transactions_with_tables_are_theirs() -> None:
    fitted = with_lookup = 0
    for seed in range(CASES):
        of = world(2_000_000 + seed)
        mine, theirs = drawn(of)
        blockhash, found = of.draw.bytes(32), tables(of, theirs)
        message: bytes | UsageError
        try:
            message = compile_v0(bytes(of.wallet), mine, blockhash, [own(it) for it in found])
        except UsageError as error:
            message = error
        expected = MessageV0.try_compile(of.wallet, theirs, found, Hash(blockhash))
        fitted += assert_same(message, expected, of.draw)
        with_lookup += bool(expected.address_table_lookups)
    assert fitted > CASES // 4
    assert with_lookup > CASES // 4


def test_keys_and_addresses_are_theirs() -> None:
    draw = np.random.default_rng(7)
    for _ in range(100):
        a, b, c = (Pubkey(draw.bytes(32)) for _ in range(3))
        assert key_text(bytes(a)) == str(a)
        assert key_bytes(str(a)) == bytes(a)
        signature = Signature(draw.bytes(64))
        assert key_text(bytes(signature)) == str(signature)
        assert signature_bytes(str(signature)) == bytes(signature)
        seeds = [draw.bytes(int(draw.integers(33))) for _ in range(int(draw.integers(5)))]
        address, bump = Pubkey.find_program_address(seeds, b)
        assert find_program_address(seeds, bytes(b)) == (bytes(address), bump)
        seeded = Pubkey.create_with_seed(a, "0123456789abcdef", b)
        assert create_with_seed(bytes(a), b"0123456789abcdef", bytes(b)) == bytes(seeded)
        program = bytes(c)
        associated, _ = Pubkey.find_program_address(
            [bytes(a), program, bytes(b)],
            Pubkey.from_string("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL"),
        )
        assert associated_token_address(bytes(a), bytes(b), program) == bytes(associated)


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda: key_bytes("abc"), "key"),
        (lambda: key_text(bytes(33)), "key"),
        (lambda: signature_bytes("abc"), "signature"),
        (lambda: find_program_address([bytes(33)], bytes(32)), "seed length"),
        (lambda: create_with_seed(bytes(32), bytes([255]), bytes(32)), "seed"),
        (lambda: associated_token_address(bytes(31), bytes(32), bytes(32)), "owner"),
        (lambda: transaction(b"", [bytes(64)]), "message"),
        (lambda: transaction(b"", [bytes(63)]), "signature"),
        (lambda: compile_v0(bytes(31), [], bytes(32)), "payer"),
    ],
)
def test_bad_input_is_refused_with_its_field(call: object, field: str) -> None:
    assert callable(call)
    with pytest.raises(UsageError) as refusal:
        call()
    assert refusal.value.field == field
