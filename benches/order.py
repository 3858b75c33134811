"""Build and sign from Python: our builder and signer, policy included, against solders.

Both make the same entry (compute budget, account, Whirlpool swap, memo, tip) from amounts,
blockhash and intent, and hand over the bytes to send, checked to be equal. Solders gets its keys
and its pair ready-made; both make their instructions anew for every order. The least of many
rounds is compared: what it costs when nothing interrupts.
"""

import struct
import time
from collections.abc import Callable

from solders import compute_budget, system_program
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction
from spl.token.instructions import get_associated_token_address

from common import Row, interleaved, options, write
from utb.domain.chain import USDC_MINT, WRAPPED_SOL_MINT, Program
from utb.engine.chain import (
    BuildOrder,
    Pools,
    SwapSpec,
    Tip,
    TokenAccount,
    TransactionBuilder,
    key_bytes,
    transaction,
)
from utb.engine.signer import CoreSigner, SignerLimits, SignerPolicy, seeded_signer
from utb.ports.chain import SignClaim, Signed, SignKind

BAR = 8.0
BATCH = 10
SEED = bytes(range(32))
WHIRLPOOL = Pubkey.from_string("whirLbMiicVdio4qvUfM5KAg6Ct8VwpYzGff3uctyCc")
TOKEN = Pubkey.from_string("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")
ATA = Pubkey.from_string("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL")
SYSTEM = Pubkey.default()
MEMO = Pubkey.from_string("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr")
POOL, VAULT_A, VAULT_B, TIP = (Pubkey(bytes([at]) * 32) for at in range(1, 5))
SOL, USDC = Pubkey.from_string(WRAPPED_SOL_MINT), Pubkey.from_string(USDC_MINT)
PAIR = Keypair.from_seed(SEED)
WALLET = PAIR.pubkey()
TIP_LAMPORTS = 10_000
TICK_SPACING = 64
USDC_CAP_RAW = 10**15

Sender = Callable[[int], bytes]


def whirlpool_account() -> bytes:
    """Return a `Whirlpool` at tick 0 whose arrays start every 5,632 ticks."""
    data = bytearray(653)
    data[:8] = bytes.fromhex("3f95d10ce1806309")
    struct.pack_into("<HHH", data, 41, TICK_SPACING, TICK_SPACING, 3_000)
    data[49:65] = (10**13).to_bytes(16, "little")
    data[65:81] = (1 << 64).to_bytes(16, "little")
    for at, key in ((101, SOL), (133, VAULT_A), (181, USDC), (213, VAULT_B)):
        data[at : at + 32] = bytes(key)
    return bytes(data)


def mint_account(decimals: int) -> bytes:
    """Return an initialised mint."""
    data = bytearray(82)
    data[44:46] = bytes([decimals, 1])
    return bytes(data)


def known_pools() -> Pools:
    """Return the pool with what its swaps' accounts depend on."""
    pools = Pools()
    pools.watch(Program.WHIRLPOOL, bytes(POOL))
    pools.apply(bytes(POOL), bytes(WHIRLPOOL), whirlpool_account(), 1)
    pools.apply(bytes(SOL), bytes(TOKEN), mint_account(9), 1)
    pools.apply(bytes(USDC), bytes(TOKEN), mint_account(6), 1)
    return pools


def signer() -> CoreSigner:
    """Return a signer whose caps no benchmark reaches."""
    limits = SignerLimits(
        sol_usdc_raw_min=75_000_000,
        sol_usdc_raw_max=300_000_000,
        transaction_usdc_raw_max=USDC_CAP_RAW,
        minute_usdc_raw_max=USDC_CAP_RAW,
        day_usdc_raw_max=USDC_CAP_RAW,
        transactions_per_minute_max=1_000,
        fee_lamports_max=2_000_000,
        tip_lamports_max=1_000_000,
        guard_lamports_max=890_880,
        exit_attempts_max=4,
        slippage_bps_max=1_000,
        foreign_tables=False,
    )
    policy = SignerPolicy(
        programs=tuple(Program),
        usdc_mint=USDC_MINT,
        mints=(WRAPPED_SOL_MINT,),
        tables=(),
        tip_accounts=(str(TIP),),
        limits=limits,
    )
    return seeded_signer(SEED, policy)


def building() -> Sender:
    """Return the call that builds a step's message with the core."""
    builder = TransactionBuilder(bytes(WALLET), known_pools())
    pool, usdc = bytes(POOL), key_bytes(USDC_MINT)
    tip = Tip(account=bytes(TIP), lamports=TIP_LAMPORTS)
    opened = (TokenAccount(mint=bytes(SOL), token_program=bytes(TOKEN)),)

    def build(step: int) -> bytes:
        leg = SwapSpec(
            program=Program.WHIRLPOOL,
            pool=pool,
            input_mint=usdc,
            amount_in_raw=1_000_000 + step,
            min_out_raw=6_000_000,
        )
        order = BuildOrder(
            compute_unit_limit=200_000,
            compute_unit_price=step,
            create_token_accounts=opened,
            legs=(leg,),
            memo=b"%016x" % step,
            tip=tip,
        )
        return builder.build(order, blockhash(step))

    return build


def ours() -> Sender:
    """Return the call that builds and signs a step's order with the core."""
    build, signing = building(), signer()

    def send(step: int) -> bytes:
        message = build(step)
        claim = SignClaim(kind=SignKind.ENTRY, intent_id=f"{step:016x}", attempt=0)
        signed = signing.sign(message, claim, 1_800_000_000 + step)
        if not isinstance(signed, Signed):
            raise TypeError(signed)
        return transaction(message, [signed.signature])

    return send


def theirs() -> Sender:
    """Return the call that does it with solders."""
    mine = [get_associated_token_address(WALLET, mint, TOKEN) for mint in (SOL, USDC)]
    arrays = [derived(b"tick_array", str(88 * TICK_SPACING * step).encode()) for step in range(3)]
    opened = (
        (WALLET, True, True),
        (mine[0], False, True),
        (WALLET, False, False),
        (SOL, False, False),
        (SYSTEM, False, False),
        (TOKEN, False, False),
    )
    swapped = (
        (TOKEN, False, False),
        (TOKEN, False, False),
        (MEMO, False, False),
        (WALLET, True, False),
        (POOL, False, True),
        (SOL, False, False),
        (USDC, False, False),
        *((key, False, True) for key in (mine[0], VAULT_A, mine[1], VAULT_B, *arrays)),
        (derived(b"oracle"), False, True),
    )
    head, tail = bytes.fromhex("2b04ed0b1ac91e62"), bytes(16) + b"\x01\x00\x00"

    def send(step: int) -> bytes:
        instructions = [
            compute_budget.set_compute_unit_limit(200_000),
            compute_budget.set_compute_unit_price(step),
            Instruction(ATA, b"\x01", [AccountMeta(*role) for role in opened]),
            Instruction(
                WHIRLPOOL,
                head + struct.pack("<QQ", 1_000_000 + step, 6_000_000) + tail,
                [AccountMeta(*role) for role in swapped],
            ),
            Instruction(MEMO, f"{step:016x}".encode(), []),
            system_program.transfer(
                system_program.TransferParams(
                    from_pubkey=WALLET, to_pubkey=TIP, lamports=TIP_LAMPORTS
                )
            ),
        ]
        message = MessageV0.try_compile(WALLET, instructions, [], Hash(blockhash(step)))
        return bytes(VersionedTransaction(message, [PAIR]))

    return send


def derived(kind: bytes, *seeds: bytes) -> Pubkey:
    """Return one of the pool's own addresses."""
    return Pubkey.find_program_address([kind, bytes(POOL), *seeds], WHIRLPOOL)[0]


def blockhash(step: int) -> bytes:
    """Return a step's blockhash."""
    return struct.pack("<QQQQ", step, 1, 2, 3)


def main() -> None:
    """Check that both send the same bytes, time them in turn, print the rows."""
    arguments = options(__doc__)
    senders = {"ours": ours(), "solders": theirs()}
    steps = dict.fromkeys(senders, 1)
    if senders["ours"](0) != senders["solders"](0):
        message = "the two transactions differ"
        raise AssertionError(message)

    def batch(name: str) -> None:
        send, first = senders[name], steps[name]
        steps[name] = first + BATCH
        for step in range(first, first + BATCH):
            send(step)

    times = interleaved(
        {name: lambda name=name: batch(name) for name in senders},  # type: ignore[misc]
        100 if arguments.smoke else 1_000,
    )
    ours_s, theirs_s = (min(times[name]) / BATCH for name in ("ours", "solders"))
    ratio = theirs_s / ours_s
    rows: list[Row] = [
        {
            "name": "build + sign from Python, policy included: solders' time over ours",
            "value": ratio,
            "unit": "x",
            "bar": f">= {BAR:.0f} x",
            "pass": ratio >= BAR,
            "ours_us": ours_s * 1e6,
            "solders_us": theirs_s * 1e6,
        },
        build_row(arguments.smoke),
    ]
    write(rows)


def build_row(smoke: bool) -> Row:  # noqa: FBT001 - a flag passed through
    """Time what of it is not the signer's."""
    build, count = building(), 300 if smoke else 3_000
    taken = []
    for first in range(0, count, BATCH):
        began = time.perf_counter()
        for step in range(first, first + BATCH):
            build(step)
        taken.append(time.perf_counter() - began)
    each_us = min(taken) / BATCH * 1e6
    return {"name": "order to message from Python", "value": each_us, "unit": "us"}


if __name__ == "__main__":
    main()
