"""The aggregator's answers are believed in nothing that costs money."""

import asyncio
import base64
import struct
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from utb.adapters.jupiter.answers import WireInstruction
from utb.adapters.jupiter.client import JupiterClient, Swap, SwapRequest
from utb.adapters.jupiter.flavour import Flavour, flavour_of
from utb.adapters.jupiter.judge import PROGRAM, Asked, Judged, judge, raised
from utb.adapters.net.http import Body, Failure

ASKED = Asked(
    wallet="wallet",
    source="our-usdc",
    destination="our-token",
    output_mint="token-mint",
    amount_in_raw=1_100_000,
    slippage_bps=50,
    accounts_max=24,
)
REQUEST = SwapRequest(
    input_mint="usdc-mint", asked=ASKED, base_is_input=False, base_decimals=6, quote_decimals=6
)
ROUTE = "e517cb977ae3ad2a"
SHARED = "c1209b3341d69c81"
PLAN = bytes.fromhex("010000002600640001")
ROUTE_KEYS = (
    ("token-program", 0),
    ("wallet", 1),
    ("our-usdc", 2),
    ("our-token", 2),
    (PROGRAM, 0),
    ("token-mint", 0),
    (PROGRAM, 0),
    ("event-authority", 0),
    (PROGRAM, 0),
    ("pool", 2),
)
SHARED_KEYS = (
    ("token-program", 0),
    ("authority", 0),
    ("wallet", 1),
    ("our-usdc", 2),
    ("their-usdc", 2),
    ("their-token", 2),
    ("our-token", 2),
    ("usdc-mint", 0),
    ("token-mint", 0),
    (PROGRAM, 0),
    (PROGRAM, 0),
    ("event-authority", 0),
    (PROGRAM, 0),
)


def wire(
    keys: tuple[tuple[str, int], ...] = ROUTE_KEYS,
    disc: str = ROUTE,
    *,
    program: str = PROGRAM,
    tail: tuple[int, int, int, int] = (1_100_000, 2_143_480, 50, 0),
    replace: dict[int, tuple[str, int]] | None = None,
) -> dict[str, Any]:
    """Make an instruction as JSON; roles: 0 read, 1 signer, 2 written."""
    listed = [(replace or {}).get(i, key) for i, key in enumerate(keys)]
    data = bytes.fromhex(disc) + PLAN + struct.pack("<QQHB", *tail)
    return {
        "programId": program,
        "accounts": [
            {"pubkey": key, "isSigner": role == 1, "isWritable": role == 2} for key, role in listed
        ],
        "data": base64.b64encode(data).decode(),
    }


def judged(**changes: Any) -> Judged | str:
    return judge(msgspec.convert(wire(**changes), WireInstruction), ASKED)


def test_a_swap_to_our_own_account_passes_with_its_least_output() -> None:
    """ceil(2,143,480 x 0.995) = 2,132,763."""
    for keys, disc in ((ROUTE_KEYS, ROUTE), (SHARED_KEYS, SHARED)):
        verdict = judged(keys=keys, disc=disc)
        assert isinstance(verdict, Judged)
        assert (verdict.quoted_out_raw, verdict.min_out_raw) == (2_143_480, 2_132_763)
        assert set(verdict.judged_accounts) == {"wallet", "our-usdc", "our-token", PROGRAM}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"program": "other"}, "its program is other"),
        ({"disc": "0011223344556677"}, "instruction 0011223344556677 is unknown"),
        ({"tail": (1_100_001, 1, 50, 0)}, "it swaps 1100001, expected 1100000"),
        ({"tail": (1_100_000, 1, 51, 0)}, "tolerance is 51 bps, at most 50"),
        ({"tail": (1_100_000, 1, 50, 85)}, "platform fee of 85 bps, expected none"),
        ({"replace": {1: ("thief", 1)}}, "its signer is thief"),
        ({"replace": {2: ("thief", 2)}}, "its source is thief"),
        ({"replace": {3: ("thief", 2)}}, "its destination is thief"),
        ({"replace": {4: ("thief", 2)}}, "its destination is thief"),
        ({"replace": {5: ("thief", 0)}}, "its output mint is thief"),
        ({"replace": {6: ("thief", 2)}}, "its platform fee account is thief"),
        ({"replace": {9: ("thief", 1)}}, "it wants a signature of thief"),
        ({"keys": ROUTE_KEYS[:6]}, "has 6 accounts, too few"),
        ({"keys": ROUTE_KEYS + (("pool", 2),) * 55}, "takes 65 accounts, at most 64 may"),
        ({"keys": SHARED_KEYS, "disc": SHARED, "replace": {6: ("x", 2)}}, "its destination is x"),
    ],
)
def test_a_swap_that_does_anything_else_is_refused(changes: dict[str, Any], words: str) -> None:
    verdict = judged(**changes)
    assert isinstance(verdict, str)
    assert words in verdict


def test_data_that_is_no_swap_is_refused() -> None:
    for data in ("", "!!", base64.b64encode(bytes(26)).decode()):
        instruction = msgspec.convert(wire() | {"data": data}, WireInstruction)
        assert judge(instruction, ASKED) == "its data is not a swap's"


@pytest.mark.parametrize("least", [2_132_764, 2_140_000, 2_143_479, 2_143_480])
def test_a_least_output_above_the_swaps_own_is_put_into_the_instruction(least: int) -> None:
    before = msgspec.convert(wire(), WireInstruction)
    verdict = judge(before, ASKED)
    assert isinstance(verdict, Judged)
    after = raised(before, verdict, least)
    again = judge(after, ASKED)
    assert isinstance(again, Judged)
    # One basis point at most above what was asked for, and nothing else in it changed
    assert least <= again.min_out_raw <= least + 2_143_480 // 10_000 + 1
    assert again.quoted_out_raw == verdict.quoted_out_raw
    data, given = after.data_bytes() or b"", before.data_bytes() or b""
    assert (data[:-3], data[-1:]) == (given[:-3], given[-1:])
    assert after.accounts == before.accounts


@pytest.mark.parametrize("least", [0, 2_132_763, 2_143_481])
def test_a_least_output_that_is_kept_or_out_of_reach_changes_nothing(least: int) -> None:
    before = msgspec.convert(wire(), WireInstruction)
    verdict = judge(before, ASKED)
    assert isinstance(verdict, Judged)
    assert raised(before, verdict, least) == before


def quote(**changes: Any) -> dict[str, Any]:
    return {
        "inputMint": "usdc-mint",
        "inAmount": "1100000",
        "outputMint": "token-mint",
        "outAmount": "2143480",
        "otherAmountThreshold": "2132763",
        "swapMode": "ExactIn",
        "slippageBps": 50,
        "platformFee": None,
        "priceImpactPct": "0.01",
        "routePlan": [
            {
                "swapInfo": {
                    "ammKey": "pool",
                    "label": "Whirlpool",
                    "inputMint": "usdc-mint",
                    "inAmount": "1100000",
                    "outputMint": "token-mint",
                    "outAmount": "2143480",
                    "feeMint": "usdc-mint",
                    "feeAmount": "330",
                },
                "percent": 100,
            }
        ],
        "contextSlot": 328_700_578,
        "timeTaken": 0.005,
        "somethingNew": {"kept": True},
    } | changes


def build(**changes: Any) -> dict[str, Any]:
    return (
        quote(
            swapInstruction=wire(),
            computeBudgetInstructions=[],
            setupInstructions=[],
            cleanupInstruction=None,
            otherInstructions=[],
            tipInstruction=None,
            addressesByLookupTableAddress={"table": ["pool", "our-token", "other"]},
        )
        | changes
    )


class Shop:
    """Answers as it is told and remembers what it was asked."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self.answers = answers
        self.asked: list[tuple[str, Any]] = []

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Body | Failure:
        return self.answer(path, dict(query or {}))

    async def post(self, path: str, body: bytes) -> Body | Failure:
        return self.answer(path, msgspec.json.decode(body))

    def answer(self, path: str, question: Any) -> Body | Failure:
        self.asked.append((path, question))
        given = self.answers[path]
        if isinstance(given, Failure):
            return given
        return Body(given if isinstance(given, bytes) else msgspec.json.encode(given), 0)


def swap(shop: Shop, flavour: Flavour = Flavour.BUILD) -> Swap | str:
    return asyncio.run(JupiterClient(shop, flavour, lambda: 7_000_000).swap(REQUEST))


def test_build_is_one_question_and_its_tables_lose_the_judged_accounts() -> None:
    shop = Shop({"/build": build()})
    found = swap(shop)
    assert isinstance(found, Swap)
    assert shop.asked == [
        (
            "/build",
            {
                "inputMint": "usdc-mint",
                "outputMint": "token-mint",
                "amount": "1100000",
                "slippageBps": "50",
                "maxAccounts": "24",
                "taker": "wallet",
                "wrapAndUnwrapSol": "false",
                "destinationTokenAccount": "our-token",
            },
        )
    ]
    assert found.tables == (("table", ("pool", "", "other")),)
    offer = found.offer_at(9_000_000)
    assert (offer.words, offer.out_raw, offer.min_out_raw, offer.fee_raw, offer.slot) == (
        "Whirlpool",
        2_143_480,
        2_132_763,
        330,
        328_700_578,
    )
    assert offer.age_ms == pytest.approx(2.0)
    # 1.1 USDC bought 2.14348: its impact of 1 % taken back, the price before was lower.
    assert offer.mid_price == pytest.approx(1.1 / 2.14348 * 0.99)


@pytest.mark.parametrize("flavour", [Flavour.METIS, Flavour.GUIDE])
def test_older_forms_pass_the_quote_back_unchanged(flavour: Flavour) -> None:
    shop = Shop({"/quote": quote(), "/swap-instructions": {"swapInstruction": wire()}})
    found = swap(shop, flavour)
    assert isinstance(found, Swap)
    path, body = shop.asked[1]
    assert path == "/swap-instructions"
    assert body["quoteResponse"] == quote()
    assert body["destinationTokenAccount"] == "our-token"
    assert body["wrapAndUnwrapSol"] is False
    assert found.tables == ()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (build(inputMint="other"), "its quote is for another pair"),
        (build(inAmount="1"), "its quote is not for exactly 1100000 in"),
        (build(inAmount="1e6"), "its quote is not for exactly 1100000 in"),
        (build(swapMode="ExactOut"), "its quote is not for exactly 1100000 in"),
        (build(outAmount="0"), "its quote gives nothing"),
        (build(priceImpactPct="NaN"), "its price impact NaN"),
        (build(priceImpactPct="0.51"), "its price impact 0.51"),
        (build(platformFee={"amount": "1", "feeBps": 10}), "platform fee of 10 bps"),
        (build(swapInstruction=wire(replace={3: ("thief", 2)})), "its destination is thief"),
        (b"<html>", "its answer is no build"),
        (b"[" * 100_000, "its answer is no build"),
    ],
)
def test_quote_of_something_else_is_refused(answer: Any, words: str) -> None:
    found = swap(Shop({"/build": answer}))
    assert isinstance(found, str)
    assert words in found


def test_of_two_quotes_the_lower_one_counts() -> None:
    more = swap(Shop({"/build": build(outAmount="9999999")}))
    assert isinstance(more, Swap)
    assert more.offer.out_raw == 2_143_480


def test_failures_say_what_to_do() -> None:
    gone = Failure("http_404", "quote-api answers HTTP 404", transient=False, status=404)
    refused = Failure(
        "http_400",
        'api.jup.ag answers HTTP 400: {"error":"no","errorCode":"NO_ROUTES_FOUND"}',
        transient=False,
        status=400,
    )
    old = swap(Shop({"/quote": gone}), Flavour.GUIDE)
    none = swap(Shop({"/build": refused}))
    assert isinstance(old, str)
    assert 'set it to "https://api.jup.ag"' in old
    assert none == "it refuses: NO_ROUTES_FOUND"


def test_probe_tells_a_wrong_address_in_a_sentence() -> None:
    gone = Failure("http_404", "quote-api.jup.ag answers HTTP 404", transient=False, status=404)
    client = JupiterClient(Shop({"/quote": gone}), Flavour.GUIDE, lambda: 0)
    words = asyncio.run(client.probe("a", "b", "wallet"))
    assert words.startswith("quote-api.jup.ag answers HTTP 404; api.jupiter.base_url is an address")
    good = JupiterClient(Shop({"/build": build()}), Flavour.BUILD, lambda: 0)
    assert asyncio.run(good.probe("a", "b", "wallet")) == ""


@pytest.mark.parametrize(
    ("url", "flavour", "path"),
    [
        ("https://api.jup.ag", Flavour.BUILD, "/swap/v2"),
        ("https://api.jup.ag/swap/v2/", Flavour.BUILD, "/swap/v2"),
        ("https://lite-api.jup.ag/swap/v1", Flavour.METIS, "/swap/v1"),
        ("https://quote-api.jup.ag", Flavour.GUIDE, "/v6"),
        ("https://quote-api.jup.ag/v6", Flavour.GUIDE, "/v6"),
        ("http://127.0.0.1:9/jupiter", Flavour.BUILD, "/jupiter/swap/v2"),
        ("http://127.0.0.1:9/jupiter/v6", Flavour.GUIDE, "/jupiter/v6"),
    ],
)
def test_form_follows_from_the_address(url: str, flavour: Flavour, path: str) -> None:
    found, place = flavour_of(url)
    assert (found, place.path) == (flavour, path)
