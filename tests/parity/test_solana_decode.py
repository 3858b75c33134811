"""Transactions read by the core against solders: signatures, accounts, rights and data."""

import os

import numpy as np
import pytest
from solana_build import SYSTEM, flat_theirs
from solders.hash import Hash
from solders.keypair import Keypair
from solders.message import Message, MessageV0, to_bytes_versioned
from solders.signature import Signature
from solders.transaction import VersionedTransaction
from test_solana_build import drawn, tables, world

from utb.engine.chain import (
    DecodedInstruction,
    decode_instruction,
    decode_message,
    decode_transaction,
    error_words,
    failure_words,
    key_bytes,
)
from utb.errors import UsageError

CASES = int(os.environ.get("UTB_SOLANA_CASES", "250"))
LIMIT = 1232
RAYDIUM_AMM = key_bytes("675kPX9MHTjS2zt1qfr1NYHuzeLXfQM9H24wFSUt1Mp8")


def account_keys(it: DecodedInstruction, loaded: dict[tuple[bytes, int], bytes]) -> list[bytes]:
    """Return the addresses, those of tables looked up."""
    return [
        use.key if use.key is not None else loaded[use.table or b"", use.entry]
        for use in it.accounts
    ]


def test_random_transactions_read_as_they_were_made() -> None:
    named = 0
    for seed in range(CASES):
        of = world(3_000_000 + seed)
        _, theirs = drawn(of)
        found = tables(of, theirs)
        blockhash = Hash(of.draw.bytes(32))
        message: Message | MessageV0
        if of.draw.integers(2):
            message = MessageV0.try_compile(of.wallet, theirs, found, blockhash)
        else:
            message = Message.new_with_blockhash(theirs, of.wallet, blockhash)
        count = message.header.num_required_signatures
        signatures = [Signature(of.draw.bytes(64)) for _ in range(count)]
        wire = bytes(VersionedTransaction.populate(message, signatures))
        if len(wire) > LIMIT:
            with pytest.raises(UsageError):
                decode_transaction(wire)
            continue
        read = decode_transaction(wire)
        assert read.signatures == tuple(map(bytes, signatures))
        assert read.version == ("0" if isinstance(message, MessageV0) else "legacy")
        assert (read.fee_payer, read.blockhash) == (bytes(of.wallet), bytes(blockhash))
        loaded = {
            (bytes(table.key), at): bytes(address)
            for table in found
            for at, address in enumerate(table.addresses)
        }
        for ours, made in zip(read.instructions, theirs, strict=True):
            program, accounts, data = flat_theirs(made)
            assert (ours.program, account_keys(ours, loaded)) == (program, [a[0] for a in accounts])
            # A right that any instruction asks for, every use of the account has.
            for use, (_, signer, writable) in zip(ours.accounts, accounts, strict=True):
                assert use.signer >= signer
                assert use.writable >= writable
            alone = decode_instruction(program, len(accounts), data)
            assert (alone.name, alone.fields) == (ours.name, ours.fields)
            assert not ours.malformed
            named += ours.name != "unknown"
    assert named > CASES


def test_message_alone_reads_as_its_transaction() -> None:
    of = world(1)
    _, theirs = drawn(of)
    message = MessageV0.try_compile(of.wallet, theirs, [], Hash(bytes(32)))
    read = decode_message(to_bytes_versioned(message))
    assert (read.signatures, read.fee_payer) == ((), bytes(of.wallet))


def test_cut_or_changed_bytes_are_refused_or_read_but_never_crash() -> None:
    draw = np.random.default_rng(3)
    of = world(2)
    _, theirs = drawn(of)
    message = MessageV0.try_compile(of.wallet, theirs, tables(of, theirs), Hash(bytes(32)))
    signatures = [Signature(bytes(64))] * message.header.num_required_signatures
    wire = bytearray(bytes(VersionedTransaction.populate(message, signatures)))
    refused = 0
    for _ in range(CASES):
        changed = bytearray(wire[: int(draw.integers(len(wire) + 1))])
        if changed:
            changed[int(draw.integers(len(changed)))] = int(draw.integers(256))
        try:
            decode_transaction(bytes(changed))
        except UsageError:
            refused += 1
    assert refused > CASES // 2


def test_version_1_is_refused_by_number() -> None:
    with pytest.raises(UsageError, match="1"):
        decode_transaction(b"\1" + bytes(64) + b"\x81" + bytes(64))


def test_signature_of_a_wallet_is_in_the_transaction() -> None:
    wallet = Keypair.from_seed(bytes(range(32)))
    message = Message.new_with_blockhash([], wallet.pubkey(), Hash(bytes(32)))
    signature = wallet.sign_message(bytes(message))
    read = decode_transaction(bytes(VersionedTransaction.populate(message, [signature])))
    assert read.signatures == (bytes(signature),)
    assert signature.verify(wallet.pubkey(), bytes(message))


@pytest.mark.parametrize(
    ("err", "words"),
    [
        ("BlockhashNotFound", "BlockhashNotFound: the blockhash is too old or of another fork"),
        (
            {"InstructionError": [1, {"Custom": 30}]},
            (
                "instruction 1: ExceededSlippage (30 of raydium_amm): "
                "the price moved beyond the slippage allowed"
            ),
        ),
        ({"InstructionError": [2, {"Custom": 30}]}, "instruction 2: error 30 of its program"),
        (
            {"InstructionError": [0, "ComputationalBudgetExceeded"]},
            "instruction 0: ComputationalBudgetExceeded: the compute units ran out",
        ),
        (
            {"InstructionError": [0, {"BorshIoError": "x"}]},
            "instruction 0: BorshIoError: data cannot be read",
        ),
        (
            {"InsufficientFundsForRent": {"account_index": 1}},
            (
                "InsufficientFundsForRent: an account would be left with too few lamports to stay "
                "({'account_index': 1})"
            ),
        ),
        ("Surprise", "Surprise, which is not listed"),
        (7, "an error that is not listed: 7"),
    ],
)
def test_failures_are_told_in_words(err: object, words: str) -> None:
    assert failure_words(err, [bytes(SYSTEM), RAYDIUM_AMM]) == words


def test_unknown_errors_keep_their_number_and_program() -> None:
    assert error_words(RAYDIUM_AMM, 999) == "error 999 of raydium_amm, which is not listed"
    with pytest.raises(UsageError):
        error_words(bytes(31), 1)
