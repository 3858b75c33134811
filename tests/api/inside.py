"""The application inside the test's own process: requests and sockets without a server."""

import asyncio
from pathlib import Path
from typing import Any, Self

import httpx
import msgspec

from utb.adapters.clocks import SystemClock
from utb.api.app import build
from utb.api.world import Place, World
from utb.config.instruments import instruments
from utb.config.load import parse_text
from utb.telemetry.replica import Replica


class Inside:
    """One application, over a replica before its first record."""

    def __init__(self, text: str = "", state_dir: Path = Path("state")) -> None:
        config = parse_text(text)
        place = Place(state_dir=state_dir, config_shown={}, version="test")
        self.world = World(config, place, SystemClock(), Replica(instruments(config)))
        self.app: Any = build(self.world)

    async def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Return the answer to one request."""
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.request(method, path, **more)

    async def details(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        """Return the details of the answer to one request, which must be an error."""
        response = await self.ask(method, path, **more)
        assert response.status_code >= 400, response.text
        found: dict[str, Any] = response.json()["error"]["details"]
        return found


class Line:
    """One WebSocket connection to an application, as ASGI messages."""

    def __init__(self, app: Any, path: str = "/ws", **headers: str) -> None:
        named = {"host": "localhost"} | headers
        self.scope: dict[str, Any] = {
            "type": "websocket",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": [(k.replace("_", "-").encode(), v.encode()) for k, v in named.items()],
            "client": ("127.0.0.1", 1),
            "extensions": {"websocket.http.response": {}},
        }
        self._app = app
        self._to: asyncio.Queue[Any] = asyncio.Queue()
        self._from: asyncio.Queue[Any] = asyncio.Queue()

    async def __aenter__(self) -> Self:
        self._to.put_nowait({"type": "websocket.connect"})
        running = self._app(self.scope, self._to.get, self._from.put)
        self._task = asyncio.create_task(running)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._to.put_nowait({"type": "websocket.disconnect", "code": 1000})
        async with asyncio.timeout(10):
            await self._task

    async def message(self) -> Any:
        """Return the next ASGI message of the application."""
        async with asyncio.timeout(10):
            return await self._from.get()

    async def hear(self) -> Any:
        """Return the next text, as JSON."""
        while (message := await self.message())["type"] != "websocket.send":
            assert message["type"] == "websocket.accept", message
        return msgspec.json.decode(message["text"])

    async def say(self, said: str | bytes) -> Any:
        """Send a frame and return what is heard next."""
        kind = "text" if isinstance(said, str) else "bytes"
        self._to.put_nowait({"type": "websocket.receive", kind: said})
        return await self.hear()
