"""Carries out what the trader asked of the core."""

from utb.domain.engine import EngineEvent
from utb.node import effects as fx
from utb.ports.core import Core


def carry_out(call: fx.EngineCall, core: Core) -> list[EngineEvent]:
    """Make one call of the core and return what it caused; the commonest calls come first."""
    match call:
        case fx.SetPortfolio():
            core.set_portfolio(
                cash=call.cash,
                holdings=call.holdings,
                peak=call.peak,
                max_drawdown=call.max_drawdown,
            )
        case fx.Arm(position):
            core.arm(position)
        case fx.Disarm(position_id):
            core.disarm(position_id)
        case fx.SetParams(params):
            core.set_params(params)
        case fx.SetContext():
            core.set_context(call.instrument, call.payload, call.ts_ns)
        case fx.Release(position_id):
            core.release(position_id)
        case fx.Tighten(instrument, atr_multiple):
            return core.tighten(instrument, atr_multiple)
    return []
