"""The choice of a route: net outcome, splits, least outputs, and what is said of the rest."""

from curve import Curve, candidate, free, limits, per_leg, request
from hypothesis import given
from hypothesis import strategies as st

from utb.domain.chain import Program, Route
from utb.domain.names import Side
from utb.routing.choose import choose
from utb.routing.minimum import floor_at, least_out, leg_minimums
from utb.routing.quotes import NoRoute, Offer

DEEP = Curve(base_raw=10**12, quote_raw=150 * 10**9)
SHALLOW = Curve(base_raw=10**11, quote_raw=15 * 10**9)
CURVES = st.builds(
    Curve,
    base_raw=st.integers(10**6, 10**14),
    quote_raw=st.integers(10**6, 10**14),
    fee_ppm=st.integers(0, 30_000),
)


def offer(**changes: object) -> Offer:
    fields: dict[str, object] = {
        "words": "Orca + Meteora",
        "amount_in_raw": 1_000_000,
        "out_raw": 149_000,
        "fee_raw": 0,
        "slot": 90,
        "mid_price": 0.15,
        "age_ms": 100.0,
        "min_out_raw": 148_255,
    }
    return Offer(**(fields | changes))  # type: ignore[arg-type]


@given(
    first=CURVES,
    second=CURVES,
    amount=st.integers(1, 10**13),
    side=st.sampled_from(Side),
)
def test_route_is_never_worse_than_the_best_single_pool(
    first: Curve, second: Curve, amount: int, side: Side
) -> None:
    singles = [
        quote.out_raw
        for curve in (first, second)
        if not isinstance(quote := curve.quote(side, amount), str)
    ]
    pools = [candidate(first, side, "a"), candidate(second, side, "b")]
    taken = choose(request(side, amount), pools, None, limits(), free)
    if not singles:
        assert isinstance(taken, NoRoute)
        return
    assert isinstance(taken, Route)
    assert taken.quoted_out_raw >= max(singles)
    assert sum(leg.amount_in_raw for leg in taken.legs) == amount
    # What the legs promise is what the pools give for just these inputs.
    curves = {"a": first, "b": second}
    for leg in taken.legs:
        again = curves[leg.pool].quote(side, leg.amount_in_raw)
        assert not isinstance(again, str)
        assert again.out_raw == leg.quoted_out_raw


@given(first=CURVES, second=CURVES, amount=st.integers(10**4, 10**13))
def test_split_is_near_the_best_of_all_divisions(first: Curve, second: Curve, amount: int) -> None:
    """Against a grid of 64 divisions, by the same exact quotes."""
    pools = [candidate(first, name="a"), candidate(second, name="b")]
    taken = choose(request(amount=amount), pools, None, limits(), free)
    grid = []
    for step in range(65):
        part = amount * step // 64
        outs = [
            0 if not x or isinstance(quote := curve.quote(Side.SELL, x), str) else quote.out_raw
            for curve, x in ((first, part), (second, amount - part))
        ]
        grid.append(sum(outs))
    if isinstance(taken, NoRoute):
        assert max(grid) <= 1
        return
    # The search stops at 1/16,384 of the input; flat near the best, so far less of the output.
    assert taken.quoted_out_raw >= max(grid) * (1 - 2e-4) - 2


def test_split_over_equal_pools_is_in_halves() -> None:
    pools = [candidate(DEEP, name="a"), candidate(DEEP, name="b")]
    taken = choose(request(amount=10**11), pools, None, limits(), free)
    assert isinstance(taken, Route)
    assert sorted(leg.pool for leg in taken.legs) == ["a", "b"]
    assert abs(taken.legs[0].amount_in_raw - taken.legs[1].amount_in_raw) <= 10**11 // 8_192


def test_split_that_does_not_pay_for_its_second_leg_is_not_taken() -> None:
    pools = [candidate(DEEP, name="a"), candidate(DEEP, name="b")]
    small = request(amount=10**8)
    dear = choose(small, pools, None, limits(), per_leg)
    cheap = choose(small, pools, None, limits(), free)
    assert isinstance(dear, Route)
    assert isinstance(cheap, Route)
    assert (len(dear.legs), len(cheap.legs)) == (1, 2)


def test_one_leg_at_most_when_splits_are_off() -> None:
    pools = [candidate(DEEP, name="a"), candidate(DEEP, name="b")]
    taken = choose(request(amount=10**11), pools, None, limits(legs_max=1), free)
    assert isinstance(taken, Route)
    assert len(taken.legs) == 1


def test_net_takes_costs_off_in_output_units() -> None:
    """25,000 lamports at 150 USDC per SOL are 3,750 micro-USDC."""
    taken = choose(request(), [candidate(DEEP)], None, limits(), per_leg)
    assert isinstance(taken, Route)
    assert taken.quoted_out_raw - taken.net_out_raw == 3_750


def test_net_of_a_purchase_values_costs_at_its_own_rate() -> None:
    """3,750 micro-USDC of costs at the quoted 66,497 base for 10,000 quote: 24,937 base."""
    bought = request(Side.BUY, 10_000)
    taken = choose(bought, [candidate(DEEP, Side.BUY)], None, limits(), per_leg)
    assert isinstance(taken, Route)
    assert taken.quoted_out_raw == 66_499
    assert taken.quoted_out_raw - taken.net_out_raw == -(-3_750 * 66_499 // 10_000)


def test_old_and_unknown_pools_are_refused_with_their_reasons() -> None:
    pools = [
        candidate(DEEP, name="old", age=5),
        candidate(DEEP, name="lost", age=None),
        candidate(SHALLOW, name="good", age=4),
    ]
    taken = choose(request(), pools, None, limits(), free)
    assert isinstance(taken, Route)
    assert taken.legs[0].pool == "good"
    assert {item.words: item.reason for item in taken.refused} == {
        "raydium_amm old": "its accounts are 5 slots old, at most 4 are used",
        "raydium_amm lost": "its accounts are not known to be current",
    }
    assert all(item.net_out_raw is None for item in taken.refused)


def test_alternatives_are_recorded_with_what_they_would_leave() -> None:
    pools = [candidate(SHALLOW, name="shallow"), candidate(DEEP, name="deep")]
    taken = choose(request(amount=10**9), pools, offer(amount_in_raw=7), limits(legs_max=1), free)
    assert isinstance(taken, Route)
    assert taken.legs[0].pool == "deep"
    by_words = {item.words: item for item in taken.refused}
    shallow = SHALLOW.quote(Side.SELL, 10**9)
    assert not isinstance(shallow, str)
    assert by_words["raydium_amm shallow"].net_out_raw == shallow.out_raw
    less = taken.net_out_raw - shallow.out_raw
    assert by_words["raydium_amm shallow"].reason == f"{less} less than the route taken"
    assert by_words["jupiter Orca + Meteora"].reason == "quoted for 7, not for 1000000000"


def test_offer_wins_by_net_outcome_only() -> None:
    pools = [candidate(DEEP)]
    better = choose(request(), pools, offer(out_raw=149_700), limits(), free)
    worse = choose(request(), pools, offer(out_raw=149_600), limits(), free)
    assert isinstance(better, Route)
    assert isinstance(worse, Route)
    assert [better.legs[0].program, worse.legs[0].program] == [
        Program.JUPITER,
        Program.RAYDIUM_AMM,
    ]
    assert better.min_out_raw == 148_255
    assert worse.refused[-1].words == "jupiter Orca + Meteora"


def test_offer_that_is_old_or_promises_too_little_is_refused() -> None:
    old = choose(request(), [], offer(age_ms=2_001.0), limits(), free)
    low = choose(request(min_out_raw=148_256), [], offer(), limits(), free)
    none = choose(request(), [], "it has no route", limits(), free)
    assert isinstance(old, NoRoute)
    assert isinstance(low, NoRoute)
    assert isinstance(none, NoRoute)
    assert "quoted 2001 ms ago, at most 2000 ms are used" in old.reason
    assert "its least output 148255 is below 148256" in low.reason
    assert none.reason == "jupiter: it has no route"


def test_quote_below_the_orders_least_is_no_route() -> None:
    quoted = DEEP.quote(Side.SELL, 1_000_000)
    assert not isinstance(quoted, str)
    exact = request(min_out_raw=quoted.out_raw)
    above = request(min_out_raw=quoted.out_raw + 1)
    taken = choose(exact, [candidate(DEEP)], None, limits(), free)
    assert isinstance(taken, Route)
    assert taken.min_out_raw == quoted.out_raw
    refused = choose(above, [candidate(DEEP)], None, limits(), free)
    assert isinstance(refused, NoRoute)
    assert f"below the least output {quoted.out_raw + 1}" in refused.reason


def test_no_pool_at_all_says_so() -> None:
    taken = choose(request(), [], None, limits(), free)
    assert taken == NoRoute(reason="no pool of this pair is configured", refused=())


def test_protection_begins_at_its_size_and_can_be_forced() -> None:
    large = limits(protected_from_quote_raw=149_600)
    larger = limits(protected_from_quote_raw=149_700)
    chosen = [
        choose(request(), [candidate(DEEP)], None, large, free),
        choose(request(), [candidate(DEEP)], None, larger, free),
        choose(request(protected=True), [candidate(DEEP)], None, larger, free),
    ]
    assert [isinstance(c, Route) and c.protected for c in chosen] == [True, False, True]


def test_least_out_rounds_up() -> None:
    """318 at 50 bps is 316.41: a recorded aggregator quote says 317 as well."""
    assert least_out(318, 50) == 317


@given(
    quoted=st.lists(st.integers(1, 10**15), min_size=1, max_size=2).map(tuple),
    slippage=st.integers(0, 5_000),
    share=st.fractions(0, 1),
)
def test_leg_minimums_keep_the_floor_and_stay_within_the_quotes(
    quoted: tuple[int, ...], slippage: int, share: float
) -> None:
    floor = int(sum(quoted) * share)
    least = leg_minimums(quoted, slippage, floor)
    assert sum(least) >= floor
    for quote, minimum in zip(quoted, least, strict=True):
        assert least_out(quote, slippage) <= max(minimum, least_out(quote, slippage))
        assert minimum <= quote


def test_leg_minimums_never_go_below_the_legs_own_tolerance() -> None:
    assert leg_minimums((1_000, 500), 100, 0) == (990, 495)
    assert leg_minimums((1_000, 500), 100, 1_491) == (994, 497)


def test_floor_of_a_later_attempt_follows_its_tolerance() -> None:
    """990 at 100 bps stands for a quote of 1,000; at 200 bps that is 980."""
    assert floor_at(990, slippage_bps=100, slippage_bps_first=100) == 990
    assert floor_at(990, slippage_bps=200, slippage_bps_first=100) == 980
