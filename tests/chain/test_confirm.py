"""What is told of signatures on their way, and what is not."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import uvloop
from node_stand import FAST, Node, Raw, Silence, pool_of, refusal, settled, wiring_of
from transactions import OTHER, SIGNATURE, WALLET

from utb.adapters.chain.confirm import Confirmer
from utb.adapters.rpc.pool import RpcPool
from utb.domain.chain import Commitment
from utb.orderlife.events import Event, Status, StatusAbsent, WalletAbsent

QUIET = FAST.replace("status_ms = 50", "status_ms = 60000")


def found(status: str, slot: int = 990, err: object = None) -> dict[str, object]:
    return {"slot": slot, "confirmations": 1, "err": err, "confirmationStatus": status}


def entry(signature: str, slot: int, err: object = None) -> dict[str, object]:
    return {"signature": signature, "slot": slot, "err": err, "memo": None, "blockTime": None}


def with_nodes(
    work: Callable[[Confirmer, list[Event], RpcPool], Awaitable[None]],
    *nodes: Node,
    text: str = FAST,
) -> None:
    async def run() -> None:
        async with pool_of(*nodes, text=text) as pool:
            await settled(lambda: all(v.finalized_height is not None for v in pool.endpoints()))
            await settled(lambda: all(v.connected for v in pool.endpoints()))
            events: list[Event] = []
            confirmer = Confirmer(pool, wiring_of(text), WALLET, events.append)
            task = asyncio.ensure_future(confirmer.run())
            try:
                await work(confirmer, events, pool)
            finally:
                task.cancel()
                await asyncio.wait({task})

    uvloop.run(run())


def test_subscription_tells_before_any_poll() -> None:
    async def work(confirmer: Confirmer, events: list[Event], _pool: RpcPool) -> None:
        confirmer.watch(SIGNATURE, guard_instruction=None)
        await node.until(lambda: len(node.topics("signature")) == 3)
        node.tell("signature", {"context": {"slot": 1_002}, "value": {"err": None}})
        await settled(lambda: len(events) == 3)
        assert events == [
            Status(signature=SIGNATURE, endpoint="a", commitment=each, slot=1_002, err=None)
            for each in Commitment
        ]
        assert node.count("getSignatureStatuses") == 0

    node = Node()
    with_nodes(work, node, text=QUIET)


def test_subscriptions_end_with_the_signature() -> None:
    async def work(confirmer: Confirmer, _events: list[Event], _pool: RpcPool) -> None:
        confirmer.watch(SIGNATURE, guard_instruction=None)
        confirmer.watch(SIGNATURE, guard_instruction=None)
        await node.until(lambda: len(node.topics("signature")) == 3)
        confirmer.forget(SIGNATURE)
        confirmer.forget(SIGNATURE)
        await node.until(lambda: node.topics("signature") == [])
        assert confirmer.watched() == 0

    node = Node()
    with_nodes(work, node, text=QUIET)


def test_polls_go_on_where_no_subscription_works() -> None:
    async def work(confirmer: Confirmer, events: list[Event], _pool: RpcPool) -> None:
        confirmer.watch(SIGNATURE, guard_instruction=None)
        await settled(lambda: len(events) > 0)
        assert events[0] == StatusAbsent(
            signature=SIGNATURE, endpoint="a", slot=1_000, finalized_height=868, history=False
        )
        node.on("getSignatureStatuses", [found("confirmed", 995)], slot=1_000)
        wanted = Status(
            signature=SIGNATURE,
            endpoint="a",
            commitment=Commitment.CONFIRMED,
            slot=995,
            err=None,
        )
        await settled(lambda: wanted in events)

    node = Node(refuses="signature")
    with_nodes(work, node)


def test_polls_are_batched() -> None:
    async def work(confirmer: Confirmer, _events: list[Event], _pool: RpcPool) -> None:
        for number in range(300):
            confirmer.watch(f"{SIGNATURE[:-3]}{number}", guard_instruction=None)
        await confirmer.poll()
        sizes = [
            len(params[0]) for method, params in node.asked if method == "getSignatureStatuses"
        ]
        assert sizes == [256, 44]

    node = Node()
    with_nodes(work, node, text=QUIET)


def test_failure_names_its_error_and_the_guard() -> None:
    async def work(confirmer: Confirmer, events: list[Event], _pool: RpcPool) -> None:
        confirmer.watch(SIGNATURE, guard_instruction=2)
        await settled(lambda: len(events) > 0)
        first = events[0]
        assert isinstance(first, Status)
        assert first.err == '{"InstructionError":[2,{"Custom":0}]}'
        assert first.guard_failed

    node = Node()
    node.on(
        "getSignatureStatuses",
        [found("processed", err={"InstructionError": [2, {"Custom": 0}]})],
        slot=1_000,
    )
    with_nodes(work, node)


def test_error_is_no_absence() -> None:
    async def work(confirmer: Confirmer, events: list[Event], _pool: RpcPool) -> None:
        confirmer.ask_status(SIGNATURE, history=True)
        await settled(lambda: confirmer.unanswered == 2)
        assert events == []

    nodes = (Node("a"), Node("b"))
    for node in nodes:
        node.answers["getSignatureStatuses"] = lambda _params: refusal(-32603, "internal")
    with_nodes(work, *nodes, text=QUIET)


def test_answer_of_another_length_is_no_absence() -> None:
    async def work(confirmer: Confirmer, events: list[Event], _pool: RpcPool) -> None:
        confirmer.ask_status(SIGNATURE, history=False)
        await settled(lambda: confirmer.unanswered == 1)
        assert events == []

    node = Node()
    node.on("getSignatureStatuses", [], slot=1_000)
    with_nodes(work, node, text=QUIET)


def test_history_is_asked_of_every_endpoint_with_its_own_height() -> None:
    async def work(confirmer: Confirmer, events: list[Event], _pool: RpcPool) -> None:
        confirmer.ask_status(SIGNATURE, history=True)
        confirmer.ask_status(SIGNATURE, history=True)
        await settled(lambda: len(events) >= 2)
        assert sorted(
            (e.endpoint, e.finalized_height) for e in events if isinstance(e, StatusAbsent)
        ) == [
            ("a", 868),
            ("b", 870),
        ]
        asked = [params for method, params in nodes[0].asked if method == "getSignatureStatuses"]
        assert asked == [[[SIGNATURE], {"searchTransactionHistory": True}]]

    nodes = (Node("a"), Node("b", finalized_height=870))
    with_nodes(work, *nodes, text=QUIET)


def test_null_of_a_node_behind_its_own_finalized_slot_says_nothing() -> None:
    """Behind one address there are many nodes: heights came from one, the null from another."""

    async def work(confirmer: Confirmer, events: list[Event], _pool: RpcPool) -> None:
        confirmer.ask_status(SIGNATURE, history=True)
        await settled(lambda: confirmer.unanswered == 1)
        assert events == []

    node = Node()
    node.on("getSignatureStatuses", [None], slot=967)
    with_nodes(work, node, text=QUIET)


def test_one_lying_endpoint_does_not_hide_the_other() -> None:
    async def work(confirmer: Confirmer, events: list[Event], _pool: RpcPool) -> None:
        confirmer.ask_status(SIGNATURE, history=True)
        await settled(lambda: len(events) == 2)
        kinds = {
            type(event): event.endpoint
            for event in events
            if isinstance(event, Status | StatusAbsent)
        }
        assert kinds == {StatusAbsent: "a", Status: "b"}

    honest = Node("b")
    honest.on("getSignatureStatuses", [found("finalized")], slot=1_000)
    with_nodes(work, Node("a"), honest, text=QUIET)


def test_slow_endpoint_does_not_hold_up_what_another_says() -> None:
    async def work(confirmer: Confirmer, events: list[Event], _pool: RpcPool) -> None:
        slow.answers["getSignatureStatuses"] = lambda _params: Raw(b"")
        confirmer.ask_status(SIGNATURE, history=True)
        await settled(lambda: len(events) == 1)
        assert confirmer.unanswered == 0
        await settled(lambda: confirmer.unanswered == 1)

    slow = Node("b")
    with_nodes(work, Node("a"), slow, text=QUIET)


# The wallet's signatures


def test_signature_that_is_not_the_wallets_is_absent() -> None:
    async def work(confirmer: Confirmer, events: list[Event], _pool: RpcPool) -> None:
        confirmer.ask_wallet(SIGNATURE, since_slot=900)
        await settled(lambda: len(events) == 1)
        assert events == [WalletAbsent(signature=SIGNATURE, endpoint="a", finalized_height=868)]
        params = next(
            params for method, params in node.asked if method == "getSignaturesForAddress"
        )
        assert params == [WALLET, {"limit": 1000, "commitment": "finalized", "minContextSlot": 900}]

    node = Node()
    node.on("getSignaturesForAddress", [entry(OTHER, 950), entry(OTHER, 890)])
    with_nodes(work, node, text=QUIET)


def test_wallets_signature_is_a_finalized_status() -> None:
    async def work(confirmer: Confirmer, events: list[Event], _pool: RpcPool) -> None:
        confirmer.ask_wallet(SIGNATURE, since_slot=900)
        await settled(lambda: len(events) == 1)
        assert events == [
            Status(
                signature=SIGNATURE,
                endpoint="a",
                commitment=Commitment.FINALIZED,
                slot=940,
                err='{"InstructionError":[3,{"Custom":6001}]}',
            )
        ]

    node = Node()
    failed = entry(SIGNATURE, 940, {"InstructionError": [3, {"Custom": 6001}]})
    node.on("getSignaturesForAddress", [entry(OTHER, 950), failed])
    with_nodes(work, node, text=QUIET)


def test_search_pages_back_to_the_signing() -> None:
    """A full page does not reach back far enough: the next one begins after its last entry."""

    async def work(confirmer: Confirmer, events: list[Event], _pool: RpcPool) -> None:
        confirmer.ask_wallet(SIGNATURE, since_slot=900)
        await settled(lambda: len(events) == 1)
        assert isinstance(events[0], WalletAbsent)
        befores = [
            params[1].get("before")
            for method, params in node.asked
            if method == "getSignaturesForAddress"
        ]
        assert befores == [None, "x999"]

    def page(params: list[Any]) -> list[dict[str, object]]:
        if "before" in params[1]:
            return [entry("y0", 899)]
        return [entry(f"x{number}", 950) for number in range(1_000)]

    node = Node()
    node.answers["getSignaturesForAddress"] = page
    with_nodes(work, node, text=QUIET)


def test_search_that_fails_says_nothing() -> None:
    async def work(confirmer: Confirmer, events: list[Event], _pool: RpcPool) -> None:
        confirmer.ask_wallet(SIGNATURE, since_slot=900)
        await settled(lambda: confirmer.unanswered == 2)
        assert events == []

    nodes = (Node("a"), Node("b"))
    for node in nodes:
        node.answers["getSignaturesForAddress"] = lambda _params: refusal(
            -32016, "Minimum context slot has not been reached", {"contextSlot": 5}
        )
    with_nodes(work, *nodes, text=QUIET)


def test_questions_under_way_end_with_the_confirmer() -> None:
    async def work(confirmer: Confirmer, _events: list[Event], _pool: RpcPool) -> None:
        node.fault = Silence()
        confirmer.ask_status(SIGNATURE, history=True)
        await node.until(lambda: node.count("getSignatureStatuses") == 1)

    node = Node()
    with_nodes(work, node, text=QUIET)
