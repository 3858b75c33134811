"""The wallet as the chain has it, at one slot or not at all."""

from collections.abc import Callable, Iterator

import pytest
import uvloop
from node_stand import FAST, Node, pool_of, refusal
from transactions import TOKEN, USDC, WALLET, WSOL, Made, create_with_seed, key

from utb.adapters.chain import base58
from utb.adapters.chain.system import SYSTEM_PROGRAM
from utb.adapters.chain.wallet import (
    TOKEN_2022_PROGRAM,
    Guard,
    TokenAccount,
    WalletReading,
    guard_address,
    guard_seeds_of,
    read_wallet,
    token_account,
)
from utb.adapters.rpc.answers import AccountValue, Bad

MINT = key(40)
SEED = "00f3a9d2c47b6e18"
NOW_S = 1_700_000_000.0


def account_bytes(mint: str, amount_raw: int, *, state: int = 1, extended: bool = False) -> bytes:
    """Return a token account's bytes: mint 0, owner 32, amount 64, state 108."""
    data = bytearray(165)
    data[:32] = base58.decode(mint)
    data[32:64] = base58.decode(WALLET)
    data[64:72] = amount_raw.to_bytes(8, "little")
    data[108] = state
    # Account type 2, then ImmutableOwner (7), which is empty: as every Token-2022 account has it.
    return bytes(data) + (b"\x02" + bytes((7, 0, 0, 0)) if extended else b"")


def account(data: bytes, lamports: int, owner: str) -> dict[str, object]:
    import base64

    text = base64.b64encode(data).decode()
    return {"lamports": lamports, "owner": owner, "data": [text, "base64"], "executable": False}


class Chain:
    """A wallet on a node: accounts by address, changed while they are read if need be."""

    def __init__(self) -> None:
        self.accounts: dict[str, dict[str, object]] = {
            WALLET: account(b"", 5_000_000_000, SYSTEM_PROGRAM)
        }
        self.slots: Iterator[int] = iter(range(968, 10_000))
        self.still = True
        self.signatures: list[dict[str, object]] = []
        self.node = Node()
        self.node.answers["getTokenAccountsByOwner"] = self.listed
        self.node.answers["getMultipleAccounts"] = self.many
        self.node.answers["getSignaturesForAddress"] = lambda _params: self.signatures

    def hold(self, address: str, data: bytes, lamports: int, program: str = TOKEN) -> None:
        self.accounts[address] = account(data, lamports, program)

    def listed(self, params: list[object]) -> object:
        program = params[1]["programId"]  # type: ignore[index]
        value = [
            {"pubkey": address, "account": held}
            for address, held in self.accounts.items()
            if held["owner"] == program
        ]
        return {"context": {"slot": 968}, "value": value}

    def many(self, params: list[object]) -> object:
        slot = 968 if self.still else next(self.slots)
        keys: list[str] = params[0]  # type: ignore[assignment]
        return {"context": {"slot": slot}, "value": [self.accounts.get(k) for k in keys]}

    def read(self, *seeds: str) -> WalletReading | Bad:
        async def run() -> WalletReading | Bad:
            async with pool_of(self.node, text=FAST) as pool:
                return await read_wallet(pool, WALLET, seeds, NOW_S)

        return uvloop.run(run())


def signed(name: str, slot: int, age_s: float) -> dict[str, object]:
    return {"signature": name, "slot": slot, "err": None, "blockTime": int(NOW_S - age_s)}


# Reading


def test_wallet_is_read_at_one_slot_with_both_programs_and_guards() -> None:
    chain = Chain()
    chain.hold(key(41), account_bytes(USDC, 9_000), 2_039_280)
    chain.hold(key(42), account_bytes(MINT, 77, extended=True), 2_100_000, TOKEN_2022_PROGRAM)
    chain.hold(key(43), account_bytes(WSOL, 1_000_000), 3_039_280)
    chain.accounts[guard_address(WALLET, SEED)] = account(b"", 890_880, SYSTEM_PROGRAM)
    chain.signatures = [signed("new", 960, 60), signed("later", 969, 1), signed("old", 1, 90_000)]
    found = chain.read(SEED, "ffffffffffffffff")
    assert isinstance(found, WalletReading)
    assert (found.slot, found.endpoint, found.lamports) == (968, "a", 5_000_000_000)
    assert found.tokens() == {USDC: 9_000, MINT: 77, WSOL: 1_000_000}
    assert found.rent_lamports() == 2_039_280 + 2_100_000 + 2_039_280 + 890_880
    assert found.guards == (
        Guard(address=guard_address(WALLET, SEED), seed=SEED, lamports=890_880),
    )
    # What landed after the slot, or more than a day ago, is not of this reading.
    assert [entry.signature for entry in found.signatures] == ["new"]


def many_guards(chain: Chain) -> list[str]:
    seeds = [f"{number:016x}" for number in range(250)]
    for seed in seeds[::2]:
        chain.accounts[guard_address(WALLET, seed)] = account(b"", 890_880, SYSTEM_PROGRAM)
    return seeds


def test_more_guards_than_a_call_takes_are_read_over_slots_in_which_nothing_moves() -> None:
    chain = Chain()
    chain.hold(key(41), account_bytes(USDC, 9_000), 2_039_280)
    seeds = many_guards(chain)
    chain.still = False
    found = chain.read(*seeds)
    assert isinstance(found, WalletReading)
    assert [guard.seed for guard in found.guards] == seeds[::2]
    assert found.rent_lamports() == 2_039_280 + 125 * 890_880
    # Three parts and the wallet again, which gives the reading's slot
    assert found.slot == 968 + 3


def test_a_guard_that_is_opened_while_the_others_are_read_makes_no_reading() -> None:
    chain = Chain()
    seeds = many_guards(chain)
    chain.still = False

    def moving(params: list[object]) -> object:
        wallet = chain.accounts[WALLET]
        wallet["lamports"] = int(str(wallet["lamports"])) - 895_880
        return chain.many(params)

    chain.node.answers["getMultipleAccounts"] = moving
    found = chain.read(*seeds)
    assert isinstance(found, Bad)
    assert found.reason == "moving"


def test_wallet_that_does_not_exist_holds_nothing() -> None:
    chain = Chain()
    del chain.accounts[WALLET]
    found = chain.read()
    assert isinstance(found, WalletReading)
    assert (found.lamports, found.tokens(), found.rent_lamports()) == (0, {}, 0)


def spammed(seeds: int = 0) -> tuple[Chain, list[str]]:
    """Return a wallet with 350 token accounts whose slot moves with every call."""
    chain = Chain()
    chain.still = False
    for number in range(350):
        address = base58.encode(number.to_bytes(2, "big") * 16)
        chain.hold(address, account_bytes(MINT, number), 2_039_280)
    names = [f"{number:016x}" for number in range(seeds)]
    for seed in names:
        chain.accounts[guard_address(WALLET, seed)] = account(b"", 890_880, SYSTEM_PROGRAM)
    return chain, names


@pytest.mark.parametrize("seeds", [0, 1, 120])
def test_many_accounts_are_read_over_slots_in_which_the_wallet_does_not_move(seeds: int) -> None:
    chain, names = spammed(seeds)
    found = chain.read(*names)
    assert isinstance(found, WalletReading)
    assert found.tokens() == {MINT: sum(range(350))}
    assert found.rent_lamports() == 350 * 2_039_280 + seeds * 890_880
    # The last call is the wallet's own
    assert found.slot == 968 + -(-(351 + seeds) // 100)


def moved_at(chain: Chain, number: int, change: Callable[[], None]) -> None:
    """Let something happen right before a call for accounts."""
    asked = iter(range(1_000))

    def many(params: list[object]) -> object:
        if next(asked) == number:
            change()
        return chain.many(params)

    chain.node.answers["getMultipleAccounts"] = many


def test_transaction_of_ours_during_the_reading_makes_another() -> None:
    """A sale: tokens that were read before it, cash that was read behind it."""
    chain, _ = spammed()

    def sale() -> None:
        chain.hold(base58.encode(bytes(32)), account_bytes(USDC, 50), 2_039_280)
        chain.accounts[WALLET]["lamports"] = 4_999_995_000

    moved_at(chain, 2, sale)
    found = chain.read()
    assert isinstance(found, WalletReading)
    assert (found.lamports, found.tokens()[USDC]) == (4_999_995_000, 50)
    assert found.slot == 968 + 5 + 4


@pytest.mark.parametrize("slots", [(968, 967, 969, 970, 971), (968, 969, 970, 999, 971)])
def test_parts_of_a_node_that_is_elsewhere_make_no_reading(slots: tuple[int, ...]) -> None:
    chain, _ = spammed()
    chain.slots = iter(slots * 4)
    found = chain.read()
    assert isinstance(found, Bad)
    assert found.reason == "moving"


def test_account_opened_while_reading_is_read_too() -> None:
    chain = Chain()
    many = chain.many
    opened: list[bool] = []

    def late(params: list[object]) -> object:
        answer = many(params)
        if not opened:
            opened.append(True)
            chain.hold(key(42), account_bytes(MINT, 77), 2_039_280)
        return answer

    chain.node.answers["getMultipleAccounts"] = late
    found = chain.read()
    assert isinstance(found, WalletReading)
    assert found.tokens() == {MINT: 77}


def test_error_is_no_empty_wallet() -> None:
    chain = Chain()
    chain.node.answers["getTokenAccountsByOwner"] = lambda _params: refusal(-32603, "no")
    assert isinstance(chain.read(), Bad)
    chain = Chain()
    chain.node.answers["getMultipleAccounts"] = lambda _params: {
        "context": {"slot": 968},
        "value": [],
    }
    found = chain.read()
    assert isinstance(found, Bad)
    assert found.reason == "not_understood"


def test_address_that_a_program_owns_is_no_wallet() -> None:
    chain = Chain()
    chain.accounts[WALLET] = account(b"", 5, TOKEN)
    found = chain.read()
    assert isinstance(found, Bad)
    assert found.reason == "foreign"


def test_guards_of_a_lost_journal_are_found_in_the_wallets_history() -> None:
    """The transaction that opened it names the account; the seeds of old intents are tried."""
    address = guard_address(WALLET, SEED)
    made = Made()
    index = made.account(address, 0, 890_880)
    made.system([0, index], create_with_seed(WALLET, SEED, 890_880))
    failed = Made()
    failed.err = "AccountInUse"
    body = {"one": made.body(), "two": failed.body(), "gone": None}

    async def run() -> tuple[str, ...] | Bad:
        node = Node()
        node.answers["getTransaction"] = lambda params: body[params[0]]
        async with pool_of(node, text=FAST) as pool:
            return await guard_seeds_of(pool, WALLET, ("one", "two", "gone"), ("aa", SEED))

    assert uvloop.run(run()) == (SEED,)


# What keeps an account open


@pytest.mark.parametrize(
    ("extensions", "withheld"),
    [
        (b"", False),
        (b"\x02", False),
        (b"\x02\x07\x00\x00\x00", False),
        (b"\x02\x07\x00\x00\x00\x02\x00\x08\x00" + bytes(8), False),
        (b"\x02\x07\x00\x00\x00\x02\x00\x08\x00" + b"\x01" + bytes(7), True),
        (b"\x02\x05\x00\x04\x00\x01\x02\x03\x04", True),
        (b"\x02\x02\x00\x08\x00\x00", True),
        (b"\x02" + bytes(20), False),
    ],
    ids=["none", "type", "immutable", "no_fees", "fees", "confidential", "cut", "padding"],
)
def test_withheld_fees_keep_an_account(extensions: bytes, withheld: bool) -> None:  # noqa: FBT001 - a case's own
    data = account_bytes(MINT, 0) + extensions
    found = token_account(
        key(42), AccountValue(lamports=5, owner=TOKEN_2022_PROGRAM, data=(data, "base64"))
    )
    assert found is not None
    assert found.withheld == withheld


def held(data: bytes, lamports: int) -> TokenAccount:
    found = token_account(key(42), AccountValue(lamports=lamports, owner=TOKEN, data=(data, "")))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("authority", "rent", "withheld"),
    [(None, 2_039_280, False), (WALLET, 2_039_280, False), (key(9), 0, True)],
    ids=["nobody", "wallet", "stranger"],
)
def test_account_that_another_may_close_is_no_rent_of_ours(
    authority: str | None,
    rent: int,
    withheld: bool,  # noqa: FBT001 - a case's own
) -> None:
    data = bytearray(account_bytes(MINT, 0))
    if authority is not None:
        data[129:165] = bytes((1, 0, 0, 0)) + base58.decode(authority)
    found = held(bytes(data), 2_039_280)
    assert (found.rent_lamports, found.withheld) == (rent, withheld)


@pytest.mark.parametrize("sent", [0, 5], ids=["nothing", "lamports"])
def test_what_was_sent_to_wrapped_sol_is_no_rent(sent: int) -> None:
    """Whoever calls syncNative makes wrapped SOL of it."""
    data = bytearray(account_bytes(WSOL, 1_000))
    data[109:121] = bytes((1, 0, 0, 0)) + (2_039_280).to_bytes(8, "little")
    assert held(bytes(data), 2_039_280 + 1_000 + sent).rent_lamports == 2_039_280


def test_account_of_another_program_is_no_token_account() -> None:
    data = account_bytes(MINT, 5)
    assert (
        token_account(
            key(42), AccountValue(lamports=5, owner=SYSTEM_PROGRAM, data=(data, "base64"))
        )
        is None
    )
    assert (
        token_account(key(42), AccountValue(lamports=5, owner=TOKEN, data=(data[:164], "base64")))
        is None
    )
