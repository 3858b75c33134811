"""Records of a small account, for tests of the fold."""

from utb.domain.market import Instrument
from utb.domain.names import ExitReason, OrderStatus, Side
from utb.domain.orders import Fill, OrderIntent
from utb.domain.records import CashMoved, FillBooked, OrderState

USDC = 1_000_000
SOL = 1_000_000_000
QUOTE = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"
SHARES = (0.5, 0.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


def instrument(index: int) -> Instrument:
    return Instrument(
        index=index,
        symbol=f"T{index}-USDC",
        base_mint=f"mint{index}",
        quote_mint=QUOTE,
        base_decimals=9,
        quote_decimals=6,
        primary="birdeye",
        liquid=True,
        min_order_quote_raw=USDC,
    )


INSTRUMENTS = tuple(instrument(n) for n in range(3))


def opened(usdc: int = 100_000, lamports: int = SOL) -> CashMoved:
    """Open the account, SOL valued at 150."""
    value = usdc * USDC + lamports * 150 // 1000
    return CashMoved(
        ts_ns=0,
        quote_raw=usdc * USDC,
        lamports=lamports,
        cause="open",
        value_quote_raw=value,
        equity_before_quote_raw=0,
    )


def buy_order(
    intent_id: str, quote_raw: int, index: int = 0, stop: float | None = 95.0
) -> OrderState:
    intent = OrderIntent(
        intent_id=intent_id,
        instrument=index,
        side=Side.BUY,
        lead="trend_following",
        ts_ns=1_000_000_000,
        decision_price=100.0,
        decision_events=1,
        amount_in_raw=quote_raw,
        min_out_raw=1,
        stop=stop,
        target=110.0,
        slippage_bps_max=50,
    )
    return OrderState(
        ts_ns=1_000_000_000,
        intent_id=intent_id,
        status=OrderStatus.APPROVED,
        intent=intent,
        shares=SHARES,
        reserved_quote_raw=quote_raw,
        risk_at_stop_raw=quote_raw // 20,
    )


def sell_order(intent_id: str, position_id: int, base_raw: int, index: int = 0) -> OrderState:
    intent = OrderIntent(
        intent_id=intent_id,
        instrument=index,
        side=Side.SELL,
        lead="trend_following",
        ts_ns=2_000_000_000,
        decision_price=105.0,
        decision_events=2,
        amount_in_raw=base_raw,
        min_out_raw=1,
        position_id=position_id,
        exit_reason=ExitReason.TARGET,
        slippage_bps_max=50,
    )
    return OrderState(
        ts_ns=2_000_000_000, intent_id=intent_id, status=OrderStatus.APPROVED, intent=intent
    )


def filled(
    order: OrderState, base_raw: int, quote_raw: int, position_id: int = 1, lamports: int = 5_000
) -> FillBooked:
    """Return an order's fill, 900 ms after its decision."""
    intent = order.intent
    assert intent is not None
    fill = Fill(
        intent_id=order.intent_id,
        position_id=position_id,
        instrument=intent.instrument,
        side=intent.side,
        ts_ns=intent.ts_ns + 900_000_000,
        decision_ts_ns=intent.ts_ns,
        decision_price=intent.decision_price,
        base_raw=base_raw,
        quote_raw=quote_raw,
        pool_fee_quote_raw=quote_raw // 2_500,
        fee_lamports=lamports,
        lead=intent.lead,
        exit_reason=intent.exit_reason,
        indicative=False,
    )
    return FillBooked(ts_ns=fill.ts_ns, fill=fill, fee_quote_raw=-(-lamports * 150 // 1000))


def ended(intent_id: str, status: OrderStatus, lamports: int = 0) -> OrderState:
    return OrderState(
        ts_ns=3_000_000_000,
        intent_id=intent_id,
        status=status,
        fee_lamports=lamports,
        fee_quote_raw=-(-lamports * 150 // 1000),
    )
