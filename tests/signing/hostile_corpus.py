"""Transactions that a trader under a stranger's control would ask for, and the code of each."""

import struct
from collections.abc import Sequence
from typing import Final

import msgspec
from hostile_case import FOREIGN_TABLES, STRANGERS_COIN, STRANGERS_USDC, Case, beside, plain
from hostile_trades import amounts, fees, identities, prices
from solders.address_lookup_table_account import AddressLookupTableAccount
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey
from wallet_world import (
    BUDGET,
    BUDGETED,
    COIN,
    EXIT,
    FOREIGN,
    HOUSEKEEPING,
    INTENT,
    MEMO,
    MY_COIN,
    MY_NEW_COIN,
    MY_USDC,
    MY_WSOL,
    OTHER_TIP,
    PINNED,
    POLICY,
    POOL,
    PUMP_SELL,
    PUMPSWAP,
    RAYDIUM_AMM,
    RAYDIUM_CPMM,
    SOL,
    STRANGER,
    SYSTEM,
    TOKEN,
    TOKEN_2022,
    USDC,
    VAULT_A,
    WALLET,
    WHIRLPOOL,
    WSOL,
    ata,
    claim,
    close,
    compile_v0,
    entry,
    exit_,
    housekeeping,
    jupiter_route,
    jupiter_shared,
    key,
    open_account,
    pumpswap,
    raydium_amm,
    raydium_cpmm,
    read,
    sign,
    token,
    token_transfer,
    transfer,
    whirlpool,
    write,
)

from utb.ports.chain import SignKind


def _authority_token(tag: int, *more: bytes, program: Pubkey = TOKEN) -> Instruction:
    accounts = [write(MY_USDC), read(STRANGER), sign(WALLET)]
    return token(bytes([tag]) + b"".join(more), accounts, program)


def _set_authority(kind: int, program: Pubkey = TOKEN) -> Instruction:
    data = bytes([6, kind, 1]) + bytes(STRANGER)
    return token(data, [write(MY_USDC), sign(WALLET)], program)


def _system(tag: int, data: bytes, *accounts: AccountMeta) -> Instruction:
    return Instruction(SYSTEM, struct.pack("<I", tag) + data, list(accounts))


PAYER: Final = AccountMeta(WALLET, is_signer=True, is_writable=True)


def _two_signers(payer: Pubkey) -> bytes:
    other = AccountMeta(STRANGER, is_signer=True, is_writable=True)
    extra = Instruction(MEMO, INTENT.encode(), [other, PAYER])
    return compile_v0([*BUDGETED, raydium_amm(), extra], payer=payer)


def _duplicate_key() -> bytes:
    """An honest purchase whose vault's key is written over with the pool's."""
    message = entry()
    return message.replace(bytes(VAULT_A), bytes(POOL))


def _beyond_table() -> bytes:
    longer = AddressLookupTableAccount(
        key=PINNED.key, addresses=[*PINNED.addresses, *(key(n) for n in range(100, 110))]
    )
    return entry(raydium_amm(pool=longer.addresses[8]), tables=[longer])


def structural() -> list[Case]:
    legal = entry()
    form = [
        ("cut message", legal[:-1]),
        ("bytes after the message", legal + b"\x00"),
        ("version 1", b"\x81" + legal[1:]),
        ("empty message", b""),
    ]
    return [
        *(plain(name, "MALFORMED", message) for name, message in form),
        plain("intent id of another form", "BAD_CLAIM", legal, claim(SignKind.ENTRY, "intent 1")),
        plain("second signer", "SIGNERS", _two_signers(WALLET)),
        plain("somebody else pays", "SIGNERS", _two_signers(STRANGER)),
        plain("the same key twice", "DUPLICATE_KEY", _duplicate_key()),
        plain("foreign lookup table", "TABLE_NOT_PINNED", entry(tables=[FOREIGN])),
        plain("entry beyond a pinned table", "ACCOUNT_UNRESOLVED", _beyond_table()),
        Case(
            name="destination hidden in a foreign table",
            code="ACCOUNT_UNRESOLVED",
            message=entry(raydium_amm(target=STRANGER), tables=[FOREIGN]),
            policy=FOREIGN_TABLES,
        ),
        Case(
            name="tip account hidden in a foreign table",
            code="ACCOUNT_UNRESOLVED",
            message=entry(after=[transfer(STRANGER, 5)], tables=[FOREIGN]),
            policy=FOREIGN_TABLES,
        ),
    ]


def programs() -> list[Case]:
    strangers = {
        "unknown program": key(33),
        "stake program": Pubkey.from_string("Stake11111111111111111111111111111111111111"),
        "loader": Pubkey.from_string("BPFLoaderUpgradeab1e11111111111111111111111"),
        "table program": Pubkey.from_string("AddressLookupTab1e1111111111111111111111111"),
        "old memo": Pubkey.from_string("Memo1UhkJRfHyvLMcVucJwxXeuD728EqVDDwQDxFMNo"),
    }
    other = [
        ("createAccount", _system(0, struct.pack("<QQ32s", SOL, 0, bytes(STRANGER)), PAYER)),
        ("allocate", _system(8, struct.pack("<Q", 10), PAYER)),
        ("burn", token(struct.pack("<BQ", 8, 5), [write(MY_USDC), write(USDC), sign(WALLET)])),
        ("mint", token(struct.pack("<BQ", 7, 5), [write(COIN), write(MY_COIN), sign(WALLET)])),
        ("freeze", token(b"\x0a", [write(MY_USDC), read(USDC), sign(WALLET)])),
        ("revoke", token(b"\x05", [write(MY_USDC), sign(WALLET)])),
        ("initializeAccount3", token(b"\x12" + bytes(STRANGER), [write(MY_USDC), read(USDC)])),
        ("Token-2022 extension", token(b"\x1a\x03", [write(MY_USDC), sign(WALLET)], TOKEN_2022)),
        ("token batch", token(b"\xff\x03", [write(MY_USDC), sign(WALLET)])),
        ("recoverNested", open_account(COIN, tag=b"\x02")),
        ("old compute budget", Instruction(BUDGET, struct.pack("<BII", 0, 1, 1), [])),
        ("withdraw of a pool", Instruction(RAYDIUM_AMM, struct.pack("<BQ", 4, 5), [])),
        ("deposit to a pool", Instruction(RAYDIUM_CPMM, bytes(24), [sign(WALLET)])),
        ("pool creation", Instruction(PUMPSWAP, bytes(24), [sign(WALLET)])),
        ("old Whirlpool swap", whirlpool(kind=bytes.fromhex("f8c69e91e17587c8"))),
        ("Whirlpool hook accounts", whirlpool(hooks=1)),
        ("position", Instruction(WHIRLPOOL, bytes(8), [sign(WALLET)])),
        ("unknown aggregator call", jupiter_route(kind=bytes(8))),
    ]
    without_jupiter = msgspec.structs.replace(
        POLICY, programs=tuple(p for p in POLICY.programs if p != "jupiter")
    )
    return [
        *(
            beside(name, "PROGRAM_NOT_ALLOWED", Instruction(program, b"x", [PAYER]))
            for name, program in strangers.items()
        ),
        Case(
            name="venue that is switched off",
            code="PROGRAM_NOT_ALLOWED",
            message=entry(after=[jupiter_route()]),
            policy=without_jupiter,
        ),
        *(beside(name, "INSTRUCTION_NOT_ALLOWED", extra) for name, extra in other),
    ]


def authorities() -> list[Case]:
    amount = struct.pack("<Q", 2**64 - 1)
    checked = token(
        b"\x0d" + amount + b"\x06",
        [write(MY_USDC), read(USDC), read(STRANGER), sign(WALLET)],
    )
    nonce = key(85)
    return [
        beside("approve", "APPROVE", _authority_token(4, amount)),
        beside("approve in Token-2022", "APPROVE", _authority_token(4, amount, program=TOKEN_2022)),
        beside("approveChecked", "APPROVE", checked),
        beside("new owner", "SET_AUTHORITY", _set_authority(2)),
        beside("new close authority", "SET_AUTHORITY", _set_authority(3)),
        beside("new owner in Token-2022", "SET_AUTHORITY", _set_authority(2, TOKEN_2022)),
        beside("assign the wallet", "ASSIGN", _system(1, bytes(STRANGER), PAYER)),
        beside("assignWithSeed", "ASSIGN", _system(10, bytes(80), PAYER)),
        plain(
            "durable nonce",
            "NONCE",
            entry(before=[_system(4, b"", write(nonce), read(key(86)), PAYER)]),
        ),
        beside("nonce authority", "NONCE", _system(7, bytes(STRANGER), write(nonce), PAYER)),
        beside("nonce withdrawal", "NONCE", _system(5, amount, write(nonce), write(STRANGER))),
        beside("nonce creation", "NONCE", _system(6, bytes(STRANGER), write(nonce))),
        beside("close to a stranger", "CLOSE_TARGET", close(MY_WSOL, STRANGER)),
        beside("close in Token-2022", "CLOSE_TARGET", close(MY_COIN, STRANGER, TOKEN_2022)),
        plain("foreign owner, v4", "AUTHORITY", entry(raydium_amm(owner=STRANGER))),
        plain("foreign owner, CPMM", "AUTHORITY", entry(raydium_cpmm(owner=STRANGER))),
        plain("foreign owner, PumpSwap", "AUTHORITY", entry(pumpswap(owner=STRANGER))),
        plain("foreign owner, Whirlpool", "AUTHORITY", entry(whirlpool(owner=STRANGER))),
        plain("foreign owner, route", "AUTHORITY", entry(jupiter_route(owner=STRANGER))),
        beside("tip of a stranger's money", "AUTHORITY", transfer(TIP_OF, 5, source=STRANGER)),
    ]


TIP_OF: Final = OTHER_TIP


def drains() -> list[Case]:
    checked = token(
        struct.pack("<BQB", 12, 5, 6),
        [write(MY_USDC), read(USDC), write(STRANGERS_USDC), sign(WALLET)],
    )
    return [
        beside("drain of SOL", "TRANSFER_TARGET", transfer(STRANGER, 50 * SOL)),
        beside("one lamport", "TRANSFER_TARGET", transfer(STRANGER, 1)),
        plain(
            "drain as housekeeping",
            "TRANSFER_TARGET",
            housekeeping(transfer(STRANGER, SOL)),
            HOUSEKEEPING,
        ),
        beside("SOL to a stranger's wSOL", "TRANSFER_TARGET", transfer(ata(STRANGER, WSOL), 5)),
        beside("drain of USDC", "TOKEN_TARGET", token_transfer(MY_USDC, STRANGERS_USDC, 5)),
        beside("checked drain of USDC", "TOKEN_TARGET", checked),
        plain(
            "drain of a position",
            "TOKEN_TARGET",
            exit_(after=[token_transfer(MY_COIN, STRANGERS_COIN, 5)]),
            EXIT,
        ),
    ]


def foreign_accounts() -> list[Case]:
    auxiliary = key(87)
    return [
        plain("foreign account, v4", "TOKEN_TARGET", entry(raydium_amm(target=STRANGERS_COIN))),
        plain("foreign account, CPMM", "TOKEN_TARGET", entry(raydium_cpmm(target=STRANGERS_COIN))),
        plain("foreign account, PumpSwap", "TOKEN_TARGET", entry(pumpswap(base=STRANGERS_COIN))),
        plain(
            "foreign account, Whirlpool", "TOKEN_TARGET", entry(whirlpool(target=STRANGERS_COIN))
        ),
        plain(
            "foreign account, reversed Whirlpool",
            "TOKEN_TARGET",
            entry(whirlpool(target=STRANGERS_COIN, a_to_b=0)),
        ),
        plain(
            "foreign account, route", "TOKEN_TARGET", entry(jupiter_route(target=STRANGERS_COIN))
        ),
        plain(
            "foreign account, shared route",
            "TOKEN_TARGET",
            entry(jupiter_shared(target=STRANGERS_COIN)),
        ),
        plain(
            "second destination of a route",
            "TOKEN_TARGET",
            entry(jupiter_route(other=STRANGERS_COIN)),
        ),
        plain(
            "proceeds to a stranger",
            "TOKEN_TARGET",
            exit_(pumpswap(PUMP_SELL, quote=STRANGERS_USDC, amount=5)),
            EXIT,
        ),
        plain("own account of another mint", "TOKEN_TARGET", entry(raydium_cpmm(target=MY_WSOL))),
        plain(
            "account of a mint nobody named", "TOKEN_TARGET", entry(raydium_amm(target=MY_NEW_COIN))
        ),
        plain(
            "auxiliary account as source",
            "TOKEN_SOURCE",
            exit_(raydium_amm(auxiliary, MY_USDC, 5, 5)),
            EXIT,
        ),
        plain(
            "USDC named as another mint",
            "TOKEN_SOURCE",
            exit_(raydium_cpmm(auxiliary, MY_USDC, mints=(COIN, USDC))),
            EXIT,
        ),
        beside("account for a stranger", "TOKEN_ACCOUNT", open_account(COIN, owner=STRANGER)),
        beside(
            "account at another address",
            "TOKEN_ACCOUNT",
            open_account(COIN, address=STRANGERS_COIN),
        ),
        beside(
            "account of a false token program", "TOKEN_ACCOUNT", open_account(COIN, program=key(34))
        ),
    ]


def all_cases() -> Sequence[Case]:
    """Return every hostile case."""
    groups = (
        structural(),
        programs(),
        authorities(),
        drains(),
        foreign_accounts(),
        prices(),
        fees(),
        identities(),
        amounts(),
    )
    return [case for group in groups for case in group]


CASES: Final = tuple(all_cases())
