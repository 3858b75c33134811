"""One source's HTTP client against servers that misbehave."""

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from typing import TypeVar

import pytest
import uvloop
from stand_ins import CANARY, CLOCK, client_of, http_server, response

from utb.adapters.net import http
from utb.adapters.net.http import Body, Failure, HttpClient

T = TypeVar("T")


async def asked(url: str, *, timeout_s: float = 5.0) -> Body | Failure:
    client = client_of(url, timeout_s=timeout_s)
    try:
        return await client.get("/x", {"k": CANARY})
    finally:
        await client.close()


def outcome_of(answer: bytes, *, then_close: bool = False, timeout_s: float = 5.0) -> Failure:
    """Return what becomes of a request that is answered with these bytes."""

    async def serve(_head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        if then_close:
            writer.close()

    async def run() -> Body | Failure:
        async with http_server(serve) as url:
            return await asked(url, timeout_s=timeout_s)

    found = uvloop.run(run())
    assert isinstance(found, Failure)
    assert CANARY not in f"{found} {found.as_error('birdeye')}"
    return found


def with_server(
    serve: Callable[[bytes, asyncio.StreamWriter], Awaitable[None]],
    work: Callable[[HttpClient], Awaitable[T]],
    limit: int = 100_000,
) -> T:
    async def run() -> T:
        async with http_server(serve) as url:
            client = client_of(url, limit=limit)
            try:
                return await work(client)
            finally:
                await client.close()

    return uvloop.run(run())


def test_connection_is_kept_between_requests() -> None:
    peers: set[object] = set()

    async def serve(head: bytes, writer: asyncio.StreamWriter) -> None:
        peers.add(writer)
        writer.write(response(200, head))

    async def work(client: HttpClient) -> list[bytes]:
        bodies = []
        for number in range(20):
            got = await client.get(f"/tokens/a,b{number}", {"x": "1 2"}, {"x-item": "7"})
            assert isinstance(got, Body)
            bodies.append(got.payload)
        assert client.requests == 20
        assert len(client.round_trips) == 20
        return bodies

    bodies = with_server(serve, work)
    assert len(peers) == 1
    assert bodies[3].startswith(b"GET /tokens/a,b3?x=1+2 HTTP/1.1\r\nHost: 127.0.0.1:")
    assert b"\r\nX-API-KEY: " + CANARY.encode() + b"\r\n" in bodies[3]
    assert b"\r\nx-item: 7\r\n" in bodies[3]


def test_chunked_body_is_put_together() -> None:
    async def serve(_head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
        )

    async def work(client: HttpClient) -> Body | Failure:
        return await client.get("/")

    got = with_server(serve, work)
    assert isinstance(got, Body)
    assert got.payload == b"abcde"


def test_body_without_a_length_ends_with_its_connection() -> None:
    async def serve(_head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc")
        writer.close()

    async def work(client: HttpClient) -> Body | Failure:
        return await client.get("/")

    got = with_server(serve, work)
    assert isinstance(got, Body)
    assert got.payload == b"abc"


def test_kept_connection_that_was_closed_is_replaced() -> None:
    async def serve(_head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(response(200))
        await writer.drain()
        writer.close()

    async def work(client: HttpClient) -> list[Body | Failure]:
        return [await client.get("/") for _ in range(5)]

    assert all(isinstance(one, Body) for one in with_server(serve, work))


@pytest.mark.parametrize(("limit", "requests"), [(100_000, 3), (2 * 60, 2)])
def test_kept_connection_that_closes_unanswered_is_replaced_if_a_grant_is_left(
    limit: int, requests: int
) -> None:
    """Two requests a second are granted by the lower limit: none is left for a third one."""
    heads: list[bytes] = []

    async def serve(head: bytes, writer: asyncio.StreamWriter) -> None:
        heads.append(head)
        if len(heads) == 2:
            writer.close()
        else:
            writer.write(response(200))

    async def work(client: HttpClient) -> Body | Failure:
        await client.get("/")
        got = await client.get("/")
        assert client.requests == len(heads) == requests
        return got

    got = with_server(serve, work, limit)
    assert isinstance(got, Body if requests == 3 else Failure)
    assert isinstance(got, Body) or (got.reason, got.transient) == ("closed", True)


def test_fresh_connection_that_closes_unanswered_is_not_replaced() -> None:
    async def serve(_head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async def work(client: HttpClient) -> Body | Failure:
        got = await client.get("/")
        assert client.requests == 1
        return got

    got = with_server(serve, work)
    assert isinstance(got, Failure)
    assert got.reason == "closed"


def test_renewed_client_uses_another_connection() -> None:
    peers: set[object] = set()

    async def serve(_head: bytes, writer: asyncio.StreamWriter) -> None:
        peers.add(writer)
        writer.write(response(200))

    async def work(client: HttpClient) -> None:
        for _ in range(3):
            assert isinstance(await client.get("/"), Body)
            client.renew()
        await client.close()
        assert isinstance(await client.get("/"), Body)

    with_server(serve, work)
    assert len(peers) == 4


def test_cookies_are_neither_kept_nor_sent() -> None:
    heads: list[bytes] = []

    async def serve(head: bytes, writer: asyncio.StreamWriter) -> None:
        heads.append(head)
        writer.write(response(200, Set_Cookie="a=b; Path=/"))

    async def work(client: HttpClient) -> None:
        await client.get("/")
        await client.get("/")

    with_server(serve, work)
    assert len(heads) == 2
    assert b"cookie" not in heads[1].lower()


def test_libraries_log_neither_address_nor_headers(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    outcome_of(response(500))
    names = {record.name.split(".")[0] for record in caplog.records}
    assert not names & {"httpx", "httpcore"}
    assert CANARY not in caplog.text


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_in_seconds_is_told_and_obeyed(status: int) -> None:
    async def serve(_head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(response(status, Retry_After="37"))

    async def run() -> tuple[Body | Failure, float]:
        async with http_server(serve) as url:
            client = client_of(url)
            got = await client.get("/")
            held_s = client.held_seconds()
            await client.close()
            return got, held_s

    got, held_s = uvloop.run(run())
    assert isinstance(got, Failure)
    assert (got.reason, got.transient, got.retry_after_s) == (f"http_{status}", True, 37.0)
    assert "asks to wait 37 s" in got.sentence
    assert 36.0 < held_s <= 37.0


@pytest.mark.parametrize("with_date", [True, False])
def test_retry_after_as_a_date_is_counted_from_the_sources_own_clock(with_date: bool) -> None:  # noqa: FBT001 - a parameter
    """The source's clock may be an hour off: its `Date` header says what it means by a time."""
    off_s = 3600 if with_date else 0
    now_s = CLOCK.now_ns() // 1_000_000_000 + off_s
    headers = {"Retry_After": formatdate(now_s + 90, usegmt=True)}
    if with_date:
        headers["Date"] = formatdate(now_s, usegmt=True)
    got = outcome_of(response(429, b"{}", **headers))
    assert got.retry_after_s is not None
    assert 88.0 <= got.retry_after_s <= 90.0
    assert got.retry_after_s == 90.0 or not with_date


@pytest.mark.parametrize("text", ["", "soon", "-5", "1e3", "Mon, 99 Foo 2025 00:00:00 GMT"])
def test_retry_after_that_is_none_is_ignored(text: str) -> None:
    assert outcome_of(response(429, Retry_After=text)).retry_after_s is None


@pytest.mark.parametrize(
    ("answer", "reason", "transient"),
    [
        (response(500, CANARY.encode()), "http_500", True),
        (response(404), "http_404", False),
        (response(401), "http_401", False),
        (response(302, Location="http://127.0.0.1:1/"), "http_302", False),
        (response(200, Content_Encoding="gzip"), "encoded", False),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "not_http", True),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", "not_http", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\nx", "oversized", False),
        (b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 5_000_000, "oversized", False),
    ],
)
def test_bad_answer_is_a_failure_with_its_reason(
    answer: bytes,
    reason: str,
    transient: bool,  # noqa: FBT001 - a parameter
) -> None:
    got = outcome_of(answer)
    assert (got.reason, got.transient) == (reason, transient)
    assert got.sentence.startswith("127.0.0.1:")


def test_endless_chunks_end_at_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "BODY_BYTES_MAX", 100_000)
    chunk = b"2710\r\n" + b"x" * 10_000 + b"\r\n"
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk * 20
    assert outcome_of(answer).reason == "oversized"


def test_answer_that_is_cut_is_closed() -> None:
    got = outcome_of(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", then_close=True)
    assert got.reason == "closed"
    assert got.transient


def test_answer_that_does_not_come_is_a_timeout() -> None:
    got = outcome_of(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", timeout_s=0.05)
    assert got.reason == "timeout"
    assert "did not answer within 0.05 s" in got.sentence


def test_answer_that_trickles_is_a_timeout() -> None:
    """Each part comes in time; the whole does not."""

    async def serve(_head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"x")
            await asyncio.sleep(0.01)

    async def run() -> Body | Failure:
        async with http_server(serve) as url:
            return await asked(url, timeout_s=0.2)

    got = uvloop.run(run())
    assert isinstance(got, Failure)
    assert got.reason == "timeout"


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        (b"", "no answer to the connection; check the internet connection"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "no encrypted connection"),
        (None, "connection reset"),
    ],
)
def test_encryption_that_does_not_begin_says_so(said: bytes | None, cause: str) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if said is not None:
            writer.write(said)
            await reader.read()
        writer.close()

    async def run() -> Body | Failure:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server:
            return await asked(f"https://127.0.0.1:{port}", timeout_s=0.5)

    got = uvloop.run(run())
    assert isinstance(got, Failure)
    assert got.unreached
    assert got.sentence.startswith("cannot reach 127.0.0.1:")
    assert cause in got.sentence


def test_name_that_is_not_found_says_what_to_do() -> None:
    got = uvloop.run(asked("https://no-such-host.invalid/latest"))
    assert isinstance(got, Failure)
    assert got.sentence == (
        "cannot reach no-such-host.invalid: name not found; check the internet connection or "
        "api.birdeye.base_url"
    )


def test_refused_connection_says_what_to_do() -> None:
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        port = place.getsockname()[1]
    got = uvloop.run(asked(f"http://127.0.0.1:{port}"))
    assert isinstance(got, Failure)
    assert got.sentence == (
        f"cannot reach 127.0.0.1:{port}: connection refused; check that it runs, or "
        "api.birdeye.base_url"
    )
