"""Tapes of sentiment momentum: the prices only have to give an ATR."""

from tape import MINUTE_NS, Case, Tape


def _market() -> Tape:
    """Swing 0.5 for 20 bars: ATR14 is there, every strategy on prices is quiet."""
    return Tape().bars_of(0.5, -0.5, times=10)


def _mood(
    overall: float, momentum: float, social: float, news: tuple[int, int], age_ns: int = 0
) -> Tape:
    positive, negative = news
    return _market().knowing(
        "sentiment",
        age_ns=age_ns,
        overall=overall,
        momentum=momentum,
        social_volume=social,
        news_positive=positive,
        news_negative=negative,
    )


def buy() -> Tape:
    """Be optimistic (0.8), ever more so (0.5), much talked about (0.9), with one good item."""
    return _mood(0.8, 0.5, 0.9, (1, 0))


def sell() -> Tape:
    """Be pessimistic (0.2 = 1 - 0.8), ever more so, as much talked about, with one bad item."""
    return _mood(0.2, -0.5, 0.9, (0, 1))


def without_overall() -> Tape:
    """Stay at the threshold of 0.7."""
    return _mood(0.7, 0.5, 0.9, (1, 0))


def without_momentum() -> Tape:
    """Rise by no more than the threshold of 0.3."""
    return _mood(0.8, 0.3, 0.9, (1, 0))


def without_social_volume() -> Tape:
    """Be talked about more than in 60 % of the hours of the week, the threshold."""
    return _mood(0.8, 0.5, 0.6, (1, 0))


def without_news() -> Tape:
    """Have no good item, though two bad ones."""
    return _mood(0.8, 0.5, 0.9, (0, 2))


def outdated() -> Tape:
    """Know it since 120 minutes: at the close's timer, half a second later, it is too old."""
    return _mood(0.8, 0.5, 0.9, (1, 0), age_ns=120 * MINUTE_NS)


ALL = frozenset({"overall", "momentum", "social_volume", "news"})

CASE = Case(
    strategy="sentiment_momentum",
    buy=buy,
    sell=sell,
    fails={
        "overall": without_overall,
        "momentum": without_momentum,
        "social_volume": without_social_volume,
        "news": without_news,
    },
    missing=((_market, ALL), (outdated, ALL)),
    exits=lambda close, atr: (close - 1.3 * atr, close + 2 * atr),
)
