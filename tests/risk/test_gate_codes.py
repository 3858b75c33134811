"""Every refusal code is reachable, with its numbers, and one step inside its limit passes."""

from math import inf, nan

import pytest
from gate_inputs import (
    ENTRY,
    EXIT,
    FACTS,
    HELD,
    INSTRUMENT,
    SOL,
    USDC,
    VIEW,
    holding,
    other,
    settings,
)
from msgspec.structs import replace

from utb.domain.names import BreakerKind, OperatorState, RefusalCode, Side
from utb.domain.orders import RiskApproved, RiskRefused
from utb.domain.records import Breaker
from utb.risk.gate import approve_entry, approve_exit
from utb.risk.view import EntryRequest, ExitRequest, MarketFacts, PendingView, PortfolioView

PENDING_ENTRY = PendingView(instrument=3, value_raw=10_000 * USDC, risk_at_stop_raw=100 * USDC)
MANUAL = replace(ENTRY, lead="manual", confidence=None, size_base_raw=10 * SOL)
THIN = replace(FACTS, fee_bps=60)


def breaker(kind: BreakerKind, instrument: int | None = None) -> Breaker:
    return Breaker(
        ts_ns=1,
        kind=kind,
        instrument=instrument,
        active=True,
        until_ts_ns=None,
        value=0.2,
        limit=0.15,
        cause="cause",
    )


def refusal(
    request: EntryRequest = ENTRY, view: PortfolioView = VIEW, facts: MarketFacts = FACTS
) -> RiskRefused:
    verdict = approve_entry(request, view, facts, settings())
    assert isinstance(verdict, RiskRefused)
    assert verdict.intent_id == request.intent_id
    assert verdict.ts_ns == request.ts_ns
    assert verdict.message
    return verdict


CASES = [
    (RefusalCode.OPERATOR_PAUSED, ENTRY, replace(VIEW, operator_state=OperatorState.PAUSED), FACTS),
    (
        RefusalCode.OPERATOR_SAFE_MODE,
        ENTRY,
        replace(VIEW, operator_state=OperatorState.SAFE_MODE),
        FACTS,
    ),
    (
        RefusalCode.EMERGENCY_STOP,
        ENTRY,
        replace(VIEW, operator_state=OperatorState.EMERGENCY_STOP),
        FACTS,
    ),
    (
        RefusalCode.EMERGENCY_STOP,
        ENTRY,
        replace(VIEW, breakers=(breaker(BreakerKind.DRAWDOWN),)),
        FACTS,
    ),
    (RefusalCode.EMERGENCY_STOP, ENTRY, replace(VIEW, drawdown=0.1501), FACTS),
    (
        RefusalCode.PORTFOLIO_VOLATILITY,
        ENTRY,
        replace(VIEW, breakers=(breaker(BreakerKind.PORTFOLIO_VOLATILITY),)),
        FACTS,
    ),
    (
        RefusalCode.FLASH_CRASH,
        ENTRY,
        replace(VIEW, breakers=(breaker(BreakerKind.FLASH_CRASH, 0),)),
        FACTS,
    ),
    (
        RefusalCode.WHALE_MANIPULATION,
        ENTRY,
        replace(VIEW, breakers=(breaker(BreakerKind.WHALE_MANIPULATION, 0),)),
        FACTS,
    ),
    (
        RefusalCode.RECONCILIATION,
        ENTRY,
        replace(VIEW, breakers=(breaker(BreakerKind.RECONCILIATION),)),
        FACTS,
    ),
    (
        RefusalCode.UNHEALTHY,
        ENTRY,
        replace(VIEW, breakers=(breaker(BreakerKind.UNHEALTHY),)),
        FACTS,
    ),
    (RefusalCode.INVALID_INPUT, replace(ENTRY, confidence=nan), VIEW, FACTS),
    (RefusalCode.WARM_UP, ENTRY, VIEW, replace(FACTS, adx=None)),
    (RefusalCode.WARM_UP, ENTRY, VIEW, replace(FACTS, volatility_ratio=None)),
    (RefusalCode.ATR_ABSENT, ENTRY, VIEW, replace(FACTS, atr=None)),
    (RefusalCode.ATR_ABSENT, ENTRY, VIEW, replace(FACTS, atr=0.0)),
    (RefusalCode.STOP_NOT_BELOW_ENTRY, replace(ENTRY, stop=150.0), VIEW, FACTS),
    (RefusalCode.POSITION_EXISTS, ENTRY, holding(other(0, 1_000)), FACTS),
    (
        RefusalCode.ORDER_IN_FLIGHT,
        ENTRY,
        holding(pending=(replace(PENDING_ENTRY, instrument=0),)),
        FACTS,
    ),
    (
        RefusalCode.MAX_CONCURRENT_POSITIONS,
        ENTRY,
        holding(*(other(n, 1_000) for n in range(1, 6))),
        FACTS,
    ),
    (
        RefusalCode.MAX_CONCURRENT_POSITIONS,
        ENTRY,
        holding(*(other(n, 1_000) for n in (1, 2, 4, 5)), pending=(PENDING_ENTRY,)),
        FACTS,
    ),
    (RefusalCode.PORTFOLIO_HEAT, ENTRY, holding(other(1, 80_001)), FACTS),
    (RefusalCode.PORTFOLIO_HEAT, ENTRY, holding(other(1, 79_995)), FACTS),
    (RefusalCode.RISK_AT_STOP, ENTRY, holding(other(1, 20_000, 10_000)), FACTS),
    (
        RefusalCode.RISK_PER_TRADE,
        replace(MANUAL, size_base_raw=500 * SOL, stop=145.0),
        VIEW,
        FACTS,
    ),
    (
        RefusalCode.CORRELATION,
        ENTRY,
        replace(holding(other(1, 10_000)), correlations={1: 0.71}),
        FACTS,
    ),
    (
        RefusalCode.CORRELATION,
        ENTRY,
        replace(holding(other(1, 10_000)), correlations={}),
        FACTS,
    ),
    (RefusalCode.INSUFFICIENT_CASH, ENTRY, replace(VIEW, cash_raw=9 * USDC), FACTS),
    (RefusalCode.FEE_RESERVE, ENTRY, replace(VIEW, sol_lamports=51_999_999), FACTS),
    (RefusalCode.SLIPPAGE, ENTRY, VIEW, replace(FACTS, fee_bps=50)),
    (RefusalCode.COST_GATE, replace(ENTRY, target=150.3), VIEW, FACTS),
    (RefusalCode.MIN_CONFIDENCE, replace(ENTRY, confidence=0.599), VIEW, FACTS),
    (RefusalCode.BELOW_MINIMUM, replace(MANUAL, size_base_raw=SOL // 16), VIEW, FACTS),
    (RefusalCode.MARK_ABSENT, ENTRY, VIEW, replace(FACTS, price=None)),
    (RefusalCode.MARK_ABSENT, ENTRY, VIEW, replace(FACTS, sol_price=None)),
    (RefusalCode.MARK_ABSENT, ENTRY, replace(VIEW, equity_raw=None, drawdown=1.0), FACTS),
    (RefusalCode.MARK_ABSENT, ENTRY, holding(replace(other(1, 1), value_raw=None)), FACTS),
    (RefusalCode.LIQUIDITY_UNKNOWN, ENTRY, VIEW, replace(FACTS, depth_quote_raw=None)),
    (RefusalCode.LIQUIDITY_UNKNOWN, ENTRY, VIEW, replace(FACTS, fee_bps=None)),
]


@pytest.mark.parametrize(("code", "request_", "view", "facts"), CASES)
def test_gate_cause_gives_its_code(
    code: RefusalCode, request_: EntryRequest, view: PortfolioView, facts: MarketFacts
) -> None:
    assert refusal(request_, view, facts).code == code


def test_gate_codes_are_all_reached() -> None:
    elsewhere = {RefusalCode.NO_POSITION, RefusalCode.MAX_POSITION_SIZE}
    assert {case[0] for case in CASES} | elsewhere == set(RefusalCode)


def test_gate_position_above_its_share_is_refused() -> None:
    """640 SOL cost 96,224 of 100,000; with the default heat limit that would be the code."""
    wide = replace(settings(), portfolio_heat_limit_ppb=990_000_000)
    request = replace(MANUAL, size_base_raw=640 * SOL, stop=149.99)
    found = approve_entry(request, VIEW, FACTS, wide)
    assert isinstance(found, RiskRefused)
    assert found.code == RefusalCode.MAX_POSITION_SIZE
    assert found.limit == 0.95
    assert found.order_value == pytest.approx(0.96224, abs=1e-5)


def test_gate_sound_input_is_approved() -> None:
    assert isinstance(approve_entry(ENTRY, VIEW, FACTS, settings()), RiskApproved)


@pytest.mark.parametrize(
    ("request_", "view", "facts"),
    [
        (ENTRY, replace(VIEW, drawdown=0.15), FACTS),
        (ENTRY, replace(VIEW, breakers=(breaker(BreakerKind.DRAWDOWN_WARNING),)), FACTS),
        (ENTRY, replace(VIEW, breakers=(breaker(BreakerKind.FLASH_CRASH, 1),)), FACTS),
        (ENTRY, holding(*(other(n, 1_000) for n in range(1, 5))), FACTS),
        (ENTRY, holding(other(1, 79_980)), FACTS),
        (ENTRY, replace(holding(other(1, 10_000)), correlations={1: 0.7}), FACTS),
        (ENTRY, replace(holding(other(1, 10_000)), correlations={1: -1.0}), FACTS),
        (ENTRY, replace(VIEW, cash_raw=10 * USDC), FACTS),
        (ENTRY, replace(VIEW, sol_lamports=52_000_000), FACTS),
        (ENTRY, VIEW, replace(FACTS, fee_bps=49)),
        (replace(ENTRY, confidence=0.6), VIEW, FACTS),
        (ENTRY, VIEW, replace(FACTS, trend_4h=None)),
        (MANUAL, VIEW, FACTS),
        (replace(MANUAL, stop=None, target=None), VIEW, FACTS),
    ],
)
def test_gate_one_step_inside_a_limit_is_approved(
    request_: EntryRequest, view: PortfolioView, facts: MarketFacts
) -> None:
    assert isinstance(approve_entry(request_, view, facts, settings()), RiskApproved)


def test_refusal_heat_tells_limit_value_and_order_value() -> None:
    """79,995 of 100,000 held; the smallest order, 10, would make it 0.80005."""
    found = refusal(view=holding(other(1, 79_995)))
    assert found.limit == 0.8
    assert found.value == pytest.approx(0.79995)
    assert found.order_value == pytest.approx(0.80005)


def test_refusal_manual_risk_tells_the_loss_it_would_have() -> None:
    """500 SOL x (3 stop + 0.15 gap + 0.12 fees) = 1,635, and 2 x 75,000^2/50e6 = 225 of impact.

    The purchase itself pays 75,142.8 for 500 SOL (fee 0.04 %, impact 0.15 %).
    """
    found = refusal(replace(MANUAL, size_base_raw=500 * SOL, stop=145.0))
    assert found.code == RefusalCode.RISK_PER_TRADE
    assert found.limit == 0.02
    # 75,142.8 x (5/150 + 0.001 + 0.0008) + 2 x 75,142.8^2 / 50e6 + network = 2,866
    assert found.order_value == pytest.approx(0.02866, abs=1e-5)


def test_order_above_the_free_cash_is_told_so_first() -> None:
    """900 SOL at 150 are 135,000 of 100,000 USDC: other caps are tighter still."""
    found = refusal(replace(MANUAL, size_base_raw=900 * SOL))
    assert found.code == RefusalCode.INSUFFICIENT_CASH
    assert found.message == "the order needs more cash than is free"


def test_refusals_words_have_their_numbers_in_shares() -> None:
    found = refusal(view=holding(other(1, 79_995)))
    assert found.message == (
        "positions would be 80.01% of equity with the order, 80.00% without, "
        "at most 80.0% is allowed"
    )


@pytest.mark.parametrize("value", [nan, inf, -inf, -1.0, 0.0, 1e300])
@pytest.mark.parametrize("field", ["price", "sol_price", "atr", "adx", "volatility_ratio"])
def test_gate_absurd_market_is_refused(field: str, value: float) -> None:
    if field in {"adx", "volatility_ratio"} and value == 0.0:
        return
    if (field, value) in {("volatility_ratio", 1e300), ("atr", 1e300)}:
        return
    facts = replace(FACTS, **{field: value})
    assert isinstance(approve_entry(ENTRY, VIEW, facts, settings()), RiskRefused)


@pytest.mark.parametrize("value", [None, nan, "150", object(), -(10**40), 10**40])
@pytest.mark.parametrize(
    "field", ["price", "sol_price", "atr", "adx", "volatility_ratio", "depth_quote_raw", "fee_bps"]
)
def test_gate_input_of_a_wrong_kind_is_refused(field: str, value: object) -> None:
    if (field, value) in {("volatility_ratio", 10**40), ("atr", 10**40)}:
        return
    facts = replace(FACTS, **{field: value})
    assert isinstance(approve_entry(ENTRY, VIEW, facts, settings()), RiskRefused)


@pytest.mark.parametrize("value", [0.5, 1.0, True])
def test_gate_size_that_is_no_integer_is_refused(value: float) -> None:
    request = replace(MANUAL, size_base_raw=value)
    assert isinstance(approve_entry(request, VIEW, FACTS, settings()), RiskRefused)


@pytest.mark.parametrize(
    ("field", "value"), [("fee_bps", 0.0), ("fee_bps", 4.0), ("depth_quote_raw", 5e13)]
)
def test_gate_float_in_place_of_an_amount_is_refused(field: str, value: float) -> None:
    facts = replace(FACTS, **{field: value})
    verdict = approve_entry(ENTRY, VIEW, facts, settings())
    assert isinstance(verdict, RiskRefused)
    assert verdict.code == RefusalCode.INVALID_INPUT


@pytest.mark.parametrize("value", [None, nan, "1", -1, 10**40, 1e11])
@pytest.mark.parametrize("field", ["equity_raw", "cash_raw", "reserved_raw", "sol_lamports"])
def test_gate_absurd_account_is_refused(field: str, value: object) -> None:
    view = replace(VIEW, **{field: value})
    assert isinstance(approve_entry(ENTRY, view, FACTS, settings()), RiskRefused)


@pytest.mark.parametrize("state", list(OperatorState))
def test_exit_in_any_operator_state_is_approved(state: OperatorState) -> None:
    every = tuple(breaker(kind) for kind in BreakerKind)
    view = replace(VIEW, positions=(HELD,), operator_state=state, breakers=every, drawdown=0.5)
    verdict = approve_exit(EXIT, view, FACTS, settings())
    assert isinstance(verdict, RiskApproved)
    assert verdict.intent.side == Side.SELL
    assert verdict.intent.amount_in_raw == 100 * SOL


def test_exit_min_out_is_the_quote_less_tolerance_rounded_up() -> None:
    """100 SOL at 150 in a pool of 50e6 USDC, fee 4 bps.

    net = 15,000 x 0.9996 = 14,994; out = 50e6 x 14,994 / (50e6 + 14,994) = 14,989.504947...;
    floor 14,989,504,947 raw; x 0.995 = 14,914,557,422.265 -> 14,914,557,423.
    """
    verdict = approve_exit(EXIT, replace(VIEW, positions=(HELD,)), FACTS, settings())
    assert isinstance(verdict, RiskApproved)
    assert verdict.intent.min_out_raw == 14_914_557_423


def test_exit_attempts_widen_the_tolerance() -> None:
    """0.5 % + 2 x 50 bps = 150 bps."""
    view = replace(VIEW, positions=(HELD,))
    verdict = approve_exit(replace(EXIT, attempt=2), view, FACTS, settings())
    assert isinstance(verdict, RiskApproved)
    assert verdict.intent.slippage_bps_max == 150


def test_exit_fraction_sells_that_part_rounded_down() -> None:
    view = replace(VIEW, positions=(replace(HELD, base_raw=7),))
    facts = replace(FACTS, price=1e9)
    verdict = approve_exit(replace(EXIT, fraction=0.5), view, facts, settings())
    assert isinstance(verdict, RiskApproved)
    assert verdict.intent.amount_in_raw == 3


def test_exit_without_pool_figures_is_still_approved() -> None:
    facts = replace(FACTS, depth_quote_raw=None, fee_bps=None, atr=None, adx=None, sol_price=None)
    view = replace(VIEW, positions=(HELD,))
    assert isinstance(approve_exit(EXIT, view, facts, settings()), RiskApproved)


@pytest.mark.parametrize(
    ("code", "exit_", "view", "facts"),
    [
        (RefusalCode.NO_POSITION, EXIT, VIEW, FACTS),
        (RefusalCode.NO_POSITION, replace(EXIT, position_id=2), holding(HELD), FACTS),
        (
            RefusalCode.ORDER_IN_FLIGHT,
            EXIT,
            holding(
                HELD,
                pending=(
                    PendingView(instrument=0, value_raw=0, risk_at_stop_raw=0, position_id=1),
                ),
            ),
            FACTS,
        ),
        (RefusalCode.MARK_ABSENT, EXIT, holding(HELD), replace(FACTS, price=None)),
        (RefusalCode.INVALID_INPUT, EXIT, holding(HELD), replace(FACTS, price=nan)),
        (RefusalCode.INVALID_INPUT, EXIT, holding(HELD), replace(FACTS, price=inf)),
        (RefusalCode.INVALID_INPUT, replace(EXIT, fraction=0.0), holding(HELD), FACTS),
        (RefusalCode.INVALID_INPUT, replace(EXIT, fraction=1.01), holding(HELD), FACTS),
        (RefusalCode.INVALID_INPUT, replace(EXIT, fraction=nan), holding(HELD), FACTS),
        (RefusalCode.INVALID_INPUT, replace(EXIT, attempt=-1), holding(HELD), FACTS),
        (
            RefusalCode.INVALID_INPUT,
            replace(EXIT, size_base_raw=100 * SOL + 1),
            holding(HELD),
            FACTS,
        ),
        (RefusalCode.BELOW_MINIMUM, EXIT, holding(replace(HELD, base_raw=1)), FACTS),
    ],
)
def test_exit_nonsense_is_refused(
    code: RefusalCode, exit_: ExitRequest, view: PortfolioView, facts: MarketFacts
) -> None:
    verdict = approve_exit(exit_, view, facts, settings())
    assert isinstance(verdict, RiskRefused)
    assert verdict.code == code


def test_manual_entry_buys_at_least_the_size_asked_for() -> None:
    verdict = approve_entry(MANUAL, VIEW, FACTS, settings())
    assert isinstance(verdict, RiskApproved)
    assert verdict.factors == ()
    # 10 SOL x 150 = 1,500; / 0.9996 / (1 - 1,500/50e6) = 1,500.645...
    assert verdict.intent.amount_in_raw == pytest.approx(1_500_645_000, rel=1e-6)


def test_illiquid_mint_is_worth_at_most_one_risk() -> None:
    """It is assumed to lose everything: 2 % of 100,000 less the network fee of 0.0165 USDC."""
    request = replace(ENTRY, instrument=replace(INSTRUMENT, liquid=False))
    verdict = approve_entry(request, VIEW, FACTS, settings())
    assert isinstance(verdict, RiskApproved)
    assert verdict.intent.amount_in_raw == 1_999_983_499
    assert verdict.risk_at_stop_raw <= 2_000 * USDC
