"""Blocks of recorded events: the core replays them up to what matters, and no further."""

from typing import TYPE_CHECKING, Final

from utb.node.wiring import TIMED_EVERY
from utb.ports.core import EventReplay
from utb.ports.feed import Records

if TYPE_CHECKING:
    from utb.node.runner import Runner

BLOCK_EVENTS: Final = 1 << 16
"""Recorded events replayed at most before commands, snapshots and the display have their turn."""


def run_block(runner: "Runner", item: Records) -> None:
    """Handle a block from where the session is in it, to its end or to a shutdown."""
    replay = runner.wiring.core.replay(item.payload)
    session, size = runner.session, len(replay)
    snapshots = runner.wiring.snapshot_every_ns is not None
    end = end_ns = 0
    while (at := session.at_event) < size and not runner.stopping:
        # Only a snapshot's turn depends on the time
        runner.between(replay.ts_recv_ns(at) if snapshots else session.item_ns)
        if at >= end:
            end = min((at // BLOCK_EVENTS + 1) * BLOCK_EVENTS, size)
            end_ns = replay.ts_recv_ns(end - 1)
        if not runner.stopping:
            _step(runner, replay, end_ns)
    if not runner.stopping:
        session.at_item, session.at_event = session.at_item + 1, 0


def _step(runner: "Runner", replay: EventReplay, end_ns: int) -> None:
    """Advance a block to its next event that matters, or handle the venue's."""
    session, wiring = runner.session, runner.wiring
    at = session.at_event
    due_ns = wiring.venue.next_event_ns()
    until_ns = end_ns if due_ns is None else min(due_ns, end_ns)
    started_ns = 0 if session.items % TIMED_EVERY else wiring.stopwatch_ns()
    reached, events = replay.advance(at, until_ns, _stop_instrument(runner, replay, at))
    if started_ns:
        runner.latencies.decide.add(wiring.stopwatch_ns() - started_ns)
    if reached > at:
        session.item_ns = max(session.item_ns, replay.ts_recv_ns(reached - 1))
        session.items += reached - at
        session.at_event = reached
    if events:
        runner.market_events(events)
    if reached > at:
        runner.after_prices()
    elif not events and due_ns is not None and until_ns == due_ns:
        runner.poll(due_ns)


def _stop_instrument(runner: "Runner", replay: EventReplay, at: int) -> int:
    """Return the instrument after whose next event the replay must stop, or -1.

    An order may wait for an instrument's event, and the account opens at the first price; with
    several to wait for, the replay goes event by event.
    """
    waiting = runner.wiring.venue.waiting_instruments()
    if len(waiting) > 1 or not runner.wiring.trader.is_open:
        return replay.instrument(at)
    return waiting[0] if waiting else -1
