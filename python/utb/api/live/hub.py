"""Publishes news to subscribers: encoded once, queued per client, a full queue ends the client."""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Any, Final

import msgspec
import structlog

from utb.api.live.schemas import Channel, FillNews, MarketNews, Message
from utb.api.market.views import bar_row
from utb.api.market.votes import decision, rows
from utb.api.orders.views import alert_row
from utb.api.positions.views import positions
from utb.api.shown import as_of, fill_price, timeframe_of, trade_id, when
from utb.api.status.views import summary
from utb.api.trades.views import row as trade_row
from utb.api.world import World
from utb.domain.amounts import units_of
from utb.domain.market import Instrument
from utb.domain.orders import Trade
from utb.domain.records import FillBooked, TriggerArmed, TriggerMovedRecord
from utb.telemetry.market import TIMEFRAMES, Bar
from utb.telemetry.replica import Change

QUEUE_MESSAGES: Final = 256
"""Messages a client may be behind; one more and it is dropped."""
KEPT: Final = 1_000
"""Messages of `trades` and `alerts` that `since` can ask for."""
WAITING_MAX: Final = KEPT + QUEUE_MESSAGES
"""Messages that wait for a client, those of one `since` among them."""
REPEATED: Final = (Channel.TRADES, Channel.ALERTS)
"""Channels of which `since` sends again what is kept."""
CLIENTS_MAX: Final = 64
TICK_S: Final = 0.2
"""Market and positions are sent at most this often."""
TICKS_PER_SECOND: Final = 5

log = structlog.get_logger()


class Client:
    """One connection's subscriptions and what waits for it."""

    def __init__(self) -> None:
        self.channels: set[Channel] = set()
        self.dropped = False
        self._queue: asyncio.Queue[Sequence[bytes]] = asyncio.Queue(QUEUE_MESSAGES)
        self._waiting = 0

    def put(self, *messages: bytes) -> bool:
        """Queue messages; return False the first time there is no room.

        Several at a time are one in the queue: what was asked for at once is not being slow.
        """
        if self.dropped:
            return True
        self._waiting += len(messages)
        if self._queue.full() or self._waiting > WAITING_MAX:
            self.dropped = True
            # It is behind already: it hears no more of this than that it is dropped
            while not self._queue.empty():
                self._queue.get_nowait()
            messages = ()
        self._queue.put_nowait(messages)
        return not self.dropped

    async def take(self) -> Sequence[bytes]:
        """Wait for the next messages and return them; none when it is dropped."""
        messages = await self._queue.get()
        self._waiting -= len(messages)
        return messages


class Hub:
    """Turns what the follower hears into messages."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._clients: set[Client] = set()
        self._kept: deque[tuple[int, Channel, bytes]] = deque()
        self._gone: dict[Channel, int] | None = None
        """Sequence of the newest message that is kept no more; None until the past is known."""
        self._moved: set[int] = set()
        """Instruments with news since the last tick."""
        self._closed: dict[int, Bar] = {}
        self._positions_changed = False

    # Clients

    def join(self) -> Client | None:
        """Return a new client, or None when there are too many."""
        if len(self._clients) >= CLIENTS_MAX:
            return None
        client = Client()
        self._clients.add(client)
        self._world.traffic.clients = len(self._clients)
        return client

    def leave(self, client: Client) -> None:
        """Forget a client."""
        self._clients.discard(client)
        self._world.traffic.clients = len(self._clients)

    def subscribe(
        self, client: Client, channels: Sequence[Channel], since: int | None
    ) -> dict[str, Any]:
        """Subscribe, and send what is known now, or what came since.

        Returns:
            What the confirmation says beside the channels: that not everything is kept any more.
        """
        client.channels.update(channels)
        known = [] if since is None else self._since(channels, since)
        if Channel.POSITIONS in channels:
            known.append(self._encode(Channel.POSITIONS, positions(self._world)))
        if Channel.PERFORMANCE in channels:
            known.append(self._encode(Channel.PERFORMANCE, summary(self._world)))
        if Channel.MARKET in channels:
            known += (
                self._encode(Channel.MARKET, self._market(instrument, None))
                for instrument in self._world.replica.instruments
            )
        if known:
            client.put(*known)
        return {} if since is None else self._lacking(channels, since)

    def _since(self, channels: Sequence[Channel], since: int) -> list[bytes]:
        return [
            message for seq, channel, message in self._kept if seq > since and channel in channels
        ]

    def _lacking(self, channels: Sequence[Channel], since: int) -> dict[str, Any]:
        """Return what to say where `since` cannot be answered in full."""
        asked = [channel for channel in channels if channel in REPEATED]
        if not asked:
            return {}
        if self._gone is None:
            return {"complete": False, "from_seq": None}
        first = max(self._gone.get(channel, 0) for channel in asked) + 1
        # A sequence that we have not come to is one of another journal
        if first <= since + 1 <= self._world.replica.seq + 1:
            return {}
        return {"complete": False, "from_seq": first}

    # What the follower tells

    def on_change(self, change: Change) -> None:
        """Publish a record's news at once."""
        record = change.record
        if isinstance(record, FillBooked):
            self._keep(change.seq, Channel.TRADES, self._fill(record))
            self._positions_changed = True
        elif isinstance(record, (TriggerArmed, TriggerMovedRecord)):
            self._positions_changed = True
        if change.trade is not None:
            closed = self._closed_news(change.trade)
            self._keep(change.seq, Channel.TRADES, closed)
            log.info("TRADE", **_flat(closed))
            log.info("PERFORMANCE", **self._figures())
        if change.alert is not None:
            self._keep(change.seq, Channel.ALERTS, alert_row(change.alert))

    def on_past(self, changes: Sequence[Change], before: int) -> None:
        """Keep what happened before anybody could be told, for `since`."""
        self._kept.clear()
        self._gone = dict.fromkeys(REPEATED, before)
        for change in changes:
            record = change.record
            told = when(record.ts_ns)
            news: list[tuple[Channel, Any]] = []
            if isinstance(record, FillBooked):
                news.append((Channel.TRADES, self._fill(record)))
            if change.trade is not None:
                news.append((Channel.TRADES, self._closed_news(change.trade)))
            if change.alert is not None:
                news.append((Channel.ALERTS, alert_row(change.alert)))
            for channel, data in news:
                message = Message(channel=channel, seq=change.seq, timestamp=told, data=data)
                self._remember(change.seq, channel, msgspec.json.encode(message))

    def on_view(self, instrument: int) -> None:
        """Remember that an instrument has news."""
        self._moved.add(instrument)

    def on_bars(self, bars: Sequence[tuple[int, int, Bar]]) -> None:
        """Remember closed bars of the strategy timeframe."""
        for instrument, timeframe, bar in bars:
            own = timeframe_of(self._world.replica, self._world, instrument)
            if TIMEFRAMES[timeframe] == own:
                self._closed[instrument] = bar
                self._moved.add(instrument)

    async def run(self) -> None:
        """Publish market, positions and performance until cancelled."""
        ticks = 0
        while True:
            await asyncio.sleep(TICK_S)
            ticks += 1
            self._tick(whole_second=ticks % TICKS_PER_SECOND == 0)

    def _tick(self, *, whole_second: bool) -> None:
        moved, self._moved = self._moved, set()
        closed, self._closed = self._closed, {}
        if not self._clients:
            return
        known = self._world.replica.instruments
        if self._wanted(Channel.MARKET):
            for index in sorted(moved):
                if index < len(known):
                    news = self._market(known[index], closed.get(index))
                    self._publish(Channel.MARKET, self._encode(Channel.MARKET, news))
        if (self._positions_changed or whole_second) and self._wanted(Channel.POSITIONS):
            self._positions_changed = False
            found = self._encode(Channel.POSITIONS, positions(self._world))
            self._publish(Channel.POSITIONS, found)
        if whole_second and self._wanted(Channel.PERFORMANCE):
            found = self._encode(Channel.PERFORMANCE, summary(self._world))
            self._publish(Channel.PERFORMANCE, found)

    # Messages

    def _wanted(self, channel: Channel) -> bool:
        return any(channel in client.channels for client in self._clients)

    def _keep(self, seq: int, channel: Channel, data: Any) -> None:
        message = self._encode(channel, data, seq)
        self._remember(seq, channel, message)
        self._publish(channel, message)

    def _remember(self, seq: int, channel: Channel, message: bytes) -> None:
        self._kept.append((seq, channel, message))
        if len(self._kept) > KEPT:
            gone, left, _ = self._kept.popleft()
            if self._gone is not None:
                self._gone[left] = gone

    def _publish(self, channel: Channel, message: bytes) -> None:
        for client in self._clients:
            if channel in client.channels and not client.put(message):
                self._world.traffic.clients_dropped += 1
                log.warning("a WebSocket client is too slow and is dropped", channel=channel)

    def _encode(self, channel: Channel, data: Any, seq: int | None = None) -> bytes:
        return msgspec.json.encode(
            Message(
                channel=channel,
                seq=self._world.replica.seq if seq is None else seq,
                timestamp=as_of(self._world),
                data=data,
            )
        )

    def _market(self, instrument: Instrument, closed: Bar | None) -> MarketNews:
        world = self._world
        view = world.replica.market.view(instrument.index)
        mark = world.replica.market.mark(instrument.index)
        forming = None if view is None else view.forming
        evaluation = None if view is None else view.evaluation
        return MarketNews(
            symbol=instrument.symbol,
            price=None if mark is None else mark[0],
            ts=None if mark is None else when(mark[1]),
            timeframe=timeframe_of(world.replica, world, instrument.index),
            forming=None if forming is None else bar_row(forming),
            closed=None if closed is None else bar_row(closed),
            regime=None if view is None else view.regime,
            bar_time=None if evaluation is None else when(evaluation.bar_open_ns),
            votes=rows(world, view),
            decision=decision(world, instrument, evaluation),
        )

    def _closed_news(self, trade: Trade) -> dict[str, Any]:
        instrument = self._world.replica.instruments[trade.instrument]
        return {"kind": "trade", **msgspec.structs.asdict(trade_row(trade, instrument))}

    def _fill(self, record: FillBooked) -> FillNews:
        fill, replica = record.fill, self._world.replica
        instrument = replica.instruments[fill.instrument]
        return FillNews(
            id=fill.intent_id,
            trade_id=trade_id(fill.position_id),
            symbol=instrument.symbol,
            side=fill.side.value,
            size=units_of(fill.base_raw, instrument.base_decimals),
            price=fill_price(fill, instrument),
            fees=replica.quote_units(fill.pool_fee_quote_raw + record.fee_quote_raw),
            timestamp=when(fill.ts_ns),
            strategy=fill.lead,
            reason=fill.lead if fill.exit_reason is None else fill.exit_reason.value,
        )

    def _figures(self) -> dict[str, Any]:
        found = self._world.performance()
        names = ("total_trades", "win_rate", "total_pnl", "profit_factor", "max_drawdown")
        return {name: getattr(found, name) for name in names}


def _flat(closed: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(closed)
    told["market_time"] = told.pop("timestamp")
    return told
