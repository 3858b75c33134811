"""While a source is stale its instruments take no entries; what is held is sold all the same."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from staged import Fault, Outcome, Stage, run
from truth import MINUTE, truth

from utb.domain import commands as cmd
from utb.domain.names import ExitReason, OrderStatus, RefusalCode, Side
from utb.domain.records import (
    Decision,
    FillBooked,
    OrderState,
    Refused,
    TriggerArmed,
    TriggerFiredRecord,
)

HOURS = 15
SPEED = 3600.0
WARM = 630.0
"""Minutes until the 5-minute indicators have what they need."""
FOREVER_S = 86_400.0
USDC = 2_000.0
TIGHT = 0.006
"""Distance of stop and target that an hour reaches, and the minutes in which an order is given at
this pace do not."""
WIDE = 0.1
SETTINGS = (
    'strategies.timeframe="5m"',
    # Positions of one market may stand side by side, however tight their exits, and an outage
    # restarts no warm-up: what refuses an entry here is health alone.
    "risk.correlation_limit=1.0",
    "risk.max_concurrent_positions=20",
    "risk.min_target_costs=0",
    'feeds.max_gap="12h"',
    "paper.landing_probability=1.0",
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(150)]


class Operator:
    """Gives orders to a stage by the names of markets."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.index = {one.base: one.index for one in truth(HOURS).instruments}

    async def buy(self, base: str, distance: float) -> cmd.Answer:
        """Buy for some money, with stop and target at a distance from the last price."""
        assert self.stage.pulse is not None
        market = truth(HOURS)
        one = market.instruments[self.index[base]]
        price = market.price(one.index, self.stage.now_ns)
        answer: cmd.Answer = await self.stage.give(
            cmd.Trade,
            instrument=one.index,
            side=Side.BUY,
            size_base_raw=int(USDC / price * 10**one.base_decimals),
            stop=price * (1 - distance),
            target=price * (1 + distance),
        )
        return answer

    async def until_held(self, base: str) -> int:
        """Return the position's number once its exits are armed."""
        index = self.index[base]
        armed = await self.stage.until(
            lambda: [
                one
                for one in self.stage.records
                if isinstance(one, TriggerArmed) and one.instrument == index
            ]
        )
        return int(armed[-1].position_id)

    async def until_sold(self, position: int) -> FillBooked:
        """Return the fill that sold it."""
        sold = await self.stage.until(lambda: sales(self.stage.records, position))
        found: FillBooked = sold[0]
        return found


def sales(records: Sequence[object], position: int) -> list[FillBooked]:
    return [
        one
        for one in records
        if isinstance(one, FillBooked)
        and one.fill.position_id == position
        and one.fill.side is Side.SELL
    ]


async def test_stale_feed_blocks_entries_and_exits_go_on(tmp_path: Path) -> None:
    held: dict[str, int] = {}

    async def operate(stage: Stage) -> None:
        operator, market = Operator(stage), truth(HOURS)
        await stage.until(lambda: market.minute(stage.now_ns) >= WARM)
        for base in ("SOL", "RAY"):
            assert isinstance(await operator.buy(base, WIDE), cmd.Accepted)
            held[base] = await operator.until_held(base)
        await stage.ask(Fault("birdeye", "silence", None, FOREVER_S))
        await stage.until(lambda: stage.unhealthy(operator.index["ETH"], active=True))
        refused = await operator.buy("ETH", WIDE)
        assert isinstance(refused, cmd.Refusal)
        assert refused.code == RefusalCode.UNHEALTHY
        # Other feeds' markets go on: entries, exits by price, exits by hand.
        assert isinstance(await operator.buy("JUP", TIGHT), cmd.Accepted)
        held["JUP"] = await operator.until_held("JUP")
        for base in ("SOL", "RAY"):
            closing = await stage.give(cmd.ClosePosition, position_id=held[base])
            assert isinstance(closing, cmd.Accepted)
        await operator.until_sold(held["RAY"])
        await operator.until_sold(held["JUP"])
        assert stage.unhealthy(operator.index["ETH"], active=True)
        await stage.end_faults()
        await stage.until(lambda: stage.unhealthy(operator.index["ETH"], active=False))
        await operator.until_sold(held["SOL"])
        assert isinstance(await operator.buy("ETH", WIDE), cmd.Accepted)

    outcome = await run(tmp_path, HOURS, (), operate, speed=SPEED, settings=SETTINGS)
    check(outcome, held)


def check(outcome: Outcome, held: dict[str, int]) -> None:
    """See in the journal what the operator saw."""
    stale = {one.index for one in truth(HOURS).instruments if one.primary == "birdeye"}
    begins: dict[int | None, int] = {}
    ends: dict[int | None, int] = {}
    for said in outcome.unhealthy():
        (begins if said.active else ends)[said.instrument] = said.ts_ns
    assert set(begins) == set(ends) == stale
    orders = [
        one
        for one in outcome.records
        if isinstance(one, OrderState) and one.status is OrderStatus.APPROVED
    ]
    for order in orders:
        intent = order.intent
        assert intent is not None
        if intent.side is Side.BUY and intent.instrument in stale:
            blocked = begins[intent.instrument] <= order.ts_ns < ends[intent.instrument]
            assert not blocked
    for one in outcome.records:
        if isinstance(one, Refused) and one.code is RefusalCode.UNHEALTHY:
            assert begins[one.instrument] <= one.ts_ns < ends[one.instrument]
        if isinstance(one, Decision) and one.outcome == "entry":
            who = one.decision.instrument
            assert who not in stale or not begins[who] <= one.ts_ns < ends[who]
    first, last = max(begins.values()), min(ends.values())
    for base in ("RAY", "JUP"):
        assert first < sales(outcome.records, held[base])[0].ts_ns < last
    # Sent at once, and filled when there was a price again; the first attempt may fail on it.
    tried = [one.ts_ns for one in orders if one.intent and one.intent.position_id == held["SOL"]]
    assert tried[0] < last <= sales(outcome.records, held["SOL"])[0].ts_ns + MINUTE
    fired = [one for one in outcome.records if isinstance(one, TriggerFiredRecord)]
    kinds = {one.kind for one in fired if one.position_id == held["JUP"]}
    assert kinds & {ExitReason.STOP, ExitReason.TARGET}
