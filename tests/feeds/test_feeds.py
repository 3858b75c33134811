"""DexScreener, Birdeye and Helius against servers on the loopback."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest
import uvloop
from stand_ins import (
    CANARY,
    Heard,
    Peer,
    Script,
    config_with,
    http_server,
    response,
    running,
    wall_wiring,
    ws_server,
)

from utb.adapters.feeds.live import build_feeds, resolve_primaries
from utb.config.instruments import accounts, instruments
from utb.config.schema import Config
from utb.config.secrets import Secrets
from utb.config.table import Secret
from utb.domain.clock import Account
from utb.domain.market import Instrument
from utb.domain.seam import FeedStatus
from utb.ports.livefeed import LiveFeed

KEYS = Secrets(birdeye_api_key=Secret(CANARY), helius_api_key=Secret(CANARY + "h"))
BASE = "https://api.dexscreener.com/latest/dex"
BAR = b'{"type":"PRICE_DATA","data":{"o":1,"h":1,"l":1,"c":1,"unixTime":1,"v":1,"address":"A"}}'
VAULTS = (Account("A" * 32, 0, "base_vault"), Account("B" * 32, 0, "quote_vault"))


def told(http: str = "http://127.0.0.1:1", ws: str = "ws://127.0.0.1:1", **feeds: float) -> Config:
    """Return a configuration whose sources are all at two addresses."""
    lines = [
        f'[api.dexscreener]\nbase_url = "{http}/latest/dex"\n',
        f'[api.birdeye]\nbase_url = "{http}"\nws_url = "{ws}"\nrate_limit = 60000\n',
        f'[api.helius]\nbase_url = "{http}"\nws_url = "{ws}"\n',
        "[api]\nretry_delay_seconds = 0.1\nretry_attempts = 2\n[feeds]\n",
        *(f"{name} = {value}\n" for name, value in feeds.items()),
    ]
    return config_with("".join(lines))


def many(count: int, primary: str = "birdeye") -> tuple[Instrument, ...]:
    (first, *_) = instruments(config_with(""))
    return tuple(
        msgspec.structs.replace(first, index=n, base_mint=f"Mint{n}", primary=primary)
        for n in range(count)
    )


def feed_of(name: str, config: Config, sink: Heard, traded: tuple[Instrument, ...]) -> LiveFeed:
    feeds = build_feeds(config, KEYS, traded, wall_wiring(config, sink), VAULTS)
    (found,) = [feed for feed in feeds if feed.name == name]
    return found


def scenario(work: Callable[[], Awaitable[None]]) -> None:
    async def run() -> None:
        async with asyncio.timeout(30):
            await work()

    uvloop.run(run())


# Which feeds run


def test_source_without_its_key_is_off_and_names_the_variable() -> None:
    config = config_with("")
    wiring = wall_wiring(config, Heard())
    feeds = build_feeds(config, Secrets(), instruments(config), wiring)
    healths = {feed.name: feed.health(0) for feed in feeds}
    assert [feed.name for feed in feeds] == ["dexscreener", "birdeye", "helius"]
    assert healths["dexscreener"].status is FeedStatus.STARTING
    assert healths["birdeye"].status is FeedStatus.OFF
    assert healths["birdeye"].reason.startswith("BIRDEYE_API_KEY is not set: put the key")
    assert healths["helius"].reason.startswith("HELIUS_API_KEY is not set: put the key")


def test_primary_without_its_key_becomes_dexscreener() -> None:
    config = config_with("")
    found = resolve_primaries(config, Secrets(), instruments(config))
    assert {one.primary for one in found} == {"dexscreener"}
    assert resolve_primaries(config, KEYS, instruments(config)) == instruments(config)


def test_helius_makes_bars_only_of_a_pool_with_both_vaults() -> None:
    pool = "58oQChx4yWmvKdwLLZzBi4ChoCc2fqCUWBkwMihLYQo2"
    table = f'[[instruments]]\nsymbol = "SOL-USDC"\nbase_mint = "{pool}"\nbase_decimals = 9\n'
    table += f'primary = "helius"\nbase_vault = "{pool}"\n'
    half = config_with(table)
    whole = config_with(table + f'quote_vault = "{pool}"\n')
    assert resolve_primaries(half, KEYS, instruments(half))[0].primary == "dexscreener"
    assert resolve_primaries(whole, KEYS, instruments(whole))[0].primary == "helius"
    assert accounts(whole) == (Account(pool, 0, "base_vault"), Account(pool, 0, "quote_vault"))


@pytest.mark.parametrize(
    ("text", "key", "said"),
    [
        (
            '[api.birdeye]\nws_url = "ws://example.org"\n',
            CANARY,
            "api.birdeye.ws_url is not encrypted: the key is sent over https and wss only",
        ),
        ("", CANARY + "\n", "BIRDEYE_API_KEY holds characters that no key has: copy it again"),
    ],
)
def test_key_that_would_be_given_away_keeps_its_source_off(text: str, key: str, said: str) -> None:
    config = config_with(text)
    secrets = Secrets(birdeye_api_key=Secret(key))
    feeds = build_feeds(config, secrets, instruments(config), wall_wiring(config, Heard()))
    assert (feeds[1].health(0).status, feeds[1].health(0).reason) == (FeedStatus.OFF, said)
    assert resolve_primaries(config, secrets, instruments(config))[0].primary == "dexscreener"


# DexScreener


def test_dexscreener_asks_for_up_to_thirty_tokens_a_call_at_its_pace() -> None:
    heads: list[bytes] = []

    async def serve(head: bytes, writer: asyncio.StreamWriter) -> None:
        heads.append(head.split(b" ")[1])
        writer.write(response(200, b"body %d" % len(heads)))

    async def work() -> None:
        sink = Heard()
        async with http_server(serve) as url:
            feed = feed_of("dexscreener", told(url, poll_seconds=0.1), sink, many(61))
            async with running(feed.run()):
                await sink.until(lambda: len(sink.frames) >= 9)
        health = feed.health(0)
        assert health.status is FeedStatus.FRESH
        assert (health.items, health.requests) == (len(sink.frames), len(heads))
        assert health.latency_p50_ms is None
        assert health.request_p50_ms is not None
        assert sink.frames[0][:2] == (0, b"body 1")
        stamps = [stamp for _, _, stamp in sink.frames]
        assert stamps == sorted(stamps)
        assert stamps[6] - stamps[3] > 90_000_000

    scenario(work)
    assert heads[0] == b"/latest/dex/tokens/" + b",".join(b"Mint%d" % n for n in range(30))
    assert heads[2] == b"/latest/dex/tokens/Mint60"
    assert heads[3] == heads[0]


def test_dexscreener_that_fails_says_why_and_recovers() -> None:
    cut = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab"
    answers = [response(500, CANARY.encode()), cut]

    async def serve(_head: bytes, writer: asyncio.StreamWriter) -> None:
        answer = answers.pop(0) if answers else response(200, b"good")
        writer.write(answer)
        if answer is cut:
            writer.close()

    async def work() -> None:
        sink = Heard()
        async with http_server(serve) as url:
            feed = feed_of("dexscreener", told(url, poll_seconds=0.1), sink, many(1))
            async with running(feed.run()):
                await sink.until(lambda: bool(sink.frames))
        health = feed.health(0)
        assert health.rejected == {"http_500": 1, "closed": 1}
        statuses = [one.status.value for one in sink.statuses]
        assert statuses == ["DISCONNECTED", "STARTING", "FRESH"]
        assert CANARY not in repr(sink.statuses)

    scenario(work)


def test_dexscreener_has_no_history_and_says_so() -> None:
    async def work() -> None:
        feed = feed_of("dexscreener", told(), Heard(), many(1))
        history = await feed.history(many(1)[0], "15m", 100)
        assert history.frames == ()
        assert history.reason.startswith("DexScreener has no history")

    scenario(work)


# Birdeye


def test_birdeye_subscribes_a_hundred_tokens_a_connection_and_hands_over_data_only() -> None:
    swap = b'{"type":"TXS_DATA","data":{"blockUnixTime":1700000000,"owner":"X"}}'

    def speak(peer: Peer, message: bytes) -> None:
        if b"SUBSCRIBE_TXS" in message:
            for one in (b'{"type":"WELCOME"}', BAR, swap, b"garbage"):
                peer.say(one)

    async def work() -> None:
        script, sink = Script(on_message=speak), Heard()
        async with ws_server(script) as ws:
            feed = feed_of("birdeye", told(ws=ws), sink, many(150))
            async with running(feed.run()):
                await sink.until(lambda: len(sink.frames) == 6)
        assert sorted(one[1] for one in sink.frames) == sorted([BAR, swap, b"garbage"] * 2)
        said = [msgspec.json.decode(one) for peer in script.peers for one in peer.messages]
        counts = [(one["type"], one["data"]["query"].count("address = ")) for one in said]
        assert sorted(counts) == [
            ("SUBSCRIBE_PRICE", 50),
            ("SUBSCRIBE_PRICE", 100),
            ("SUBSCRIBE_TXS", 50),
            ("SUBSCRIBE_TXS", 100),
        ]
        queries = [one["data"]["query"] for one in said]
        first = "(address = Mint0 AND chartType = 1m AND currency = usd) OR (address = Mint1 AND"
        assert [query.startswith(first) for query in queries].count(True) == 1
        health = feed.health(0)
        assert health.status is FeedStatus.FRESH
        # The swap is of 2023: its age at arrival is years.
        assert health.latency_p50_ms is not None
        assert health.latency_p50_ms > 1e9

    scenario(work)


def test_birdeye_asks_rest_for_prices_while_the_socket_is_down() -> None:
    prices = b'{"data":{"Mint0":{"value":1,"updateUnixTime":1}},"success":true}'
    heads: list[bytes] = []

    async def serve(head: bytes, writer: asyncio.StreamWriter) -> None:
        heads.append(head)
        writer.write(response(200, prices))

    async def work() -> None:
        script, sink = Script(refuse=503), Heard()
        async with http_server(serve) as http, ws_server(script) as ws:
            feed = feed_of("birdeye", told(http, ws, poll_seconds=0.1), sink, many(2))
            async with running(feed.run()):
                await sink.until(lambda: len(sink.frames) == 2)
                health = feed.health(0)
                assert (health.status, health.connected) == (FeedStatus.FRESH, False)
                assert "answers HTTP 503 to the WebSocket" in health.reason
                script.refuse = 0
                await script.until(lambda: bool(script.peers))
                asked = len(heads)
                script.peers[0].say(BAR)
                await sink.until(lambda: sink.frames[-1][1] == BAR)
                assert len(heads) <= asked + 1
        assert heads[0].startswith(b"GET /defi/multi_price?list_address=Mint0%2CMint1 HTTP/1.1")
        assert b"x-chain: solana\r\n" in heads[0]
        assert {one[1] for one in sink.frames} == {prices, BAR}
        assert CANARY not in f"{sink.statuses} {health}"

    scenario(work)


def test_birdeye_subscribes_again_when_pings_are_answered_and_nothing_comes() -> None:
    async def work() -> None:
        script, sink = Script(), Heard()
        async with ws_server(script) as ws:
            feed = feed_of(
                "birdeye",
                told(ws=ws, stale_after_seconds=0.2, heartbeat_seconds=1.0),
                sink,
                many(1),
            )
            async with running(feed.run()):
                await script.until(lambda: bool(script.peers))
                script.peers[0].say(BAR)
                await sink.until(lambda: len(sink.statuses) == 2)
                assert sink.statuses[1].reason == (
                    "no item for 0 s, feeds.stale_after_seconds is 0.2"
                )
                await script.until(lambda: len(script.peers[0].messages) == 4)
                # The next step is another connection.
                await script.until(lambda: len(script.peers) == 2)
        assert [one.status.value for one in sink.statuses[:2]] == ["FRESH", "STALE"]
        assert "connected, but no data for" in sink.statuses[2].reason

    scenario(work)


def test_birdeye_that_refuses_a_subscription_is_quoted_without_the_key() -> None:
    answer = b'{"type":"ERROR","data":"key ' + CANARY.encode() + b' may not do this"}'

    async def work() -> None:
        script, sink = Script(on_message=lambda peer, _: peer.say(answer)), Heard()
        async with ws_server(script) as ws:
            feed = feed_of("birdeye", told(ws=ws), sink, many(1))
            async with running(feed.run()):
                await script.until(
                    lambda: bool(script.peers) and len(script.peers[0].messages) == 2
                )
                for _ in range(20):
                    await asyncio.sleep(0.01)
                    if feed.health(0).rejected:
                        break
        health = feed.health(0)
        assert health.rejected["subscription_refused"] >= 1
        assert "refuses the subscription" in health.reason
        assert CANARY not in health.reason

    scenario(work)


def test_history_comes_in_bodies_of_a_thousand_bars_oldest_first() -> None:
    asked: list[dict[str, str]] = []

    async def serve(head: bytes, writer: asyncio.StreamWriter) -> None:
        query = head.split(b" ")[1].decode().partition("?")[2]
        asked.append(dict(part.split("=") for part in query.split("&")))
        if len(asked) == 1:
            writer.write(response(429, Retry_After="0"))
        else:
            writer.write(response(200, b"bars %d" % len(asked)))

    async def work() -> None:
        async with http_server(serve) as http:
            feed = feed_of("birdeye", told(http), Heard(), many(1))
            async with running(feed.run()):
                history = await feed.history(many(1)[0], "15m", 2500)
        assert [one.payload for one in history.frames] == [b"bars 2", b"bars 3", b"bars 4"]
        assert {one.source for one in history.frames} == {1}
        assert history.reason == ""
        spans = [(int(one["time_to"]) + 1 - int(one["time_from"])) // 900 for one in asked]
        assert spans == [1000, 1000, 1000, 500]
        assert asked[1]["type"] == "15m"
        assert asked[1]["address"] == "Mint0"
        assert int(asked[2]["time_from"]) == int(asked[1]["time_to"]) + 1
        assert int(asked[3]["time_to"]) + 1 == int(asked[3]["time_from"]) + 500 * 900
        assert (int(asked[3]["time_to"]) + 1) % 900 == 0

    scenario(work)


def test_history_that_fails_gives_what_came_and_why() -> None:
    async def serve(_head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(response(401, CANARY.encode()))

    async def work() -> None:
        async with http_server(serve) as http:
            feed = feed_of("birdeye", told(http), Heard(), many(1))
            async with running(feed.run()):
                history = await feed.history(many(1)[0], "1h", 10)
        assert history.frames == ()
        assert "refuses the key (HTTP 401); check the key and its plan" in history.reason
        assert CANARY not in history.reason

    scenario(work)


# Helius


def replies(peer: Peer, message: bytes) -> None:
    """Answer subscriptions: the first account gets id 100, the second is refused."""
    request: Any = msgspec.json.decode(message)
    if request["method"] != "accountSubscribe":
        return
    if request["params"][0] == VAULTS[0].key:
        answer = {"jsonrpc": "2.0", "result": 100 + len(peer.messages), "id": request["id"]}
    else:
        error = {"code": -32602, "message": "Invalid pubkey " + CANARY}
        answer = {"jsonrpc": "2.0", "error": error, "id": request["id"]}
    peer.say(msgspec.json.encode(answer))


def test_helius_binds_what_it_subscribed_to_and_again_after_a_cut() -> None:
    notification = b'{"jsonrpc":"2.0","method":"accountNotification","params":{}}'

    async def work() -> None:
        script, sink = Script(on_message=replies), Heard()
        async with ws_server(script) as ws:
            feed = feed_of("helius", told(ws=ws), sink, many(1, "helius"))
            async with running(feed.run()):
                await sink.until(lambda: len(sink.binds) == 1)
                script.peers[0].say(notification)
                await sink.until(lambda: len(sink.frames) == 1)
                script.peers[0].cut()
                await sink.until(lambda: len(sink.binds) == 2)
                health = feed.health(0)
        assert sink.binds[0] == (2, "101", 0, "base_vault")
        assert sink.frames[0][:2] == (2, notification)
        assert health.rejected["subscription_refused"] >= 1
        assert "helius refuses quote_vault " + VAULTS[1].key in sink.statuses[0].reason
        assert health.reconnects == 1
        assert CANARY not in f"{health} {sink.statuses}"
        said = msgspec.json.decode(script.peers[1].messages[0])
        assert said["params"][1] == {"encoding": "base64", "commitment": "confirmed"}

    scenario(work)
