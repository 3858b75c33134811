"""Seeded orders through the API of the whole system, live on the stand-in's chain.

Each instrument has a way of its own - one of the four AMMs, all of them (splits), or the
aggregator alone - and a worker that buys, sells parts and closes, by its seed. Some orders are made
to fail on the chain: as soon as one is signed, the price moves away from it before it lands. When
all is settled, with positions open and again with everything sold, what the chain holds must be
what the journal's fold says: SOL, every token account, rent locked in accounts of ours.

Usage: python tests/live/orders.py --count 1000 [--seed 5] [--rent 6960] [--slot-ms 20] [--hard 0.2]
    [--rent-back]

`--hard` is the share of orders that shall fail; with `--rent-back` it waits until the rent of all
guards is brought back, and compares once more.
"""

import argparse
import asyncio
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from chainbooks import ENDED, landed, way
from customer import Customer
from ordersystem import LiveStand, Options

from utb.domain.names import OrderStatus

POOLS: Final[dict[str, tuple[str, ...]]] = {
    "SOL-USDC": ("raydium_amm",),
    "BTC-USDC": ("raydium_cpmm",),
    "ETH-USDC": ("pumpswap",),
    "BONK-USDC": ("whirlpool",),
    "WIF-USDC": ("raydium_amm", "raydium_cpmm", "pumpswap", "whirlpool"),
    "JTO-USDC": ("raydium_cpmm", "whirlpool", "pumpswap"),
    "JUP-USDC": (),
    "RAY-USDC": (),
}
"""Whose pools an instrument may use; none: the aggregator alone."""

WAYS: Final = ("raydium_amm", "raydium_cpmm", "pumpswap", "whirlpool", "split", "jupiter")
FAILING_MIN: Final = 0.05
SPEED: Final = 2_000.0
"""Simulated seconds per second, while no order is on its way."""
WORDS: Final = 100
"""Length of a reason in the table."""


async def check(state: Path, options: Options, count: int, *, rent_back: bool) -> list[str]:
    """Run, print a table, and return what is wrong."""
    stand = LiveStand(state, options)
    try:
        await stand.start()
        customer = Customer(stand, count, options.seed)
        await customer.trade(rent_back=rent_back)
        await judge(customer, count)
        return customer.run.problems
    finally:
        await stand.stop()


async def judge(customer: Customer, count: int) -> None:
    """Print what was done, and add what is missing to the run's problems."""
    told, run = customer.told, customer.run
    signatures = [a.signature for each in told.attempts.values() for a in each]
    errors = await landed(customer.stand, signatures)
    failed = {signature for signature, error in errors.items() if error is not None}
    failing = [
        key for key, each in told.attempts.items() if any(a.signature in failed for a in each)
    ]
    share = len(failing) / max(1, len(told.intents))
    by_signature = {a.signature: a for each in told.attempts.values() for a in each}
    ways = Counter(way(by_signature[fill.fill.signature]) for fill in told.fills.values())
    tell(customer, ways)
    print(
        f"transactions: {len(signatures)} signed, {len(errors)} landed, {len(failed)} failed on "
        f"chain; orders with such a failure: {len(failing)} ({share:.1%})"
    )
    for error, number in Counter(str(errors[one])[:WORDS] for one in failed).most_common():
        print(f"  {number:>5} {error}")
    problems = run.problems
    if min(len(run.accepted), len(told.intents)) < count:
        problems.append(f"{len(run.accepted)} orders taken, {count} wanted")
    if told.from_outside:
        problems.append(f"money from outside, which nobody sent: {told.from_outside}")
    stuck = [key for key in told.fills if told.statuses[key] is not OrderStatus.SETTLED]
    stuck += [key for key in told.unknown if told.statuses[key] is OrderStatus.UNKNOWN]
    problems += [f"order {key} stands at {told.statuses[key]}" for key in stuck]
    problems += customer.stand.alarms()
    if share < FAILING_MIN:
        problems.append(f"{share:.1%} of the orders failed on chain, {FAILING_MIN:.0%} wanted")
    problems += [f"nothing went by {one}" for one in WAYS if not ways[one]]


def tell(customer: Customer, ways: Counter[str]) -> None:
    """Print orders, fills and what was compared."""
    told, run = customer.told, customer.run
    attempts = [a for each in told.attempts.values() for a in each]
    ended = Counter(status.value for status in told.statuses.values())
    sides = Counter(fill.fill.side.value for fill in told.fills.values())
    reasons = Counter(
        f"{told.statuses[key].value}: {told.reasons[key][:WORDS]}"
        for key in told.intents
        if told.statuses[key] in ENDED
    )
    flows = Counter(flow.cause.value for flow in told.housekeeping if flow.lamports)
    fees = told.book.fees
    print(*run.tables, sep="\n")
    print(
        f"orders: {len(run.accepted)} taken over HTTP in {run.wall_s:.0f} s, refused "
        f"{_told(run.refused)}; {len(told.intents)} in the journal with retries of exits"
    )
    print(f"ends: {_told(ended)}; ever UNKNOWN {len(told.unknown)}, reverted {told.reverted}")
    print(f"fills: {len(told.fills)}; {_told(sides)}; {_told(ways)}")
    print(
        f"retries {len(attempts) - len(told.attempts)}, guarded "
        f"{sum(a.guard is not None for a in attempts)}, protected "
        f"{sum(a.route.protected for a in attempts)}, prices moved {run.moved}"
    )
    print(
        f"network fees {fees.network_lamports:,} lamports, of failed transactions "
        f"{fees.failed_lamports:,}; housekeeping: {_told(flows)}"
    )
    for reason, number in reasons.most_common():
        print(f"  {number:>5} {reason}")


def _told(numbers: Counter[str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in numbers.most_common()) or "none"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 1 on any difference, or where a quota is not met."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--rent", type=int, default=6_960)
    parser.add_argument("--slot-ms", type=int, default=20)
    parser.add_argument("--hard", type=float, default=0.2)
    parser.add_argument("--port", type=int, default=8720)
    parser.add_argument("--state", type=Path)
    parser.add_argument("--rent-back", action="store_true")
    given = parser.parse_args(arguments)
    options = Options(
        seed=given.seed,
        rent=given.rent,
        slot_ms=given.slot_ms,
        port=given.port,
        speed=SPEED,
        pools=POOLS,
        hard=given.hard,
    )
    with tempfile.TemporaryDirectory(prefix="utb-live-") as fresh:
        state = given.state or Path(fresh)
        problems = asyncio.run(check(state, options, given.count, rent_back=given.rent_back))
    for problem in problems:
        print(f"PROBLEM: {problem}")
    print(f"{len(problems)} problems" if problems else "equal to the lamport")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
