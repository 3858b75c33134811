"""No look-ahead: what a truncated recording makes is the beginning of what the whole one makes."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from msgspec.structs import replace as with_fields
from runs import ListFeed, Run
from tapes import LONG, constructed, cut, needs_data, places, recorded

from utb.adapters.feeds.bars import RecordedBars
from utb.bootstrap import RunOptions
from utb.bootstrap.sources import generated, of_bars
from utb.config.load import defaults, parse_text
from utb.config.schema import Config
from utb.domain.names import STRATEGIES, ExitReason
from utb.domain.records import Decision, FillBooked, Record

Tape = Callable[[], tuple[RecordedBars, ...]]

CUTS = 200 if LONG else 12
DAYS = 60 if LONG else 20
SEED = 20_240_101
TAPES = [
    pytest.param(partial(constructed, "SOL-USDC", "WIF-USDC", days=DAYS), id="constructed"),
    pytest.param(partial(recorded, "SOL", "WIF", days=DAYS), id="recorded", marks=needs_data),
]
TICK = "[strategies.evaluate]\n" + "\n".join(f'{name} = "tick"' for name in STRATEGIES)


def run(config: Config, bars: Sequence[RecordedBars], *, frames: bool = False) -> Run:
    return Run(config, of_bars(config, bars, frames=frames))


def assert_begins(short: list[Record], whole: list[Record]) -> None:
    """Compare record by record, so that a failure names the first one that looked ahead."""
    assert len(short) <= len(whole)
    for number, (found, expected) in enumerate(zip(short, whole, strict=False)):
        assert found == expected, f"record {number}"


def decisions(records: list[Record]) -> list[Decision]:
    return [record for record in records if isinstance(record, Decision)]


@pytest.mark.parametrize("tape", TAPES)
def test_backtest_of_a_truncated_recording_is_the_beginning_of_the_whole(tape: Tape) -> None:
    config, bars = defaults(), tape()
    whole = run(config, bars)
    seen, held = set(), 0
    for until_ns in places(bars, CUTS, np.random.default_rng(SEED)):
        short = run(config, cut(bars, until_ns))
        assert_begins(short.before_end, whole.before_end)
        seen.add(len(decisions(short.before_end)))
        held += any(
            isinstance(r, FillBooked) and r.fill.exit_reason is ExitReason.END for r in short.at_end
        )
    assert len(decisions(whole.before_end)) > DAYS
    assert len(seen) > CUTS // 5, "the cuts must fall between different decisions"
    assert held or not LONG, "some cuts must find a position open"


@pytest.mark.parametrize("tape", TAPES)
def test_demo_with_votes_at_every_tick_does_not_look_ahead(tape: Tape) -> None:
    """Frames instead of records, and `evaluate = "tick"`, whose votes use the forming bar."""
    config, bars = parse_text(TICK), tape()
    bars = cut(bars, int(bars[0].ts_ns[len(bars[0].ts_ns) * 10 // DAYS]))
    whole = run(config, bars, frames=True)
    assert len(decisions(whole.before_end)) > 10
    for until_ns in places(bars, 20 if LONG else 2, np.random.default_rng(SEED + 1)):
        short = run(config, cut(bars, until_ns), frames=True)
        assert_begins(short.before_end, whole.before_end)


def test_generated_market_cut_at_any_item_does_not_look_ahead() -> None:
    """All sources' frames and every kind of context, cut within a bar as well."""
    config = defaults()
    options = RunOptions(hours=200 if LONG else 40)
    source = generated(config, options)
    assert source.feed is not None
    source = with_fields(source, feed=ListFeed(source.feed))
    whole = Run(config, source)
    rng = np.random.default_rng(SEED + 2)
    assert len(decisions(whole.before_end)) > 5
    for items in rng.integers(whole.result.events // 2, whole.result.events, 12 if LONG else 2):
        short = Run(config, source, int(items))
        assert short.result.events == items
        assert_begins(short.before_end, whole.before_end)


def test_cuts_find_a_recording_that_knows_its_own_future() -> None:
    """Prices divided by the mean of the whole recording: the same test must fail on them."""
    config, bars = defaults(), constructed("SOL-USDC", "WIF-USDC", days=6)

    def normalised(one: RecordedBars) -> RecordedBars:
        names = ("open", "high", "low", "close")
        mean = one.close.mean() / 100.0
        return replace(one, **{name: getattr(one, name) / mean for name in names})

    whole = run(config, [normalised(one) for one in bars])
    (until_ns,) = places(bars, 1, np.random.default_rng(SEED))
    short = run(config, [normalised(one) for one in cut(bars, until_ns)])
    # Record 0 is the start of the session, record 1 the opening, valued at the price of SOL.
    with pytest.raises(AssertionError, match="record 1"):
        assert_begins(short.before_end, whole.before_end)
