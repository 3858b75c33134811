"""Tapes of volatility breakout."""

from tape import VOLUME, Case, Tape


def _calm() -> Tape:
    """Swing 0.25 for 124 bars: returns of 0.25 %, more than the 120 closes that the ratio needs."""
    return Tape().bars_of(0.25, -0.25, times=62)


def buy() -> Tape:
    """Jump by 3 on three times the usual volume.

    One return of 3 % among 19 of 0.25 % is a deviation of 0.69 %, 2.7 times its mean over 100 bars.
    The closes deviate by 0.64 around 100.26, so the upper band is 101.54, below 103.
    """
    return _calm().bar(3.0, volume=3 * VOLUME)


def without_volatility_ratio() -> Tape:
    """Make the same jump in a market that swings by 1: it is 1.2 times as volatile as usual.

    The upper band is 102.07, still below 103.
    """
    return Tape().bars_of(1.0, -1.0, times=62).bar(3.0, volume=3 * VOLUME)


def without_volume() -> Tape:
    """Give the jump twice the mean volume: the threshold of 2 itself fails."""
    return _calm().bar(3.0, volume=2 * VOLUME)


def without_band_break() -> Tape:
    """Swing by 3 for six bars, so that the bands (98.5 to 102.8) hold the close at 102.

    The swings are many times the calm ones: the ratio is 5.2.
    """
    return _calm().bars_of(3.0, -3.0, times=3).bar(2.0, volume=3 * VOLUME)


def young() -> Tape:
    """Jump on the 119th close: the ratio needs 120 (20 returns, then 100 deviations)."""
    return Tape().bars_of(0.25, -0.25, times=59).bar(3.0, volume=3 * VOLUME)


def volume_unknown() -> Tape:
    """Jump on a bar of unknown volume."""
    return _calm().bar(3.0, volume=float("nan"))


CASE = Case(
    strategy="volatility_breakout",
    buy=buy,
    sell=lambda: buy().mirrored(),
    fails={
        "volatility_ratio": without_volatility_ratio,
        "volume": without_volume,
        "band_break": without_band_break,
    },
    missing=((young, frozenset({"volatility_ratio"})), (volume_unknown, frozenset({"volume"}))),
    exits=lambda close, atr: (close - atr, close + 2 * atr),
)
