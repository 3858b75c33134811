"""Whatever a client sends, it gets an answer: no request ends a connection or the chain."""

import json
from functools import cache
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from rpc_stand import OTHER, WALLET

from utb.adapters.clocks import SystemClock
from utb.domain.chain import USDC_MINT
from utb.simnet.chain.amm.spec import specs_of
from utb.simnet.chain.world import Chain
from utb.simnet.profiles import instruments
from utb.simnet.rpc import request
from utb.simnet.rpc.errors import RpcError
from utb.simnet.rpc.front import METHODS
from utb.simnet.rpc.half import ChainHalf, ChainServed
from utb.simnet.rpc.params import Params
from utb.simnet.rpc.subscriptions import Subscriptions
from utb.simnet.server.http import Request, Response

KEY = str(WALLET.pubkey())
SUBSCRIPTIONS = ["account", "program", "signature", "logs", "slot", "root"]
WORDS = [
    KEY,
    str(OTHER.pubkey()),
    USDC_MINT,
    "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA",
    "1" * 32,
    "1" * 64,
    "base64",
    "base58",
    "jsonParsed",
    "confirmed",
    "processed",
    "AAAA",
    "all",
]
NAMES = [
    "commitment",
    "encoding",
    "filters",
    "dataSlice",
    "offset",
    "length",
    "memcmp",
    "bytes",
    "dataSize",
    "mentions",
    "mint",
    "programId",
    "limit",
    "before",
    "accounts",
    "addresses",
    "minContextSlot",
    "maxSupportedTransactionVersion",
    "transactionDetails",
    "options",
    "accountKeys",
    "transaction",
]
leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(WORDS)
)
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)


@cache
def half() -> ChainHalf:
    made = ChainHalf(ChainServed(chain=Chain(None, specs_of(instruments()))), SystemClock())
    made.fund(KEY, sol_lamports=10**9, usdc_raw=10**9)
    made.driver.step(40)
    return made


@given(st.sampled_from(sorted(METHODS)), st.lists(values, max_size=4))
@settings(max_examples=600, deadline=None)
def test_every_call_is_answered(method: str, params: list[Any]) -> None:
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    told = json.loads(half().front.answer("a", request.parse(json.dumps(body).encode())))
    assert told["id"] == 1
    assert ("result" in told) != ("error" in told)
    if "error" in told:
        assert told["error"]["code"] in range(-32768, -32000)


@given(st.binary(max_size=200) | values.map(lambda one: json.dumps(one).encode()))
@settings(max_examples=400, deadline=None)
def test_every_body_is_answered(body: bytes) -> None:
    code = None
    try:
        half().front.answer("b", request.parse(body))
    except RpcError as error:
        code = error.code
    assert code in {None, -32700, -32600}


@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                [f"{one}{end}" for one in SUBSCRIPTIONS for end in ("Subscribe", "Unsubscribe")]
            ),
            st.lists(values, max_size=3),
        ),
        max_size=4,
    )
)
@settings(max_examples=150, deadline=None)
def test_every_subscription_is_refused_or_told(calls: list[tuple[str, list[Any]]]) -> None:
    made = Subscriptions(half().front.nodes["a"])
    for method, params in calls:
        code = -32602
        try:
            made.at_once(made.take(method, Params(params)))
        except RpcError as error:
            code = error.code
        assert code == -32602
    brought: list[Any] = []
    connection = type(
        "Connection", (), {"bring": lambda _, slot: brought.extend(made.bring(slot))}
    )()
    connections = half().front._connections["a"]
    connections.add(connection)
    try:
        half().front.chain.airdrop(KEY, 1)
        half().driver.step(3)
    finally:
        connections.discard(connection)
    for one in brought:
        assert request.encode(one)


QUERY = st.dictionaries(
    st.sampled_from(
        [
            "inputMint",
            "outputMint",
            "amount",
            "taker",
            "payer",
            "slippageBps",
            "maxAccounts",
            "dexes",
            "tipAmount",
            "destinationTokenAccount",
            "computeUnitPricePercentile",
            "blockhashSlotsToExpiry",
            "swapMode",
        ]
    ),
    st.sampled_from([*WORDS, "1000000", "0", "-1", "Raydium", "ExactOut", "high"])
    | st.text(max_size=12),
)


@given(QUERY, st.booleans(), values)
@settings(max_examples=400, deadline=None)
def test_every_question_to_the_aggregator_is_answered(
    query: dict[str, str],
    complete: bool,  # noqa: FBT001 - drawn
    body: Any,
) -> None:
    sol = instruments()[0].base_mint
    base = {"inputMint": USDC_MINT, "outputMint": sol, "amount": "5000000", "taker": KEY}
    asked = {**(base if complete else {}), **query}
    for method, path, sent in (
        ("GET", "swap/v2/build", b""),
        ("GET", "swap/v1/quote", b""),
        ("POST", "v6/swap", json.dumps(body).encode()),
        (
            "POST",
            "swap/v1/swap-instructions",
            json.dumps({**asked, "quoteResponse": body}).encode(),
        ),
    ):
        told = half().answer(Request(method, f"/jupiter/{path}", asked, {}, sent))
        assert isinstance(told, Response)
        assert told.status in {200, 400}
        json.loads(told.body)


@given(
    st.sampled_from(["faults", "fork", "hold", "rent", "price", "tokens", "limits", "loss"]),
    st.dictionaries(
        st.sampled_from(
            ["endpoint", "kind", "value", "chance", "depth", "drop", "symbol", "price", "rate"]
        ),
        leaves,
    ),
)
@settings(max_examples=300, deadline=None)
def test_every_control_is_answered(name: str, body: dict[str, Any]) -> None:
    told = half().answer(
        Request("POST", f"/simnet/chain/{name}", {}, {}, json.dumps(body).encode())
    )
    assert isinstance(told, Response)
    assert told.status in {200, 400}
    half().answer(Request("DELETE", "/simnet/chain/faults", {}, {}, b""))
    half().front.chain.loss_rate = 0
    half().front.chain.hold_commitment()
