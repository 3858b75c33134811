"""A losing streak ends in the emergency stop, not in a silent freeze."""

from gate_inputs import ENTRY, FACTS, USDC, VIEW, settings
from msgspec.structs import replace

from utb.config.load import defaults
from utb.domain.names import BreakerKind, RefusalCode
from utb.domain.orders import RiskApproved, RiskRefused
from utb.risk.breakers import Breakers, breaker_settings
from utb.risk.gate import approve_entry


def test_losing_every_trade_reaches_the_emergency_stop() -> None:
    """Every entry loses what it risks; the budget floor keeps sizes above zero to the end."""
    guards = Breakers(breaker_settings(defaults()))
    peak = equity = 100_000 * USDC
    warned_at = None
    for trade in range(1_000):
        drawdown = 1 - equity / peak
        for record in guards.on_drawdown(trade, drawdown):
            if record.kind == BreakerKind.DRAWDOWN_WARNING:
                warned_at = drawdown
        view = replace(
            VIEW, equity_raw=equity, cash_raw=equity, drawdown=drawdown, breakers=guards.active
        )
        # A stop 10 % away: the risk budget decides the size
        request = replace(ENTRY, stop=135.0, target=200.0, confidence=0.6)
        verdict = approve_entry(request, view, FACTS, settings())
        if isinstance(verdict, RiskRefused):
            assert verdict.code == RefusalCode.EMERGENCY_STOP
            assert guards.find(BreakerKind.DRAWDOWN) is not None
            assert 0.15 < drawdown < 0.16
            assert warned_at is not None
            assert 0.1 <= warned_at < 0.115
            assert trade < 80
            return
        assert isinstance(verdict, RiskApproved)
        assert verdict.risk_at_stop_raw > equity // 1_000
        equity -= verdict.risk_at_stop_raw
    raise AssertionError("the drawdown never reached the emergency stop")
