"""The end of a recording: what is left is sold at the last prices."""

from collections.abc import Iterator

from utb.node import effects as fx
from utb.node.wiring import Wiring


def close_out(wiring: Wiring, now_ns: int) -> Iterator[fx.Effects]:
    """End the orders that wait and sell every position, at a venue that keeps the last prices.

    Each of the effects is to be carried out before the next is asked for: the trader decides on
    what it has seen.

    Args:
        wiring: Of the session.
        now_ns: The time of the last market item.

    Yields:
        What the trader wants after each order's end.
    """
    trader, venue, journal, core = wiring.trader, wiring.venue, wiring.journal, wiring.core
    for event in venue.finish(now_ns):
        yield trader.on_end_of_order(event, core)
    closing = trader.on_end(now_ns, core)
    journal.append(closing.records)
    journal.sync()
    for submission in closing.submissions:
        filled = venue.close_out(submission, now_ns)
        if filled is not None:
            yield trader.on_venue_event(filled, core)
