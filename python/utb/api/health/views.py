"""Health from the replica, the connection and the machine."""

import msgspec

from utb.api.health.schemas import (
    ApiFigures,
    ComponentRow,
    ComponentsAnswer,
    FeedRow,
    Feeds,
    HealthAnswer,
    HealthDetail,
    Latency,
    StageRow,
    SystemRow,
)
from utb.api.shown import as_of, when
from utb.api.world import World
from utb.domain.seam import Pulse
from utb.telemetry.health import Health

HEALTHY = "HEALTHY"
DOWN = "DOWN"


def word(health: Health) -> str:
    """Return the word that scripts look for, or one that does not contain it."""
    return HEALTHY if health.healthy else DOWN


def health(world: World) -> HealthAnswer:
    """Return one word, and why."""
    found = world.health()
    return HealthAnswer(
        status=word(found),
        reasons=found.reasons,
        warming_up=found.warming_up,
        age_s=world.age_s,
    )


def components(world: World) -> ComponentsAnswer:
    """Return one row per component."""
    found = world.health()
    return ComponentsAnswer(status=word(found), reasons=found.reasons, components=_rows(found))


def _rows(found: Health) -> tuple[ComponentRow, ...]:
    return tuple(
        ComponentRow(
            name=c.name,
            state=c.state.value,
            since=when(c.since_ns),
            reason=c.reason,
            age=None if c.age_s is None else round(c.age_s, 3),
        )
        for c in found.components
    )


def latency(world: World) -> Latency:
    """Return the stages' durations."""
    return Latency(stages=stages(world), as_of=as_of(world), age_s=world.age_s)


def stages(world: World) -> tuple[StageRow, ...]:
    """Return one row per stage."""
    pulse = world.replica.pulse
    return tuple(
        StageRow(
            stage=stage.stage,
            count=stage.count,
            p50_us=stage.p50_ns / 1e3 or None,
            p99_us=stage.p99_ns / 1e3 or None,
            max_us=stage.max_ns / 1e3 or None,
        )
        for stage in (pulse.stages if pulse is not None else ())
    )


def feeds(world: World) -> Feeds:
    """Return all feeds."""
    return Feeds(feeds=feed_rows(world), as_of=as_of(world), age_s=world.age_s)


def feed_rows(world: World) -> tuple[FeedRow, ...]:
    """Return one row per feed."""
    pulse = world.replica.pulse
    found = []
    for feed in pulse.feeds if pulse is not None else ():
        last = feed.last_item_ns
        found.append(
            FeedRow(
                source=feed.source,
                status=feed.status.value,
                reason=feed.reason,
                since=when(feed.since_ns),
                last_item=when(last),
                age_s=None if last is None or pulse is None else feed_age_s(pulse, last),
                connected=feed.connected,
                frames=feed.frames,
                items=feed.items,
                rejected=feed.rejected,
                reconnects=feed.reconnects,
                requests=feed.requests,
                latency_p50_ms=feed.latency_p50_ms,
                latency_p99_ms=feed.latency_p99_ms,
                request_p50_ms=feed.request_p50_ms,
                request_p99_ms=feed.request_p99_ms,
            )
        )
    return tuple(found)


def feed_age_s(pulse: Pulse, last_item_ns: int) -> float:
    """Return the age of a feed's last item when the pulse was made."""
    return round(max(pulse.ts_ns - last_item_ns, 0) / 1e9, 3)


def detail(world: World) -> HealthDetail:
    """Return everything that is measured."""
    found = world.health()
    traffic = world.traffic
    return HealthDetail(
        status=word(found),
        reasons=found.reasons,
        components=_rows(found),
        warming_up=found.warming_up,
        uptime=int(world.uptime_s),
        system=SystemRow(**msgspec.structs.asdict(world.probe.look())),
        api=ApiFigures(
            requests=traffic.requests,
            error_rate=traffic.error_rate,
            response_p50_ms=traffic.quantile_ms(0.5),
            response_p99_ms=traffic.quantile_ms(0.99),
            websocket_clients=traffic.clients,
        ),
        latency=stages(world),
        feeds=feed_rows(world),
        as_of=as_of(world),
        age_s=world.age_s,
    )
