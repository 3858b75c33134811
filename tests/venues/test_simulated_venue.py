"""The simulated venue: when orders land, at what price, at what cost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from utb.adapters.venues.models import FeeModel, FillModel, LatencyModel, uniform
from utb.adapters.venues.simulated import PoolModel, SimulatedVenue
from utb.domain.market import Instrument, Mark
from utb.domain.names import OrderStatus, Side
from utb.domain.orders import OrderIntent, Submission, VenueFailed, VenueFilled

SECOND_NS = 1_000_000_000
T0 = 1_700_000_000 * SECOND_NS
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


class Prices:
    def __init__(self) -> None:
        self.marks: dict[int, Mark] = {}

    def mark(self, instrument: int) -> Mark | None:
        return self.marks.get(instrument)

    def set(
        self, price: float, ts_ns: int, liquidity: float | None = None, instrument: int = 0
    ) -> None:
        last = self.marks.get(instrument)
        count = 1 if last is None else last.events + 1
        self.marks[instrument] = Mark(price, ts_ns, count, liquidity, 1.0)


def venue_of(
    prices: Prices, *, landing: float = 1.0, sigma: float = 0.0, source: str = "birdeye"
) -> SimulatedVenue:
    from msgspec.structs import replace

    return SimulatedVenue(
        (replace(SOL, primary=source), replace(SOL, index=1)),
        prices,
        pool_models=(PoolModel(depth_quote_raw=10**12, fee_bps=30),) * 2,
        latency=LatencyModel(seed=7, median_ms=1000.0, sigma=sigma),
        fills=FillModel(
            seed=7,
            landing_probability=landing,
            expiry_ns=75 * SECOND_NS,
            impact_memory_ns=60 * SECOND_NS,
        ),
        fees=FeeModel(base_fee_lamports=5_000, priority_fee_lamports=50_000),
    )


def order(  # noqa: PLR0913 - an intent's fields
    intent_id: str = "aa",
    side: Side = Side.BUY,
    amount: int = 1_000_000_000,
    *,
    events: int = 1,
    least: int = 1,
    attempt: int = 0,
    instrument: int = 0,
) -> Submission:
    intent = OrderIntent(
        intent_id=intent_id,
        instrument=instrument,
        side=side,
        lead="manual",
        ts_ns=T0,
        decision_price=100.0,
        decision_events=events,
        amount_in_raw=amount,
        min_out_raw=least,
        attempt=attempt,
        slippage_bps_max=50,
    )
    return Submission(intent=intent, fee_lamports_max=2_000_000)


def test_buy_fills_by_the_constant_product() -> None:
    """1,000 USDC into a pool of 1,000,000 USDC / 10,000 SOL, 30 bps.

    997 USDC enter: out = 10^13 x 997e6 / (10^12 + 997e6) = 9,960,069,...: floor of
    9970000000000000000000 / 1000997000000 = 9960069810.399...
    """
    prices = Prices()
    prices.set(100.0, T0)
    venue = venue_of(prices)
    prices.set(100.0, T0 + 1)
    venue.submit(order(), T0)
    assert venue.next_event_ns() == T0 + SECOND_NS
    (event,) = venue.poll(T0 + SECOND_NS)
    assert isinstance(event, VenueFilled)
    assert (event.base_raw, event.quote_raw) == (9_960_069_810, 1_000_000_000)
    assert event.pool_fee_quote_raw == 3_000_000
    assert event.fee_lamports == 55_000
    assert event.ts_ns == T0 + SECOND_NS
    assert event.mid_price == pytest.approx(100.0)
    assert not event.indicative


def test_sell_fee_is_what_the_swap_would_have_given_without_it() -> None:
    """10 SOL into 10,000 SOL / 1,000,000 USDC at 30 bps.

    With fee: 10^12 x 9.97e9 / (10^13 + 9.97e9) = 996,006,981; without: 10^12 x 10^10 /
    (10^13 + 10^10) = 999,000,999.
    """
    prices = Prices()
    prices.set(100.0, T0)
    venue = venue_of(prices)
    venue.submit(order(side=Side.SELL, amount=10_000_000_000, events=0), T0)
    (event,) = venue.poll(T0 + SECOND_NS)
    assert isinstance(event, VenueFilled)
    assert event.quote_raw == 996_006_981
    assert event.pool_fee_quote_raw == 999_000_999 - 996_006_981


def test_order_is_priced_at_the_last_event_before_landing() -> None:
    prices = Prices()
    prices.set(100.0, T0)
    venue = venue_of(prices)
    venue.submit(order(), T0)
    prices.set(110.0, T0 + SECOND_NS // 2)
    (event,) = venue.poll(T0 + SECOND_NS)
    assert isinstance(event, VenueFilled)
    assert event.mid_price == pytest.approx(110.0)


def test_order_without_a_later_event_waits_for_the_next_one() -> None:
    prices = Prices()
    prices.set(100.0, T0)
    venue = venue_of(prices)
    venue.submit(order(), T0)
    assert venue.waiting_instruments() == ()
    assert venue.poll(T0 + SECOND_NS) == []
    assert venue.waiting_instruments() == (0,)
    assert venue.next_event_ns() is None
    venue.observe(T0 + 2 * SECOND_NS)
    assert venue.next_event_ns() is None
    prices.set(120.0, T0 + 30 * SECOND_NS)
    venue.observe(T0 + 30 * SECOND_NS)
    assert venue.next_event_ns() == T0 + 30 * SECOND_NS
    (event,) = venue.poll(T0 + 30 * SECOND_NS)
    assert isinstance(event, VenueFilled)
    assert event.ts_ns == T0 + 30 * SECOND_NS
    assert event.mid_price == pytest.approx(120.0)


def test_two_waiting_instruments_are_both_named_ascending() -> None:
    prices = Prices()
    prices.set(100.0, T0)
    prices.set(100.0, T0, instrument=1)
    venue = venue_of(prices)
    venue.submit(order("b", instrument=1), T0)
    venue.submit(order("a", instrument=0), T0)
    venue.poll(T0 + SECOND_NS)
    assert venue.waiting_instruments() == (0, 1)


def test_worse_than_minimum_fails_with_fees_paid_and_moves_nothing() -> None:
    prices = Prices()
    prices.set(100.0, T0)
    venue = venue_of(prices)
    venue.submit(order(events=0, least=9_960_069_811), T0)
    (event,) = venue.poll(T0 + SECOND_NS)
    assert isinstance(event, VenueFailed)
    assert (event.status, event.fee_lamports) == (OrderStatus.FAILED_ON_CHAIN, 55_000)
    venue.submit(order("b", events=0, least=9_960_069_810), T0)
    (event,) = venue.poll(T0 + SECOND_NS)
    assert isinstance(event, VenueFilled)


def test_order_that_does_not_land_expires_after_75_seconds_without_fee() -> None:
    prices = Prices()
    prices.set(100.0, T0)
    venue = venue_of(prices, landing=0.0)
    venue.submit(order(events=0), T0)
    assert venue.poll(T0 + 75 * SECOND_NS - 1) == []
    (event,) = venue.poll(T0 + 75 * SECOND_NS)
    assert isinstance(event, VenueFailed)
    assert (event.status, event.fee_lamports) == (OrderStatus.EXPIRED, 0)


def test_own_impact_is_remembered_and_fades_to_nothing() -> None:
    """A buy moves the mid up; half of it is left after half the memory, nothing after all."""
    prices = Prices()
    prices.set(100.0, T0)
    venue = venue_of(prices)
    mids = []
    submits = [T0, T0 + SECOND_NS, T0 + 31 * SECOND_NS, T0 + 100 * SECOND_NS]
    amounts = [10**10, 10**6, 10**6, 10**6]
    for number, (ts_ns, amount) in enumerate(zip(submits, amounts, strict=True)):
        venue.submit(order(f"i{number}", amount=amount, events=0), ts_ns)
        (event,) = venue.poll(ts_ns + SECOND_NS)
        assert isinstance(event, VenueFilled)
        mids.append(event.mid_price)
    moved = 100.0 * (1 + 9970 / 1e6) ** 2 - 100.0
    assert mids[0] == pytest.approx(100.0)
    assert mids[1] == pytest.approx(100.0 + moved * 59 / 60, rel=1e-6)
    assert mids[2] == pytest.approx(100.0 + moved * 29 / 60, rel=1e-4)
    assert mids[3] == pytest.approx(100.0)


def test_liquidity_of_the_source_comes_before_the_configured_depth() -> None:
    prices = Prices()
    prices.set(100.0, T0, liquidity=10_000.0)
    venue = venue_of(prices)
    venue.submit(order(events=0), T0)
    (event,) = venue.poll(T0 + SECOND_NS)
    assert isinstance(event, VenueFilled)
    assert event.base_raw == 10**11 * 997_000_000 // (10**10 + 997_000_000)


def test_fill_is_indicative_where_the_source_gives_no_executable_price() -> None:
    prices = Prices()
    prices.set(100.0, T0)
    venue = venue_of(prices, source="dexscreener")
    venue.submit(order(events=0), T0)
    (event,) = venue.poll(T0 + SECOND_NS)
    assert isinstance(event, VenueFilled)
    assert event.indicative


def test_fee_rises_with_the_attempt_up_to_its_limit() -> None:
    fees = FeeModel(base_fee_lamports=5_000, priority_fee_lamports=50_000)
    intents = [order(attempt=n).intent for n in range(4)]
    assert [fees.fee_lamports(i, 120_000) for i in intents] == [55_000, 105_000, 120_000, 120_000]


def test_known_intent_is_the_same_order() -> None:
    prices = Prices()
    prices.set(100.0, T0)
    venue = venue_of(prices)
    venue.submit(order(events=0), T0)
    venue.submit(order(events=0), T0 + 5)
    assert len(venue.poll(T0 + 10 * SECOND_NS)) == 1


def test_outcomes_come_in_order_of_time_then_submission() -> None:
    prices = Prices()
    prices.set(100.0, T0)
    venue = venue_of(prices)
    for name, ts_ns in (("late", T0 + 5), ("first", T0), ("second", T0)):
        venue.submit(order(name, amount=10**6, events=0), ts_ns)
    assert [e.intent_id for e in venue.poll(T0 + 2 * SECOND_NS)] == ["first", "second", "late"]


def test_finish_expires_what_is_on_its_way() -> None:
    prices = Prices()
    prices.set(100.0, T0)
    venue = venue_of(prices)
    venue.submit(order(), T0)
    (event,) = venue.finish(T0 + 5)
    assert isinstance(event, VenueFailed)
    assert (event.status, event.ts_ns, event.fee_lamports) == (OrderStatus.EXPIRED, T0 + 5, 0)
    assert venue.next_event_ns() is None


def test_close_out_needs_no_later_event_and_no_minimum() -> None:
    prices = Prices()
    prices.set(100.0, T0)
    venue = venue_of(prices, landing=0.0)
    event = venue.close_out(order(side=Side.SELL, amount=10**9, events=1, least=10**15), T0)
    assert isinstance(event, VenueFilled)
    assert event.fee_lamports == 55_000
    assert venue.close_out(order(instrument=1), T0) is None


def test_saved_venue_goes_on_where_it_was() -> None:
    prices = Prices()
    prices.set(100.0, T0)
    one, other = venue_of(prices), venue_of(prices)
    one.submit(order("a", events=0), T0)
    one.poll(T0 + SECOND_NS)
    one.submit(order("b", events=0), T0 + SECOND_NS)
    one.submit(order("c"), T0 + SECOND_NS)
    other.load(one.save())
    assert other.poll(T0 + 9 * SECOND_NS) == one.poll(T0 + 9 * SECOND_NS)
    assert other.waiting_instruments() == one.waiting_instruments() == (0,)
    assert other.save() == one.save()


def test_uniform_is_the_hash_it_says() -> None:
    """BLAKE2b-64 of `7/ab/landing`, top 53 bits, plus a half, over 2^53."""
    import hashlib

    bits = int.from_bytes(hashlib.blake2b(b"7/ab/landing", digest_size=8).digest(), "big")
    assert uniform(7, "ab", "landing") == ((bits >> 11) + 0.5) / 2**53


def test_latency_median_and_spread_are_the_configured_ones() -> None:
    model = LatencyModel(seed=1, median_ms=900.0, sigma=0.5)
    delays = sorted(model.landing_delay_ns(f"{n}") / 1e6 for n in range(4_000))
    assert delays[2_000] == pytest.approx(900.0, rel=0.05)
    assert delays[int(4_000 * 0.8413)] == pytest.approx(900.0 * 2.718281828**0.5, rel=0.08)


def test_share_of_orders_that_land_is_the_configured_one() -> None:
    model = FillModel(seed=1, landing_probability=0.97, expiry_ns=1, impact_memory_ns=1)
    landed = sum(model.lands(f"{n}") for n in range(10_000))
    assert landed == pytest.approx(9_700, abs=60)


@given(
    price=st.floats(1e-7, 1e6),
    amount=st.integers(1_000_000, 10**11),
    fee_bps=st.integers(0, 100),
)
def test_buy_then_sell_at_once_never_gains(price: float, amount: int, fee_bps: int) -> None:
    prices = Prices()
    prices.set(price, T0)
    venue = venue_of(prices)
    venue._pools = (PoolModel(depth_quote_raw=10**12, fee_bps=fee_bps),) * 2
    bought = venue.close_out(order("a", amount=amount), T0)
    if bought is None:
        return
    sold = venue.close_out(order("b", Side.SELL, bought.base_raw), T0)
    assert sold is None or sold.quote_raw <= amount
