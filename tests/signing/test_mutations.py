"""Damaged legal messages: what still passes loses no more than the cap when it is executed."""

import os
import struct
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
import numpy as np
import pytest
from solders.hash import Hash
from solders.instruction import Instruction
from solders.message import MessageV0, from_bytes_versioned, to_bytes_versioned
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction
from wallet_world import (
    BUDGETED,
    ENTRY,
    EXIT,
    HOUSEKEEPING,
    JUPITER,
    NOW_S,
    POLICY,
    SOL,
    STRANGER,
    SYSTEM,
    TIP,
    USDC,
    USDC_RAW,
    WALLET,
    WALLET_KEY,
    WSOL,
    ata,
    guard,
    memo,
    open_account,
    recover,
    tip,
    token,
    transfer,
    write,
)

from utb.domain.chain import USDC_MINT, WRAPPED_SOL_MINT, Commitment
from utb.engine.signer import Asked, policy_probe
from utb.ports.chain import SignClaim
from utb.simnet.chain import tokens
from utb.simnet.chain.amm.instructions import SwapOrder
from utb.simnet.chain.amm.markets import RouteTerms
from utb.simnet.chain.amm.spec import MarketSpec, specs_of
from utb.simnet.chain.types import ChainAccount, Market, PoolAddress
from utb.simnet.chain.world import Chain
from utb.simnet.profiles import instruments

COUNT: Final = int(os.environ.get("UTB_MUTATIONS", "2000"))
SPEND: Final = 100 * USDC_RAW
CAP: Final = 130 * USDC_RAW
"""Little above what the legal messages spend, so that it can be broken."""
MY_USDC: Final = ata(WALLET, USDC)
MY_WSOL: Final = ata(WALLET, WSOL)
NOW: Final = Commitment.PROCESSED


class Sample(msgspec.Struct, frozen=True):
    """A legal message of the stand-in chain."""

    name: str
    message: bytes
    claim: SignClaim


class World:
    """A chain with every venue, and a wallet with more than the cap of everything."""

    def __init__(self) -> None:
        specs: tuple[MarketSpec, ...] = specs_of(instruments())[:3]
        self.chain = Chain(None, specs)
        wallet = str(WALLET)
        self.chain.airdrop(wallet, 1_000 * SOL)
        self.chain.airdrop(str(TIP), SOL)
        self.chain.airdrop(str(STRANGER), SOL)
        for mint in (USDC_MINT, *(spec.base_mint for spec in specs)):
            self.chain.airdrop_tokens(wallet, mint, 10**12)
            self.chain.airdrop_tokens(str(STRANGER), mint, 10**6)
        self.chain.tick()
        self.blockhash = Hash.from_string(self.chain.latest_blockhash(NOW).blockhash)
        self.policy = msgspec.structs.replace(
            POLICY,
            mints=tuple(spec.base_mint for spec in specs),
            limits=msgspec.structs.replace(POLICY.limits, transaction_usdc_raw_max=CAP),
        )
        self.before = self.read()

    def compile(self, *instructions: Instruction) -> bytes:
        message = MessageV0.try_compile(WALLET, [*BUDGETED, *instructions], [], self.blockhash)
        return bytes(to_bytes_versioned(message))

    def read(self) -> tuple[ChainAccount | None, ...]:
        return tuple(self.chain.account(str(key), NOW) for key in (WALLET, MY_USDC, MY_WSOL))

    def samples(self) -> Iterator[Sample]:
        for market in self.chain.markets:
            yield from self._trades(market)
        opened = open_account(WSOL)
        wraps = (opened, transfer(MY_WSOL, SOL), token(b"\x11", [write(MY_WSOL)]))
        yield Sample("wrap", self.compile(*wraps), HOUSEKEEPING)
        yield Sample("recover", self.compile(recover()), HOUSEKEEPING)

    def _trades(self, market: Market) -> Iterator[Sample]:
        mint = Pubkey.from_string(market.base_mint)
        base_raw = int(SPEND / 10**6 / market.price * 10**market.base_decimals)
        opened = open_account(mint, program=Pubkey.from_string(market.base_program))
        for place in market.pools:
            for buys, source, amount in ((True, USDC, SPEND), (False, mint, base_raw)):
                quoted = self.chain.amm.quote(place, str(source), amount)
                order = _order(place, source, amount, quoted * 99 // 100)
                terms = RouteTerms(
                    user=str(WALLET),
                    input_mint=str(source),
                    in_amount_raw=amount,
                    quoted_out_raw=quoted,
                    slippage_bps=100,
                )
                swaps = (self.chain.amm.swap(order), self.chain.amm.route(terms, [(place, 100)]))
                for swap, name in zip(swaps, ("direct", "route"), strict=True):
                    where = f"{market.symbol} {place.program} {name}"
                    if buys:
                        whole = self.compile(opened, swap, memo(), tip())
                        yield Sample(f"{where} buy", whole, ENTRY)
                    else:
                        whole = self.compile(guard(), swap, tip())
                        yield Sample(f"{where} sell", whole, EXIT)

    def loss(self, message: bytes) -> int | None:
        """Return USDC raw lost by executing it, SOL at its highest value; None: it fails."""
        signed = VersionedTransaction.populate(
            from_bytes_versioned(message), [WALLET_KEY.sign_message(message)]
        )
        keys = [str(key) for key in (WALLET, MY_USDC, MY_WSOL)]
        done = self.chain.simulate(bytes(signed), sig_verify=True, accounts=keys)
        if done.err is not None:
            return None
        lamports, usdc, wsol = (
            _held(index, old) - _held(index, new)
            for index, (old, new) in enumerate(zip(self.before, done.accounts, strict=True))
        )
        sol = lamports + wsol
        limits = self.policy.limits
        price = limits.sol_usdc_raw_max if sol > 0 else limits.sol_usdc_raw_min
        return usdc + sol * price // SOL


def _order(place: PoolAddress, source: Pubkey, amount: int, least: int) -> SwapOrder:
    return SwapOrder(
        place=place, user=WALLET, input_mint=source, amount_in_raw=amount, min_out_raw=least
    )


def _held(index: int, account: ChainAccount | None) -> int:
    if account is None:
        return 0
    # wSOL by its lamports: what came in and is not synced yet is ours all the same
    return tokens.amount_raw(account.data) if index == 1 else account.lamports


@pytest.fixture(scope="module")
def world() -> World:
    return World()


def passes(world: World, messages: Sequence[tuple[bytes, SignClaim]]) -> list[bool]:
    """Ask a fresh policy for each."""
    return [
        policy_probe(bytes(WALLET), world.policy, [Asked(message, claim, NOW_S)])[0] is None
        for message, claim in messages
    ]


def test_legal_messages_of_the_chain_are_signed_and_land(world: World) -> None:
    samples = list(world.samples())
    answers = [
        policy_probe(bytes(WALLET), world.policy, [Asked(it.message, it.claim, NOW_S)])[0]
        for it in samples
    ]
    refused = {it.name: answer for it, answer in zip(samples, answers, strict=True) if answer}
    assert refused == {}
    failed = [it.name for it in samples if it.name != "recover" and world.loss(it.message) is None]
    assert failed == []


def _mutated(draw: np.random.Generator, message: bytes, keys: Sequence[bytes]) -> bytes:
    """Return the message with one to three changes: bytes, amounts, keys, instructions."""
    changed = bytearray(message)
    for _ in range(int(draw.integers(1, 4))):
        match int(draw.integers(0, 4)):
            case 0:
                changed[int(draw.integers(0, len(changed)))] = int(draw.integers(0, 256))
            case 1:
                at = int(draw.integers(0, max(1, len(changed) - 8)))
                power = int(draw.integers(0, 62))
                changed[at : at + 8] = struct.pack("<Q", int(draw.integers(0, 2**power + 1)))
            case 2:
                count = 4 + changed[4] * 32
                at = 5 + 32 * int(draw.integers(0, max(1, changed[4])))
                if at + 32 <= min(count + 32, len(changed)):
                    changed[at : at + 32] = keys[int(draw.integers(0, len(keys)))]
            case _:
                changed = bytearray(_rearranged(draw, bytes(changed)))
    return bytes(changed)


def _rearranged(draw: np.random.Generator, message: bytes) -> bytes:
    """Return it with an instruction doubled, dropped or moved, or two accounts exchanged."""
    try:
        parsed = from_bytes_versioned(message)
    except ValueError:
        return message
    if not isinstance(parsed, MessageV0) or not parsed.instructions:
        return message
    instructions = list(parsed.instructions)
    at = int(draw.integers(0, len(instructions)))
    match int(draw.integers(0, 4)):
        case 0:
            instructions.insert(at, instructions[int(draw.integers(0, len(instructions)))])
        case 1:
            del instructions[at]
        case 2:
            instructions.append(instructions.pop(at))
        case _:
            accounts = bytearray(instructions[at].accounts)
            if accounts:
                place = int(draw.integers(0, len(accounts)))
                accounts[place] = int(draw.integers(0, len(parsed.account_keys)))
            instructions[at] = type(instructions[at])(
                instructions[at].program_id_index, instructions[at].data, bytes(accounts)
            )
    whole = MessageV0(
        parsed.header,
        list(parsed.account_keys),
        parsed.recent_blockhash,
        instructions,
        list(parsed.address_table_lookups),
    )
    return bytes(to_bytes_versioned(whole))


@pytest.mark.timeout(30_000)
def test_mutated_message_that_passes_loses_at_most_the_cap(world: World) -> None:
    """Seeded; each accepted message is executed with verification on."""
    samples = list(world.samples())
    draw = np.random.default_rng(7)
    strangers = [ata(STRANGER, USDC), ata(STRANGER, WSOL), STRANGER, TIP, WALLET, MY_USDC, MY_WSOL]
    keys = [bytes(key) for key in (*strangers, SYSTEM, JUPITER)]
    found: Counter[str] = Counter()
    worst = 0
    for _ in range(COUNT):
        sample = samples[int(draw.integers(0, len(samples)))]
        message = _mutated(draw, sample.message, keys)
        if message == sample.message:
            continue
        found["mutated"] += 1
        if not passes(world, [(message, sample.claim)])[0]:
            continue
        found["signed"] += 1
        loss = world.loss(message)
        found["failed" if loss is None else "executed"] += 1
        worst = max(worst, loss or 0)
        assert loss is None or loss <= CAP, (sample.name, message.hex(), loss)
    print(f"{dict(found)}, largest loss {worst / USDC_RAW:.2f} of {CAP / USDC_RAW:.2f} USDC")
    assert found["executed"] >= COUNT // 50
    assert worst > SPEND


def test_policy_without_caps_lets_a_larger_loss_through(world: World) -> None:
    """The measure sees a loss that the cap alone would have stopped."""
    market = world.chain.markets[0]
    place, amount = market.pools[0], 10 * CAP
    quoted = world.chain.amm.quote(place, USDC_MINT, amount)
    swap = world.chain.amm.swap(_order(place, USDC, amount, quoted // 2))
    message = world.compile(open_account(Pubkey.from_string(market.base_mint)), swap, memo())
    asked = [Asked(message, ENTRY, NOW_S)]
    (refused,) = policy_probe(bytes(WALLET), world.policy, asked)
    assert refused is not None
    assert refused.code == "TRANSACTION_CAP"
    loss = world.loss(message)
    assert loss is not None
    assert market.base_mint != WRAPPED_SOL_MINT or loss > CAP
    assert isinstance(WALLET_KEY.sign_message(message), Signature)
