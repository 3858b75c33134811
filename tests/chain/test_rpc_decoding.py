"""Recorded, cut and random bytes through everything that reads an endpoint."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from node_stand import Node, place_of, wiring_of
from transactions import DATA, OTHER, SIGNATURE, needs_data

from utb.adapters.net.http import Body
from utb.adapters.net.reply import BadReply, ReplyReader
from utb.adapters.rpc import calls
from utb.adapters.rpc.answers import Bad, SlotNote
from utb.adapters.rpc.calls import Call
from utb.adapters.rpc.endpoint import RpcEndpoint
from utb.adapters.rpc.line import Line, Subscription
from utb.adapters.rpc.topics import SlotNotice, account_topic
from utb.domain.chain import Commitment

FINAL = Commitment.FINALIZED
CALLS: dict[str, Call[Any]] = {
    "test_get_latest_blockhash": calls.latest_blockhash(),
    "test_get_epoch_info": calls.epoch_info(FINAL),
    "test_get_signature_statuses": calls.statuses((SIGNATURE, OTHER), history=True),
    "test_get_signatures_for_address": calls.signatures_for("x"),
    "test_get_recent_prioritization_fees": calls.recent_fees(("x",)),
    "test_get_minimum_balance_for_tent_exemption": calls.rent_minimum(0),
    "test_get_multiple_accounts_base64": calls.accounts(("x",), FINAL),
    "test_get_token_accounts_by_owner_base64": calls.token_accounts("x", "y", FINAL),
    "test_get_balance": calls.balance("x", FINAL),
    "test_get_genesis_hash": calls.genesis_hash(),
    "test_simulate_transaction": calls.simulate(b""),
}


class Owner:
    """Remembers what a line tells."""

    def __init__(self) -> None:
        self.slots: list[SlotNotice] = []

    def on_line_open(self, line: Line) -> None:
        del line

    def on_line_closed(self, line: Line, sentence: str) -> None:
        del line, sentence

    def on_slot(self, notice: SlotNotice) -> None:
        self.slots.append(notice)

    def on_refused(self, line: Line, subscription: Subscription, sentence: str) -> None:
        del line, subscription, sentence

    def on_over(self, subscription: Subscription) -> None:
        del subscription


def node() -> Node:
    return Node(http_url="http://127.0.0.1:1", ws_url="ws://127.0.0.1:1")


def endpoint() -> RpcEndpoint:
    return RpcEndpoint(place_of(node()), 0, wiring_of())


def line() -> tuple[Line, Owner]:
    owner = Owner()
    return Line(place_of(node()), 1, wiring_of(), owner), owner


def recorded(case: str) -> Any:
    cases = msgspec.json.decode((DATA / "rpc_and_websocket_bodies.json").read_bytes())
    return next(each["body"] for each in cases if each["case"] == case)


@needs_data
@pytest.mark.parametrize("case", sorted(CALLS))
def test_recorded_answer_is_understood_and_its_parts_are_not(case: str) -> None:
    """Cut anywhere it is no answer: never a null, a zero or a shorter list."""
    body = msgspec.json.encode({**recorded(case), "id": 1})
    asked = endpoint()
    whole = asked._understood(Body(body, 0), CALLS[case], 1)
    assert not isinstance(whole, Bad), whole
    for cut in range(len(body)):
        assert isinstance(asked._understood(Body(body[:cut], 0), CALLS[case], 1), Bad)


@needs_data
def test_recorded_error_is_an_error() -> None:
    for case in ("test_get_account_info_error", "test_parse_preflight_error"):
        body = msgspec.json.encode(recorded(case))
        found = endpoint()._understood(Body(body, 0), calls.balance("x", FINAL), 1)
        assert isinstance(found, Bad)
        assert found.code in {-32602, -32002}


@needs_data
def test_recorded_slot_notice_is_told() -> None:
    told = recorded("test_slot_notification")
    assert msgspec.convert(told["params"]["result"], SlotNote) == SlotNote(
        slot=76, root=44, parent=75
    )
    heard, owner = line()
    heard.on_open()
    heard.on_message(memoryview(b'{"jsonrpc":"2.0","id":1,"result":0}'))
    heard.on_message(memoryview(msgspec.json.encode(told)))
    assert owner.slots == [SlotNotice("a", 76, 44, 75)]


@given(st.binary(max_size=200))
def test_random_bytes_are_no_answer(data: bytes) -> None:
    found = endpoint()._understood(Body(data, 0), calls.rent_minimum(0), 1)
    assert isinstance(found, Bad)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["params", "id", "result", "error", "subscription", "slot", "root", "code"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.binary(max_size=100) | json_values.map(msgspec.json.encode))
def test_random_messages_change_nothing(data: bytes) -> None:
    """Neither slots nor notices come of them, and nothing is raised."""
    heard, owner = line()
    notices: list[object] = []
    heard.on_open()
    held = Subscription(account_topic("x"), notices.append, None, lambda _each: None)
    heard.add(held)
    heard.on_message(memoryview(data))
    assert owner.slots == []
    assert notices == []


@given(st.binary(max_size=300))
def test_random_bytes_are_a_bounded_reply_or_none(data: bytes) -> None:
    reader = ReplyReader()
    try:
        found = reader.feed(b"HTTP/1.1 200 OK\r\n" + data)
    except BadReply:
        return
    assert found is None or len(found.body) <= len(data)
