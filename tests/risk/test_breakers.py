"""Guards trip, stay and end as written; a fold of their records is the same state."""

from math import nan, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from utb.config.load import defaults
from utb.domain.names import BreakerKind
from utb.domain.records import Breaker, EquityMarked
from utb.errors import InvariantError
from utb.risk.breakers import Breakers, Whales, breaker_settings, ewma_volatility

MINUTE = 60_000_000_000
HOUR = 60 * MINUTE


def guards() -> Breakers:
    return Breakers(breaker_settings(defaults()))


def kinds(records: list[Breaker]) -> list[tuple[str, bool]]:
    return [(r.kind.value, r.active) for r in records]


def test_drawdown_warns_at_two_thirds_and_stops_above_the_limit() -> None:
    """0.6667 x 0.15 = 0.100005."""
    found = guards()
    assert found.on_drawdown(1, 0.1) == []
    assert kinds(found.on_drawdown(2, 0.1001)) == [("DRAWDOWN_WARNING", True)]
    assert found.on_drawdown(3, 0.15) == []
    (stop,) = found.on_drawdown(4, 0.1501)
    assert (stop.kind, stop.value, stop.limit) == (BreakerKind.DRAWDOWN, 0.1501, 0.15)
    assert found.on_drawdown(5, 0.2) == []


def test_emergency_stop_outlasts_the_recovery_until_the_reset() -> None:
    found = guards()
    found.on_drawdown(1, 0.2)
    assert kinds(found.on_drawdown(2, 0.0)) == [("DRAWDOWN_WARNING", False)]
    assert found.advance(10**20) == []
    assert found.find(BreakerKind.DRAWDOWN) is not None
    assert kinds(found.reset(3, "operator")) == [("DRAWDOWN", False)]
    assert found.active == ()


def test_a_fall_of_everything_at_once_warns_and_stops() -> None:
    assert kinds(guards().on_drawdown(1, 1.0)) == [("DRAWDOWN_WARNING", True), ("DRAWDOWN", True)]


def test_warning_ends_below_nine_tenths_of_its_level() -> None:
    found = guards()
    found.on_drawdown(1, 0.11)
    assert found.on_drawdown(2, 0.0901) == []
    assert kinds(found.on_drawdown(3, 0.09)) == [("DRAWDOWN_WARNING", False)]


def test_volatility_is_an_ewma_of_daily_returns() -> None:
    """+10 %, then -5 %: sqrt(0.94 x 0.01 + 0.06 x 0.0025) = 0.0977241...

    Golden: sqrt(0.00955) by hand.
    """
    found = guards()
    units = 1_000
    assert found.on_day(1, 100, 1_000, units) == []
    assert found.volatility_daily is None
    assert kinds(found.on_day(2, 101, 1_100, units)) == [("PORTFOLIO_VOLATILITY", True)]
    assert found.volatility_daily == pytest.approx(0.1, rel=1e-12)
    found.on_day(3, 102, 1_045, units)
    assert found.volatility_daily == pytest.approx(sqrt(0.00955), rel=1e-12)


def test_volatility_at_its_limit_does_not_trip_and_ends_there() -> None:
    """4.9 % passes, 10 % trips; then quiet days until the volatility is at most 5 %."""
    found = guards()
    found.on_day(0, 0, 100_000, 100_000)
    assert found.on_day(1, 1, 104_900, 100_000) == []
    found.on_day(2, 2, 115_390, 100_000)
    assert found.find(BreakerKind.PORTFOLIO_VOLATILITY) is not None
    day = 2
    while found.find(BreakerKind.PORTFOLIO_VOLATILITY) is not None:
        day += 1
        found.on_day(day, day, 115_390, 100_000)
    # Variance 0.94 x 0.002401 + 0.06 x 0.01 = 0.002857; x 0.94^n <= 0.0025 from n = 3
    assert day == 5


def test_volatility_deposit_is_neutral_and_repeated_day_ignored() -> None:
    found = guards()
    found.on_day(0, 0, 1_000, 1_000)
    found.on_day(1, 1, 2_000, 2_000)
    assert found.volatility_daily == 0.0
    found.on_day(1, 1, 9_000, 2_000)
    assert found.volatility_daily == 0.0


def test_volatility_days_without_a_mark_spread_the_return() -> None:
    """2 % over 4 days = 4 daily squares of 0.0001, each decaying."""
    expected = 0.03
    for _ in range(4):
        expected = ewma_volatility(expected, 0.01, 1)
    assert ewma_volatility(0.03, 0.02, 4) == pytest.approx(expected, rel=1e-12)


def test_flash_crash_cools_off_its_instrument_for_an_hour() -> None:
    found = guards()
    (trip,) = found.on_flash_crash(5 * MINUTE, 3, fall=0.12, limit=0.1)
    assert (trip.instrument, trip.until_ts_ns) == (3, 65 * MINUTE)
    assert found.next_end_ns() == 65 * MINUTE
    found.on_flash_crash(30 * MINUTE, 3, fall=0.11, limit=0.1)
    assert found.advance(65 * MINUTE) == []
    assert found.advance(90 * MINUTE - 1) == []
    assert kinds(found.advance(90 * MINUTE)) == [("FLASH_CRASH", False)]
    assert found.next_end_ns() is None


@pytest.mark.parametrize(
    ("buy", "sell", "sale", "trips"),
    [
        (0.41, 0.41, None, True),
        (0.4, 0.9, None, False),
        (0.9, 0.4, None, False),
        (0.9, None, 0.1, False),
        (None, None, 0.101, True),
        (None, None, None, False),
        (nan, 0.5, None, True),
        (None, None, nan, True),
    ],
)
def test_whale_manipulation_needs_both_sides_or_one_large_sale(
    buy: float | None, sell: float | None, sale: float | None, *, trips: bool
) -> None:
    found = guards()
    whales = Whales(top_wallet_buy_share=buy, top_wallet_sell_share=sell, largest_sale_share=sale)
    records = found.on_whales(0, 2, whales)
    assert [r.kind for r in records] == [BreakerKind.WHALE_MANIPULATION] * trips
    assert all(r.until_ts_ns == HOUR and r.value == r.value for r in records)


def test_unhealthy_lasts_until_healthy_and_tells_a_new_cause() -> None:
    found = guards()
    assert found.on_health(0, healthy=True, cause="") == []
    assert kinds(found.on_health(1, healthy=False, cause="no feed")) == [("UNHEALTHY", True)]
    assert found.on_health(2, healthy=False, cause="no feed") == []
    assert len(found.on_health(3, healthy=False, cause="journal")) == 1
    assert [b.cause for b in found.active] == ["journal"]
    assert found.on_health(4, healthy=True, cause="", instrument=2) == []
    assert kinds(found.on_health(5, healthy=True, cause="healthy")) == [("UNHEALTHY", False)]


def test_saved_guards_go_on_as_the_live_ones() -> None:
    live = guards()
    live.on_drawdown(1, 0.2)
    live.on_day(2, 10, 1_000, 1_000)
    live.on_day(3, 11, 1_010, 1_000)
    loaded = Breakers.load(live.save(), breaker_settings(defaults()))
    assert loaded.state == live.state
    assert loaded.on_day(4, 12, 900, 1_000) == live.on_day(4, 12, 900, 1_000)
    with pytest.raises(InvariantError):
        Breakers.load(b"x", breaker_settings(defaults()))


events = st.lists(
    st.one_of(
        st.tuples(st.just("drawdown"), st.floats(min_value=0, max_value=1)),
        st.tuples(st.just("crash"), st.integers(min_value=0, max_value=3)),
        st.tuples(st.just("health"), st.booleans()),
        st.tuples(st.just("advance"), st.none()),
        st.tuples(st.just("day"), st.integers(min_value=1, max_value=2_000)),
        st.tuples(st.just("reset"), st.none()),
    ),
    max_size=40,
)


@given(events)
def test_fold_of_the_records_is_the_live_state(steps: list[tuple[str, float]]) -> None:
    live, replica = guards(), guards()
    for number, (kind, value) in enumerate(steps):
        ts = number * 20 * MINUTE
        records: list[Breaker | EquityMarked] = []
        if kind == "drawdown":
            records += live.on_drawdown(ts, value)
        elif kind == "crash":
            records += live.on_flash_crash(ts, int(value), fall=0.2, limit=0.1)
        elif kind == "health":
            records += live.on_health(ts, healthy=bool(value), cause="c")
        elif kind == "advance":
            records += live.advance(ts)
        elif kind == "reset":
            records += live.reset(ts, "operator")
        else:
            records += live.on_day(ts, number, int(value), 1_000)
            records.append(
                EquityMarked(
                    ts_ns=ts,
                    equity_quote_raw=int(value),
                    cash_quote_raw=0,
                    sol_lamports=0,
                    units_raw=1_000,
                    peak_nav=1.0,
                    volatility_daily=live.volatility_daily,
                    day=number,
                )
            )
        for record in records:
            replica.apply(record)
    assert replica.state == live.state
