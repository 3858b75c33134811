"""Swaps at the four AMMs: original signed bytes, exact amounts, the venues' own errors."""

import base64
import struct
from collections.abc import Callable

import pytest
from chain_stand import NOW, OTHER, SPECS, Stand
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from utb.domain.chain import USDC_MINT
from utb.simnet.chain import tokens
from utb.simnet.chain.amm import keys, pumpswap, raydium_amm, raydium_cpmm, whirlpool
from utb.simnet.chain.amm.instructions import SwapOrder
from utb.simnet.chain.amm.markets import RouteTerms
from utb.simnet.chain.types import ChainAccount, PoolAddress
from utb.simnet.profiles import PROFILES, account_address

PROGRAMS = ("raydium_amm", "raydium_cpmm", "pumpswap", "whirlpool")
SLIPPAGE = {
    "raydium_amm": raydium_amm.EXCEEDED_SLIPPAGE,
    "raydium_cpmm": raydium_cpmm.EXCEEDED_SLIPPAGE,
    "whirlpool": whirlpool.AMOUNT_OUT_BELOW_MINIMUM,
}
EVERY_POOL = [
    (spec.symbol, program)
    for spec in SPECS
    for program in PROGRAMS
    if spec.transfer_fee_bps is None or program in {"raydium_cpmm", "whirlpool"}
]
AMOUNT = 25_000_000


@pytest.fixture(scope="module")
def stand() -> Stand:
    return Stand(SPECS)


def order(
    stand: Stand, place: PoolAddress, *, buying: bool, amount: int = AMOUNT, least: int = 0
) -> Instruction:
    mint = place.quote_mint if buying else place.base_mint
    return stand.chain.amm.swap(
        SwapOrder(
            place=place,
            user=stand.wallet,
            input_mint=Pubkey.from_string(mint),
            amount_in_raw=amount,
            min_out_raw=least,
        )
    )


def sides(place: PoolAddress, *, buying: bool) -> tuple[str, str]:
    pair = (place.quote_mint, place.base_mint)
    return pair if buying else pair[::-1]


@pytest.mark.parametrize("buying", [True, False], ids=["buy", "sell"])
@pytest.mark.parametrize(("symbol", "program"), EVERY_POOL)
def test_swap_moves_exactly_what_was_quoted(
    stand: Stand,
    symbol: str,
    program: str,
    buying: bool,  # noqa: FBT001
) -> None:
    place = stand.pool(symbol, program)
    paid, got = sides(place, buying=buying)
    quoted = stand.chain.amm.quote(place, paid, AMOUNT)
    before, had = (stand.amount(paid), stand.amount(got)), stand.sums()
    landed = stand.land(order(stand, place, buying=buying, least=quoted))
    assert landed.meta.err is None, landed.meta.logs
    after = (stand.amount(paid), stand.amount(got))
    assert after[1] - before[1] == quoted > 0
    spent = before[0] - after[0]
    # A budget of PumpSwap is not always spent to the last unit; the others take it all.
    assert AMOUNT - 2 <= spent <= AMOUNT if program == "pumpswap" else spent == AMOUNT
    assert stand.sums() == had
    assert 20_000 < landed.meta.compute_units < 110_000
    assert landed.meta.inner_instructions[0][0] == 2


@pytest.mark.parametrize("buying", [True, False], ids=["buy", "sell"])
@pytest.mark.parametrize("program", PROGRAMS)
def test_less_than_the_minimum_fails_with_the_venues_code(
    stand: Stand,
    program: str,
    buying: bool,  # noqa: FBT001
) -> None:
    place = stand.pool("WIF-USDC", program)
    paid, _ = sides(place, buying=buying)
    quoted = stand.chain.amm.quote(place, paid, AMOUNT)
    lamports, had = stand.lamports(stand.wallet), stand.sums()
    state = stand.chain.account(place.pool, NOW)
    landed = stand.land(order(stand, place, buying=buying, least=quoted + 1))
    pump = pumpswap.BELOW_MIN_BASE if buying else pumpswap.EXCEEDED_SLIPPAGE
    code = SLIPPAGE.get(program, pump)
    assert landed.meta.err == {"InstructionError": [2, {"Custom": code}]}
    assert stand.lamports(stand.wallet) == lamports - landed.meta.fee_lamports
    assert stand.sums() == had
    assert stand.chain.account(place.pool, NOW) == state


def test_two_venues_in_one_transaction(stand: Stand) -> None:
    """A split: both legs run, each on the present state."""
    first, second = stand.pool("JUP-USDC", "raydium_amm"), stand.pool("JUP-USDC", "raydium_cpmm")
    quoted = [stand.chain.amm.quote(one, USDC_MINT, AMOUNT) for one in (first, second)]
    before = stand.amount(first.base_mint)
    landed = stand.land(*(order(stand, one, buying=True) for one in (first, second)))
    assert landed.meta.err is None
    assert stand.amount(first.base_mint) - before == sum(quoted)
    assert [index for index, _ in landed.meta.inner_instructions] == [2, 3]


@pytest.mark.parametrize("program", PROGRAMS)
def test_one_pool_twice_sees_the_first_swap(stand: Stand, program: str) -> None:
    place = stand.pool("WIF-USDC", program)
    amount = 40_000_000_000
    alone = stand.chain.amm.quote(place, USDC_MINT, amount)
    before, usdc = stand.amount(place.base_mint), stand.amount(USDC_MINT)
    twice = [order(stand, place, buying=True, amount=amount + n) for n in range(2)]
    landed = stand.land(*twice)
    assert landed.meta.err is None, landed.meta.logs
    got = stand.amount(place.base_mint) - before
    assert alone < got < 2 * alone
    back = stand.land(order(stand, place, buying=False, amount=got))
    assert back.meta.err is None
    # Fees only: nobody else traded in between.
    assert 0 < usdc - stand.amount(USDC_MINT) < 2 * amount // 40


@pytest.mark.parametrize("program", PROGRAMS)
def test_buy_and_sell_in_one_transaction_never_gains(stand: Stand, program: str) -> None:
    place = stand.pool("WIF-USDC", program)
    quoted = stand.chain.amm.quote(place, USDC_MINT, AMOUNT)
    before = (stand.amount(USDC_MINT), stand.amount(place.base_mint))
    both = (
        order(stand, place, buying=True),
        order(stand, place, buying=False, amount=quoted),
    )
    landed = stand.land(*both)
    assert landed.meta.err is None
    after = (stand.amount(USDC_MINT), stand.amount(place.base_mint))
    assert after[1] == before[1]
    assert AMOUNT * 0.975 < AMOUNT - (before[0] - after[0]) < AMOUNT


def test_failed_second_leg_takes_the_first_back(stand: Stand) -> None:
    first, second = stand.pool("JUP-USDC", "raydium_amm"), stand.pool("JUP-USDC", "whirlpool")
    had = stand.amount(first.base_mint)
    landed = stand.land(
        order(stand, first, buying=True), order(stand, second, buying=True, least=10**15)
    )
    assert landed.meta.err == {"InstructionError": [3, {"Custom": 6036}]}
    assert stand.amount(first.base_mint) == had


STRANGER = Pubkey(bytes([5] * 32))


def replaced(swap: Instruction, index: int, key: Pubkey) -> Instruction:
    metas = list(swap.accounts)
    was = metas[index]
    metas[index] = AccountMeta(key, is_signer=was.is_signer, is_writable=was.is_writable)
    return Instruction(swap.program_id, bytes(swap.data), metas)


@pytest.mark.parametrize(
    ("program", "index", "err"),
    [
        ("raydium_amm", 0, {"Custom": 38}),
        ("raydium_amm", 1, {"Custom": 22}),
        ("raydium_amm", 2, "InvalidSeeds"),
        ("raydium_amm", 3, {"Custom": 4}),
        ("raydium_amm", 4, {"Custom": 5}),
        ("raydium_cpmm", 2, {"Custom": 2012}),
        ("raydium_cpmm", 3, {"Custom": 3007}),
        ("raydium_cpmm", 6, {"Custom": 2003}),
        ("raydium_cpmm", 10, {"Custom": 2012}),
        ("raydium_cpmm", 12, {"Custom": 2012}),
        ("pumpswap", 2, {"Custom": 2006}),
        ("pumpswap", 3, {"Custom": 2001}),
        ("pumpswap", 8, {"Custom": 2001}),
        ("pumpswap", 9, {"Custom": 6013}),
        ("pumpswap", 10, {"Custom": 2009}),
        ("pumpswap", 15, "InvalidSeeds"),
        ("pumpswap", 17, {"Custom": 2009}),
        ("pumpswap", 21, {"Custom": 2006}),
        ("pumpswap", 23, {"Custom": 2006}),
        ("pumpswap", 24, {"Custom": 6053}),
        ("pumpswap", 25, {"Custom": 2009}),
        ("whirlpool", 5, {"Custom": 2012}),
        ("whirlpool", 8, {"Custom": 2012}),
        ("whirlpool", 11, {"Custom": 6023}),
        ("whirlpool", 14, {"Custom": 2006}),
    ],
)
def test_wrong_account_fails_with_the_venues_code(
    stand: Stand, program: str, index: int, err: object
) -> None:
    """Vaults, mints, fee recipients and the rest; ETH-USDC's PumpSwap pool has a creator."""
    swap = order(stand, stand.pool("ETH-USDC", program), buying=True)
    had = stand.sums()
    landed = stand.land(replaced(swap, index, STRANGER))
    assert landed.meta.err == {"InstructionError": [2, err]}
    assert stand.sums() == had


@pytest.mark.parametrize(("keep", "code"), [(23, 6058), (25, 6044)])
def test_missing_pumpswap_accounts(stand: Stand, keep: int, code: int) -> None:
    swap = order(stand, stand.pool("ETH-USDC", "pumpswap"), buying=True)
    short = Instruction(swap.program_id, bytes(swap.data), list(swap.accounts)[:keep])
    assert stand.land(short).meta.err == {"InstructionError": [2, {"Custom": code}]}


def test_more_than_the_wallet_has_fails(stand: Stand) -> None:
    place = stand.pool("WIF-USDC", "raydium_amm")
    amount = stand.amount(USDC_MINT) + 1
    landed = stand.land(order(stand, place, buying=True, amount=amount))
    code = raydium_amm.INSUFFICIENT_FUNDS
    assert landed.meta.err == {"InstructionError": [2, {"Custom": code}]}
    other = stand.land(
        order(stand, stand.pool("WIF-USDC", "raydium_cpmm"), buying=True, amount=amount)
    )
    # The token program's own InsufficientFunds.
    assert other.meta.err == {"InstructionError": [2, {"Custom": 1}]}


def test_raydium_log_tells_the_reserves_before(stand: Stand) -> None:
    place = stand.pool("WIF-USDC", "raydium_amm")
    quoted = stand.chain.amm.quote(place, USDC_MINT, AMOUNT)
    had = stand.amount(USDC_MINT)
    landed = stand.land(order(stand, place, buying=True, least=3))
    (line,) = (one for one in landed.meta.logs if "ray_log" in one)
    body = base64.b64decode(line.removeprefix("Program log: ray_log: "))
    kind, paid, least, direction, source, coin, pc, out = struct.unpack("<B7Q", body)
    assert (kind, paid, least, direction, source, out) == (3, AMOUNT, 3, 1, had, quoted)
    assert raydium_amm.exact_in(pc, coin, AMOUNT, (25, 10_000)) == quoted


@pytest.mark.parametrize(
    ("program", "event"),
    [("raydium_cpmm", raydium_cpmm.SWAP_EVENT), ("whirlpool", whirlpool.TRADED)],
)
def test_anchor_event_is_in_the_logs(stand: Stand, program: str, event: bytes) -> None:
    landed = stand.land(order(stand, stand.pool("WIF-USDC", program), buying=True))
    (line,) = (one for one in landed.meta.logs if one.startswith("Program data: "))
    assert base64.b64decode(line.removeprefix("Program data: "))[:8] == event


@pytest.mark.parametrize(
    ("buying", "event"), [(True, pumpswap.BUY_EVENT), (False, pumpswap.SELL_EVENT)]
)
def test_pumpswap_calls_itself_with_the_event(stand: Stand, buying: bool, event: bytes) -> None:  # noqa: FBT001
    place = stand.pool("WIF-USDC", "pumpswap")
    landed = stand.land(order(stand, place, buying=buying))
    calls = landed.meta.inner_instructions[0][1]
    body = calls[-1].data
    assert body[:16] == bytes.fromhex("e445a52e51cb9a1d") + event
    assert Pubkey(body[16 + 8 * 14 : 16 + 8 * 14 + 32]) == Pubkey.from_string(place.pool)


def terms(stand: Stand, place: PoolAddress, quoted: int, slippage_bps: int = 50) -> RouteTerms:
    return RouteTerms(
        user=str(stand.wallet),
        input_mint=place.quote_mint,
        in_amount_raw=AMOUNT,
        quoted_out_raw=quoted,
        slippage_bps=slippage_bps,
    )


@pytest.mark.parametrize(("symbol", "program"), EVERY_POOL)
def test_aggregator_goes_through_a_pool(stand: Stand, symbol: str, program: str) -> None:
    place = stand.pool(symbol, program)
    quoted = stand.chain.amm.quote(place, USDC_MINT, AMOUNT)
    before, had = stand.amount(place.base_mint), stand.sums()
    route = stand.chain.amm.route(terms(stand, place, quoted, 0), [(place, 100)])
    assert bytes(route.data)[-19:] == struct.pack("<QQHB", AMOUNT, quoted, 0, 0)
    landed = stand.land(route)
    assert landed.meta.err is None, landed.meta.logs
    assert stand.amount(place.base_mint) - before == quoted
    assert stand.sums() == had
    assert max(one.stack_height for one in landed.meta.inner_instructions[0][1]) == 3


def test_aggregator_splits_by_percent(stand: Stand) -> None:
    places = [stand.pool("RAY-USDC", one) for one in ("raydium_amm", "raydium_cpmm", "whirlpool")]
    shares = list(zip(places, (50, 30, 20), strict=True))
    quoted = sum(
        stand.chain.amm.quote(place, USDC_MINT, AMOUNT * percent // 100)
        for place, percent in shares
    )
    before = stand.amount(places[0].base_mint)
    landed = stand.land(stand.chain.amm.route(terms(stand, places[0], quoted, 0), shares))
    assert landed.meta.err is None, landed.meta.logs
    assert stand.amount(places[0].base_mint) - before == quoted


def test_aggregator_below_its_minimum_fails(stand: Stand) -> None:
    place = stand.pool("RAY-USDC", "raydium_amm")
    quoted = stand.chain.amm.quote(place, USDC_MINT, AMOUNT)
    route = stand.chain.amm.route(terms(stand, place, quoted * 2), [(place, 100)])
    assert stand.land(route).meta.err == {"InstructionError": [2, {"Custom": 6001}]}


def test_aggregators_swap_fails_from_within(stand: Stand) -> None:
    place = stand.pool("RAY-USDC", "raydium_amm")
    route = stand.chain.amm.route(terms(stand, place, 1), [(place, 100)])
    landed = stand.land(replaced(route, 9 + 4, STRANGER))
    assert landed.meta.err == {"InstructionError": [2, {"Custom": 4}]}
    assert f"Program {keys.RAYDIUM_AMM} failed: custom program error: 0x4" in landed.meta.logs


@pytest.mark.parametrize("program", PROGRAMS)
def test_simulated_swap_is_the_landed_one(stand: Stand, program: str) -> None:
    place = stand.pool("JTO-USDC", program)
    raw = stand.sign(order(stand, place, buying=True))
    account = str(
        tokens.associated(stand.wallet, Pubkey.from_string(place.base_mint), tokens.TOKEN)
    )
    told = stand.chain.simulate(raw, accounts=[account])
    assert told.err is None
    assert told.accounts[0] is not None
    signature = stand.chain.submit(raw)
    stand.chain.tick()
    landed = stand.chain.transaction(signature, NOW)
    assert landed is not None
    assert landed.meta.compute_units == told.units_consumed
    held = stand.chain.account(account, NOW)
    assert held == told.accounts[0]


def test_script_accounts_are_clean_afterwards(stand: Stand) -> None:
    for program in PROGRAMS:
        assert (
            stand.land(order(stand, stand.pool("JTO-USDC", program), buying=True)).meta.err is None
        )
    for key in (
        keys.RAYDIUM_AMM_AUTHORITY,
        keys.RAYDIUM_CPMM_AUTHORITY,
        keys.PUMPSWAP_EVENT_AUTHORITY,
        keys.JUPITER_EVENT_AUTHORITY,
    ):
        assert stand.chain.account(str(key), NOW) is None


def test_wallet_account_is_never_taken_for_a_script(stand: Stand) -> None:
    """An oracle that is somebody's account holds no script, so the program just fails."""
    swap = order(stand, stand.pool("JTO-USDC", "whirlpool"), buying=True)
    lamports = stand.lamports(stand.wallet)
    landed = stand.land(replaced(swap, 14, stand.wallet))
    assert landed.meta.err == {"InstructionError": [2, "InvalidSeeds"]}
    assert stand.lamports(stand.wallet) == lamports - landed.meta.fee_lamports


def test_pools_of_the_feed_lie_where_the_feed_says(stand: Stand) -> None:
    for index, profile in enumerate(PROFILES):
        if not profile.wire.is_pool:
            continue
        program = "raydium_cpmm" if profile.symbol == "RAY-USDC" else "raydium_amm"
        assert stand.pool(profile.symbol, program).pool == account_address(index, "pool")
        vault = stand.chain.account(account_address(index, "base_vault"), NOW)
        assert vault is not None
        assert Pubkey(vault.data[:32]) == Pubkey.from_string(profile.base_mint)


def closed(change: Callable[[bytearray], None], account: ChainAccount) -> ChainAccount:
    data = bytearray(account.data)
    change(data)
    return ChainAccount(account.lamports, account.owner, bytes(data))


@pytest.mark.parametrize(
    ("program", "offset", "value", "code"),
    [("raydium_amm", 0, 5, 22), ("raydium_cpmm", 329, 4, 6000)],
)
def test_closed_pool_refuses(
    stand: Stand, program: str, offset: int, value: int, code: int
) -> None:
    """Order-book-only status of AMM v4; the swap bit of CPMM's status."""
    place = stand.pool("BTC-USDC", program)
    open_ = stand.chain.account(place.pool, NOW)
    assert open_ is not None
    stand.chain.plant(place.pool, closed(lambda data: data.__setitem__(offset, value), open_))
    landed = stand.land(order(stand, place, buying=True))
    stand.chain.plant(place.pool, open_)
    assert landed.meta.err == {"InstructionError": [2, {"Custom": code}]}


def test_swap_of_another_wallet_needs_its_signature(stand: Stand) -> None:
    place = stand.pool("BTC-USDC", "raydium_amm")
    swap = order(stand, place, buying=True)
    theft = replaced(swap, 7, OTHER.pubkey())
    metas = list(theft.accounts)
    metas[7] = AccountMeta(OTHER.pubkey(), is_signer=False, is_writable=False)
    landed = stand.land(Instruction(theft.program_id, bytes(theft.data), metas))
    assert landed.meta.err is not None
