"""Recorded bars as a feed: records for replay inside the core, or frames for its decoders.

Both forms carry the same events: a bar enters as open, low, high, close (open, high, low, close
if it closed down) at 0, 1/3, 2/3 of its span and its last nanosecond, its volume with the close.
Events of several instruments are in order of (time, instrument). A context of time t comes before
every market event of time t or later.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

import numpy as np
from numpy.typing import NDArray

from utb.adapters.feeds.bars import RecordedBars
from utb.domain.market import Instrument
from utb.engine.records import EVENT_DTYPE, as_array, merge
from utb.errors import UsageError
from utb.ports.feed import ContextUpdate, FeedItem, Frame, Records

EVENTS_PER_BAR: Final = 4

_DAY_NS: Final = 86_400_000_000_000
_BIRDEYE: Final = 1
_RECORDED: Final = 3
_BIRDEYE_TYPES: Final = {"1m": "1m", "5m": "5m", "15m": "15m", "1h": "1H", "4h": "4H", "1d": "1D"}
_END: Final = np.iinfo(np.int64).max

Market = tuple[Instrument, RecordedBars]


def assign(bars: Sequence[RecordedBars], instruments: Sequence[Instrument]) -> list[Market]:
    """Pair each recording with its instrument, in index order.

    Raises:
        UsageError: If a recording's instrument is not configured.
    """
    by_symbol = {instrument.symbol: instrument for instrument in instruments}
    for one in bars:
        if one.symbol not in by_symbol:
            raise UsageError(
                "--prices", f"{one.symbol} ({one.path})", f"one of {', '.join(by_symbol)}"
            )
    return sorted(((by_symbol[one.symbol], one) for one in bars), key=lambda pair: pair[0].index)


def event_times(bars: RecordedBars, part: slice) -> NDArray[np.int64]:
    """Return the times of the four events of each bar, shape (4 x bars,)."""
    span_ns = bars.span_ns
    offsets = np.array([0, span_ns // 3, 2 * span_ns // 3, span_ns - 1], dtype=np.int64)
    return (bars.ts_ns[part, None] + offsets).ravel()


def records_of(index: int, bars: RecordedBars, part: slice) -> NDArray[np.void]:
    """Return the events of some bars of instrument `index` as records, in time order."""
    closed_down = (bars.close < bars.open)[part]
    low, high = bars.low[part], bars.high[part]
    count = len(low)
    events = np.zeros(count * EVENTS_PER_BAR, dtype=EVENT_DTYPE)
    events["ts_ns"] = event_times(bars, part)
    events["ts_recv_ns"] = events["ts_ns"]
    events["instrument"] = index
    events["source"] = _RECORDED
    prices = events["price"].reshape(count, EVENTS_PER_BAR)
    prices[:, 0] = bars.open[part]
    prices[:, 1] = np.where(closed_down, high, low)
    prices[:, 2] = np.where(closed_down, low, high)
    prices[:, 3] = bars.close[part]
    events["volume"].reshape(count, EVENTS_PER_BAR)[:, 3] = bars.volume[part]
    events["liquidity"] = np.nan
    return events


class RecordedRecords:
    """Feed of blocks of records; a block ends where a context comes."""

    def __init__(
        self,
        markets: Sequence[Market],
        contexts: Sequence[ContextUpdate] = (),
        *,
        block_days: int = 30,
    ) -> None:
        """Replay `markets` with `contexts` (sorted by time) in blocks of `block_days` days."""
        self._markets = markets
        self._contexts = contexts
        self._block_ns = block_days * _DAY_NS

    def items(self, start: int) -> Iterator[FeedItem]:
        """Yield items from position `start` (0 = the first) to the end."""
        yield from islice(self._pieces(), start, None)

    def _pieces(self) -> Iterator[FeedItem]:
        for window in _windows(self._markets, self._contexts, self._block_ns):
            parts = [
                records_of(instrument.index, bars, part)
                for (instrument, bars), part in zip(self._markets, window.parts, strict=True)
            ]
            events = _merged(parts)
            done = 0
            for context in window.contexts:
                until = int(np.searchsorted(events["ts_ns"], context.ts_ns, side="left"))
                if until > done:
                    yield Records(events[done:until].tobytes())
                    done = until
                yield context
            if done < len(events):
                yield Records(events[done:].tobytes())


def _merged(parts: list[NDArray[np.void]]) -> NDArray[np.void]:
    """Return the events of all markets in the order of (time, instrument)."""
    if len(parts) == 1:
        return parts[0]
    return as_array(merge([part.tobytes() for part in parts]), EVENT_DTYPE)


class RecordedFrames:
    """Feed of Birdeye `PRICE_DATA` frames: updates of the forming bar, v = 0, 0, 0, volume."""

    def __init__(self, markets: Sequence[Market], contexts: Sequence[ContextUpdate] = ()) -> None:
        """Frame `markets` with `contexts` (sorted by time), one simulated day at a time."""
        self._markets = markets
        self._contexts = contexts

    def items(self, start: int) -> Iterator[FeedItem]:
        """Yield items from position `start` (0 = the first) to the end."""
        for window in _windows(self._markets, self._contexts, _DAY_NS):
            length = len(window)
            if start >= length:
                start -= length
                continue
            yield from self._window_items(window)[start:]
            start = 0

    def _window_items(self, window: "_Window") -> list[FeedItem]:
        items: list[FeedItem] = list(window.contexts)
        times = [np.array([context.ts_ns for context in window.contexts], dtype=np.int64)]
        for (instrument, bars), part in zip(self._markets, window.parts, strict=True):
            ts_ns = event_times(bars, part)
            times.append(ts_ns)
            payloads = price_frames(instrument, bars, part)
            items += map(Frame, [_BIRDEYE] * len(payloads), payloads, ts_ns.tolist())
        order = np.argsort(np.concatenate(times), kind="stable").tolist()
        return [items[index] for index in order]


def price_frames(instrument: Instrument, bars: RecordedBars, part: slice) -> list[bytes]:
    """Return four `PRICE_DATA` bodies per bar, as the bar would have formed."""
    kind = _BIRDEYE_TYPES[bars.timeframe]
    tail = f',"symbol":"{instrument.base}","address":"{instrument.base_mint}"}}}}'
    frames: list[bytes] = []
    rows = zip(
        (bars.ts_ns[part] // 1_000_000_000).tolist(),
        map(repr, bars.open[part].tolist()),
        map(repr, bars.high[part].tolist()),
        map(repr, bars.low[part].tolist()),
        map(repr, bars.close[part].tolist()),
        map(repr, bars.volume[part].tolist()),
        (bars.close < bars.open)[part].tolist(),
        strict=True,
    )
    head = '{"type":"PRICE_DATA","data":{"o":'
    for second, o, h, l, c, v, down in rows:  # noqa: E741 - the frame's own field names
        when = f',"eventType":"ohlcv","type":"{kind}","unixTime":{second},"v":'
        begin = f'{head}{o},"h":'
        quiet = f"{when}0{tail}"
        if down:
            second_frame = f'{begin}{h},"l":{o},"c":{h}{quiet}'
            third = f'{begin}{h},"l":{l},"c":{l}{quiet}'
        else:
            second_frame = f'{begin}{o},"l":{l},"c":{l}{quiet}'
            third = f'{begin}{h},"l":{l},"c":{h}{quiet}'
        frames += (
            f'{begin}{o},"l":{o},"c":{o}{quiet}'.encode(),
            second_frame.encode(),
            third.encode(),
            f'{begin}{h},"l":{l},"c":{c}{when}{v}{tail}'.encode(),
        )
    return frames


class _Window:
    """The bars and contexts of one stretch of time."""

    def __init__(
        self, parts: "list[slice[int, int, None]]", contexts: Sequence[ContextUpdate]
    ) -> None:
        self.parts = parts
        self.contexts = contexts

    def __len__(self) -> int:
        bars: int = sum(part.stop - part.start for part in self.parts)
        return bars * EVENTS_PER_BAR + len(self.contexts)


def _windows(
    markets: Sequence[Market], contexts: Sequence[ContextUpdate], length_ns: int
) -> Iterator[_Window]:
    """Cut the recordings at whole UTC days, so that no bar lies across an edge."""
    times = [bars.ts_ns for _, bars in markets if len(bars.ts_ns)]
    if not times:
        return
    first = min(int(one[0]) for one in times) // _DAY_NS * _DAY_NS
    last = max(int(one[-1]) for one in times)
    context_ts = np.array([context.ts_ns for context in contexts], dtype=np.int64)
    begun = [0] * len(markets)
    contexts_begun = 0
    for edge in range(first + length_ns, last + length_ns + 1, length_ns):
        until = _END if edge > last else edge
        ends = [int(np.searchsorted(bars.ts_ns, until)) for _, bars in markets]
        contexts_end = int(np.searchsorted(context_ts, until))
        parts = [slice(begin, end) for begin, end in zip(begun, ends, strict=True)]
        window = _Window(parts, contexts[contexts_begun:contexts_end])
        begun, contexts_begun = ends, contexts_end
        if len(window):
            yield window
