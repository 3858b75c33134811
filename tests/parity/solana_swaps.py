"""Swaps twice: by our encoders, and by the published layouts with solders' addresses."""

from collections.abc import Callable

from solana_build import ATA, MEMO, SYSTEM, TOKEN, U64, Pair, World, laid_out, ours
from solders.pubkey import Pubkey
from spl.token.instructions import get_associated_token_address as account_of

RAYDIUM_AMM = Pubkey.from_string("675kPX9MHTjS2zt1qfr1NYHuzeLXfQM9H24wFSUt1Mp8")
RAYDIUM_CPMM = Pubkey.from_string("CPMMoo8L3F4NbTegBCKVNunggL7H1ZpdTHKxQB5qKP1C")
PUMPSWAP = Pubkey.from_string("pAMMBay6oceH9fJKBRHGP5D4bD4sWpmSwMn52FMfXEA")
PUMP_FEES = Pubkey.from_string("pfeeUxB6jkeY1Hxd7CsFCAjcbHA9rWtchMGdZ6VojVZ")
WHIRLPOOL = Pubkey.from_string("whirLbMiicVdio4qvUfM5KAg6Ct8VwpYzGff3uctyCc")


def derived(program: Pubkey, *seeds: bytes) -> Pubkey:
    """Return a program address."""
    return Pubkey.find_program_address(list(seeds), program)[0]


def two_amounts(world: World) -> tuple[tuple[int, int], bytes]:
    """Return input and least output, and their bytes."""
    amounts = world.number(U64), world.number(U64)
    return amounts, b"".join(amount.to_bytes(8, "little") for amount in amounts)


def fresh(world: World, count: int) -> list[Pubkey]:
    """Return keys that are no others'."""
    return [Pubkey(world.draw.bytes(32)) for _ in range(count)]


def raydium_amm(world: World) -> Pair:
    """Return the form of 8 accounts."""
    pool, coin_vault, pc_vault, coin, pc = fresh(world, 5)
    amounts, data = two_amounts(world)
    given, taken = (coin, pc) if world.draw.integers(2) else (pc, coin)
    keys = [
        TOKEN,
        pool,
        derived(RAYDIUM_AMM, b"amm authority"),
        coin_vault,
        pc_vault,
        account_of(world.wallet, given, TOKEN),
        account_of(world.wallet, taken, TOKEN),
        world.wallet,
    ]
    theirs = laid_out(RAYDIUM_AMM, "- w - w w w w s", keys, b"\x10" + data)
    named = (world.wallet, given, pool, coin_vault, pc_vault, coin, pc)
    return ours("swap.raydium_amm", *named, numbers=amounts), theirs


def raydium_cpmm(world: World) -> Pair:
    """Return `swap_base_input`."""
    pool, config, vault_0, vault_1, mint_0, mint_1, observation = fresh(world, 7)
    program_0, program_1 = world.token(), world.token()
    amounts, data = two_amounts(world)
    zero, one = (vault_0, program_0, mint_0), (vault_1, program_1, mint_1)
    given, taken = (zero, one) if world.draw.integers(2) else (one, zero)
    keys = [
        world.wallet,
        derived(RAYDIUM_CPMM, b"vault_and_lp_mint_auth_seed"),
        config,
        pool,
        account_of(world.wallet, given[2], given[1]),
        account_of(world.wallet, taken[2], taken[1]),
        given[0],
        taken[0],
        given[1],
        taken[1],
        given[2],
        taken[2],
        observation,
    ]
    theirs = laid_out(
        RAYDIUM_CPMM, "s - - w w w w w - - - - w", keys, bytes.fromhex("8fbe5adac41e33de") + data
    )
    named = (pool, config, vault_0, vault_1, mint_0, program_0, mint_1, program_1, observation)
    made = ours("swap.raydium_cpmm", world.wallet, given[2], *named, numbers=amounts)
    return made, theirs


def pumpswap(world: World) -> Pair:
    """Return a purchase or a sale with all remaining accounts that the coin asks for."""
    pool, base, quote, base_vault, quote_vault, fee, buyback = fresh(world, 7)
    creator = fresh(world, 1)[0] if world.draw.integers(2) else Pubkey.default()
    base_of, quote_of = world.token(), world.token()
    cashback, buys = bool(world.draw.integers(2)), bool(world.draw.integers(2))
    amounts, data = two_amounts(world)
    wallet = world.wallet
    authority = derived(PUMPSWAP, b"creator_vault", bytes(creator))
    volume = derived(PUMPSWAP, b"user_volume_accumulator", bytes(wallet))
    fee_config = derived(PUMP_FEES, b"fee_config", bytes(PUMPSWAP))
    keys = [
        pool,
        wallet,
        derived(PUMPSWAP, b"global_config"),
        base,
        quote,
        account_of(wallet, base, base_of),
        account_of(wallet, quote, quote_of),
        base_vault,
        quote_vault,
        fee,
        account_of(fee, quote, quote_of),
        base_of,
        quote_of,
        SYSTEM,
        ATA,
        derived(PUMPSWAP, b"__event_authority"),
        PUMPSWAP,
        account_of(authority, quote, quote_of),
        authority,
    ]
    marks = "w ws - - - w w w w - w - - - - - - w -"
    if buys:
        keys += [derived(PUMPSWAP, b"global_volume_accumulator"), volume]
        marks += " - w"
    keys += [fee_config, PUMP_FEES]
    marks += " - -"
    if cashback:
        keys += [account_of(volume, quote, quote_of)] + ([] if buys else [volume])
        marks += " w" if buys else " w w"
    if creator != Pubkey.default():
        keys.append(derived(PUMPSWAP, b"pool-v2", bytes(base)))
        marks += " -"
    keys += [buyback, account_of(buyback, quote, quote_of)]
    head = bytes.fromhex("c62e1552b4d9e870" if buys else "33e685a4017f83ad")
    theirs = laid_out(PUMPSWAP, marks + " - w", keys, head + data + (b"\x01" if buys else b""))
    named = (pool, base, base_of, quote, quote_of, base_vault, quote_vault, creator, fee, buyback)
    given = quote if buys else base
    numbers = (*amounts, int(cashback))
    return ours("swap.pumpswap", wallet, given, *named, numbers=numbers), theirs


def whirlpool(world: World) -> Pair:
    """Return `swap_v2`."""
    pool, mint_a, mint_b, vault_a, vault_b, first, second, third = fresh(world, 8)
    of_a, of_b = world.token(), world.token()
    oracle = derived(WHIRLPOOL, b"oracle", bytes(pool))
    amounts, data = two_amounts(world)
    a_in = bool(world.draw.integers(2))
    keys = [
        of_a,
        of_b,
        MEMO,
        world.wallet,
        pool,
        mint_a,
        mint_b,
        account_of(world.wallet, mint_a, of_a),
        vault_a,
        account_of(world.wallet, mint_b, of_b),
        vault_b,
        first,
        second,
        third,
        oracle,
    ]
    tail = bytes(16) + bytes([1, a_in, 0])
    theirs = laid_out(
        WHIRLPOOL,
        "- - - s w - - w w w w w w w w",
        keys,
        bytes.fromhex("2b04ed0b1ac91e62") + data + tail,
    )
    named = (WHIRLPOOL, pool, mint_a, of_a, mint_b, of_b, vault_a, vault_b, first, second, third)
    given = mint_a if a_in else mint_b
    made = ours("swap.whirlpool", world.wallet, given, *named, oracle, numbers=amounts)
    return made, theirs


SWAPS: dict[str, Callable[[World], Pair]] = {
    made.__name__: made for made in (raydium_amm, raydium_cpmm, pumpswap, whirlpool)
}
