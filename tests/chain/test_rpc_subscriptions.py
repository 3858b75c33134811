"""Subscriptions over connections that break, fall silent or refuse."""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import uvloop
from node_stand import CANARY, FAST, Node, World, pool_of, settled
from transactions import SIGNATURE, key

from utb.adapters.rpc.answers import AccountValue, LogsNote, SignatureNote
from utb.adapters.rpc.pool import RpcPool
from utb.adapters.rpc.topics import (
    Notice,
    SlotNotice,
    account_topic,
    logs_topic,
    signature_topic,
)
from utb.domain.chain import Commitment

ACCOUNT = key(50)


def account_note(slot: int, data: str = "AAEC") -> dict[str, object]:
    value = {
        "lamports": 2_039_280,
        "owner": key(51),
        "data": [data, "base64"],
        "executable": False,
        "rentEpoch": 18_446_744_073_709_551_615,
        "space": 3,
    }
    return {"context": {"slot": slot}, "value": value}


def with_nodes(work: Callable[[RpcPool], Awaitable[None]], *nodes: Node, text: str = FAST) -> None:
    async def run() -> None:
        async with pool_of(*nodes, text=text) as pool:
            await settled(lambda: all(view.connected for view in pool.endpoints()))
            await work(pool)

    uvloop.run(run())


def test_account_notice_is_typed_and_stamped() -> None:
    async def work(pool: RpcPool) -> None:
        notices: list[Notice] = []
        pool.subscribe(account_topic(ACCOUNT), notices.append)
        await node.until(lambda: node.topics("account") == [ACCOUNT])
        node.tell("account", account_note(1_234))
        await settled(lambda: len(notices) == 1)
        notice = notices[0]
        assert (notice.endpoint, notice.slot) == ("a", 1_234)
        assert notice.value == AccountValue(
            lamports=2_039_280, owner=key(51), data=(b"\0\1\2", "base64")
        )

    node = Node()
    with_nodes(work, node)


def test_logs_notice_is_typed() -> None:
    async def work(pool: RpcPool) -> None:
        notices: list[Notice] = []
        pool.subscribe(logs_topic(ACCOUNT), notices.append)
        await node.until(lambda: len(node.topics("logs")) == 1)
        assert [params[0] for kind, params, _ in node.subscribed.values() if kind == "logs"] == [
            {"mentions": [ACCOUNT]}
        ]
        value = {"signature": SIGNATURE, "err": None, "logs": ["Program log: x"]}
        node.tell("logs", {"context": {"slot": 7}, "value": value})
        await settled(lambda: len(notices) == 1)
        assert notices[0].value == LogsNote(signature=SIGNATURE, logs=("Program log: x",))

    node = Node()
    with_nodes(work, node)


def test_signature_notice_ends_its_subscription() -> None:
    async def work(pool: RpcPool) -> None:
        notices: list[Notice] = []
        held = pool.subscribe(signature_topic(SIGNATURE, Commitment.CONFIRMED), notices.append)
        await node.until(lambda: node.topics("signature") == [SIGNATURE])
        for _ in range(2):
            node.tell("signature", {"context": {"slot": 9}, "value": {"err": None}})
        await settled(lambda: len(notices) == 1)
        await asyncio.sleep(0.05)
        assert [n.value for n in notices] == [SignatureNote()]
        assert held.over
        assert pool.endpoints()[0].subscriptions == 0

    node = Node()
    with_nodes(work, node)


def test_cancelled_subscription_is_unsubscribed() -> None:
    async def work(pool: RpcPool) -> None:
        notices: list[Notice] = []
        held = pool.subscribe(account_topic(ACCOUNT), notices.append)
        await node.until(lambda: node.topics("account") == [ACCOUNT])
        await settled(lambda: held.number is not None)
        held.cancel()
        held.cancel()
        await node.until(lambda: node.topics("account") == [])
        early = pool.subscribe(account_topic(ACCOUNT), notices.append)
        early.cancel()
        await asyncio.sleep(0.1)
        assert node.topics("account") == []
        assert notices == []

    node = Node()
    with_nodes(work, node)


def test_subscriptions_come_back_after_a_reconnect() -> None:
    async def work(pool: RpcPool) -> None:
        notices: list[Notice] = []
        pool.subscribe(account_topic(ACCOUNT), notices.append)
        pool.subscribe(signature_topic(SIGNATURE, Commitment.PROCESSED), notices.append)
        await node.until(lambda: len(node.topics("signature")) == 1)
        node.cut()
        await node.until(lambda: node.topics("account") == [])
        await node.until(
            lambda: node.topics("account") == [ACCOUNT] and node.topics("signature") == [SIGNATURE]
        )
        node.tell("account", account_note(5))
        await settled(lambda: len(notices) == 1)

    node = Node()
    with_nodes(work, node)


def test_subscriptions_of_a_lost_endpoint_move_to_another_at_once() -> None:
    async def work(pool: RpcPool) -> None:
        notices: list[Notice] = []
        held = pool.subscribe(account_topic(ACCOUNT), notices.append)
        await settled(lambda: held.number is not None)
        first = next(node for node in nodes if node.name == held.endpoint)
        other = next(node for node in nodes if node is not first)
        for peer in first.peers:
            peer.cut()
        await other.until(lambda: other.topics("account") == [ACCOUNT])
        other.tell("account", account_note(6))
        await settled(lambda: len(notices) == 1)
        assert notices[0].endpoint == other.name

    nodes = (Node("a"), Node("b"))
    with_nodes(work, *nodes)


def test_silent_subscription_is_moved_while_pings_are_answered() -> None:
    """Slots go on, so the connection lives; only this subscription is dead."""

    async def run() -> None:
        world, nodes = World(), (Node("a"), Node("b"))
        async with pool_of(*nodes, text="[rpc]\n", world=world) as pool:
            await world.run_for(3)
            notices: list[Notice] = []
            held = pool.subscribe(account_topic(ACCOUNT), notices.append, silent_s=10.0)
            places: list[str | None] = []
            for _ in range(80):
                for node in nodes:
                    node.tick()
                await asyncio.sleep(0.002)
                await world.run_for(1)
                if places[-1:] != [held.endpoint]:
                    places.append(held.endpoint)
            # After 10, 20 and 40 s more: patience doubles, a quiet account does not travel.
            assert len(places) == 4
            assert held.moves == 3
            assert all(view.connected for view in pool.endpoints())

    uvloop.run(run())


def test_heard_subscription_stays() -> None:
    async def run() -> None:
        world, nodes = World(), (Node("a"), Node("b"))
        async with pool_of(*nodes, text="[rpc]\n", world=world) as pool:
            await world.run_for(3)
            notices: list[Notice] = []
            held = pool.subscribe(account_topic(ACCOUNT), notices.append, silent_s=5.0)
            for slot in range(30):
                for node in nodes:
                    node.tick()
                    node.tell("account", account_note(slot))
                await asyncio.sleep(0.002)
                await world.run_for(1)
            assert held.moves == 0
            assert len(notices) >= 28

    uvloop.run(run())


def test_connection_without_slots_is_replaced() -> None:
    async def run() -> None:
        world, nodes = World(), (Node("a"), Node("b"))
        async with pool_of(*nodes, text="[rpc]\nsilent_seconds = 5.0\n", world=world) as pool:
            await world.run_for(1)
            peers = [len(node.peers) for node in nodes]
            for _ in range(15):
                nodes[1].tick()
                await asyncio.sleep(0.002)
                await world.run_for(1)
            assert len(nodes[0].peers) >= peers[0] + 2
            assert len(nodes[1].peers) == peers[1]
            assert pool.endpoints()[1].connected

    uvloop.run(run())


def test_half_open_connection_is_given_up() -> None:
    """Neither slots nor pongs come, and no end of the connection either."""

    async def run() -> None:
        node = Node("a", pongs=False)
        text = FAST + "silent_seconds = 600.0\n"
        async with pool_of(node, text=text, heartbeat_s=0.1) as pool:
            await node.until(lambda: len(node.peers) == 1)
            # A ping after 0.1 s of silence, given up 0.1 s later.
            await node.until(lambda: len(node.peers) >= 2)
            await settled(lambda: pool.endpoints()[0].connected)

    uvloop.run(run())


def test_unacknowledged_subscription_is_moved() -> None:
    async def run() -> None:
        world, nodes = World(), (Node("a", acknowledges=False), Node("b", slot=995))
        async with pool_of(*nodes, text="[rpc]\n", world=world) as pool:
            await world.run_for(1)
            topic = signature_topic(SIGNATURE, Commitment.CONFIRMED)
            held = pool.subscribe(topic, lambda _notice: None)
            nodes[0].acknowledges = held.endpoint == "b"
            nodes[1].acknowledges = held.endpoint == "a"
            first = held.endpoint
            for _ in range(9):
                for node in nodes:
                    node.tick()
                await asyncio.sleep(0.002)
                await world.run_for(1)
            assert held.endpoint != first
            assert held.number is not None

    uvloop.run(run())


def test_refused_subscription_is_tried_elsewhere() -> None:
    async def work(pool: RpcPool) -> None:
        notices: list[Notice] = []
        held = pool.subscribe(logs_topic(ACCOUNT), notices.append)
        await settled(lambda: held.number is not None)
        assert held.endpoint == "b"

    # The one that refuses is ahead and so the first choice.
    nodes = (Node("a", slot=1_040, refuses="logs"), Node("b", refuses=""))
    with_nodes(work, *nodes)


def test_garbage_is_counted_and_nothing_happens() -> None:
    async def work(pool: RpcPool) -> None:
        notices: list[Notice] = []
        held = pool.subscribe(account_topic(ACCOUNT), notices.append)
        await settled(lambda: held.number is not None)
        bad = account_note(5)
        bad["value"] = {"lamports": -1.5}
        node.tell("account", bad)
        node.tell("account", None)
        node.tell("account", [[[]]])
        for peer in node.peers:
            peer.say("{")
            peer.say({"jsonrpc": "2.0", "method": "x", "params": {"subscription": "x"}})
            peer.say({"jsonrpc": "2.0", "id": 424_242, "result": 5})
            peer.say([1, 2])
        node.tell("account", account_note(6))
        await settled(lambda: len(notices) == 1)
        assert notices[0].slot == 6
        assert pool.endpoints()[0].connected

    node = Node()
    with_nodes(work, node)


def test_slots_are_told_with_their_endpoint() -> None:
    async def work(pool: RpcPool) -> None:
        told: list[SlotNotice] = []
        pool.on_slot.append(told.append)
        await node.until(lambda: any(kind == "slot" for kind, _, _ in node.subscribed.values()))
        await asyncio.sleep(0.02)
        node.tick()
        await settled(lambda: len(told) == 1)
        assert told == [SlotNotice("a", 1_001, 969, 1_000)]
        assert pool.endpoints()[0].slot == 1_001

    node = Node()
    with_nodes(work, node)


def test_key_is_in_the_sockets_address_and_nowhere_else() -> None:
    async def work(pool: RpcPool) -> None:
        pool.subscribe(account_topic(ACCOUNT), lambda _notice: None)
        await asyncio.sleep(0.05)
        assert CANARY not in repr(pool.endpoints())
        assert CANARY not in msgspec.json.encode(pool.endpoints()).decode()

    with_nodes(work, Node(refuses="account"))
