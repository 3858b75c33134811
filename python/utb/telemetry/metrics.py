"""Prometheus metrics, read from the replica when they are asked for."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final

import msgspec
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from utb.domain.names import OperatorState, OrderStatus
from utb.domain.seam import STAGE_BOUNDS_NS, ChainHealth, FeedHealth, FeedStatus, Pulse
from utb.telemetry.health import Health
from utb.telemetry.portfolio import RiskFigures
from utb.telemetry.replica import Replica
from utb.telemetry.system import SystemFigures
from utb.telemetry.traffic import Traffic

CONTENT_TYPE: Final = "text/plain; version=0.0.4"
_BOUNDS: Final = tuple(repr(bound / 1e9) for bound in STAGE_BOUNDS_NS)


class Scrape(msgspec.Struct, frozen=True, kw_only=True):
    """Everything one scrape shows."""

    replica: Replica
    health: Health
    risk: RiskFigures
    system: SystemFigures
    traffic: Traffic
    uptime_s: float
    """Of this process."""
    trade_uptime_s: float | None
    """Of the trading process; None before it told."""
    age_s: float | None
    stored_seq: int | None
    """Last record the ClickHouse store holds; None: nobody says."""


class Metrics(Collector):
    """Turns a scrape into metric families."""

    def __init__(self, scrape: Callable[[], Scrape]) -> None:
        self._scrape = scrape
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    def text(self) -> bytes:
        """Return the exposition."""
        return generate_latest(self._registry)

    def describe(self) -> list[Metric]:
        """Return nothing: registering must not scrape."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield the families of now."""
        now = self._scrape()
        yield _gauge("utb_healthy", "1 while /health says HEALTHY.", float(now.health.healthy))
        yield _gauge("utb_api_uptime_seconds", "Since this process started.", now.uptime_s)
        if now.trade_uptime_s is not None:
            text = "Since the trading process started."
            yield _gauge("utb_trade_uptime_seconds", text, now.trade_uptime_s)
        if now.age_s is not None:
            yield _gauge("utb_trade_age_seconds", "Since the trading process spoke.", now.age_s)
        if now.stored_seq is not None:
            text = "Last durable record in the ClickHouse store."
            yield _gauge("utb_analytics_seq", text, float(now.stored_seq))
        yield from _account(now)
        pulse = now.replica.pulse
        if pulse is not None:
            yield from _trading(pulse)
            yield from _feeds(pulse)
            yield _stages(pulse)
            if pulse.chain is not None:
                yield from _chain(pulse.chain)
        yield from _api(now.traffic)
        yield from _machine(now.system)


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text)
    family.add_metric([], value)
    return family


def _counter(name: str, text: str, value: float) -> CounterMetricFamily:
    family = CounterMetricFamily(name, text)
    family.add_metric([], value)
    return family


def _labelled(name: str, text: str, label: str, values: dict[str, float]) -> CounterMetricFamily:
    family = CounterMetricFamily(name, text, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family


def _account(now: Scrape) -> Iterator[Metric]:
    replica, risk = now.replica, now.risk
    figures = {
        "utb_equity": ("Equity, quote units.", risk.equity),
        "utb_drawdown": ("Fall of equity from its peak, 0..1.", risk.drawdown),
        "utb_portfolio_heat": ("Exposure / equity.", risk.heat),
        "utb_risk_at_stop": ("Loss if every stop is hit / equity.", risk.risk_at_stop),
        "utb_risk_score": ("0..100.", risk.score),
        "utb_cash": ("Quote balance.", replica.quote_units(replica.book.cash_quote_raw)),
        "utb_positions": ("Open positions.", float(len(replica.book.positions))),
        "utb_open_orders": ("Orders on their way.", float(len(replica.book.pending))),
        "utb_journal_seq": ("Last durable record.", float(replica.seq)),
    }
    for name, (text, value) in figures.items():
        # Unknown is absent, never 0
        if value is not None:
            yield _gauge(name, text, value)
    state = GaugeMetricFamily("utb_operator_state", "1 for the present state.", labels=["state"])
    for one in OperatorState:
        state.add_metric([one.value], float(one is replica.operator))
    yield state
    yield _counter("utb_trades", "Closed trades.", float(replica.book.state.trades_closed))
    yield _labelled("utb_fills", "Fills.", "side", _floats(replica.fills_by_side))
    refused = _floats(replica.refusals_by_code)
    yield _labelled("utb_refusals", "Orders the gate denied.", "code", refused)
    waiting = GaugeMetricFamily("utb_orders", "Orders not settled, by status.", labels=["status"])
    states = Counter(order.status.value for order in replica.book.pending.values())
    states[OrderStatus.CONFIRMED.value] += len(replica.book.provisional)
    for status in OrderStatus:
        waiting.add_metric([status.value], float(states[status.value]))
    yield waiting
    active = GaugeMetricFamily("utb_breakers_active", "Guards that are tripped.", labels=["kind"])
    for kind in {kind for kind, _ in replica.breakers}:
        active.add_metric([kind], float(sum(kind is one for one, _ in replica.breakers)))
    yield active


def _floats(counts: dict[str, int]) -> dict[str, float]:
    return {str(key): float(value) for key, value in counts.items()}


def _trading(pulse: Pulse) -> Iterator[Metric]:
    yield _counter("utb_evaluations", "Evaluations of the ensemble.", float(pulse.evaluations))
    yield _counter("utb_market_items", "Market items handled.", float(pulse.items))
    yield _counter("utb_lane_dropped", "Second-lane messages lost.", float(pulse.lane_dropped))
    holds = _floats(pulse.holds_by_reason)
    yield _labelled("utb_holds", "Evaluations that held.", "reason", holds)
    yield _gauge("utb_journal_writable", "1 while it is.", float(pulse.journal_writable))
    yield _gauge("utb_clock_sound", "1 while it is.", float(pulse.clock_sound))


def _feeds(pulse: Pulse) -> Iterator[Metric]:
    fresh = GaugeMetricFamily("utb_feed_fresh", "1 while it is.", labels=["source"])
    age = GaugeMetricFamily("utb_feed_age_seconds", "Since its last item.", labels=["source"])
    latency = GaugeMetricFamily(
        "utb_feed_latency_seconds", "Source to receive.", labels=["source", "quantile"]
    )
    rejected = CounterMetricFamily(
        "utb_feed_rejected", "Items never used.", labels=["source", "reason"]
    )
    counts: dict[str, Callable[[FeedHealth], int]] = {
        "frames": lambda feed: feed.frames,
        "items": lambda feed: feed.items,
        "reconnects": lambda feed: feed.reconnects,
        "requests": lambda feed: feed.requests,
    }
    for feed in pulse.feeds:
        fresh.add_metric([feed.source], float(feed.status is FeedStatus.FRESH))
        if feed.last_item_ns is not None:
            age.add_metric([feed.source], max(pulse.ts_ns - feed.last_item_ns, 0) / 1e9)
        for name, value in (("0.5", feed.latency_p50_ms), ("0.99", feed.latency_p99_ms)):
            if value is not None:
                latency.add_metric([feed.source, name], value / 1e3)
        for reason, count in feed.rejected.items():
            rejected.add_metric([feed.source, reason], count)
    yield from (fresh, age, latency, rejected)
    for name, read in counts.items():
        values = {feed.source: float(read(feed)) for feed in pulse.feeds}
        yield _labelled(f"utb_feed_{name}", f"{name.capitalize()} of a feed.", "source", values)


def _chain(chain: ChainHealth) -> Iterator[Metric]:
    """Yield what the way to the chain is like; unknown figures are absent."""
    name = ["endpoint"]
    answers = GaugeMetricFamily("utb_rpc_answers", "1 while it does.", labels=name)
    latency = GaugeMetricFamily("utb_rpc_latency_seconds", "Moving average.", labels=name)
    lag = GaugeMetricFamily("utb_rpc_lag_slots", "Behind the best endpoint.", labels=name)
    for one in chain.endpoints:
        answers.add_metric([one.name], float(one.answers))
        if one.latency_ms is not None:
            latency.add_metric([one.name], one.latency_ms / 1e3)
        if one.lag_slots is not None:
            lag.add_metric([one.name], float(one.lag_slots))
    yield from (answers, latency, lag)
    requests = {one.name: float(one.requests) for one in chain.endpoints}
    yield _labelled("utb_rpc_requests", "Questions to an endpoint.", "endpoint", requests)
    failures = {one.name: float(one.failures) for one in chain.endpoints}
    yield _labelled("utb_rpc_failures", "Failures of an endpoint.", "endpoint", failures)
    sends = CounterMetricFamily(
        "utb_sends", "Answers to sent transactions.", labels=["sender", "outcome"]
    )
    for sender, outcomes in chain.sends.items():
        for outcome, count in outcomes.items():
            sends.add_metric([sender, outcome], float(count))
    yield sends
    yield _gauge("utb_signer_connected", "1 while it can be asked.", float(not chain.signer))
    equal = float(not chain.discrepancy)
    yield _gauge("utb_chain_equals_book", "0 while a difference stops entries.", equal)
    if chain.slot is not None:
        yield _gauge("utb_chain_slot", "Newest slot that was told.", float(chain.slot))


def _stages(pulse: Pulse) -> HistogramMetricFamily:
    family = HistogramMetricFamily(
        "utb_stage_seconds", "Time of each stage of the hot path.", labels=["stage"]
    )
    for stage in pulse.stages:
        buckets: list[tuple[str, float]] = [
            (bound, float(count)) for bound, count in zip(_BOUNDS, stage.buckets, strict=False)
        ]
        buckets.append(("+Inf", float(stage.count)))
        family.add_metric([stage.stage], buckets, sum_value=stage.sum_ns / 1e9)
    return family


def _api(traffic: Traffic) -> Iterator[Metric]:
    statuses = {str(status): float(count) for status, count in traffic.by_status.items()}
    yield _labelled("utb_api_responses", "Answers of the API.", "status", statuses)
    codes = _floats(traffic.errors_by_code)
    yield _labelled("utb_api_errors", "Errors of the API.", "code", codes)
    yield _counter("utb_api_seconds", "Time spent answering.", traffic.seconds)
    yield _gauge("utb_websocket_clients", "Open WebSockets.", float(traffic.clients))
    dropped = float(traffic.clients_dropped)
    yield _counter("utb_websocket_clients_dropped", "WebSockets that were too slow.", dropped)


def _machine(system: SystemFigures) -> Iterator[Metric]:
    figures = {
        "utb_system_cpu_percent": ("CPU of the machine.", system.cpu_percent),
        "utb_system_memory_percent": ("Memory of the machine.", system.memory_percent),
        "utb_system_disk_percent": ("Disk that holds the state.", system.disk_percent),
        "utb_system_load_1m": ("Load average.", system.load_1m),
        "utb_process_memory_bytes": ("Of this process.", system.process_memory_mb * 1024 * 1024),
        "utb_process_threads": ("Of this process.", float(system.process_threads)),
        "utb_process_open_files": ("Of this process.", float(system.process_open_files)),
    }
    for name, (text, value) in figures.items():
        yield _gauge(name, text, value)
    yield _counter("utb_process_cpu_seconds", "Of this process.", system.process_cpu_seconds)
