"""A run in another process, watched over the seam: what the panel shows, folded from messages."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from utb.adapters.seam.client import SeamClient, socket_path
from utb.cli.panel import Status, describe, position_line
from utb.domain.records import Decision, Record, Refused
from utb.domain.seam import FromTrader, Hello, Pulse, Records, View
from utb.errors import TransientError
from utb.ledger.book import Book
from utb.storage.encoding import decode_record
from utb.storage.readers import read_records

ATTACH_EVERY_S: Final = 0.1


class _Evaluation(msgspec.Struct, frozen=True):
    hold: str | None = None


class _View(msgspec.Struct, frozen=True):
    """What the panel needs of an instrument's view."""

    price: float | None = None
    evaluation: _Evaluation | None = None


_VIEW: Final = msgspec.json.Decoder(_View)


class Watch:
    """What is known of a trading process, from its records on."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self.seq = 0
        """Last record taken."""
        self.pulse: Pulse | None = None
        self._hello: Hello | None = None
        self._book = Book(())
        self._trades = 0
        self._last: Record | None = None
        self._views: dict[int, _View] = {}

    def greet(self, hello: Hello) -> None:
        """Take a greeting, and catch up from the journal's file."""
        if self._hello is None:
            self._book = Book(hello.instruments)
        self._hello = hello
        if hello.seq > self.seq:
            for seq, _, record in read_records(Path(hello.journal), self.seq, hello.seq):
                self._record(seq, record)

    def take(self, message: FromTrader) -> None:
        """Take one message."""
        match message:
            case Records():
                for seq, payload in enumerate(message.payloads, start=message.first_seq):
                    if seq > self.seq:
                        self._record(seq, decode_record(payload))
            case Pulse():
                self.pulse = message
            case View():
                self._views[message.instrument] = _VIEW.decode(message.view)
            case _:
                return

    def status(self, footer: str = "") -> Status | None:
        """Return what the panel shows, or None before the first pulse."""
        hello, pulse = self._hello, self.pulse
        if hello is None or pulse is None:
            return None
        instruments = hello.instruments
        views = self._views
        prices = {index: view.price for index, view in views.items()}
        return Status(
            now_ns=pulse.ts_ns,
            span_ns=hello.span_ns,
            operator="RECOVERING" if pulse.recovering else pulse.operator.value,
            equity=pulse.equity,
            peak=pulse.peak,
            trades=self._trades,
            positions=tuple(
                position_line(
                    position, instruments[position.instrument], prices.get(position.instrument)
                )
                for position in self._book.positions.values()
            ),
            last=describe(self._last, instruments),
            holds={
                instruments[index].symbol: view.evaluation.hold
                for index, view in sorted(views.items())
                if view.evaluation is not None
            },
            footer=footer,
        )

    def _record(self, seq: int, record: Record) -> None:
        self.seq = seq
        if self._book.apply(record) is not None:
            self._trades += 1
        if isinstance(record, Decision | Refused):
            self._last = record


async def follow(
    state_dir: Path,
    watch: Watch,
    on_news: Callable[[Watch], None],
    *,
    reader: str,
    records: bool = True,
) -> None:
    """Watch the trading process of a state directory until cancelled, across its restarts.

    Args:
        state_dir: Whose process.
        watch: Takes what comes.
        on_news: Called after each pulse.
        reader: Who reads, for logs.
        records: Whether records are wanted, or only the second lane.
    """
    path = socket_path(state_dir)
    while True:
        try:
            async with await SeamClient.open(path, reader=reader, records=records) as seam:
                if records:
                    watch.greet(seam.hello)
                async for message in seam:
                    watch.take(message)
                    if isinstance(message, Pulse):
                        on_news(watch)
        except TransientError:
            # Not up yet, restarting, or over: who watches cannot help it.
            await asyncio.sleep(ATTACH_EVERY_S)
