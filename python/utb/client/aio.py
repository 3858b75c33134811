"""`AsyncUltimateTradingBotClient`."""

from collections.abc import AsyncGenerator, Sequence
from decimal import Decimal
from types import TracebackType
from typing import Any, Self

import httpx
import msgspec
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus, WebSocketException

from utb.client.wire import (
    BASE_URL,
    LOST,
    SAID,
    TIMEOUT_S,
    Asked,
    ConnectionFailed,
    Json,
    Wire,
    answer,
    close,
    get,
    part,
    post,
    refusal,
    trade,
)


class AsyncUltimateTradingBotClient:
    """The same for asyncio; use it as an asynchronous context, or await `close`."""

    def __init__(
        self,
        base_url: str = BASE_URL,
        api_key: str | None = None,
        *,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        """Talk to the API at `base_url`.

        Args:
            base_url: With the version.
            api_key: If the server wants one.
            timeout_s: For an answer; a command's is waited for 15 s at least.
        """
        self._wire = Wire(base_url, api_key, timeout_s)
        self._http = httpx.AsyncClient()

    @property
    def base_url(self) -> str:
        """Return where requests go."""
        return self._wire.base_url

    @property
    def headers(self) -> dict[str, str]:
        """Return the headers of every request."""
        return self._wire.headers

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def _ask(self, asked: Asked) -> Json:
        found: Json = await self._fetch(asked)
        return found

    async def _fetch(self, asked: Asked) -> Any:
        arguments = self._wire.arguments(asked)
        try:
            try:
                response = await self._http.request(**arguments)
            except LOST:
                response = await self._http.request(**arguments)
        except httpx.TransportError as error:
            raise ConnectionFailed(str(error) or type(error).__name__) from error
        return answer(response)

    # Looking

    async def get_status(self) -> Json:
        """Return the bot in one look."""
        return await self._ask(get("/status"))

    async def get_summary(self) -> Json:
        """Return the top bar."""
        return await self._ask(get("/summary"))

    async def get_positions(self) -> Json:
        """Return the open positions."""
        return await self._ask(get("/positions"))

    async def get_performance(self) -> Json:
        """Return the performance figures."""
        return await self._ask(get("/performance"))

    async def get_trades(
        self, limit: int = 50, offset: int = 0, *, symbol: str | None = None
    ) -> Json:
        """Return closed trades, newest first."""
        return await self._ask(get("/trades", limit=limit, offset=offset, symbol=symbol))

    async def get_trade(self, trade_id: str) -> Json:
        """Return a trade with its timeline."""
        return await self._ask(get(f"/trades/{part(trade_id)}"))

    async def get_config(self) -> Json:
        """Return the effective configuration."""
        return await self._ask(get("/config"))

    async def get_risk(self) -> Json:
        """Return risk in one look."""
        return await self._ask(get("/risk"))

    async def get_risk_limits(self) -> Json:
        """Return the limits that apply."""
        return await self._ask(get("/risk/limits"))

    async def get_risk_assessment(self) -> Json:
        """Return risk in detail."""
        return await self._ask(get("/risk/assessment"))

    async def get_instruments(self) -> Json:
        """Return the instruments with their prices."""
        return await self._ask(get("/instruments"))

    async def get_bars(
        self, symbol: str, timeframe: str = "15m", limit: int = 500, *, before: str | None = None
    ) -> Json:
        """Return bars, oldest first."""
        asked = get("/bars", symbol=symbol, timeframe=timeframe, limit=limit, before=before)
        return await self._ask(asked)

    async def get_votes(self, symbol: str) -> Json:
        """Return the eight votes of an instrument."""
        return await self._ask(get("/votes", symbol=symbol))

    async def get_strategies(self) -> Json:
        """Return every strategy with its results."""
        return await self._ask(get("/strategies/performance"))

    async def get_strategy(self, name: str) -> Json:
        """Return one strategy in detail."""
        return await self._ask(get(f"/strategies/{part(name)}"))

    async def get_orders(self, limit: int = 50) -> Json:
        """Return orders, newest first."""
        return await self._ask(get("/orders", limit=limit))

    async def get_decisions(self, limit: int = 50, *, symbol: str | None = None) -> Json:
        """Return decisions, newest first."""
        return await self._ask(get("/decisions", limit=limit, symbol=symbol))

    async def get_refusals(self, limit: int = 50) -> Json:
        """Return refusals, newest first."""
        return await self._ask(get("/refusals", limit=limit))

    async def get_alerts(self, limit: int = 50) -> Json:
        """Return alerts, newest first."""
        return await self._ask(get("/alerts", limit=limit))

    async def get_equity(self, limit: int = 1_000) -> list[Json]:
        """Return equity over time, oldest first."""
        points: list[Json] = await self._fetch(get("/equity", limit=limit))
        return points

    async def get_latency(self) -> Json:
        """Return the durations of the hot path's stages."""
        return await self._ask(get("/latency"))

    async def get_feeds(self) -> Json:
        """Return the feeds."""
        return await self._ask(get("/feeds"))

    async def get_health(self) -> Json:
        """Return health in a word; also while it is DOWN."""
        return await self._ask(get("//health"))

    # Acting

    async def place_trade(  # noqa: PLR0913 - a trade's own fields
        self,
        symbol: str,
        side: str,
        size: float | str | Decimal,
        order_type: str = "MARKET",
        *,
        stop: float | None = None,
        target: float | None = None,
        client_order_id: str | None = None,
    ) -> Json:
        """Place a manual order of a size in base units.

        Raises:
            ApiError: If it is refused.
        """
        more = {"stop": stop, "target": target, "client_order_id": client_order_id}
        return await self._ask(trade(symbol, side, size, order_type, more))

    async def close_position(
        self,
        position_id: str,
        fraction: float | str | Decimal | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> Json:
        """Sell a position, of an id or a symbol, or a fraction of it.

        Args:
            position_id: Id or symbol.
            fraction: Part of the open size, all of it by default.
            idempotency_key: To give the same close again after a `ConnectionFailed`.
        """
        return await self._ask(close(position_id, fraction, idempotency_key))

    async def close_all(self) -> Json:
        """Sell every position."""
        return await self._ask(post("/positions/close_all"))

    async def pause(self) -> Json:
        """Stop entries."""
        return await self._ask(post("/pause"))

    async def resume(self) -> Json:
        """Trade again."""
        return await self._ask(post("/resume"))

    async def safe_mode(self) -> Json:
        """Allow only reducing orders."""
        return await self._ask(post("/safe_mode"))

    async def emergency_stop(self) -> Json:
        """Close everything and refuse entries until a reset."""
        return await self._ask(post("/emergency_stop"))

    async def reset(self) -> Json:
        """Leave the emergency stop."""
        return await self._ask(post("/reset"))

    # Hearing

    async def listen(
        self, channels: Sequence[str], *, since: int | None = None
    ) -> AsyncGenerator[Json]:
        """Yield what is new on channels of `/ws` until the connection ends.

        Leave it early with `contextlib.aclosing`, which closes the connection at once.

        Args:
            channels: Some of trades, positions, performance, alerts, market.
            since: Send again what came after this sequence on trades and alerts. Where not all of
                it is kept, the confirmation is yielded too: `{"event": "subscribed", ...,
                "complete": False, "from_seq": N}`.

        Raises:
            ApiError: If the connection or the subscription is refused.
            ConnectionFailed: If the API is not reached, or the connection breaks.
        """
        connecting = connect(
            self._wire.socket_url, additional_headers=self._wire.headers, compression=None
        )
        ask = {"action": "subscribe", "channels": list(channels), "since": since}
        try:
            async with connecting as socket:
                await socket.send(msgspec.json.encode(ask).decode())
                async for text in socket:
                    message = msgspec.json.decode(text)
                    if "error" in message:
                        raise refusal(SAID.get(message["error"]["code"], 400), message)
                    if "channel" in message or message.get("complete") is False:
                        yield message
        except InvalidStatus as error:
            response = error.response
            answer(httpx.Response(response.status_code, content=bytes(response.body or b"")))
            raise ConnectionFailed(f"status {response.status_code} of /ws") from error
        except (OSError, WebSocketException) as error:
            raise ConnectionFailed(str(error) or type(error).__name__) from error
