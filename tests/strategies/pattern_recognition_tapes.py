"""Tapes of pattern recognition: a hammer above a level that held five times."""

from tape import Case, Tape


def _waves() -> Tape:
    """Go down by 3 and up again five times, turning on a bar of its own with a longer wick.

    Each turn is a swing point: support at 97 - 0.5 = 96.5, resistance at 100 + 0.5 = 100.5.
    """
    tape = Tape()
    for _ in range(5):
        down = tape.bars_of(-1.0, -1.0, -1.0, wick=0.25).bar(0.0, lower=0.5)
        tape = down.bars_of(1.0, 1.0, 1.0, wick=0.25).bar(0.0, upper=0.5)
    return tape


def _hammer() -> Tape:
    """Fall from 100 to 97.25 in three bars, then make a hammer: 1.5 down, back, 0.125 above.

    With ATR14 1.31 its strength is the mean of min(1, (1.5/1.625 - 0.4)/0.4) = 1,
    1.625/(1.5 ATR) = 0.83 and a fall before it of 1.75/(3 ATR) = 0.45: 0.76. Its high is 97.375.
    """
    fall = _waves().bars_of(-1.0, -1.0, -0.75, wick=0.25)
    return fall.bar(0.125, upper=0.0, lower=1.5)


def buy() -> Tape:
    """Close 0.25 above the hammer's high, 1.125 above support: 0.9 ATR of 1.246."""
    return _hammer().bar(0.25)


def without_pattern() -> Tape:
    """Make a small hammer after a slow fall: the strength is 0.55.

    13 bars of -0.25 (ATR14 0.9), then 0.5 down, back, 0.25 above: the mean of
    (0.5/0.75 - 0.4)/0.4 = 0.67, 0.75/(1.5 ATR) and 1.25/(3 ATR). The next close is above its high,
    97, and 0.625 above support.
    """
    fall = _waves().bars_of(*(-0.25,) * 13, wick=0.25)
    return fall.bar(0.25, upper=0.0, lower=0.5).bar(0.125)


def without_near_support() -> Tape:
    """Confirm the hammer by 0.75: 1.625 above support, 1.27 ATR of 1.28."""
    return _hammer().bar(0.75)


def without_confirmed() -> Tape:
    """Close at the hammer's high, not above it."""
    return _hammer().bar(0.0)


def hammer_just_made() -> Tape:
    """End on the hammer itself: nothing came later."""
    return _hammer()


def hammer_of_three_bars_ago() -> Tape:
    """Confirm the hammer, but only on the third bar after it: it no longer counts."""
    return _hammer().bars_of(-0.125, -0.125).bar(0.375)


def without_levels() -> Tape:
    """Make the fall and the hammer after a straight climb without a swing point."""
    climb = Tape().bars_of(1.0, times=20, wick=0.25)
    fall = climb.bars_of(-1.0, -1.0, wick=0.25)
    return fall.bar(0.125, upper=0.0, lower=1.5)


CASE = Case(
    strategy="pattern_recognition",
    buy=buy,
    sell=lambda: buy().mirrored(),
    fails={
        "pattern": without_pattern,
        "near_support": without_near_support,
        "confirmed": without_confirmed,
    },
    missing=((without_levels, frozenset({"near_support"})),),
    exits=lambda _close, _atr: (0.98 * 96.5, 100.5),
)
