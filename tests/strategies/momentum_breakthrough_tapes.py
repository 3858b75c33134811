"""Tapes of momentum breakthrough."""

from tape import VOLUME, Case, Tape


def _rise() -> Tape:
    """Climb for 72 bars (18 hours, above the 15 that RSI14 of 1h needs), three up for one down.

    Of the moves 0.75 and -0.25, three quarters of the way is up: RSI14 of 15m is about 75, that of
    5m (the same moves in thirds) too, and that of 1h 100, for every hour ends higher. Their mean is
    above 70.
    """
    return Tape().bars_of(0.75, -0.25, times=36)


def buy() -> Tape:
    """End the climb with its longest bar, on twice the usual volume.

    Before it the closes alternate, so its open is 0.25 below the last peak and its close 0.75 above
    that: over the highest high (0.1 of wick). Ten bars bring 5 x 0.5 + 0.25 = 2.75: ROC10 > 0.
    """
    return _rise().bar(1.0, volume=2 * VOLUME)


def without_rsi_momentum() -> Tape:
    """Go sideways until the same last bar: as much up as down, so the RSI are around 50.

    The close is 0.5 above the highest one of the 20 bars before, whose wick is 0.1.
    """
    return Tape().bars_of(1.0, -0.5, -0.5, times=24).bars_of(0.5).bar(1.0, volume=2 * VOLUME)


def without_volume() -> Tape:
    """Give the last bar 1.5 times the mean of the 20 bars before: the threshold itself fails."""
    return _rise().bar(1.0, volume=1.5 * VOLUME)


def without_breakout() -> Tape:
    """Let a wick of 3 above one bar, five bars before the last, hold the highest high."""
    wick = _rise().bar(-0.25).bar(0.75, upper=3.0)
    return wick.bars_of(-0.25, 0.75, times=2).bars_of(-0.25).bar(1.0, volume=2 * VOLUME)


def without_roc_and_breakout() -> Tape:
    """Show the nearest thing to a `roc` that fails alone, which does not exist.

    A breakout closes above the highest high of the 20 bars before. The bar ten before is one of
    them, and its high is not below its close: close > close ten bars before, so ROC10 > 0. Whenever
    `roc` fails, `breakout` fails with it. Here 72 bars of +1 put the RSI near 100; ten bars then
    lose 0.5 in steps so small that the RSI still remember the climb, and end below the start.
    """
    peak = Tape().bars_of(1.0, times=72)
    return peak.bars_of(-0.25, 0.125, times=5).bar(0.125, volume=2 * VOLUME)


def young() -> Tape:
    """Break out after 41 bars: only ten hours have closed, RSI14 of 1h needs 15."""
    return Tape().bars_of(0.75, -0.25, times=20).bar(1.0, volume=2 * VOLUME)


def volume_unknown() -> Tape:
    """Break out on a bar of unknown volume."""
    return _rise().bar(1.0, volume=float("nan"))


CASE = Case(
    strategy="momentum_breakthrough",
    buy=buy,
    sell=lambda: buy().mirrored(),
    fails={
        "rsi_momentum": without_rsi_momentum,
        "volume": without_volume,
        "breakout": without_breakout,
        "roc": without_roc_and_breakout,
    },
    missing=((young, frozenset({"rsi_momentum"})), (volume_unknown, frozenset({"volume"}))),
    exits=lambda close, atr: (close - 1.2 * atr, close + 2.5 * atr),
    together={"roc": frozenset({"roc", "breakout"})},
)
