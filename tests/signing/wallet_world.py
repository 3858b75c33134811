# ruff: noqa: FBT003, PLR0913 - solders takes flags by place; every part of a swap is varied
"""A wallet, its policy, and instructions made with solders: independent of our own encoders."""

import struct
from collections.abc import Sequence
from typing import Final

import msgspec
from solders.address_lookup_table_account import AddressLookupTableAccount
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.message import MessageV0, to_bytes_versioned
from solders.pubkey import Pubkey

from utb.domain.chain import USDC_MINT, WRAPPED_SOL_MINT, Program
from utb.engine.signer import PinnedTable, SignerLimits, SignerPolicy
from utb.ports.chain import SignClaim, SignKind

WALLET_KEY: Final = Keypair.from_seed(bytes(range(32)))
WALLET: Final = WALLET_KEY.pubkey()
BLOCKHASH: Final = Hash(bytes([7] * 32))
INTENT: Final = "0123456789abcdef"
OTHER_INTENT: Final = "fedcba9876543210"
NOW_S: Final = 1_800_000_000


def key(number: int) -> Pubkey:
    """Return the address of a seed: on the curve, as a wallet's."""
    return Keypair.from_seed(bytes([number] * 32)).pubkey()


SYSTEM: Final = Pubkey.from_string("11111111111111111111111111111111")
BUDGET: Final = Pubkey.from_string("ComputeBudget111111111111111111111111111111")
TOKEN: Final = Pubkey.from_string("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")
TOKEN_2022: Final = Pubkey.from_string("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb")
ATA: Final = Pubkey.from_string("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL")
MEMO: Final = Pubkey.from_string("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr")
RAYDIUM_AMM: Final = Pubkey.from_string("675kPX9MHTjS2zt1qfr1NYHuzeLXfQM9H24wFSUt1Mp8")
RAYDIUM_CPMM: Final = Pubkey.from_string("CPMMoo8L3F4NbTegBCKVNunggL7H1ZpdTHKxQB5qKP1C")
PUMPSWAP: Final = Pubkey.from_string("pAMMBay6oceH9fJKBRHGP5D4bD4sWpmSwMn52FMfXEA")
WHIRLPOOL: Final = Pubkey.from_string("whirLbMiicVdio4qvUfM5KAg6Ct8VwpYzGff3uctyCc")
JUPITER: Final = Pubkey.from_string("JUP6LkbZbjS1jKKwapdHNy74zcZ3tLUZoi5QNyVTaV4")
USDC: Final = Pubkey.from_string(USDC_MINT)
WSOL: Final = Pubkey.from_string(WRAPPED_SOL_MINT)
COIN: Final = key(40)
"""A mint that is traded and in the policy's list."""
NEW_COIN: Final = key(41)
"""A mint that the policy has never heard of."""
STRANGER: Final = key(66)
TIP: Final = key(90)
OTHER_TIP: Final = key(91)
POOL: Final = key(50)
VAULT_A: Final = key(51)
VAULT_B: Final = key(52)
PINNED: Final = AddressLookupTableAccount(key=key(80), addresses=[POOL, VAULT_A, VAULT_B, TIP])
FOREIGN: Final = AddressLookupTableAccount(key=key(81), addresses=[POOL, VAULT_A, STRANGER])

USDC_RAW: Final = 1_000_000
SOL: Final = 1_000_000_000
POLICY: Final = SignerPolicy(
    programs=tuple(Program),
    usdc_mint=USDC_MINT,
    mints=(str(COIN),),
    tables=(
        PinnedTable(address=str(PINNED.key), addresses=tuple(str(k) for k in PINNED.addresses)),
    ),
    tip_accounts=(str(TIP), str(OTHER_TIP)),
    limits=SignerLimits(
        sol_usdc_raw_min=75 * USDC_RAW,
        sol_usdc_raw_max=300 * USDC_RAW,
        transaction_usdc_raw_max=1_000 * USDC_RAW,
        minute_usdc_raw_max=2_500 * USDC_RAW,
        day_usdc_raw_max=10_000 * USDC_RAW,
        transactions_per_minute_max=20,
        fee_lamports_max=2_000_000,
        tip_lamports_max=1_000_000,
        guard_lamports_max=890_880,
        exit_attempts_max=4,
        slippage_bps_max=1_000,
        foreign_tables=False,
    ),
)


def limited(**limits: int | bool) -> SignerPolicy:
    """Return the policy with other limits."""
    return msgspec.structs.replace(POLICY, limits=msgspec.structs.replace(POLICY.limits, **limits))


def claim(kind: SignKind, intent: str = INTENT, attempt: int = 0) -> SignClaim:
    return SignClaim(kind=kind, intent_id=intent, attempt=attempt)


ENTRY: Final = claim(SignKind.ENTRY)
EXIT: Final = claim(SignKind.EXIT)
HOUSEKEEPING: Final = claim(SignKind.HOUSEKEEPING)


def ata(owner: Pubkey, mint: Pubkey, program: Pubkey = TOKEN) -> Pubkey:
    return Pubkey.find_program_address([bytes(owner), bytes(program), bytes(mint)], ATA)[0]


MY_USDC: Final = ata(WALLET, USDC)
MY_WSOL: Final = ata(WALLET, WSOL)
MY_COIN: Final = ata(WALLET, COIN)
MY_NEW_COIN: Final = ata(WALLET, NEW_COIN)


def read(account: Pubkey) -> AccountMeta:
    return AccountMeta(account, is_signer=False, is_writable=False)


def write(account: Pubkey) -> AccountMeta:
    return AccountMeta(account, is_signer=False, is_writable=True)


def sign(account: Pubkey) -> AccountMeta:
    return AccountMeta(account, is_signer=account == WALLET, is_writable=False)


def compile_v0(
    instructions: Sequence[Instruction],
    tables: Sequence[AddressLookupTableAccount] = (),
    payer: Pubkey = WALLET,
) -> bytes:
    message = MessageV0.try_compile(payer, list(instructions), list(tables), BLOCKHASH)
    return bytes(to_bytes_versioned(message))


# --- base programs ------------------------------------------------------------------------------


def unit_limit(units: int = 200_000) -> Instruction:
    return Instruction(BUDGET, struct.pack("<BI", 2, units), [])


def unit_price(micro: int = 50_001) -> Instruction:
    return Instruction(BUDGET, struct.pack("<BQ", 3, micro), [])


BUDGETED: Final = [unit_limit(), unit_price()]


def memo(text: str = INTENT) -> Instruction:
    return Instruction(MEMO, text.encode(), [])


def transfer(to: Pubkey, lamports: int, source: Pubkey = WALLET) -> Instruction:
    data = struct.pack("<IQ", 2, lamports)
    return Instruction(SYSTEM, data, [AccountMeta(source, source == WALLET, True), write(to)])


def tip(lamports: int = 100_000, to: Pubkey = TIP) -> Instruction:
    return transfer(to, lamports)


def seed_address(seed: str, owner: Pubkey = SYSTEM) -> Pubkey:
    return Pubkey.create_with_seed(WALLET, seed, owner)


def guard(
    seed: str = INTENT, lamports: int = 890_880, space: int = 0, owner: Pubkey = SYSTEM
) -> Instruction:
    data = struct.pack("<I32sQ", 3, bytes(WALLET), len(seed)) + seed.encode()
    data += struct.pack("<QQ32s", lamports, space, bytes(owner))
    accounts = [AccountMeta(WALLET, True, True), write(seed_address(seed, owner))]
    return Instruction(SYSTEM, data, accounts)


def recover(seed: str = INTENT, to: Pubkey = WALLET, lamports: int = 890_880) -> Instruction:
    data = struct.pack("<IQQ", 11, lamports, len(seed)) + seed.encode() + bytes(SYSTEM)
    accounts = [write(seed_address(seed)), AccountMeta(WALLET, True, False), write(to)]
    return Instruction(SYSTEM, data, accounts)


def open_account(
    mint: Pubkey,
    *,
    owner: Pubkey = WALLET,
    address: Pubkey | None = None,
    program: Pubkey = TOKEN,
    tag: bytes = b"\x01",
) -> Instruction:
    account = address or ata(owner, mint, program)
    accounts = [
        AccountMeta(WALLET, True, True),
        write(account),
        read(owner),
        read(mint),
        read(SYSTEM),
        read(program),
    ]
    return Instruction(ATA, tag, accounts)


def token(data: bytes, accounts: list[AccountMeta], program: Pubkey = TOKEN) -> Instruction:
    return Instruction(program, data, accounts)


def token_transfer(source: Pubkey, to: Pubkey, amount: int) -> Instruction:
    return token(struct.pack("<BQ", 3, amount), [write(source), write(to), sign(WALLET)])


def close(account: Pubkey, to: Pubkey = WALLET, program: Pubkey = TOKEN) -> Instruction:
    return token(b"\x09", [write(account), write(to), sign(WALLET)], program)


# --- swaps --------------------------------------------------------------------------------------


def raydium_amm(
    source: Pubkey = MY_USDC,
    target: Pubkey = MY_COIN,
    amount: int = 100 * USDC_RAW,
    least: int = 5,
    *,
    tag: int = 16,
    owner: Pubkey = WALLET,
    pool: Pubkey = POOL,
) -> Instruction:
    accounts = [read(TOKEN), write(pool), read(key(53)), write(VAULT_A), write(VAULT_B)]
    accounts += [write(source), write(target), sign(owner)]
    return Instruction(RAYDIUM_AMM, struct.pack("<BQQ", tag, amount, least), accounts)


CPMM_IN: Final = bytes.fromhex("8fbe5adac41e33de")
CPMM_OUT: Final = bytes.fromhex("37d96256a34ab4ad")


def raydium_cpmm(
    source: Pubkey = MY_USDC,
    target: Pubkey = MY_COIN,
    amount: int = 100 * USDC_RAW,
    least: int = 5,
    *,
    mints: tuple[Pubkey, Pubkey] = (USDC, COIN),
    kind: bytes = CPMM_IN,
    owner: Pubkey = WALLET,
) -> Instruction:
    accounts = [sign(owner), read(key(53)), read(key(54)), write(POOL), write(source)]
    accounts += [write(target), write(VAULT_A), write(VAULT_B), read(TOKEN), read(TOKEN)]
    accounts += [read(mints[0]), read(mints[1]), write(key(55))]
    return Instruction(RAYDIUM_CPMM, kind + struct.pack("<QQ", amount, least), accounts)


PUMP_BUY: Final = bytes.fromhex("c62e1552b4d9e870")
PUMP_SELL: Final = bytes.fromhex("33e685a4017f83ad")


def pumpswap(
    kind: bytes = PUMP_BUY,
    base: Pubkey = MY_COIN,
    quote: Pubkey = MY_USDC,
    amount: int = 100 * USDC_RAW,
    least: int = 5,
    *,
    base_mint: Pubkey = COIN,
    owner: Pubkey = WALLET,
) -> Instruction:
    buys = kind != PUMP_SELL
    data = kind + struct.pack("<QQ", amount, least) + (b"\x01" if buys else b"")
    accounts = [write(POOL), AccountMeta(owner, owner == WALLET, True), read(key(53))]
    accounts += [read(base_mint), read(USDC), write(base), write(quote)]
    accounts += [write(VAULT_A), write(VAULT_B), read(key(56)), write(key(57))]
    accounts += [read(TOKEN), read(TOKEN), read(SYSTEM), read(ATA), read(key(58))]
    accounts += [read(PUMPSWAP), write(key(59)), read(key(60))]
    accounts += [read(key(61)), write(key(62))] if buys else []
    accounts += [read(key(63)), read(key(64)), read(key(65)), write(key(67))]
    return Instruction(PUMPSWAP, data, accounts)


WHIRL_V2: Final = bytes.fromhex("2b04ed0b1ac91e62")


def whirlpool(
    source: Pubkey = MY_USDC,
    target: Pubkey = MY_COIN,
    amount: int = 100 * USDC_RAW,
    least: int = 5,
    *,
    mints: tuple[Pubkey, Pubkey] = (USDC, COIN),
    exact_input: int = 1,
    a_to_b: int = 1,
    hooks: int = 0,
    owner: Pubkey = WALLET,
    kind: bytes = WHIRL_V2,
) -> Instruction:
    data = kind + struct.pack("<QQ16sBBB", amount, least, bytes(16), exact_input, a_to_b, hooks)
    sides = (source, target) if a_to_b else (target, source)
    named = mints if a_to_b else (mints[1], mints[0])
    accounts = [read(TOKEN), read(TOKEN), read(MEMO), sign(owner), write(POOL)]
    accounts += [read(named[0]), read(named[1]), write(sides[0]), write(VAULT_A)]
    accounts += [write(sides[1]), write(VAULT_B)]
    accounts += [write(key(70)), write(key(71)), write(key(72)), write(key(73))]
    return Instruction(WHIRLPOOL, data, accounts)


ROUTE: Final = bytes.fromhex("e517cb977ae3ad2a")
SHARED: Final = bytes.fromhex("c1209b3341d69c81")
ONE_STEP: Final = bytes([1, 0, 0, 0, 7, 100, 0, 1])
"""A plan of one step through Raydium."""


def route_tail(amount: int, quoted: int, slippage: int = 50, fee: int = 0) -> bytes:
    return struct.pack("<QQHB", amount, quoted, slippage, fee)


def jupiter_route(
    source: Pubkey = MY_USDC,
    target: Pubkey = MY_COIN,
    *,
    mint: Pubkey = COIN,
    tail: bytes = b"",
    plan: bytes = ONE_STEP,
    other: Pubkey = JUPITER,
    fee_account: Pubkey = JUPITER,
    owner: Pubkey = WALLET,
    rest: Sequence[Pubkey] = (POOL, VAULT_A, VAULT_B),
    kind: bytes = ROUTE,
) -> Instruction:
    data = kind + plan + (tail or route_tail(100 * USDC_RAW, 1_000))
    accounts = [read(TOKEN), sign(owner), write(source), write(target), write(other), read(mint)]
    accounts += [write(fee_account), read(key(74)), read(JUPITER), *(write(k) for k in rest)]
    return Instruction(JUPITER, data, accounts)


def jupiter_shared(
    source: Pubkey = MY_USDC,
    target: Pubkey = MY_COIN,
    *,
    mints: tuple[Pubkey, Pubkey] = (USDC, COIN),
    tail: bytes = b"",
    owner: Pubkey = WALLET,
    fee_account: Pubkey = JUPITER,
) -> Instruction:
    data = SHARED + b"\x03" + ONE_STEP + (tail or route_tail(100 * USDC_RAW, 1_000))
    accounts = [read(TOKEN), read(key(75)), sign(owner), write(source), write(key(76))]
    accounts += [write(key(77)), write(target), read(mints[0]), read(mints[1])]
    accounts += [write(fee_account), read(TOKEN_2022), read(key(74)), read(JUPITER), write(POOL)]
    return Instruction(JUPITER, data, accounts)


# --- whole messages -----------------------------------------------------------------------------


def entry(
    *swaps: Instruction,
    before: Sequence[Instruction] = (),
    after: Sequence[Instruction] = (),
    tables: Sequence[AddressLookupTableAccount] = (),
) -> bytes:
    """Return a purchase with its memo, and what a hostile trader puts beside it."""
    swaps = swaps or (raydium_amm(),)
    return compile_v0([*BUDGETED, *before, *swaps, memo(), *after], tables)


def sale(amount: int = 5_000, least: int = 90 * USDC_RAW) -> Instruction:
    return raydium_amm(MY_COIN, MY_USDC, amount, least)


def exit_(
    *swaps: Instruction,
    before: Sequence[Instruction] = (),
    after: Sequence[Instruction] = (),
    seed: str | None = INTENT,
) -> bytes:
    """Return a sale with its guard; `seed` None: without one."""
    guards = [] if seed is None else [guard(seed)]
    return compile_v0([*BUDGETED, *before, *guards, *(swaps or (sale(),)), *after])


def housekeeping(*instructions: Instruction) -> bytes:
    return compile_v0([*BUDGETED, *instructions])
