"""What this system asks for: every instruction and route it builds. All of it is signed."""

import base64
from collections.abc import Iterator
from typing import Final

import msgspec
from solders.message import Message
from solders.pubkey import Pubkey
from wallet_world import (
    BLOCKHASH,
    BUDGETED,
    COIN,
    ENTRY,
    EXIT,
    HOUSEKEEPING,
    INTENT,
    MY_COIN,
    MY_NEW_COIN,
    MY_USDC,
    MY_WSOL,
    NEW_COIN,
    PINNED,
    POOL,
    PUMP_SELL,
    SOL,
    TOKEN,
    TOKEN_2022,
    USDC,
    USDC_RAW,
    VAULT_A,
    VAULT_B,
    WALLET,
    WSOL,
    ata,
    close,
    entry,
    exit_,
    housekeeping,
    jupiter_route,
    jupiter_shared,
    key,
    memo,
    open_account,
    pumpswap,
    raydium_amm,
    raydium_cpmm,
    recover,
    route_tail,
    sale,
    tip,
    token,
    token_transfer,
    transfer,
    whirlpool,
    write,
)

from utb.engine.chain import compile_v0 as our_compile_v0
from utb.engine.chain import instruction
from utb.engine.instructions import Instruction
from utb.ports.chain import SignClaim

CAPTURED_PLAN: Final = base64.b64decode(
    "wSCbM0HWnIEDAwAAAENkAAEmZAECJmQCA4CWmAAAAAAAmxscAQAAAAAyAAA="
)[9:-19]
"""The route plan of a recorded answer of the aggregator: three steps."""


class Legal(msgspec.Struct, frozen=True, kw_only=True):
    """One message that must be signed."""

    name: str
    message: bytes
    claim: SignClaim = ENTRY


def purchases() -> Iterator[Legal]:
    swaps = {
        "v4": raydium_amm(),
        "CPMM": raydium_cpmm(),
        "PumpSwap": pumpswap(),
        "Whirlpool a to b": whirlpool(),
        "Whirlpool b to a": whirlpool(a_to_b=0),
        "route": jupiter_route(),
        "shared route": jupiter_shared(),
        "route of three steps": jupiter_route(plan=CAPTURED_PLAN),
    }
    for name, swap in swaps.items():
        yield Legal(name=f"purchase, {name}", message=entry(swap))
        opened = [open_account(COIN)]
        yield Legal(
            name=f"purchase with account and tip, {name}",
            message=entry(swap, before=opened, after=[tip()]),
        )
        yield Legal(name=f"purchase by our table, {name}", message=entry(swap, tables=[PINNED]))
    split = [raydium_amm(), raydium_cpmm(), pumpswap()]
    yield Legal(name="split over three pools", message=entry(*split))
    yield Legal(name="wSOL", message=entry(raydium_amm(MY_USDC, MY_WSOL, 150 * USDC_RAW, SOL // 2)))
    unlisted = {
        "v4": raydium_amm(target=MY_NEW_COIN),
        "CPMM": raydium_cpmm(target=MY_NEW_COIN, mints=(USDC, NEW_COIN)),
        "PumpSwap": pumpswap(base=MY_NEW_COIN, base_mint=NEW_COIN),
        "Whirlpool": whirlpool(target=MY_NEW_COIN, mints=(USDC, NEW_COIN)),
        "route": jupiter_route(target=MY_NEW_COIN, mint=NEW_COIN),
    }
    for name, swap in unlisted.items():
        message = entry(swap, before=[open_account(NEW_COIN)])
        yield Legal(name=f"mint that no list names, {name}", message=message)
    extended = ata(WALLET, COIN, TOKEN_2022)
    yield Legal(
        name="Token-2022 mint by route",
        message=entry(
            jupiter_route(target=extended), before=[open_account(COIN, program=TOKEN_2022)]
        ),
    )
    plain = Message.new_with_blockhash([*BUDGETED, raydium_amm(), memo()], WALLET, BLOCKHASH)
    yield Legal(name="legacy message", message=bytes(plain))


def sales() -> Iterator[Legal]:
    least = 90 * USDC_RAW
    swaps = {
        "v4": sale(),
        "CPMM": raydium_cpmm(MY_COIN, MY_USDC, 5, least, mints=(COIN, USDC)),
        "PumpSwap": pumpswap(PUMP_SELL, amount=5, least=least),
        "Whirlpool": whirlpool(MY_COIN, MY_USDC, 5, least, mints=(COIN, USDC)),
        "route": jupiter_route(MY_COIN, MY_USDC, mint=USDC, tail=route_tail(5, least)),
        "shared route": jupiter_shared(
            MY_COIN, MY_USDC, mints=(COIN, USDC), tail=route_tail(5, least)
        ),
    }
    for name, swap in swaps.items():
        yield Legal(name=f"guarded exit, {name}", message=exit_(swap), claim=EXIT)
        yield Legal(
            name=f"guarded exit with tip, {name}", message=exit_(swap, after=[tip()]), claim=EXIT
        )
        yield Legal(name=f"first exit, {name}", message=exit_(swap, seed=None), claim=EXIT)
    wsol = raydium_amm(MY_WSOL, MY_USDC, SOL, 148 * USDC_RAW)
    yield Legal(name="guarded exit of wSOL", message=exit_(wsol), claim=EXIT)
    opened = exit_(before=[open_account(USDC)])
    yield Legal(name="exit that opens the USDC account", message=opened, claim=EXIT)
    yield Legal(name="split exit", message=exit_(sale(), swaps["CPMM"]), claim=EXIT)


def care() -> Iterator[Legal]:
    wrap = [
        open_account(WSOL),
        transfer(MY_WSOL, 3 * SOL),
        token(b"\x11", [write(MY_WSOL)]),
    ]
    rows = {
        "token accounts": [open_account(mint) for mint in (USDC, WSOL, COIN)],
        "token account, create": [open_account(COIN, tag=b"")],
        "wrap": wrap,
        "unwrap": [close(MY_WSOL)],
        "eight guards back": [recover(f"{n:016x}") for n in range(8)],
        "closed token account": [close(MY_COIN)],
        "closed Token-2022 account": [close(ata(WALLET, COIN, TOKEN_2022), program=TOKEN_2022)],
        "tokens into the own account": [token_transfer(key(88), MY_COIN, 5)],
        "housekeeping's memo": [memo()],
    }
    for name, instructions in rows.items():
        yield Legal(name=name, message=housekeeping(*instructions), claim=HOUSEKEEPING)


def _raw(*keys: Pubkey) -> tuple[bytes, ...]:
    return tuple(bytes(it) for it in keys)


def _ours(*instructions: Instruction) -> bytes:
    budget = (
        instruction("compute_budget.set_compute_unit_limit", numbers=(200_000,)),
        instruction("compute_budget.set_compute_unit_price", numbers=(50_001,)),
    )
    return our_compile_v0(bytes(WALLET), (*budget, *instructions), bytes(BLOCKHASH))


def _our_swaps(mint_in: Pubkey, amounts: tuple[int, int]) -> dict[str, Instruction]:
    """Return each venue's swap by our own encoder; pools of (COIN, USDC)."""
    pair = _raw(WALLET, mint_in)
    arrays = _raw(key(70), key(71), key(72), key(73))
    programs = _raw(TOKEN)[0]
    keys = {
        "raydium_amm": _raw(POOL, VAULT_A, VAULT_B, COIN, USDC),
        "raydium_cpmm": (
            *_raw(POOL, key(54), VAULT_A, VAULT_B, COIN),
            programs,
            bytes(USDC),
            programs,
            bytes(key(55)),
        ),
        "pumpswap": (
            *_raw(POOL, COIN),
            programs,
            bytes(USDC),
            programs,
            *_raw(VAULT_A, VAULT_B, key(56), key(57), key(58)),
        ),
        "whirlpool": (
            *_raw(Pubkey.from_string("whirLbMiicVdio4qvUfM5KAg6Ct8VwpYzGff3uctyCc"), POOL, COIN),
            programs,
            bytes(USDC),
            programs,
            *_raw(VAULT_A, VAULT_B),
            *arrays,
        ),
    }
    return {
        name: instruction(
            f"swap.{name}", (*pair, *rest), (*amounts, 0) if name == "pumpswap" else amounts
        )
        for name, rest in keys.items()
    }


def encoded() -> Iterator[Legal]:
    """The same by our own encoders."""
    text = instruction("memo", data=INTENT.encode())
    opened = instruction("associated_token.create_idempotent", _raw(WALLET, WALLET, COIN, TOKEN))
    paid = instruction("system.transfer", _raw(WALLET, key(90)), (100_000,))
    closed = instruction("token.close_account", _raw(TOKEN, MY_COIN, WALLET, WALLET))
    guarded = instruction(
        "system.create_account_with_seed",
        _raw(WALLET, WALLET, Pubkey.default()),
        (890_880, 0),
        INTENT.encode(),
    )
    back = instruction(
        "system.transfer_with_seed",
        _raw(WALLET, Pubkey.default(), WALLET),
        (890_880,),
        INTENT.encode(),
    )
    for name, swap in _our_swaps(USDC, (100 * USDC_RAW, 5)).items():
        yield Legal(name=f"our purchase, {name}", message=_ours(opened, swap, text, paid))
    for name, swap in _our_swaps(COIN, (5, 90 * USDC_RAW)).items():
        yield Legal(name=f"our exit, {name}", message=_ours(guarded, swap, paid), claim=EXIT)
    for name, it in (("guard back", back), ("close", closed), ("account", opened)):
        yield Legal(name=f"our {name}", message=_ours(it), claim=HOUSEKEEPING)
    synced = instruction("token.sync_native", _raw(TOKEN, MY_WSOL))
    yield Legal(name="our sync", message=_ours(synced), claim=HOUSEKEEPING)


LEGAL: Final = (*purchases(), *sales(), *care(), *encoded())
