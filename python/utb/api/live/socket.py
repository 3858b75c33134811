"""The one handler of `/ws`."""

import asyncio
from typing import Any, Final

import msgspec
import structlog
from litestar import WebSocket, websocket
from litestar.exceptions import WebSocketDisconnect

from utb.api.errors import ApiError, Code, invalid, of_message, value_of
from utb.api.keys import Caller, Scope
from utb.api.live.hub import CLIENTS_MAX, Client
from utb.api.live.schemas import Ask, Channel
from utb.api.world import FromWorld, World
from utb.serving.server import taken

MESSAGES_PER_WINDOW: Final = 100
WINDOW_NS: Final = 10_000_000_000
"""A client says at most this much; then it is asked to wait, and ended if it does not."""
AUTH_WAIT_S: Final = 10.0
SEND_S: Final = 5.0
"""Time a client has to take one message; then its connection is aborted."""
POLICY: Final = 1008
TRY_AGAIN: Final = 1013

log = structlog.get_logger()
_ASK: Final = msgspec.json.Decoder(Ask)
_SHOWN: Final = frozenset({"action", "channels", "since"})
"""Fields whose wrong value a client is shown."""


@websocket("/ws", include_in_schema=False)
async def live(socket: WebSocket[Any, Any, Any], world: FromWorld) -> None:
    """Serve one client until it leaves, is too slow or breaks the rules."""
    await socket.accept()
    client = world.hub.join()
    if client is None:
        error = ApiError(
            Code.API_RATE_LIMIT, "Too many connections", {"limit": CLIENTS_MAX, "retry_after": None}
        )
        if await taken(socket.send_data(error.body.decode()), socket.scope, SEND_S):
            closing = socket.close(code=TRY_AGAIN, reason="too many connections")
            await taken(closing, socket.scope, SEND_S)
        return
    session = _Session(socket, world, client)
    try:
        await session.run()
    finally:
        world.hub.leave(client)


class _Session:
    """One client's conversation."""

    def __init__(self, socket: WebSocket[Any, Any, Any], world: World, client: Client) -> None:
        self._socket = socket
        self._world = world
        self._client = client
        caller = socket.scope.get("utb.caller")
        self._caller = caller if isinstance(caller, Caller) else None
        self._window_ns = world.clock.elapsed_ns()
        self._said = 0

    async def run(self) -> None:
        """Listen and tell at the same time; whichever ends first ends both."""
        tasks = {asyncio.create_task(self._listen()), asyncio.create_task(self._tell())}
        if self._caller is None:
            tasks.add(asyncio.create_task(self._expect_key()))
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
        for error in ended:
            gone = isinstance(error, (WebSocketDisconnect, asyncio.CancelledError))
            if isinstance(error, BaseException) and not gone:
                raise error
        del done

    async def _expect_key(self) -> None:
        await asyncio.sleep(AUTH_WAIT_S)
        if self._caller is None:
            await self._close(POLICY, "no key came")
            return
        await asyncio.Event().wait()

    async def _tell(self) -> None:
        client = self._client
        while not client.dropped:
            for message in await client.take():
                sending = self._socket.send_data(message.decode())
                if not await taken(sending, self._socket.scope, SEND_S):
                    self._world.traffic.clients_dropped += not client.dropped
                    log.warning("a WebSocket client takes nothing and is cut off")
                    return
                if client.dropped:
                    break
        await self._close(TRY_AGAIN, "too slow")

    async def _listen(self) -> None:
        while True:
            said = await self._next()
            if self._is_flood():
                await self._close(POLICY, "too many messages")
                return
            try:
                self._answer(self._act(said))
            except ApiError as error:
                self._world.traffic.errors_by_code[error.code] += 1
                self._answer(error.body)
                if error.code is Code.UNAUTHORIZED:
                    await asyncio.sleep(0.5)
                    await self._close(POLICY, "the key is not valid")
                    return

    async def _next(self) -> str | bytes:
        message: Any = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(detail="the client left", code=message["code"])
        text = message.get("text")
        return message.get("bytes") or b"" if text is None else str(text)

    def _answer(self, body: bytes) -> None:
        self._client.put(body)

    def _act(self, said: str | bytes) -> bytes:
        if isinstance(said, bytes):
            raise invalid("message", None, "a text frame", "Send JSON as text, not as bytes")
        try:
            ask = _ASK.decode(said)
        except msgspec.DecodeError as error:
            # Only these are shown again: another field may hold a key
            raise of_message(
                error,
                lambda _, field: value_of(said.encode(), field) if field in _SHOWN else None,
            ) from error
        if ask.action == "auth":
            return self._auth(ask.key)
        if ask.action == "ping":
            return b'{"event":"pong"}'
        if ask.action not in {"subscribe", "unsubscribe"}:
            raise invalid("action", ask.action, "auth, subscribe, unsubscribe or ping")
        if self._caller is None:
            raise ApiError(Code.UNAUTHORIZED, "Send the key first", {"action": "auth"})
        if Scope.READ not in self._caller.scopes:
            raise ApiError(Code.FORBIDDEN, "This key may not read", {"scope": Scope.READ})
        channels = [_channel(name) for name in ask.channels]
        more = {}
        if ask.action == "subscribe":
            more = self._world.hub.subscribe(self._client, channels, ask.since)
        else:
            self._client.channels.difference_update(channels)
        return msgspec.json.encode({"event": f"{ask.action}d", "channels": channels, **more})

    def _auth(self, key: str | None) -> bytes:
        if self._caller is None:
            self._caller = self._world.keys.find(key or "", self._world.clock.now_ns())
        if self._caller is None:
            raise ApiError(Code.UNAUTHORIZED, "The key is not valid", {"action": "auth"})
        return msgspec.json.encode({"event": "authenticated", "key": self._caller.name})

    def _is_flood(self) -> bool:
        now_ns = self._world.clock.elapsed_ns()
        if now_ns - self._window_ns > WINDOW_NS:
            self._window_ns, self._said = now_ns, 0
        self._said += 1
        return self._said > MESSAGES_PER_WINDOW

    async def _close(self, code: int, reason: str) -> None:
        closing = self._socket.close(code=code, reason=reason)
        await taken(closing, self._socket.scope, SEND_S)


def _channel(name: str) -> Channel:
    try:
        return Channel(name)
    except ValueError:
        raise invalid("channels", name, f"some of {', '.join(Channel)}") from None
