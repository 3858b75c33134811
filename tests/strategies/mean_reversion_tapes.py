"""Tapes of mean reversion."""

from tape import VOLUME, Case, Tape


def _calm() -> Tape:
    """Swing 0.5 around 100.25 for 24 bars: the Bollinger bands are 0.5 from the mean."""
    return Tape().bars_of(0.5, -0.5, times=12)


def buy() -> Tape:
    """Fall by 5 in one bar of twice the usual volume.

    SMA20 = (10 x 100 + 9 x 100.5 + 95)/20 = 99.975, so the deviation is 4.975/99.975 = 5.0 %. The
    variance is (10 x 0.025^2 + 9 x 0.525^2 + 4.975^2)/20 = 1.362, its root 1.167: the lower band is
    97.64. RSI14 is 26.7 here: the band alone holds `band_or_rsi`.
    """
    return _calm().bar(-5.0, volume=2 * VOLUME)


def buy_by_rsi() -> Tape:
    """Fall by 0.5 in every bar: RSI14 is 0, but a straight fall does not leave its bands.

    SMA20 is 9.5 x 0.5 = 4.75 above the close (5.1 %), the lower band 2 x 0.5 x sqrt(399/12) = 5.77
    below SMA20.
    """
    return Tape().bars_of(-0.5, times=24).bar(-0.5, volume=2 * VOLUME)


def without_band_or_rsi() -> Tape:
    """Swing so widely, between 96 and 104, that 96 is no extreme.

    SMA20 is 100 (deviation 4 %), the standard deviation 4, the lower band 92; as much up as down is
    an RSI near 50.
    """
    return Tape().bar(4.0).bars_of(-8.0, 8.0, times=12).bar(-8.0, volume=2 * VOLUME)


def without_deviation() -> Tape:
    """Fall by 2.5 only: 2.6 below SMA20 = 100.1, a deviation of 2.6 %, and yet below the band."""
    return _calm().bar(-2.5, volume=2 * VOLUME)


def without_volume() -> Tape:
    """Give the last bar exactly the mean volume: the threshold of 1 itself fails."""
    return _calm().bar(-5.0)


def young() -> Tape:
    """Fall in the 20th bar: SMA20 and the bands are there, 20 volumes before the bar are not."""
    return Tape().bars_of(0.5, -0.5, times=9).bars_of(0.5).bar(-5.5, volume=2 * VOLUME)


def younger() -> Tape:
    """Fall in the 19th bar: only RSI14 is there, and the other half of the `or` is unknown."""
    return Tape().bars_of(0.5, -0.5, times=9).bar(-5.0, volume=2 * VOLUME)


CASE = Case(
    strategy="mean_reversion",
    buy=buy,
    sell=lambda: buy().mirrored(),
    fails={
        "band_or_rsi": without_band_or_rsi,
        "deviation": without_deviation,
        "volume": without_volume,
    },
    missing=(
        (young, frozenset({"volume"})),
        (younger, frozenset({"band_or_rsi", "deviation", "volume"})),
    ),
    exits=lambda close, _atr: (0.97 * close, 99.975),
)
