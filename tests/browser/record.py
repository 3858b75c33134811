"""Make `recording.json.gz` anew: answers of the API as of one moment of a demo's journal.

`python tests/browser/record.py STATE` where STATE is the state directory of a finished
`utb demo --seed 7 --hours 200 --state STATE`. The page's tests replay it; nothing else reads it.
"""

import gzip
import sqlite3
import sys
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from utb.domain.names import CONDITIONS, STRATEGIES
from utb.domain.records import (
    Decision,
    EquityMarked,
    FillBooked,
    OrderState,
    Record,
    Refused,
    TriggerArmed,
    TriggerMovedRecord,
    Weights,
)
from utb.storage.readers import read_records

SYMBOLS = {0: "SOL-USDC", 3: "BONK-USDC", 4: "WIF-USDC", 5: "JTO-USDC", 6: "JUP-USDC"}
BASE_DECIMALS = {0: 9, 3: 5, 4: 6, 5: 9, 6: 6}
PRICE_DECIMALS = {0: 2, 3: 9, 4: 4, 5: 4, 6: 4}
BARS = 700
FIVE_MINUTES = 1
LETTERS = {"T": True, "F": False, "-": None}
Row = dict[str, Any]


def iso(ts_ns: int) -> str:
    moment = datetime.fromtimestamp(ts_ns / 1e9, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def price_of(record: FillBooked) -> float:
    fill = record.fill
    return float(fill.quote_raw / 1e6 / (fill.base_raw / 10 ** BASE_DECIMALS[fill.instrument]))


class Book:
    """Fills of a position, folded into rows."""

    def __init__(self) -> None:
        self.fills: dict[int, list[FillBooked]] = defaultdict(list)
        self.levels: dict[int, tuple[float, float | None]] = {}
        self.life: dict[int, list[Row]] = defaultdict(list)

    def size(self, position: int) -> float:
        raw = sum(
            f.fill.base_raw * (1 if f.fill.side == "BUY" else -1) for f in self.fills[position]
        )
        return float(raw / 10 ** BASE_DECIMALS[self.fills[position][0].fill.instrument])

    def open(self) -> list[int]:
        return [position for position in self.fills if self.size(position) > 1e-9]

    def trade(self, position: int) -> Row:
        fills = self.fills[position]
        bought, sold = fills[0], [f for f in fills if f.fill.side == "SELL"]
        base = bought.fill.base_raw / 10 ** BASE_DECIMALS[bought.fill.instrument]
        income = sum(f.fill.quote_raw for f in sold) / 1e6
        spent = bought.fill.quote_raw / 1e6
        pool = sum(f.fill.pool_fee_quote_raw for f in fills) / 1e6
        network = sum(f.fee_quote_raw for f in fills) / 1e6
        slippage = price_of(bought) / bought.fill.decision_price - 1
        return {
            "id": bought.fill.intent_id,
            "symbol": SYMBOLS[bought.fill.instrument],
            "side": "BUY",
            "size": base,
            "price": price_of(bought),
            "fees": pool + network,
            "timestamp": iso(sold[-1].ts_ns),
            "strategy": bought.fill.lead,
            "pnl": income - spent - network,
            "exit_price": income / base,
            "exit_reason": str(sold[-1].fill.exit_reason),
            "opened_at": iso(bought.ts_ns),
            "slippage_bps": slippage * 1e4,
            "execution_ms": (bought.ts_ns - bought.fill.decision_ts_ns) / 1e6,
            "r_multiple": None,
            "costs": {"pool_fees": pool, "network_fees": network, "slippage": slippage * spent},
        }

    def position(self, position: int) -> Row:
        bought = self.fills[position][0]
        stop, target = self.levels[position]
        return {
            "id": bought.fill.intent_id,
            "symbol": SYMBOLS[bought.fill.instrument],
            "side": "LONG",
            "size": self.size(position),
            "entry_price": price_of(bought),
            "strategy": bought.fill.lead,
            "stop": stop,
            "target": target,
            "opened_at": iso(bought.ts_ns),
        }


class Recording:
    """Rows of the API's lists, in the order of the journal."""

    def __init__(self) -> None:
        self.book = Book()
        self.orders: dict[str, Row] = {}
        self.decisions: list[Row] = []
        self.refusals: list[Row] = []
        self.markers: list[Row] = []
        self.weights: tuple[float, ...] = ()
        self.best: tuple[int, int] = (0, 0)

    def take(self, seq: int, record: Record) -> None:
        match record:
            case Decision() if record.decision.instrument in SYMBOLS:
                self.decisions.append(decision(record))
            case Refused() if record.instrument in SYMBOLS:
                self.refusals.append(refusal(record))
            case OrderState():
                self._order(seq, record)
            case FillBooked() if record.fill.instrument in SYMBOLS:
                self._fill(seq, record)
            case TriggerArmed() | TriggerMovedRecord():
                self.book.levels[record.position_id] = (record.stop, record.target)
                name = "armed" if isinstance(record, TriggerArmed) else record.cause.lower()
                data = {"stop": record.stop, "target": record.target}
                self._tell(record.position_id, seq, record.ts_ns, f"stop and target {name}", data)
            case Weights():
                self.weights = record.rows[0]
            case _:
                return

    def _order(self, seq: int, record: OrderState) -> None:
        intent = record.intent
        if intent is not None and intent.instrument in SYMBOLS:
            scale = 10 ** BASE_DECIMALS[intent.instrument]
            buys = intent.side == "BUY"
            self.orders[record.intent_id] = {
                "id": record.intent_id,
                "symbol": SYMBOLS[intent.instrument],
                "side": intent.side,
                "size": None if buys else intent.amount_in_raw / scale,
                "amount": intent.amount_in_raw / 1e6 if buys else None,
                "reason": intent.lead if buys else str(intent.exit_reason),
                "created_at": iso(record.ts_ns),
                "attempts": intent.attempt + 1,
                "position_id": intent.position_id,
                "life": [],
            }
        if (row := self.orders.get(record.intent_id)) is None:
            return
        row |= {"status": record.status, "updated_at": iso(record.ts_ns)}
        data: Row = {"order_id": record.intent_id, "status": record.status}
        if record.factors:
            data["factors"] = {factor.name: factor.value for factor in record.factors}
        text = f"{str(row['side']).lower()} order {record.status.lower()}"
        row["life"].append(life(seq, record.ts_ns, "order", text, data))

    def _fill(self, seq: int, record: FillBooked) -> None:
        fill = record.fill
        self.book.fills[fill.position_id].append(record)
        first = self.book.fills[fill.position_id][0].fill.intent_id
        size = fill.base_raw / 10 ** BASE_DECIMALS[fill.instrument]
        self.markers.append(
            {
                "time": fill.ts_ns // 1_000_000_000,
                "symbol": SYMBOLS[fill.instrument],
                "side": fill.side,
                "price": price_of(record),
                "size": size,
                "reason": fill.exit_reason or fill.lead,
                "trade_id": first,
                "strategy": fill.lead,
            }
        )
        if (order := self.orders.get(fill.intent_id)) is not None:
            self.book.life[fill.position_id] += order["life"]
        text = f"{fill.side.lower()} of {size:g} at {price_of(record):g}"
        self._tell(fill.position_id, seq, record.ts_ns, text, {"size": size})

    def _tell(self, position: int, seq: int, ts_ns: int, text: str, data: Row) -> None:
        self.book.life[position].append(life(seq, ts_ns, "fill", text, data))


def life(seq: int, ts_ns: int, kind: str, text: str, data: Row) -> Row:
    return {"seq": seq, "timestamp": iso(ts_ns), "kind": kind, "text": text, "data": data}


def decision(record: Decision) -> Row:
    made = record.decision
    symbol, lead = SYMBOLS[made.instrument], STRATEGIES[made.lead]
    votes = [
        {
            "strategy": STRATEGIES[at],
            "side": vote.side,
            "strength": vote.strength,
            "confidence": vote.confidence,
            "weight": vote.weight,
            "conditions": {
                name: LETTERS[letter]
                for name, letter in zip(CONDITIONS[at], vote.conditions, strict=True)
            },
        }
        for at, vote in enumerate(made.votes)
    ]
    return {
        "id": record.intent_id,
        "timestamp": iso(record.ts_ns),
        "symbol": symbol,
        "side": made.side,
        "lead": lead,
        "price": made.price,
        "stop": made.stop,
        "target": made.target,
        "consensus": made.consensus,
        "confidence": made.confidence,
        "participation": made.participation,
        "outcome": record.outcome,
        "sentence": f"{symbol}: {record.outcome}, led by {lead}",
        "votes": votes,
    }


def refusal(record: Refused) -> Row:
    return {
        "id": record.intent_id,
        "timestamp": iso(record.ts_ns),
        "symbol": SYMBOLS[record.instrument],
        "code": record.code,
        "limit": record.limit,
        "value": record.value,
        "order_value": record.order_value,
        "message": record.message,
    }


def busiest(journal: Path) -> int:
    """Return the sequence after which the most of our positions have been open, late in the run."""
    book, best, last = Book(), (0, 0), 0
    records = list(read_records(journal, 0))
    for seq, _, record in records:
        last = max(last, record.ts_ns)
        if isinstance(record, TriggerArmed):
            book.levels[record.position_id] = (record.stop, record.target)
        if isinstance(record, FillBooked) and record.fill.instrument in SYMBOLS:
            book.fills[record.fill.position_id].append(record)
            if record.fill.side == "BUY":
                best = max(best, (min(len(book.open()), 3), seq))
    return best[1] + 4


def bars(journal: Path, instrument: int, before_ns: int) -> list[list[float | int | None]]:
    with sqlite3.connect(journal) as database:
        found = database.execute(
            "SELECT ts_open, open, high, low, close, volume FROM bars WHERE instrument = ? AND "
            "timeframe = ? AND ts_open < ? ORDER BY ts_open DESC LIMIT ?",
            (instrument, FIVE_MINUTES, before_ns, BARS),
        ).fetchall()
    digits = PRICE_DECIMALS[instrument] + 1
    return [
        [row[0] // 1_000_000_000, *(round(p, digits) for p in row[1:5]), row[5] and round(row[5])]
        for row in reversed(found)
    ]


def main(state: Path) -> None:
    journal = state / "journal.sqlite"
    until = busiest(journal)
    recording, now_ns = Recording(), 0
    equity = [
        [int(ts_ns // 1_000_000_000), value]
        for ts_ns, value in sqlite3.connect(journal).execute("SELECT ts, equity FROM equity")
    ]
    for seq, _, record in read_records(journal, 0, until):
        recording.take(seq, record)
        now_ns = record.ts_ns if not isinstance(record, EquityMarked) else now_ns
    book = recording.book
    closed = [p for p in book.fills if p not in set(book.open())]
    answers = {
        "now": now_ns // 1_000_000_000,
        "decimals": {symbol: PRICE_DECIMALS[at] for at, symbol in SYMBOLS.items()},
        "bars": {symbol: bars(journal, at, now_ns) for at, symbol in SYMBOLS.items()},
        "positions": [book.position(p) for p in book.open()],
        "trades": sorted(
            (book.trade(p) for p in closed), key=lambda row: str(row["timestamp"]), reverse=True
        ),
        "lives": {
            book.fills[p][0].fill.intent_id: sorted(book.life[p], key=lambda e: int(e["seq"]))
            for p in list(book.fills)[-40:]
        },
        "orders": [
            {k: v for k, v in row.items() if k != "life"}
            for row in reversed(list(recording.orders.values())[-100:])
        ],
        "decisions": list(reversed(recording.decisions[-60:])),
        "refusals": list(reversed(recording.refusals[-150:])),
        "markers": recording.markers,
        "weights": recording.weights,
        "equity": [point for point in equity if point[0] * 1_000_000_000 < now_ns],
    }
    target = Path(__file__).with_name("recording.json.gz")
    target.write_bytes(gzip.compress(msgspec.json.encode(answers), mtime=0))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
