"""What a run came to: folds of its records and values the core counted."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from utb.domain.market import Instrument
from utb.domain.names import STRATEGIES, ExitReason, Side, TradingMode
from utb.domain.orders import Fill, Trade
from utb.domain.records import ContextSet, EquityMarked, FillBooked, Record, Refused
from utb.ledger.state import FeeTotals
from utb.node.latency import StageLatency


class AssetHeld(msgspec.Struct, frozen=True, kw_only=True):
    """One asset of the wallet, base units or lamports."""

    asset: str
    """Symbol, `wSOL`, `SOL` of the wallet itself, or `rent`: lamports in accounts of ours."""
    ledger_raw: int
    chain_raw: int


class ChainHeld(msgspec.Struct, frozen=True, kw_only=True):
    """The wallet at a finalized slot, beside the ledger."""

    slot: int
    """0: it could not be read."""
    equal: bool
    assets: tuple[AssetHeld, ...]


class RunResult(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a summary or a report is made from."""

    mode: TradingMode
    seed: int
    instruments: tuple[Instrument, ...]
    finished: bool
    """False: a shutdown came before the end; positions are as they were."""
    resumed: bool
    sim_start_ns: int
    sim_end_ns: int
    wall_s: float
    """Of this process only."""
    events: int
    """Market items and recorded events."""
    equity_start_quote_raw: int
    equity_end_quote_raw: int
    trades: tuple[Trade, ...]
    fills: tuple[Fill, ...]
    fees: FeeTotals
    entries_by_lead: dict[str, int]
    """The eight strategies, and `manual` where a person bought."""
    exits_by_reason: dict[str, int]
    refusals_by_code: dict[str, int]
    contexts_by_kind: dict[str, int]
    """Slow inputs that were set."""
    counters: Mapping[str, Any]
    """What the core counted (`Pipeline.counters`)."""
    latency: dict[str, StageLatency]
    chain: ChainHeld | None = None
    """At the market's end, where orders went to a chain."""
    journal_hash: str
    equity: bytes
    """16-byte rows (ts ns i64, equity f64) at the ends of strategy bars."""
    bars: bytes
    """64-byte rows as the core logs closed bars."""


class _Kind(msgspec.Struct, frozen=True):
    """The one field of a context that a total needs."""

    kind: str


_KIND = msgspec.json.Decoder(_Kind)


class RecordTotals(msgspec.Struct, kw_only=True):
    """Counts and lists folded from a journal."""

    first_equity_raw: int = 0
    last_equity_raw: int = 0
    start_ns: int = 0
    fills: list[Fill] = []
    entries_by_lead: Counter[str] = msgspec.field(default_factory=Counter)
    exits_by_reason: Counter[str] = msgspec.field(default_factory=Counter)
    refusals_by_code: Counter[str] = msgspec.field(default_factory=Counter)
    contexts_by_kind: Counter[str] = msgspec.field(default_factory=Counter)


def totals(records: Iterable[Record]) -> RecordTotals:
    """Return the totals of a run's records."""
    total = RecordTotals()
    total.entries_by_lead.update(dict.fromkeys(STRATEGIES, 0))
    total.exits_by_reason.update({str(reason): 0 for reason in ExitReason})
    for record in records:
        match record:
            case FillBooked():
                fill = record.fill
                total.fills.append(fill)
                if fill.side is Side.BUY:
                    total.entries_by_lead[fill.lead] += 1
                elif fill.exit_reason is not None:
                    total.exits_by_reason[str(fill.exit_reason)] += 1
            case Refused():
                total.refusals_by_code[str(record.code)] += 1
            case ContextSet():
                total.contexts_by_kind[_KIND.decode(record.payload).kind] += 1
            case EquityMarked():
                if not total.start_ns:
                    total.start_ns = record.ts_ns
                    total.first_equity_raw = record.equity_quote_raw
                total.last_equity_raw = record.equity_quote_raw
            case _:
                continue
    return total
