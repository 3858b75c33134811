"""Sending signed bytes: warm connections, limits, and answers that decide nothing."""

import asyncio
from base64 import b64encode
from collections.abc import Awaitable, Callable

import msgspec
import pytest
import uvloop
from node_stand import (
    CANARY,
    Node,
    Raw,
    Silence,
    config_with,
    place_of,
    refusal,
    running,
    serving,
    settled,
    status,
    wiring_of,
)
from transactions import SIGNATURE

from utb.adapters.chain.courier import Sent
from utb.adapters.chain.senders import Senders
from utb.adapters.net.reply import BODY_BYTES_MAX, BadReply, Reply, ReplyReader

TRANSACTION = bytes(range(256)) * 4
TEXT = """
[senders]
timeout_seconds = {timeout}
keep_warm_seconds = {warm}
[senders.rpc]
per_second = {per_second}
[senders.jito]
url = "{jito}"
bundles = true
[senders.helius]
enabled = true
url = "{helius}"
"""


def with_senders(
    work: Callable[[Senders], Awaitable[None]],
    node: Node,
    relay: Node,
    *,
    timeout: float = 5.0,
    warm: float = 60.0,
    per_second: int = 10,
) -> None:
    """Run senders over one endpoint, and a relay that is Jito and Helius at once."""

    async def run() -> None:
        async with serving(node), serving(relay):
            config = config_with(
                TEXT.format(
                    jito=relay.http_url,
                    helius=relay.http_url,
                    timeout=timeout,
                    warm=warm,
                    per_second=per_second,
                )
            )
            place = place_of(node)
            senders = Senders([place], config.senders, wiring_of(places=[place]))
            async with running(senders.run()):
                await settled(lambda: all(view.ready for view in senders.views()))
                await work(senders)

    uvloop.run(run())


def counted(senders: Senders, name: str, **kinds: int) -> Callable[[], bool]:
    """Return whether a sender's results are these so far."""
    return lambda: senders.counts()[name] == kinds


def sends(node: Node) -> list[bytes]:
    return [request for request in node.requests if b"sendTransaction" in request]


def test_request_of_an_endpoint_is_exact() -> None:
    async def work(senders: Senders) -> None:
        assert senders.send("rpc.a", TRANSACTION, SIGNATURE, first=True) is Sent.SENT
        await node.until(lambda: len(sends(node)) == 1)
        head, _, body = sends(node)[0].partition(b"\r\n\r\n")
        text = b64encode(TRANSACTION).decode()
        assert msgspec.json.decode(body) == {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "sendTransaction",
            "params": [text, {"encoding": "base64", "skipPreflight": True, "maxRetries": 0}],
        }
        assert head.startswith(f"POST /?api-key={CANARY} HTTP/1.1\r\nHost: 127.0.0.1:".encode())
        await settled(lambda: senders.counts()["rpc.a"] == {"accepted": 1})

    node = Node()
    node.on("sendTransaction", SIGNATURE)
    with_senders(work, node, Node("relay"))


def test_requests_of_the_relays_are_exact() -> None:
    async def work(senders: Senders) -> None:
        text = b64encode(TRANSACTION).decode()
        expected = {
            "jito": ("/api/v1/transactions?bundleOnly=true", [text, {"encoding": "base64"}]),
            "jito_bundle": ("/api/v1/bundles", [[text], {"encoding": "base64"}]),
            "helius": (
                "/fast",
                [text, {"encoding": "base64", "skipPreflight": True, "maxRetries": 0}],
            ),
        }
        for name, (path, params) in expected.items():
            relay.requests.clear()
            assert senders.send(name, TRANSACTION, SIGNATURE, first=True) is Sent.SENT
            await relay.until(lambda: len(relay.requests) == 1)
            head, _, body = relay.requests[0].partition(b"\r\n\r\n")
            assert head.startswith(f"POST {path} HTTP/1.1\r\n".encode())
            assert msgspec.json.decode(body)["params"] == params
            assert CANARY.encode() not in relay.requests[0]
            await settled(counted(senders, name, accepted=1))

    relay = Node("relay")
    relay.on("sendTransaction", SIGNATURE)
    relay.on("sendBundle", "2f" * 32)
    with_senders(work, Node(), relay)


def test_names_keep_protected_and_open_apart() -> None:
    async def work(senders: Senders) -> None:
        assert senders.names(protected=True) == ("jito", "jito_bundle")
        assert senders.names(protected=False) == ("rpc.a", "helius")
        assert senders.view("rpc.a").tip_accounts == ()
        assert len(senders.view("jito").tip_accounts) == 8
        assert senders.view("helius").tip_lamports_min == 1_000_000
        assert len(senders.view("helius").tip_accounts) == 10
        await asyncio.sleep(0)

    with_senders(work, Node(), Node("relay"))


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (SIGNATURE, "accepted"),
        ("another", "other_signature"),
        (None, "not_understood"),
        (refusal(-32002, "simulation failed"), "rpc_-32002"),
        (status(429, Retry_After="2"), "http_429"),
        (status(502), "http_502"),
        (status(200, b'"' + SIGNATURE.encode() + b'"'), "accepted"),
        (status(200, b"<html>"), "not_understood"),
        (Raw(b"garbage\r\n\r\n"), "not_http"),
    ],
)
def test_answers_are_counted_by_kind(answer: object, kind: str) -> None:
    async def work(senders: Senders) -> None:
        senders.send("rpc.a", TRANSACTION, SIGNATURE, first=True)
        await settled(lambda: senders.counts()["rpc.a"] == {kind: 1})

    node = Node()
    node.answers["sendTransaction"] = lambda _params: answer
    with_senders(work, node, Node("relay"))


def test_connection_is_used_again() -> None:
    async def work(senders: Senders) -> None:
        for number in range(1, 11):
            senders.send("rpc.a", TRANSACTION, SIGNATURE, first=True)
            await settled(counted(senders, "rpc.a", accepted=number))
        assert node.connections == 2

    node = Node()
    node.on("sendTransaction", SIGNATURE)
    with_senders(work, node, Node("relay"), per_second=1_000)


def test_second_order_does_not_wait_for_the_firsts_answer() -> None:
    async def work(senders: Senders) -> None:
        node.fault = Silence()
        outcomes = [senders.send("rpc.a", TRANSACTION, SIGNATURE, first=True) for _ in range(2)]
        assert outcomes == [Sent.SENT, Sent.SENT]
        await node.until(lambda: len(sends(node)) == 2)
        # No connection is free: a third one is opened for it.
        assert senders.send("rpc.a", TRANSACTION, SIGNATURE, first=True) is Sent.CONNECTING
        await node.until(lambda: len(sends(node)) == 3)

    node = Node()
    with_senders(work, node, Node("relay"))


def test_rebroadcasts_above_the_limit_are_left_out_and_first_sends_are_not() -> None:
    """Jito allows one a second: three first sends pass, the re-broadcasts of one second do not."""

    async def work(senders: Senders) -> None:
        firsts = [senders.send("jito", TRANSACTION, SIGNATURE, first=True) for _ in range(3)]
        assert Sent.DROPPED not in firsts
        again = [senders.send("jito", TRANSACTION, SIGNATURE, first=False) for _ in range(5)]
        assert again == [Sent.DROPPED] * 5
        # The limit is the address's: bundles count with it.
        assert senders.send("jito_bundle", TRANSACTION, SIGNATURE, first=False) is Sent.DROPPED
        await asyncio.sleep(1.05)
        assert senders.send("jito", TRANSACTION, SIGNATURE, first=False) is not Sent.DROPPED
        assert senders.counts()["jito"]["dropped"] == 5

    with_senders(work, Node(), Node("relay"))


def test_retry_after_holds_rebroadcasts_alone() -> None:
    async def work(senders: Senders) -> None:
        senders.send("rpc.a", TRANSACTION, SIGNATURE, first=True)
        await settled(lambda: senders.counts()["rpc.a"] == {"http_429": 1})
        assert senders.send("rpc.a", TRANSACTION, SIGNATURE, first=False) is Sent.DROPPED
        assert senders.send("rpc.a", TRANSACTION, SIGNATURE, first=True) is Sent.SENT

    node = Node()
    node.answers["sendTransaction"] = lambda _params: status(429, Retry_After="30")
    with_senders(work, node, Node("relay"))


def test_connection_closed_by_the_other_side_costs_no_send() -> None:
    """It was closed while idle: the same bytes go over a new one, and land once all the same."""

    async def work(senders: Senders) -> None:
        for writer in node.writers:
            writer.close()
        senders.send("rpc.a", TRANSACTION, SIGNATURE, first=True)
        await settled(lambda: senders.counts()["rpc.a"] == {"accepted": 1})
        await settled(lambda: senders.view("rpc.a").ready)

    node = Node()
    node.on("sendTransaction", SIGNATURE)
    with_senders(work, node, Node("relay"))


def test_half_open_connection_is_replaced_after_the_timeout() -> None:
    async def work(senders: Senders) -> None:
        node.fault = Silence()
        senders.send("rpc.a", TRANSACTION, SIGNATURE, first=True)
        await settled(lambda: senders.counts()["rpc.a"] == {"timeout": 1})
        node.fault = None
        await settled(lambda: senders.view("rpc.a").ready)
        senders.send("rpc.a", TRANSACTION, SIGNATURE, first=True)
        await settled(lambda: senders.counts()["rpc.a"] == {"timeout": 1, "accepted": 1})

    node = Node()
    node.on("sendTransaction", SIGNATURE)
    with_senders(work, node, Node("relay"), timeout=0.2)


def test_first_send_takes_the_place_of_a_rebroadcast_when_too_many_wait() -> None:
    """All connections wait for answers: of 32 that wait, two are first sends."""

    async def work(senders: Senders) -> None:
        node.fault = Silence()
        for number in range(2):
            senders.send("rpc.a", TRANSACTION, f"busy{number}", first=True)
        again = [
            senders.send("rpc.a", TRANSACTION, f"s{number}", first=False) for number in range(32)
        ]
        assert set(again) == {Sent.CONNECTING}
        assert senders.send("rpc.a", TRANSACTION, "s0", first=False) is Sent.DROPPED
        assert senders.send("rpc.a", TRANSACTION, "s32", first=False) is Sent.DROPPED
        assert senders.send("rpc.a", TRANSACTION, "new", first=True) is Sent.CONNECTING
        assert senders.counts()["rpc.a"] == {"overflow": 3}

    node = Node()
    with_senders(work, node, Node("relay"), per_second=10_000)


def test_idle_connections_are_kept_warm() -> None:
    async def work(_senders: Senders) -> None:
        await node.until(lambda: node.count("getHealth") >= 2)
        await relay.until(lambda: relay.count("getTipAccounts") >= 1)
        await relay.until(lambda: relay.count("GET") >= 1)
        assert any(r.startswith(b"GET /ping HTTP/1.1\r\n") for r in relay.requests)

    node, relay = Node(), Node("relay")
    with_senders(work, node, relay, warm=0.1)


def test_unreachable_sender_is_told_in_words_without_the_key() -> None:
    async def run() -> None:
        node = Node(http_url="http://127.0.0.1:1", ws_url="ws://127.0.0.1:1")
        place = place_of(node)
        text = "[senders.jito]\nenabled = false\n"
        senders = Senders([place], config_with(text).senders, wiring_of(places=[place]))
        async with running(senders.run()):
            assert senders.send("rpc.a", TRANSACTION, SIGNATURE, first=True) is Sent.CONNECTING
            await settled(lambda: senders.counts()["rpc.a"] == {"unreachable": 1})
            view = senders.view("rpc.a")
            assert not view.ready
            assert "connection refused" in view.trouble
            assert CANARY not in repr(view)

    uvloop.run(run())


def test_sender_that_is_no_longer_there_is_counted() -> None:
    """A restart may find attempts whose senders the configuration has dropped."""

    async def work(senders: Senders) -> None:
        assert senders.send("rpc.gone", TRANSACTION, SIGNATURE, first=True) is Sent.DROPPED
        assert senders.counts()["rpc.gone"] == {"unknown": 1}
        await asyncio.sleep(0)

    with_senders(work, Node(), Node("relay"))


# Answers put together


def whole(data: bytes) -> Reply:
    """Read an answer that comes byte by byte, and at once; both must agree."""
    reader, found = ReplyReader(), None
    for at in range(len(data)):
        found = found or reader.feed(data[at : at + 1])
    assert found is not None
    assert ReplyReader().feed(data) == found
    return found


def test_reply_is_read_in_any_pieces() -> None:
    plain = b"HTTP/1.1 429 Too Many\r\nRetry-After: 7\r\nContent-Length: 3\r\n\r\nabc"
    assert whole(plain) == Reply(status=429, body=b"abc", retry_after_s=7.0, closing=False)
    chunked = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        b"2\r\nab\r\n3;x=y\r\ncde\r\n0\r\n\r\n"
    )
    assert whole(chunked) == Reply(status=200, body=b"abcde", retry_after_s=None, closing=True)


@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0\r\n\r\n",
        b"HTTP/1.1 2xx\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (BODY_BYTES_MAX + 1),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffff\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 20_000,
    ],
)
def test_reply_that_is_none_is_refused(data: bytes) -> None:
    with pytest.raises(BadReply):
        ReplyReader().feed(data)
