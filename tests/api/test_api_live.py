"""`/ws`: every channel, and what happens to a client that does not keep up."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Any

import pytest
from running import Bot, buy_something
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from utb.api.live.hub import KEPT, QUEUE_MESSAGES, Client
from utb.client import AsyncUltimateTradingBotClient, UltimateTradingBotClient

SUMMARY = {"status", "mode", "equity", "today", "drawdown", "heat", "positions", "reasons"}
MARKET = {"symbol", "price", "ts", "forming", "closed", "votes", "decision", "timeframe"}


GUIDE = """{
    "action": "subscribe",
    "channels": ["trades", "positions", "performance", "alerts", "market"]
}"""


def talk(bot: Bot, talking: Callable[[ClientConnection], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        url = bot.address.replace("http", "ws") + "/ws"
        async with asyncio.timeout(40), connect(url, proxy=None) as ws:
            return await talking(ws)

    return asyncio.run(run())


async def say(ws: ClientConnection, **message: Any) -> Any:
    await ws.send(json.dumps(message))
    return json.loads(await ws.recv())


def test_guide_subscription_is_confirmed_and_served(bot: Bot) -> None:
    """The guide's own message; prices move on, so every channel but `alerts` speaks soon."""

    async def talking(ws: ClientConnection) -> dict[str, Any]:
        await ws.send(GUIDE)
        heard: dict[str, Any] = {}
        while {"subscribed", "positions", "performance", "market"} - heard.keys():
            message = json.loads(await ws.recv())
            heard[message.get("channel") or message["event"]] = message
        return heard

    heard = talk(bot, talking)
    for name in ("positions", "performance", "market"):
        assert heard[name].keys() == {"channel", "seq", "timestamp", "data"}
    assert heard["performance"]["data"].keys() >= SUMMARY
    assert heard["market"]["data"].keys() >= MARKET
    assert len(heard["market"]["data"]["votes"]) == 8
    assert heard["positions"]["data"].keys() >= {"positions", "as_of"}


def test_market_comes_at_most_five_times_a_second_per_instrument(bot: Bot) -> None:
    async def talking(ws: ClientConnection) -> list[str]:
        await say(ws, action="subscribe", channels=["market"])
        symbols: list[str] = []
        loop = asyncio.get_running_loop()
        end = loop.time() + 3.0
        while loop.time() < end:
            message = json.loads(await ws.recv())
            if message.get("channel") == "market":
                symbols.append(message["data"]["symbol"])
        return symbols

    symbols = talk(bot, talking)
    # 3 s at 5 a second, the one at the start, and one of timing
    assert max(symbols.count(symbol) for symbol in set(symbols)) <= 17


def test_ping_unsubscribe_and_errors(bot: Bot) -> None:
    async def talking(ws: ClientConnection) -> list[Any]:
        return [
            await say(ws, action="ping"),
            await say(ws, action="unsubscribe", channels=["trades"]),
            await say(ws, action="dance"),
            await say(ws, action="subscribe", channels=["gossip"]),
            await say(ws, channels=["trades"]),
            await say(ws, action="subscribe", channels="trades"),
        ]

    pong, gone, dance, gossip, missing, text = talk(bot, talking)
    assert pong == {"event": "pong"}
    assert gone == {"event": "unsubscribed", "channels": ["trades"]}
    for error, field in ((dance, "action"), (gossip, "channels"), (missing, "action")):
        assert error["error"]["code"] == "INVALID_PARAMETER"
        assert error["error"]["details"]["field"] == field
    assert text["error"]["code"] == "INVALID_PARAMETER"


def test_fills_since_a_sequence_come_again(bot: Bot) -> None:
    bought = buy_something(bot)

    async def talking(ws: ClientConnection) -> list[Any]:
        await ws.send(json.dumps({"action": "subscribe", "channels": ["trades"], "since": 0}))
        found: list[Any] = []
        while True:
            message = json.loads(await ws.recv())
            if message.get("event") == "subscribed":
                return found
            found.append(message)

    fills = [m["data"] for m in talk(bot, talking) if m["data"]["kind"] == "fill"]
    mine = [fill for fill in fills if fill["id"] == bought["order_id"]]
    assert len(mine) == 1
    assert mine[0]["size"] == bought["filled_size"]
    assert mine[0]["price"] == pytest.approx(bought["price"])
    assert mine[0]["side"] == "BUY"


def test_chatter_ends_the_connection(bot: Bot) -> None:
    async def talking(ws: ClientConnection) -> int:
        try:
            for _ in range(150):
                await ws.send('{"action": "ping"}')
            while True:
                await ws.recv()
        except ConnectionClosed as error:
            return error.rcvd.code if error.rcvd is not None else 0

    assert talk(bot, talking) == 1008


def test_long_message_ends_the_connection(bot: Bot) -> None:
    async def talking(ws: ClientConnection) -> int:
        try:
            await ws.send("x" * 100_000)
            await ws.recv()
        except ConnectionClosed as error:
            return error.rcvd.code if error.rcvd is not None else 0
        return 1

    assert talk(bot, talking) == 1009


async def test_client_that_does_not_keep_up_is_dropped() -> None:
    """Its queue holds so many messages; the next one marks it, and nothing more is kept."""
    client = Client()
    assert all(client.put(b"x") for _ in range(QUEUE_MESSAGES))
    assert not client.put(b"x")
    assert client.dropped
    assert all(client.put(b"x") for _ in range(1_000))
    assert await client.take() == ()


async def test_everything_that_is_kept_can_be_asked_for_at_once() -> None:
    """Of a thousand messages since a sequence none is lost, and nobody is dropped for them."""
    client = Client()
    kept = [b"%d" % number for number in range(KEPT)]
    assert client.put(b"before")
    assert client.put(*kept)
    assert client.put(b"after")
    heard = [await client.take() for _ in range(3)]
    assert [message for messages in heard for message in messages] == [b"before", *kept, b"after"]
    for _ in range(3):
        assert client.put(*kept)
        assert len(await client.take()) == KEPT
    assert client.put(*kept)
    assert not client.put(*kept)
    assert client.dropped


def test_asynchronous_client_listens(bot: Bot) -> None:
    async def run() -> Any:
        async with (
            asyncio.timeout(30),
            AsyncUltimateTradingBotClient(f"{bot.address}/api/v1") as client,
        ):
            status = await client.get_status()
            async with aclosing(client.listen(["performance"])) as heard:
                return status, await anext(heard)

    status, message = asyncio.run(run())
    assert status["version"].startswith("ULTIMATE-")
    assert message["channel"] == "performance"


def test_both_clients_have_the_same_methods() -> None:
    def public(kind: type) -> set[str]:
        return {name for name in vars(kind) if not name.startswith("_")}

    assert public(AsyncUltimateTradingBotClient) - public(UltimateTradingBotClient) == {"listen"}
    assert public(UltimateTradingBotClient) <= public(AsyncUltimateTradingBotClient)
