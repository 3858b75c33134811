"""Tapes of statistical arbitrage: against a hedge basket, and on the own log price."""

import math

from tape import MINUTE_NS, Case, Tape


def _market() -> Tape:
    """Swing 0.5 for 40 bars and end at 100: ATR14 is there, 500 closes are not."""
    return Tape().bars_of(0.5, -0.5, times=20)


def _basket(fair: float, deviation: float, probability: float, age_ns: int = 0) -> Tape:
    return _market().knowing(
        "hedge",
        age_ns=age_ns,
        fair_price=fair,
        residual_std=deviation,
        reversion_probability=probability,
    )


def buy() -> Tape:
    """Close at 100 with a fair price of 102 and a residual deviation of 0.8 %.

    z = ln(100/102)/0.008 = -2.48; the difference is 2/102 = 2.0 %; the probability 0.8.
    """
    return _basket(102.0, 0.008, 0.8)


def sell() -> Tape:
    """Close at 100 with a fair price of 98: z = ln(100/98)/0.008 = 2.53."""
    return _basket(98.0, 0.008, 0.8)


def without_z() -> Tape:
    """Let the residual deviate by 1 %: z = ln(100/102)/0.01 = -1.98."""
    return _basket(102.0, 0.01, 0.8)


def without_reversion_probability() -> Tape:
    """Expect the way back with the threshold's probability of 0.7."""
    return _basket(102.0, 0.008, 0.7)


def without_price_difference() -> Tape:
    """Be 0.4/100.4 = 0.40 % below the fair price, of a residual that deviates by 0.1 %: z = -4."""
    return _basket(100.4, 0.001, 0.8)


def _noise() -> Tape:
    """Fluctuate around 100.12 for 504 bars, back to the mean within each eight: AR(1) near 0."""
    return Tape().bars_of(0.5, -0.25, -0.5, 0.75, -0.75, 0.5, -0.25, 0.0, times=63)


def own_buy() -> Tape:
    """Fall by 1.5, over five deviations of the own log price, while another venue stays at 100.

    The residual has no memory, so 24 bars on it is less than half as far with probability 0.99;
    the difference to the venue is 1.5 %.
    """
    return _noise().bar(-1.5).knowing("venue", price=100.0)


def own_sell() -> Tape:
    """Rise by 1.5 while another venue stays at 100."""
    return _noise().mirrored().bar(1.5).knowing("venue", price=100.0)


def own_without_z() -> Tape:
    """End the noise at 100, half a deviation below the mean, with the other venue at 101.

    On the own log price z hardly fails alone: a residual without memory is within |z|/2 deviations
    with probability erf(|z|/sqrt(8)), 0.68 at |z| = 2, so `reversion_probability` fails too. The
    basket gives its own probability: there `without_z` is alone.
    """
    return _noise().knowing("venue", price=101.0)


def own_without_reversion_probability() -> Tape:
    """Leave a market that swung 0.5 for 400 bars in a straight fall of 110 bars.

    The close is 3.5 deviations below the mean of 500 bars, but a price that goes on falling does
    not come back: the AR(1) coefficient is near 1 and the probability 0.27.
    """
    fall = Tape().bars_of(0.5, -0.5, times=200).bars_of(-0.0625, times=110)
    return fall.knowing("venue", price=100.0)


def own_without_price_difference() -> Tape:
    """Fall on both venues: 98.5 here, 98.75 there, a difference of 0.25 %."""
    return _noise().bar(-1.5).knowing("venue", price=98.75)


def own_without_venue() -> Tape:
    """Know no other venue: there is nothing to compare the price with."""
    return _noise().bar(-1.5)


def own_with_outdated_venue() -> Tape:
    """Know the other venue's price since five minutes: too old half a second later."""
    return _noise().bar(-1.5).knowing("venue", age_ns=5 * MINUTE_NS, price=100.0)


def own_young() -> Tape:
    """Fall by 1.5 on the 499th close: the window needs 500."""
    noise = Tape(bars=_noise().bars[:498])
    return noise.bar(-1.5).knowing("venue", price=100.5)


def outdated() -> Tape:
    """Know the basket since 30 minutes: too old half a second later."""
    return _basket(102.0, 0.008, 0.8, age_ns=30 * MINUTE_NS)


def mean_of_logs(tape: Tape) -> float:
    """Return the price at z = 0: the geometric mean of the last 500 closes."""
    closes = [bar.close for bar in tape.bars[-500:]]
    return math.exp(math.fsum(map(math.log, closes)) / len(closes))


ALL = frozenset({"z", "reversion_probability", "price_difference"})

CASE = Case(
    strategy="statistical_arbitrage",
    buy=buy,
    sell=sell,
    fails={
        "z": without_z,
        "reversion_probability": without_reversion_probability,
        "price_difference": without_price_difference,
    },
    missing=(
        (_market, ALL),
        (outdated, ALL),
        (own_young, frozenset({"z", "reversion_probability"})),
        (own_without_venue, frozenset({"price_difference"})),
        (own_with_outdated_venue, frozenset({"price_difference"})),
    ),
    exits=lambda close, atr: (close - 0.8 * atr, 102.0),
)
OWN_CASE = Case(
    strategy="statistical_arbitrage",
    buy=own_buy,
    sell=own_sell,
    fails={
        "z": own_without_z,
        "reversion_probability": own_without_reversion_probability,
        "price_difference": own_without_price_difference,
    },
    missing=(),
    exits=lambda close, atr: (close - 0.8 * atr, mean_of_logs(own_buy())),
    together={"z": frozenset({"z", "reversion_probability"})},
)
