"""A small account over several months, with a record of every kind, for tests of the store."""

from collections.abc import Iterator
from pathlib import Path

from utb.domain.engine import DecisionFeatures, DecisionMade, VoteView
from utb.domain.market import Instrument
from utb.domain.names import BreakerKind, ExitReason, OrderStatus, RefusalCode, Side
from utb.domain.names import OperatorState as State
from utb.domain.orders import Fill, FlowCause, OrderIntent, RiskFactor
from utb.domain.records import (
    Breaker,
    CashMoved,
    ContextSet,
    Decision,
    EquityMarked,
    FeedState,
    FillBooked,
    FillReverted,
    Flow,
    OperatorState,
    OrderState,
    ParamsSet,
    Record,
    Refused,
    TriggerArmed,
    TriggerFiredRecord,
    TriggerMovedRecord,
    WarmUp,
    Weights,
)
from utb.storage.journal import SqliteJournal

SECOND_NS = 1_000_000_000
DAY_NS = 86_400 * SECOND_NS
START_NS = 1_735_689_600 * SECOND_NS
"""2025-01-01T00:00:00Z."""
USDC = 1_000_000
QUOTE = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"
TRADES = 12
"""In the store that several tests read."""
SHARES = (0.5, 0.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


def instrument(index: int) -> Instrument:
    return Instrument(
        index=index,
        symbol=("SOL-USDC", "BONK-USDC", "WIF-USDC")[index],
        base_mint=f"mint{index}",
        quote_mint=QUOTE,
        base_decimals=9,
        quote_decimals=6,
        primary="birdeye",
        liquid=index == 0,
        min_order_quote_raw=10 * USDC,
    )


INSTRUMENTS = tuple(instrument(number) for number in range(3))


def opening() -> list[Record]:
    """Return the records of a start, and one of every kind that no trade makes."""
    ts_ns = START_NS
    return [
        OperatorState(
            ts_ns=ts_ns,
            state=State.RUNNING,
            previous=None,
            issued_by="start",
            cause="it's on",
            lifecycle=True,
        ),
        CashMoved(
            ts_ns=0,
            quote_raw=100_000 * USDC,
            lamports=SECOND_NS,
            cause="open",
            value_quote_raw=100_150 * USDC,
            equity_before_quote_raw=0,
        ),
        Flow(ts_ns=ts_ns, cause=FlowCause.RENT, lamports=-2_039_280, reason="opening"),
        ParamsSet(ts_ns=ts_ns, version=1, digest="ab" * 32),
        Weights(
            ts_ns=ts_ns, version=1, rows=((0.5, 0.5),), performance=(1.0, 1.0), diversity=(0.0, 0.1)
        ),
        Breaker(
            ts_ns=ts_ns,
            kind=BreakerKind.FLASH_CRASH,
            instrument=1,
            active=True,
            until_ts_ns=None,
            value=0.2,
            limit=0.1,
            cause="fell",
        ),
        ContextSet(ts_ns=ts_ns, instrument=2, payload='{"kind":"venue","price":1.5}'),
        FeedState(ts_ns=ts_ns, source="birdeye", state="CONNECTED", reason=""),
        WarmUp(ts_ns=ts_ns, instrument=0, gap_ns=5),
        Refused(
            ts_ns=ts_ns,
            intent_id="00000000000000aa",
            instrument=1,
            code=RefusalCode.PORTFOLIO_HEAT,
            limit=0.8,
            value=0.79,
            order_value=0.95,
            message="heat 0.95 > 0.80\tüber \\ 'the' limit",
        ),
        *(
            EquityMarked(
                ts_ns=ts_ns,
                equity_quote_raw=100_000 * USDC,
                cash_quote_raw=100_000 * USDC,
                sol_lamports=SECOND_NS,
                units_raw=100_000 * USDC,
                peak_nav=1.0,
                volatility_daily=volatility,
                day=day,
                peak_reset=day is None,
            )
            for volatility, day in ((None, None), (0.01, 20_089))
        ),
    ]


def decision(intent_id: str, ts_ns: int) -> Decision:
    vote = VoteView("BUY", 0.7, 0.8, 0.15, "TTF-")
    made = DecisionMade(
        ts_ns=ts_ns,
        instrument=0,
        bar_open_ns=ts_ns - 900 * SECOND_NS,
        side="BUY",
        lead=2,
        price=100.0,
        stop=95.0,
        target=None,
        consensus=0.9,
        confidence=0.7,
        participation=0.4,
        votes=(vote,) * 8,
        features=DecisionFeatures(1.5, None, 1.1, -1, 2, 1e7),
        params_version=1,
    )
    return Decision(ts_ns=ts_ns, intent_id=intent_id, decision=made, outcome="entry")


def order(intent_id: str, side: Side, ts_ns: int, position_id: int | None) -> OrderState:
    buys = side is Side.BUY
    intent = OrderIntent(
        intent_id=intent_id,
        instrument=0,
        side=side,
        lead="trend_following",
        ts_ns=ts_ns,
        decision_price=100.0,
        decision_events=1,
        amount_in_raw=1_000 * USDC if buys else 10 * SECOND_NS,
        min_out_raw=1,
        stop=95.0 if buys else None,
        target=None,
        position_id=position_id,
        exit_reason=None if buys else ExitReason.STOP,
        slippage_bps_max=50,
    )
    return OrderState(
        ts_ns=ts_ns,
        intent_id=intent_id,
        status=OrderStatus.APPROVED,
        intent=intent,
        factors=(RiskFactor("confidence", 0.8), RiskFactor("volatility", 0.7)),
        shares=SHARES,
        reserved_quote_raw=1_000 * USDC if buys else 0,
        risk_at_stop_raw=50 * USDC if buys else 0,
    )


def fill(
    approved: OrderState, position_id: int, quote_raw: int, *, provisional: bool = False
) -> FillBooked:
    intent = approved.intent
    assert intent is not None
    ts_ns = intent.ts_ns + SECOND_NS
    return FillBooked(
        ts_ns=ts_ns,
        fill=Fill(
            intent_id=intent.intent_id,
            position_id=position_id,
            instrument=0,
            side=intent.side,
            ts_ns=ts_ns,
            decision_ts_ns=intent.ts_ns,
            decision_price=100.0,
            base_raw=10 * SECOND_NS,
            quote_raw=quote_raw,
            pool_fee_quote_raw=quote_raw // 400,
            fee_lamports=5_000,
            lead=intent.lead,
            exit_reason=intent.exit_reason,
            indicative=intent.side is Side.SELL,
            provisional=provisional,
        ),
        fee_quote_raw=750,
    )


def round_trip(number: int, ts_ns: int) -> list[Record]:
    """Return one trade: 1,000 USDC in, 1,000 + `number` USDC out."""
    entry, leave = f"{2 * number:016x}", f"{2 * number + 1:016x}"
    position = number + 1
    buy = order(entry, Side.BUY, ts_ns, None)
    sell = order(leave, Side.SELL, ts_ns + 60 * SECOND_NS, position)
    later = ts_ns + 30 * SECOND_NS
    return [
        decision(entry, ts_ns),
        buy,
        OrderState(ts_ns=ts_ns, intent_id=entry, status=OrderStatus.SENT, reason="sent"),
        fill(buy, position, 1_000 * USDC),
        TriggerArmed(
            ts_ns=later,
            position_id=position,
            instrument=0,
            stop=95.0,
            target=None,
            lead="trend_following",
            partial_done=False,
        ),
        TriggerMovedRecord(
            ts_ns=later, position_id=position, stop=96.0, target=None, cause="TRAILING"
        ),
        TriggerFiredRecord(
            ts_ns=later, position_id=position, instrument=0, kind="STOP", price=95.9, level=96.0
        ),
        sell,
        fill(sell, position, (1_000 + number) * USDC),
    ]


def reverted(intent_id: str, status: OrderStatus, ts_ns: int) -> FillReverted:
    """Return the record of a fill that vanished from the chain."""
    return FillReverted(
        ts_ns=ts_ns, intent_id=intent_id, signature="", status=status, reason="fork"
    )


def vanished(number: int, ts_ns: int) -> list[Record]:
    """Return an entry whose fill vanished from the chain and never came back."""
    entry, later = f"{2 * number:016x}", ts_ns + 2 * SECOND_NS
    buy = order(entry, Side.BUY, ts_ns, None)
    return [
        buy,
        fill(buy, number + 1, 1_000 * USDC, provisional=True),
        reverted(entry, OrderStatus.SENT, later),
        OrderState(ts_ns=later, intent_id=entry, status=OrderStatus.EXPIRED, reason="died"),
    ]


def story(trades: int) -> Iterator[Record]:
    """Yield a journal's records: a trade every five days, so months change in between.

    Every third trade is told twelve days late, so that months also go back and forth. After them
    one more entry fills and is taken back by a fork.
    """
    yield from opening()
    for number in range(trades):
        late_ns = 12 * DAY_NS if number % 3 == 2 else 0
        yield from round_trip(number, START_NS + (5 * number + 15) * DAY_NS - late_ns)
    yield from vanished(trades, START_NS + 20 * DAY_NS)


def write_journal(state_dir: Path, records: Iterator[Record]) -> SqliteJournal:
    """Return an open journal that holds the records."""
    wall = iter(range(START_NS, START_NS + 10**15, 1_000))
    journal = SqliteJournal(state_dir, options_digest="test", wall_ns=lambda: next(wall))
    journal.append(records)
    journal.sync()
    return journal
