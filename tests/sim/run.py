"""`just sim N`, `just sim-svm N`: seeded worlds through the production order life.

Exits 1 if any breaks a rule, with the seeds that do.
"""

import argparse
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from time import perf_counter

from model_world import ViolationError, World

from utb.domain.names import OrderStatus
from utb.errors import InvariantError

CHUNK = 50

Outcome = tuple[Counter[str], list[tuple[int, str]]]
"""What happened, and the seeds that broke a rule with the rule."""


def world_of(seed: int, *, svm: bool) -> World:
    """Return a world over the model's chain, or over LiteSVM."""
    if not svm:
        return World(seed)
    from model_svm import SvmChain

    return World(seed, SvmChain(seed))


def run_seeds(seeds: range, *, svm: bool = False) -> Outcome:
    """Return the outcome of these worlds."""
    counts: Counter[str] = Counter()
    broken = []
    for seed in seeds:
        world = world_of(seed, svm=svm)
        try:
            counts += world.run()
        except (ViolationError, InvariantError) as error:
            broken.append((seed, str(error)))
    return counts, broken


def run(
    first: int, count: int, jobs: int, *, svm: bool
) -> tuple[Counter[str], list[tuple[int, str]]]:
    """Run worlds over several processes."""
    end = first + count
    chunks = [range(at, min(at + CHUNK, end)) for at in range(first, end, CHUNK)]
    counts: Counter[str] = Counter()
    broken: list[tuple[int, str]] = []
    with ProcessPoolExecutor(jobs) as pool:
        for found, wrong in pool.map(partial(run_seeds, svm=svm), chunks):
            counts += found
            broken += wrong
    return counts, broken


def words(counts: Counter[str], broken: list[tuple[int, str]], count: int) -> str:
    """Return the summary line."""
    twice = sum("twice" in why for _, why in broken)
    stuck = sum("stuck" in why for _, why in broken)
    ends = ", ".join(
        f"{counts[status]:,} {status}"
        for status in (
            OrderStatus.SETTLED,
            OrderStatus.EXPIRED,
            OrderStatus.FAILED_ON_CHAIN,
            OrderStatus.CANCELLED,
        )
    )
    return (
        f"{count:,} worlds, {counts['intents']:,} intents ({ends}), {counts['sends']:,} sends,"
        f" {counts['steps']:,} steps, {counts['forks']:,} forks, {counts['crashes']:,} crashes,"
        f" {counts['reverted']:,} fills reverted: {twice} landed twice, {stuck} stuck,"
        f" {len(broken) - twice - stuck} other violations"
    )


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", nargs="?", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0, help="first seed")
    parser.add_argument("--svm", action="store_true", help="LiteSVM as the chain")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    began = perf_counter()
    counts, broken = run(options.first, options.count, options.jobs, svm=options.svm)
    name = "sim-svm" if options.svm else "sim"
    print(f"{name}: {words(counts, broken, options.count)} ({perf_counter() - began:.0f} s)")
    for seed, why in broken[:20]:
        print(f"seed {seed}: {why}", file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
