"""No accepted order is over any limit: 20,000 random inputs, a million in the long form."""

import os
from fractions import Fraction
from math import inf, nan
from random import Random
from typing import Any

import pytest
from gate_inputs import ENTRY, INSTRUMENT, USDC, VIEW, settings
from msgspec.structs import replace

from utb.domain.names import BreakerKind, ExitReason, OperatorState
from utb.domain.orders import RiskApproved, RiskRefused
from utb.domain.records import Breaker
from utb.risk.gate import approve_entry, approve_exit
from utb.risk.settings import RiskSettings
from utb.risk.view import (
    EntryRequest,
    ExitRequest,
    MarketFacts,
    PendingView,
    PortfolioView,
    PositionView,
)

COUNT = 1_000_000 if os.environ.get("UTB_LONG") else 20_000
CHUNKS = 8
Case = tuple[EntryRequest, PortfolioView, MarketFacts]
ODD: tuple[Any, ...] = (
    None,
    nan,
    inf,
    -inf,
    0.0,
    -0.0,
    -1.0,
    1e-300,
    1e300,
    5e-324,
    -5,
    0,
    10**30,
    "x",
    True,
)


def draw_settings(random: Random) -> RiskSettings:
    """Return limits over their whole allowed range, factors far above the defaults included."""
    if random.random() < 0.5:
        return settings()
    factor: dict[str, Any] = {
        name: random.choice((0.1, 0.5, 1.0, 1.5, 3.0))
        for name in (
            "high_volatility_factor",
            "low_volatility_factor",
            "strong_trend_factor",
            "weak_trend_factor",
            "bull_market_factor",
            "bear_market_factor",
            "sideways_factor",
        )
    }
    return replace(
        settings(),
        max_position_size_ppb=random.randint(1, 10**9),
        risk_per_trade_ppb=random.randint(1, 200_000_000),
        portfolio_heat_limit_ppb=random.randint(1, 10**9),
        max_entry_share_ppb=random.randint(1, 10**9),
        slippage_tolerance_ppb=random.randint(1, 500_000_000),
        max_concurrent_positions=random.randint(1, 8),
        min_target_costs_ppb=random.choice((0, 10**9, 3 * 10**9)),
        gap_allowance_ppb=random.randint(0, 10**7),
        correlation_limit=random.uniform(0, 1),
        **factor,
    )


def draw_view(random: Random) -> PortfolioView:
    equity = int(10 ** random.uniform(random.choice((0, 8)), 13))
    positions = tuple(
        PositionView(
            position_id=n,
            instrument=n,
            base_raw=random.randint(1, 10**12),
            value_raw=int(equity * random.random() * 0.25),
            risk_at_stop_raw=int(equity * random.random() * 0.03),
        )
        for n in range(1, random.choice((1, 1, 2, 3, 4, 6)))
    )
    pending = tuple(
        PendingView(instrument=n, value_raw=int(equity * random.random() * 0.1), risk_at_stop_raw=7)
        for n in range(10, 10 + random.choice((0, 0, 0, 1, 2)))
    )
    held = [p.instrument for p in positions] + [o.instrument for o in pending]
    reserved = sum(o.value_raw for o in pending)
    return PortfolioView(
        equity_raw=equity,
        cash_raw=int(equity * random.random()) + reserved,
        reserved_raw=reserved,
        sol_lamports=random.randint(40_000_000, 2_000_000_000),
        positions=positions,
        pending=pending,
        drawdown=random.random() * 0.152,
        operator_state=random.choice((OperatorState.RUNNING,) * 40 + tuple(OperatorState)),
        breakers=(),
        correlations={n: random.uniform(-1, 0.72) for n in held},
    )


def draw_case(random: Random) -> Case:
    price = 10 ** random.uniform(-8, 6)
    facts = MarketFacts(
        price=price,
        atr=price * random.uniform(0.0001, 0.2),
        adx=random.uniform(0, 100),
        volatility_ratio=random.uniform(0, 4),
        trend_4h=random.choice((None, -1, 0, 1)),
        depth_quote_raw=int(10 ** random.uniform(9, 14)),
        fee_bps=random.choice((0, 1, 4, 25, 100)),
        sol_price=random.uniform(1, 500),
    )
    instrument = replace(
        INSTRUMENT,
        base_decimals=random.choice((0, 5, 6, 8, 9)),
        liquid=random.random() < 0.8,
        min_order_quote_raw=random.choice((0, 1, 10 * USDC)),
    )
    manual = random.random() < 0.2
    sized = manual and random.random() < 0.7
    request = replace(
        ENTRY,
        instrument=instrument,
        lead="manual" if manual else "mean_reversion",
        stop=price * (1 - 10 ** random.uniform(-4, 0)),
        target=price * (1 + 10 ** random.uniform(-2.5, 1)),
        confidence=None if manual else random.uniform(0.55, 1),
        size_base_raw=int(10 ** random.uniform(0, 12)) if sized else None,
    )
    return request, draw_view(random), facts


def spoil(random: Random, case: Case) -> Case:
    """Replace one field by something that is not a sensible number."""
    request, view, facts = case
    value = random.choice(ODD)
    which = random.randrange(3)
    if which == 0:
        name = random.choice(("stop", "target", "confidence", "size_base_raw"))
        return replace(request, **{name: value}), view, facts
    if which == 1:
        name = random.choice(
            ("equity_raw", "cash_raw", "reserved_raw", "sol_lamports", "drawdown", "correlations")
        )
        return request, replace(view, **{name: value}), facts
    return request, view, replace(facts, **{random.choice(MarketFacts.__struct_fields__): value})


def check(case: Case, limits: RiskSettings, verdict: RiskApproved) -> None:
    """Hold an accepted order against every limit, in exact rationals."""
    request, view, facts = case
    assert view.equity_raw is not None
    assert facts.price is not None
    equity, size = view.equity_raw, verdict.intent.amount_in_raw
    risk = share(limits.risk_per_trade_ppb) * equity
    loss = check_market(request, facts, limits, verdict)
    exposure = sum(p.value_raw or 0 for p in view.positions)
    exposure += sum(o.value_raw for o in view.pending)
    at_stop = sum(p.risk_at_stop_raw or 0 for p in view.positions)
    at_stop += sum(o.risk_at_stop_raw for o in view.pending)
    held = [p.instrument for p in view.positions] + [o.instrument for o in view.pending]

    assert view.operator_state == OperatorState.RUNNING
    assert view.drawdown <= limits.max_drawdown
    assert size >= max(request.instrument.min_order_quote_raw, 1)
    assert loss <= risk
    assert loss <= verdict.risk_at_stop_raw
    assert at_stop + loss <= limits.max_concurrent_positions * risk
    assert size <= share(limits.max_position_size_ppb) * equity
    assert exposure + size <= share(limits.portfolio_heat_limit_ppb) * equity
    assert exposure * 10 <= 8 * equity
    assert size <= view.cash_raw - view.reserved_raw
    assert len(held) < limits.max_concurrent_positions
    assert all((view.correlations[n] or 0.0) <= limits.correlation_limit for n in held)
    fees = (len(view.pending) + 1) * limits.max_fee_lamports
    assert view.sol_lamports - fees >= limits.fee_reserve_lamports


def check_market(
    request: EntryRequest, facts: MarketFacts, limits: RiskSettings, verdict: RiskApproved
) -> Fraction:
    """Hold an accepted order against the market's limits; return what it can lose."""
    size, intent = verdict.intent.amount_in_raw, verdict.intent
    price, stop = Fraction(facts.price or 0), Fraction(intent.stop or 0)
    target = Fraction(intent.target or 0)
    network = Fraction(2 * limits.network_fee_lamports) * Fraction(facts.sol_price or 0) / 1000
    fee, depth = Fraction(facts.fee_bps or 0, 10_000), facts.depth_quote_raw or 0
    costs = 2 * fee * size + Fraction(2 * size * size, depth) + network
    kept = (1 - fee) / (1 + (1 - fee) * size / depth)
    paid = size * (1 - fee)
    scale = Fraction(10**request.instrument.base_decimals, 10**6)
    out = depth / price * paid / (depth + paid) * scale
    # A price of 1e-8 has 8 digits as an integer, and the base comes in whole units
    least = out * (1 - Fraction(1, 10**7)) - 2

    assert 1 - kept <= share(limits.slippage_tolerance_ppb)
    assert size * (target / price - 1) >= share(limits.min_target_costs_ppb) * costs
    assert 0 < intent.min_out_raw <= out
    assert intent.min_out_raw >= least * (1 - Fraction(limits.slippage_bps_max, 10_000))
    if not request.instrument.liquid:
        return Fraction(size)
    return size * ((price - stop) / price + share(limits.gap_allowance_ppb)) + costs


def share(parts_per_billion: int) -> Fraction:
    return Fraction(parts_per_billion, 10**9)


@pytest.mark.timeout(3000)
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_accepted_orders_are_within_every_limit(chunk: int) -> None:
    random = Random(chunk)  # noqa: S311
    accepted = 0
    for _ in range(COUNT // CHUNKS):
        limits, case = draw_settings(random), draw_case(random)
        if random.random() < 0.15:
            case = spoil(random, case)
        verdict = approve_entry(*case, limits)
        if isinstance(verdict, RiskRefused):
            assert all(abs(v) < inf for v in (verdict.limit, verdict.value, verdict.order_value))
            continue
        accepted += 1
        assert type(verdict.intent.amount_in_raw) is type(verdict.intent.min_out_raw) is int
        check(case, limits, verdict)
    assert accepted > COUNT // CHUNKS // 10


def test_spoiled_requests_never_raise_and_exits_never_oversell() -> None:
    random = Random(99)  # noqa: S311
    for _ in range(COUNT // 4):
        _, view, facts = spoil(random, draw_case(random))
        held = view.positions[0] if view.positions else None
        request = ExitRequest(
            intent_id="00",
            ts_ns=1,
            instrument=replace(INSTRUMENT, index=1),
            lead="manual",
            position_id=1,
            decision_events=1,
            reason=ExitReason.STOP,
            fraction=random.choice((1.0, 0.5, random.random(), *ODD)),
            size_base_raw=random.choice((None, None, *ODD)),
            attempt=random.choice((0, 1, 3)),
        )
        verdict = approve_exit(request, view, facts, settings())
        if isinstance(verdict, RiskApproved):
            assert held is not None
            assert 0 < verdict.intent.amount_in_raw <= held.base_raw
            assert verdict.intent.min_out_raw > 0


def test_every_breaker_but_the_warning_refuses_whatever_else_is_true() -> None:
    random = Random(5)  # noqa: S311
    for kind in BreakerKind:
        breaker = Breaker(
            ts_ns=1,
            kind=kind,
            instrument=None,
            active=True,
            until_ts_ns=None,
            value=1.0,
            limit=0.5,
            cause="cause",
        )
        verdicts = []
        for _ in range(300):
            request, view, facts = draw_case(random)
            view = replace(view, breakers=(breaker,))
            verdicts.append(approve_entry(request, view, facts, settings()))
        accepted = any(isinstance(v, RiskApproved) for v in verdicts)
        assert accepted == (kind == BreakerKind.DRAWDOWN_WARNING)


def test_reservations_count_against_cash() -> None:
    """30,000 of cash, 29,995 of it reserved: 5 is below the minimum of 10."""
    view = replace(VIEW, cash_raw=30_000 * USDC, reserved_raw=29_995 * USDC)
    verdict = approve_entry(ENTRY, view, draw_facts(), settings())
    assert isinstance(verdict, RiskRefused)
    assert verdict.code == "INSUFFICIENT_CASH"
    assert verdict.limit == 5 * USDC


def draw_facts() -> MarketFacts:
    return MarketFacts(
        price=150.0,
        atr=2.0,
        adx=22.0,
        volatility_ratio=1.0,
        trend_4h=0,
        depth_quote_raw=50_000_000 * USDC,
        fee_bps=4,
        sol_price=150.0,
    )
