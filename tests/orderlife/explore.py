"""`just explore`: every state of one order, printed with their number; exits 1 on a dead end."""

import argparse
import sys
from time import perf_counter

from exploration import explore
from small_world import start

from utb.orderlife.life import OrderKind

CASES = (
    ("entry, one endpoint lies", OrderKind.ENTRY, False, True),
    ("exit, two guarded attempts", OrderKind.EXIT, False, False),
    ("exit, first attempt unguarded", OrderKind.EXIT, True, False),
)


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--states-max", type=int, default=5_000_000)
    options = parser.parse_args()
    dead_ends = 0
    for name, kind, unguarded_first, liar in CASES:
        began = perf_counter()
        found = explore(
            start(kind, unguarded_first=unguarded_first),
            states_max=options.states_max,
            liar=liar,
        )
        dead_ends += found.dead_ends
        print(
            f"{name}: {found.states:,} states, {found.moves:,} moves, complete {found.complete}, "
            f"{found.dead_ends} dead ends, no double ({perf_counter() - began:.0f} s)",
            flush=True,
        )
    return 1 if dead_ends else 0


if __name__ == "__main__":
    sys.exit(main())
