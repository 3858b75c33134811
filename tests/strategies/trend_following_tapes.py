"""Tapes of trend following."""

from tape import Case, Tape


def _turn() -> tuple[float, ...]:
    """Return moves that bend MACD below its signal and back: four down, five up.

    After a steady climb of 0.125 a bar the histogram is near 0. The four bars against the trend
    push it to -0.17; of the five bars at twice the pace, the fifth brings it back above 0.
    """
    return (-0.25,) * 4 + (0.5,) * 5


def _climb() -> Tape:
    """Climb for 200 bars, 0.5 up for 0.25 down: SMA20 > SMA50 > SMA200.

    A down bar stays inside the range of the up bar before it, so all directional movement is
    upward and ADX14 is near 100.
    """
    return Tape().bars_of(0.5, -0.25, times=100)


def buy() -> Tape:
    """Cross on the last bar, after the turn in the climb; the close is the highest of all."""
    return _climb().bars_of(*_turn())


def crossed_two_bars_ago() -> Tape:
    """Go on for two bars: the cross is on the oldest of the three bars that count."""
    return buy().bars_of(0.5, 0.5)


def without_sma_stack() -> Tape:
    """Climb out of a fall from 100 to 40: SMA200 still holds the prices before it.

    Over the last 200 bars 111 fell, 80 climbed by 10 and nine made the turn: SMA20 49.8, SMA50
    48.1, SMA200 57.8.
    """
    fall = Tape().bars_of(-0.5, times=120)
    return fall.bars_of(0.5, -0.25, times=40).bars_of(*_turn())


def without_adx() -> Tape:
    """Climb in waves, three bars of +1 and three of -0.875.

    Both directions move as much, ADX14 is 10; the waves' own upswing makes MACD cross on its third
    bar. The climb of 0.0625 a bar keeps the means in order: 35 waves are 210 bars.
    """
    waves = Tape().bars_of(1.0, 1.0, 1.0, -0.875, -0.875, -0.875, times=35)
    return waves.bars_of(1.0, 1.0, 1.0)


def without_macd_cross() -> Tape:
    """Go on for three bars after the cross: it is older than `trend_confirmation_periods`."""
    return buy().bars_of(0.5, 0.5, 0.5)


def without_above_sma20() -> Tape:
    """Fall by 2.5 right after the cross, to 124.0, with SMA20 at 124.76; the cross still counts."""
    return buy().bars_of(-2.5)


def young() -> Tape:
    """Make the same turn up to the 199th bar: SMA200 is absent."""
    return Tape().bars_of(0.5, -0.25, times=95).bars_of(*_turn())


def sma50_of(tape: Tape) -> float:
    """Return the mean of the last 50 closes."""
    return sum(bar.close for bar in tape.bars[-50:]) / 50


CASE = Case(
    strategy="trend_following",
    buy=buy,
    sell=lambda: buy().mirrored(),
    fails={
        "sma_stack": without_sma_stack,
        "adx": without_adx,
        "macd_cross": without_macd_cross,
        "above_sma20": without_above_sma20,
    },
    missing=((young, frozenset({"sma_stack"})),),
    exits=lambda close, atr: (sma50_of(buy()) - 0.5 * atr, close + 3 * atr),
)
