"""Records become durable before anything they tell of leaves."""

from collections.abc import Callable

from utb.domain.names import Stage
from utb.node import effects as fx
from utb.node.wiring import Wiring

Spent = Callable[[Stage, int], None]


def keep_and_send(wiring: Wiring, effects: fx.Effects, now_ns: int, spent: Spent) -> None:
    """Append an input's records, make them durable where something leaves, and let it leave.

    On the chain that is the signed transaction, which comes after the approval: one sync makes
    both durable.
    """
    journal, stopwatch_ns, chain = wiring.journal, wiring.stopwatch_ns, wiring.chain
    submissions = effects.submissions
    started_ns = stopwatch_ns()
    journal.append(effects.records)
    if effects.releases or (submissions and chain is None):
        journal.sync()
    durable_ns = stopwatch_ns()
    spent(Stage.JOURNAL, durable_ns - started_ns)
    if chain is not None:
        for signature in effects.releases:
            chain.release(signature)
    for submission in submissions:
        (chain or wiring.venue).submit(submission, now_ns)
    if submissions or effects.releases:
        spent(Stage.SUBMIT, stopwatch_ns() - durable_ns)
