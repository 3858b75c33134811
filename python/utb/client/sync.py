"""`UltimateTradingBotClient`."""

from decimal import Decimal
from types import TracebackType
from typing import Any, Self

import httpx

from utb.client.wire import (
    BASE_URL,
    LOST,
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
    trade,
)


class UltimateTradingBotClient:
    """The API as methods; use it as a context, or call `close`."""

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
        self._http = httpx.Client()

    @property
    def base_url(self) -> str:
        """Return where requests go."""
        return self._wire.base_url

    @property
    def headers(self) -> dict[str, str]:
        """Return the headers of every request."""
        return self._wire.headers

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _ask(self, asked: Asked) -> Json:
        found: Json = self._fetch(asked)
        return found

    def _fetch(self, asked: Asked) -> Any:
        arguments = self._wire.arguments(asked)
        try:
            try:
                response = self._http.request(**arguments)
            except LOST:
                response = self._http.request(**arguments)
        except httpx.TransportError as error:
            raise ConnectionFailed(str(error) or type(error).__name__) from error
        return answer(response)

    # Looking

    def get_status(self) -> Json:
        """Return the bot in one look."""
        return self._ask(get("/status"))

    def get_summary(self) -> Json:
        """Return the top bar."""
        return self._ask(get("/summary"))

    def get_positions(self) -> Json:
        """Return the open positions."""
        return self._ask(get("/positions"))

    def get_performance(self) -> Json:
        """Return the performance figures."""
        return self._ask(get("/performance"))

    def get_trades(self, limit: int = 50, offset: int = 0, *, symbol: str | None = None) -> Json:
        """Return closed trades, newest first."""
        return self._ask(get("/trades", limit=limit, offset=offset, symbol=symbol))

    def get_trade(self, trade_id: str) -> Json:
        """Return a trade with its timeline."""
        return self._ask(get(f"/trades/{part(trade_id)}"))

    def get_config(self) -> Json:
        """Return the effective configuration."""
        return self._ask(get("/config"))

    def get_risk(self) -> Json:
        """Return risk in one look."""
        return self._ask(get("/risk"))

    def get_risk_limits(self) -> Json:
        """Return the limits that apply."""
        return self._ask(get("/risk/limits"))

    def get_risk_assessment(self) -> Json:
        """Return risk in detail."""
        return self._ask(get("/risk/assessment"))

    def get_instruments(self) -> Json:
        """Return the instruments with their prices."""
        return self._ask(get("/instruments"))

    def get_bars(
        self, symbol: str, timeframe: str = "15m", limit: int = 500, *, before: str | None = None
    ) -> Json:
        """Return bars, oldest first."""
        asked = get("/bars", symbol=symbol, timeframe=timeframe, limit=limit, before=before)
        return self._ask(asked)

    def get_votes(self, symbol: str) -> Json:
        """Return the eight votes of an instrument."""
        return self._ask(get("/votes", symbol=symbol))

    def get_strategies(self) -> Json:
        """Return every strategy with its results."""
        return self._ask(get("/strategies/performance"))

    def get_strategy(self, name: str) -> Json:
        """Return one strategy in detail."""
        return self._ask(get(f"/strategies/{part(name)}"))

    def get_orders(self, limit: int = 50) -> Json:
        """Return orders, newest first."""
        return self._ask(get("/orders", limit=limit))

    def get_decisions(self, limit: int = 50, *, symbol: str | None = None) -> Json:
        """Return decisions, newest first."""
        return self._ask(get("/decisions", limit=limit, symbol=symbol))

    def get_refusals(self, limit: int = 50) -> Json:
        """Return refusals, newest first."""
        return self._ask(get("/refusals", limit=limit))

    def get_alerts(self, limit: int = 50) -> Json:
        """Return alerts, newest first."""
        return self._ask(get("/alerts", limit=limit))

    def get_equity(self, limit: int = 1_000) -> list[Json]:
        """Return equity over time, oldest first."""
        points: list[Json] = self._fetch(get("/equity", limit=limit))
        return points

    def get_latency(self) -> Json:
        """Return the durations of the hot path's stages."""
        return self._ask(get("/latency"))

    def get_feeds(self) -> Json:
        """Return the feeds."""
        return self._ask(get("/feeds"))

    def get_health(self) -> Json:
        """Return health in a word; also while it is DOWN."""
        return self._ask(get("//health"))

    # Acting

    def place_trade(  # noqa: PLR0913 - a trade's own fields
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
        return self._ask(trade(symbol, side, size, order_type, more))

    def close_position(
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
        return self._ask(close(position_id, fraction, idempotency_key))

    def close_all(self) -> Json:
        """Sell every position."""
        return self._ask(post("/positions/close_all"))

    def pause(self) -> Json:
        """Stop entries."""
        return self._ask(post("/pause"))

    def resume(self) -> Json:
        """Trade again."""
        return self._ask(post("/resume"))

    def safe_mode(self) -> Json:
        """Allow only reducing orders."""
        return self._ask(post("/safe_mode"))

    def emergency_stop(self) -> Json:
        """Close everything and refuse entries until a reset."""
        return self._ask(post("/emergency_stop"))

    def reset(self) -> Json:
        """Leave the emergency stop."""
        return self._ask(post("/reset"))
