"""Tapes of whale tracking: the prices only have to give an ATR."""

from tape import MINUTE_NS, Case, Tape

MILLION = 1_000_000.0


def _market() -> Tape:
    """Swing 0.5 for 20 bars: ATR14 is there, every strategy on prices is quiet."""
    return Tape().bars_of(0.5, -0.5, times=10)


def _whales(
    buys: float, sells: float, outflow: float, *, wallets: int = 5, age_ns: int = 0
) -> Tape:
    return _market().knowing(
        "whale",
        age_ns=age_ns,
        buys_usd=buys * MILLION,
        sells_usd=sells * MILLION,
        wallets=wallets,
        outflow_usd=outflow * MILLION,
    )


def buy() -> Tape:
    """Buy 3 for 1 sold, in five wallets, while 0.5 leaves the exchanges (millions of USD).

    Ratio 3 > 1.5; score 0.5 + 0.5 x 2/4 = 0.75 > 0.7; outflow 0.5 > 0.
    """
    return _whales(3.0, 1.0, 0.5)


def sell() -> Tape:
    """Sell 3 for 1 bought, while 0.5 goes to the exchanges."""
    return _whales(1.0, 3.0, -0.5)


def without_buy_sell_ratio_and_accumulation() -> Tape:
    """Show the nearest thing to a `buy_sell_ratio` that fails alone, which does not exist.

    The score is 0.5 + 0.5 w (b - s)/(b + s) with a damping w <= 1. Above 0.7 it needs
    (b - s)/(b + s) > 0.4, that is b/s > 1.4/0.6 = 7/3 > 1.5. Whenever the ratio fails,
    `accumulation` fails with it. Here the ratio is 1.5, the threshold itself, and the score 0.6.
    """
    return _whales(1.5, 1.0, 0.5)


def without_accumulation() -> Tape:
    """Buy 2 for 1 sold: the ratio is 2, the score 0.5 + 0.5/3 = 0.667."""
    return _whales(2.0, 1.0, 0.5)


def with_one_wallet() -> Tape:
    """Let one wallet do all of it: the score is damped to 0.5 + 0.25/3 = 0.583."""
    return _whales(3.0, 1.0, 0.5, wallets=1)


def without_outflow() -> Tape:
    """Let as much go to the exchanges as leaves them: a net outflow of 0 fails."""
    return _whales(3.0, 1.0, 0.0)


def outdated() -> Tape:
    """Know it since 60 minutes: at the close's timer, half a second later, it is too old."""
    return _whales(3.0, 1.0, 0.5, age_ns=60 * MINUTE_NS)


ALL = frozenset({"buy_sell_ratio", "accumulation", "outflow"})

CASE = Case(
    strategy="whale_tracking",
    buy=buy,
    sell=sell,
    fails={
        "buy_sell_ratio": without_buy_sell_ratio_and_accumulation,
        "accumulation": without_accumulation,
        "outflow": without_outflow,
    },
    missing=((_market, ALL), (outdated, ALL)),
    exits=lambda close, atr: (close - 1.5 * atr, close + 2.5 * atr),
    together={"buy_sell_ratio": frozenset({"buy_sell_ratio", "accumulation"})},
)
