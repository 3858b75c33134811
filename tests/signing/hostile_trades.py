"""Hostile trades: prices, fees, identities and amounts."""

from hostile_case import STRANGERS_USDC, Case, beside, plain
from wallet_world import (
    BUDGETED,
    CPMM_OUT,
    ENTRY,
    EXIT,
    HOUSEKEEPING,
    MY_COIN,
    MY_USDC,
    MY_WSOL,
    NOW_S,
    ONE_STEP,
    OTHER_INTENT,
    OTHER_TIP,
    POOL,
    SOL,
    STRANGER,
    USDC,
    USDC_RAW,
    claim,
    compile_v0,
    entry,
    exit_,
    guard,
    housekeeping,
    jupiter_route,
    jupiter_shared,
    key,
    memo,
    pumpswap,
    raydium_amm,
    raydium_cpmm,
    recover,
    route_tail,
    sale,
    tip,
    unit_limit,
    unit_price,
    whirlpool,
)

from utb.engine.signer import Asked
from utb.ports.chain import SignKind


def prices() -> list[Case]:
    return [
        *(
            plain(f"no minimum, {name}", "MINIMUM_OUT", entry(swap))
            for name, swap in (
                ("v4", raydium_amm(least=0)),
                ("CPMM", raydium_cpmm(least=0)),
                ("PumpSwap", pumpswap(least=0)),
                ("Whirlpool", whirlpool(least=0)),
                ("route", jupiter_route(tail=route_tail(5, 0))),
            )
        ),
        plain("exact output, v4", "EXACT_OUTPUT", entry(raydium_amm(tag=17))),
        plain("exact output, CPMM", "EXACT_OUTPUT", entry(raydium_cpmm(kind=CPMM_OUT))),
        plain(
            "exact output, PumpSwap",
            "EXACT_OUTPUT",
            entry(pumpswap(bytes.fromhex("66063d1201daebea"))),
        ),
        plain("exact output, Whirlpool", "EXACT_OUTPUT", entry(whirlpool(exact_input=0))),
        plain(
            "exact output, route",
            "EXACT_OUTPUT",
            entry(jupiter_route(kind=bytes.fromhex("d033ef977b2bed5c"))),
        ),
        plain("platform fee", "PLATFORM_FEE", entry(jupiter_route(tail=route_tail(5, 50, 5, 85)))),
        plain(
            "platform fee, shared",
            "PLATFORM_FEE",
            entry(jupiter_shared(tail=route_tail(5, 50, 5, 1))),
        ),
        plain(
            "platform fee account", "PLATFORM_FEE", entry(jupiter_route(fee_account=STRANGERS_USDC))
        ),
        plain("slippage of 99 %", "SLIPPAGE", entry(jupiter_route(tail=route_tail(5, 900, 9_900)))),
        plain(
            "forged tail",
            "ROUTE",
            entry(jupiter_route(tail=route_tail(5 * 10**12, 1) + route_tail(5, 900))),
        ),
        plain(
            "unknown step", "ROUTE", entry(jupiter_route(plan=bytes([1, 0, 0, 0, 200, 1, 0, 1])))
        ),
        plain("plan without steps", "ROUTE", entry(jupiter_route(plan=bytes(4)))),
        plain(
            "longer plan than bytes",
            "ROUTE",
            entry(jupiter_route(plan=bytes([9, 0, 0, 0]) + ONE_STEP[4:])),
        ),
    ]


def fees() -> list[Case]:
    legal = [raydium_amm(), memo()]
    return [
        plain(
            "fee bomb", "FEE_CAP", compile_v0([unit_limit(1_400_000), unit_price(10**12), *legal])
        ),
        plain(
            "fee just above the cap",
            "FEE_CAP",
            compile_v0([unit_limit(1_400_000), unit_price(1_425_001), *legal]),
        ),
        plain(
            "tip and fee above the cap",
            "FEE_CAP",
            compile_v0([unit_limit(1_400_000), unit_price(720_000), *legal, tip(1_000_000)]),
        ),
        plain("no compute budget", "COMPUTE_BUDGET", compile_v0(legal)),
        plain("price without limit", "COMPUTE_BUDGET", compile_v0([unit_price(), *legal])),
        plain("two prices", "COMPUTE_BUDGET", compile_v0([*BUDGETED, unit_price(1), *legal])),
        beside("tip bomb", "TIP_CAP", tip(1_000_001)),
        beside("two tips", "TIP_COUNT", tip(5), tip(5, OTHER_TIP)),
        plain("tip in housekeeping", "KIND", housekeeping(tip(5)), HOUSEKEEPING),
    ]


def identities() -> list[Case]:
    sells = (raydium_amm(MY_WSOL, MY_USDC, SOL // 10, 14 * USDC_RAW),)
    return [
        plain(
            "guard of another owner",
            "GUARD",
            compile_v0([*BUDGETED, guard(owner=key(35)), sale()]),
            EXIT,
        ),
        plain("guard with space", "GUARD", compile_v0([*BUDGETED, guard(space=1), sale()]), EXIT),
        plain(
            "guard as a savings box",
            "GUARD",
            compile_v0([*BUDGETED, guard(lamports=890_881), sale()]),
            EXIT,
        ),
        plain(
            "guard without lamports",
            "GUARD",
            compile_v0([*BUDGETED, guard(lamports=0), sale()]),
            EXIT,
        ),
        plain("guard after the sale", "GUARD", compile_v0([*BUDGETED, sale(), guard()]), EXIT),
        plain("guard in a purchase", "GUARD", entry(before=[guard()])),
        plain("two guards", "GUARD", compile_v0([*BUDGETED, guard(), guard(), sale()]), EXIT),
        plain("wSOL without guard", "GUARD_MISSING", exit_(*sells, seed=None), EXIT),
        Case(
            name="second attempt without guard",
            code="GUARD_MISSING",
            message=exit_(sale(5_000, 80 * USDC_RAW), seed=None),
            claim=EXIT,
            before=(Asked(exit_(), EXIT, NOW_S),),
        ),
        plain(
            "rent to a stranger", "GUARD_RECOVERY", housekeeping(recover(to=STRANGER)), HOUSEKEEPING
        ),
        plain("rent back inside the exit", "GUARD_RECOVERY", exit_(after=[recover()]), EXIT),
        plain(
            "memo of another intent",
            "INTENT",
            compile_v0([*BUDGETED, raydium_amm(), memo(OTHER_INTENT)]),
        ),
        plain("purchase without memo", "INTENT", compile_v0([*BUDGETED, raydium_amm()])),
        plain("two memos", "INTENT", entry(after=[memo()])),
        plain("guard of another intent", "INTENT", exit_(seed=OTHER_INTENT), EXIT),
        plain("purchase said to be an exit", "KIND", exit_(raydium_amm()), EXIT),
        plain("sale said to be a purchase", "KIND", entry(sale())),
        plain("purchase and sale", "KIND", entry(raydium_amm(), sale())),
        plain("swap said to be housekeeping", "KIND", housekeeping(raydium_amm()), HOUSEKEEPING),
        plain("purchase with SOL", "KIND", entry(raydium_amm(MY_WSOL, MY_COIN, 5, 5))),
        plain("empty purchase", "KIND", compile_v0([*BUDGETED, memo()])),
    ]


def _purchases(count: int, amount: int, seconds: int) -> tuple[Asked, ...]:
    def one(number: int) -> Asked:
        intent = f"{number:016x}"
        message = compile_v0([*BUDGETED, raydium_amm(amount=amount), memo(intent)])
        at = NOW_S - (count - number) * seconds
        return Asked(message, claim(SignKind.ENTRY, intent), at)

    return tuple(one(number) for number in range(count))


def _attempts(count: int) -> tuple[Asked, ...]:
    return tuple(Asked(exit_(sale(5_000, (90 - n) * USDC_RAW)), EXIT, NOW_S) for n in range(count))


def amounts() -> list[Case]:
    hidden = jupiter_route(
        MY_COIN, MY_USDC, mint=USDC, tail=route_tail(10**13, 9), rest=[MY_WSOL, POOL]
    )
    return [
        plain(
            "more than a transaction may lose",
            "TRANSACTION_CAP",
            entry(raydium_amm(amount=1_001 * USDC_RAW)),
        ),
        plain(
            "split above the cap",
            "TRANSACTION_CAP",
            entry(raydium_amm(amount=600 * USDC_RAW), raydium_cpmm(amount=600 * USDC_RAW)),
        ),
        plain(
            "wSOL for next to nothing",
            "TRANSACTION_CAP",
            exit_(raydium_amm(MY_WSOL, MY_USDC, 100 * SOL, 1)),
            EXIT,
        ),
        plain("cash hidden in a route", "TRANSACTION_CAP", exit_(hidden), EXIT),
        Case(
            name="more than a minute may lose",
            code="MINUTE_CAP",
            message=entry(raydium_amm(amount=800 * USDC_RAW)),
            before=_purchases(2, 900 * USDC_RAW, 10),
        ),
        Case(
            name="more than a day may lose",
            code="DAY_CAP",
            message=entry(raydium_amm(amount=900 * USDC_RAW)),
            before=_purchases(11, 900 * USDC_RAW, 600),
        ),
        Case(
            name="too many transactions",
            code="RATE",
            message=entry(raydium_amm(amount=5)),
            before=_purchases(20, 5, 1),
        ),
        Case(
            name="entry signed again",
            code="INTENT_REPLAYED",
            message=entry(raydium_amm(amount=99 * USDC_RAW)),
            before=(Asked(entry(), ENTRY, NOW_S),),
        ),
        Case(
            name="entry with another price",
            code="INTENT_REPLAYED",
            message=compile_v0([unit_limit(), unit_price(9), raydium_amm(), memo()]),
            before=(Asked(entry(), ENTRY, NOW_S),),
        ),
        Case(
            name="entry's intent as an exit",
            code="INTENT_REPLAYED",
            message=exit_(),
            claim=EXIT,
            before=(Asked(entry(), ENTRY, NOW_S),),
        ),
        Case(
            name="fifth attempt",
            code="ATTEMPTS",
            message=exit_(sale(5_000, 70 * USDC_RAW)),
            claim=EXIT,
            before=_attempts(4),
        ),
        Case(name="purchase while halted", code="HALTED", message=entry(), halted=True),
    ]
