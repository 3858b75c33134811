"""What the trading process writes down by itself: fills are told though nobody reads along."""

from structlog.testing import capture_logs

from utb.bootstrap.tradelog import TradeLog
from utb.domain.market import Instrument
from utb.domain.names import ExitReason, OrderStatus, Side
from utb.domain.orders import Fill
from utb.domain.records import FillBooked, FillReverted
from utb.storage.encoding import encode_record

SOL = Instrument(
    index=0,
    symbol="SOL-USDC",
    base_mint="So11111111111111111111111111111111111111112",
    quote_mint="EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v",
    base_decimals=9,
    quote_decimals=6,
    primary="birdeye",
    liquid=True,
    min_order_quote_raw=10_000_000,
)
FILL = Fill(
    intent_id="00000000000000aa",
    position_id=3,
    instrument=0,
    side=Side.SELL,
    ts_ns=1_735_689_600_000_000_000,
    decision_ts_ns=1_735_689_600_000_000_000,
    decision_price=150.0,
    base_raw=2_000_000_000,
    quote_raw=301_000_000,
    pool_fee_quote_raw=750_000,
    fee_lamports=5_000,
    lead="trend",
    exit_reason=ExitReason.STOP,
    indicative=False,
    signature="signature",
)


def test_fill_and_its_end_are_written_down_in_whole_units() -> None:
    log = TradeLog((SOL,))
    booked = FillBooked(ts_ns=FILL.ts_ns, fill=FILL, fee_quote_raw=250_000)
    undone = FillReverted(
        ts_ns=FILL.ts_ns,
        intent_id=FILL.intent_id,
        signature="signature",
        status=OrderStatus.SENT,
        reason="a fork",
    )
    for kind, record in (("fill", booked), ("fill_reverted", undone)):
        log.take(kind, encode_record(record))
    with capture_logs() as lines:
        log.write()
        log.write()
    executed, reverted = lines
    assert executed["event"] == "EXECUTED"
    assert (executed["symbol"], executed["side"]) == ("SOL-USDC", "SELL")
    assert executed["reason"] == "STOP"
    assert (executed["size"], executed["price"], executed["fees"]) == (2.0, 150.5, 1.0)
    assert executed["market_time"] == "2025-01-01T00:00:00.000Z"
    assert (reverted["event"], reverted["reason"]) == ("fill_reverted", "a fork")
