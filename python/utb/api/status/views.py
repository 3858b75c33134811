"""Status and summary from the replica."""

from utb.api.shown import as_of
from utb.api.status.schemas import StatusAnswer, Summary
from utb.api.world import World
from utb.domain.names import OperatorState
from utb.telemetry.health import Health


def word(world: World, health: Health) -> str:
    """Return the status in one word."""
    replica = world.replica
    pulse = replica.pulse
    if pulse is None and replica.seq == 0:
        return "STARTING"
    if world.link.connected and (pulse is None or pulse.recovering):
        return "STARTING"
    if replica.operator is not OperatorState.RUNNING:
        return replica.operator.value
    return "RUNNING" if health.healthy else "DEGRADED"


def timeframe(world: World) -> str:
    """Return the timeframe of the strategies."""
    hello = world.replica.hello
    return world.config.strategies.timeframe if hello is None else hello.timeframe


def simulated(world: World) -> bool | None:
    """Return whether market time is simulated; None until the trading process has told."""
    hello = world.replica.hello
    return None if hello is None else hello.simulated_time


def status(world: World) -> StatusAnswer:
    """Return the bot in one look."""
    return StatusAnswer(
        status=word(world, world.health()),
        version=world.place.version,
        uptime=int(world.uptime_s),
        active_strategies=sum(weight > 0 for weight in world.config.strategies.weights),
        current_positions=len(world.replica.book.positions),
        mode=world.replica.mode.value,
        simulated_time=simulated(world),
        timeframe=timeframe(world),
        as_of=as_of(world),
        age_s=world.age_s,
    )


def summary(world: World) -> Summary:
    """Return the top bar."""
    replica, risk, health = world.replica, world.risk(), world.health()
    start = replica.equity_start_of_day
    today = None if risk.equity is None or start is None else risk.equity - start
    return Summary(
        status=word(world, health),
        mode=replica.mode.value,
        simulated_time=simulated(world),
        equity=risk.equity,
        equity_start_of_day=start,
        today=today,
        today_pct=None if today is None or not start else today / start,
        drawdown=risk.drawdown,
        max_drawdown_limit=risk.drawdown_limit,
        heat=risk.heat,
        heat_limit=risk.heat_limit,
        risk_at_stop=risk.risk_at_stop,
        risk_at_stop_limit=risk.risk_at_stop_limit,
        cash=replica.quote_units(replica.book.cash_quote_raw),
        positions=len(replica.book.positions),
        open_orders=len(replica.book.pending),
        finished=replica.pulse is not None and replica.pulse.finished,
        healthy=health.healthy,
        reasons=health.reasons,
        version=world.place.version,
        timeframe=timeframe(world),
        as_of=as_of(world),
        age_s=world.age_s,
    )
