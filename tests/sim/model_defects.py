"""Named defects, each planted alone into the order life or into what is around it.

Most are taken from bots in use; the simulation has to catch every one of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import model_venue
import pytest
from msgspec.structs import replace

from utb.domain.names import OrderStatus
from utb.orderlife import evidence, resolve, words
from utb.orderlife.actions import Action, Filled, Journal, Progress, Send
from utb.orderlife.events import Event, FillRead, Heights, Status
from utb.orderlife.life import AttemptLife, AttemptState, Booked, Life, OrderKind, Rules
from utb.orderlife.step import step

if TYPE_CHECKING:
    from model_world import World

    from utb.domain.chain import ChainFill

Plant = Callable[["World", pytest.MonkeyPatch], None]
TIMEOUT_SLOTS = 20


def time_out_requote_resign(world: World, _: pytest.MonkeyPatch) -> None:
    """No status for a while: quote and sign the entry again. It is caught by what lands."""
    world.watches_signing = False

    def stepped(life: Life, event: Event, rules: Rules) -> tuple[Life, tuple[Action, ...]]:
        life, actions = step(life, event, rules)
        waited = life.slot - life.signing_slot
        last = life.attempts[-1] if life.attempts else None
        if (
            isinstance(event, Heights)
            and life.kind is OrderKind.ENTRY
            and last is not None
            and last.state is AttemptState.SENT
            and life.signing is None
            and not life.ended
            and waited > TIMEOUT_SLOTS
        ):
            out = list(actions)
            life = resolve.sign_next(life, out)
            actions = tuple(out)
        return life, actions

    world.step = stepped


def error_taken_as_null(world: World, _: pytest.MonkeyPatch) -> None:
    """A failed question counts as an answer that the transaction is not there."""
    world.errors_are_nulls = True


def one_null_taken_as_dead(_: World, patch: pytest.MonkeyPatch) -> None:
    """The first endpoint that does not know it is believed."""

    def is_dead(attempt: AttemptLife, life: Life, rules: Rules) -> bool:
        del rules
        return life.finalized > attempt.limit_height and len(attempt.nulls) >= 1

    patch.setattr(evidence, "is_dead", is_dead)


def expiry_by_reported_height_alone(_: World, patch: pytest.MonkeyPatch) -> None:
    """Dead when any endpoint's height passes the limit that came with the blockhash."""

    def limit_height(last_valid_block_height: int, height_seen: int) -> int:
        del height_seen
        return last_valid_block_height

    def is_dead(attempt: AttemptLife, life: Life, rules: Rules) -> bool:
        del rules
        return life.block > attempt.limit_height

    patch.setattr(model_venue, "limit_height", limit_height)
    patch.setattr(evidence, "is_dead", is_dead)


def no_history_search(world: World, _: pytest.MonkeyPatch) -> None:
    """Statuses are asked for without history, and their nulls count."""
    world.searches_history = False


def unguarded_resign_of_exit(world: World, _: pytest.MonkeyPatch) -> None:
    """Attempts of an exit do not exclude each other."""
    world.builds_guards = False


def send_before_durable(world: World, _: pytest.MonkeyPatch) -> None:
    """Bytes leave while the journal is still being written."""

    def stepped(life: Life, event: Event, rules: Rules) -> tuple[Life, tuple[Action, ...]]:
        life, actions = step(life, event, rules)
        sends = tuple(Send(a.signature) for a in actions if isinstance(a, Journal))
        return life, (*actions, *sends)

    world.step = stepped


def new_epoch_while_an_attempt_lives(world: World, _: pytest.MonkeyPatch) -> None:
    """An exit that hangs is given up and begun anew under another guard."""
    world.epoch_over = lambda life: (
        life.ended or (bool(life.attempts) and life.slot - life.signing_slot > TIMEOUT_SLOTS)
    )


def confirmed_taken_as_final(world: World, _: pytest.MonkeyPatch) -> None:
    """The order is over at its first confirmed fill."""

    def stepped(life: Life, event: Event, rules: Rules) -> tuple[Life, tuple[Action, ...]]:
        life, actions = step(life, event, rules)
        fills = [a for a in actions if isinstance(a, Filled)]
        if fills and not life.ended:
            signature = fills[-1].signature
            life = replace(life, status=OrderStatus.SETTLED)
            ends = (OrderStatus.FINAL, OrderStatus.SETTLED)
            actions = (*actions, *(Progress(status=s, signature=signature) for s in ends))
        return life, actions

    world.step = stepped


def guard_recovered_too_early(_: World, patch: pytest.MonkeyPatch) -> None:
    """The guard's rent is taken back as soon as one attempt filled."""
    patch.setattr(
        Life, "guard_recoverable", property(lambda life: life.booked is not None or life.ended)
    )


def _crowd(world: World) -> None:
    """Trade one mint at a time when its price rests: the same amounts, again and again."""
    world.chain.moves = 0
    trader = world.trader
    trader.mints, trader.entries_max, trader.eager = 1, 12, 0.6
    trader.partials, trader.reprice_after = 0.0, 8


def identical_bytes(world: World, _: pytest.MonkeyPatch) -> None:
    """Nothing of its own is in a transaction: two equal entries of one blockhash are one."""
    world.watches_signing = False
    _crowd(world)
    world.unit_price = lambda price, sequence: price - 0 * sequence
    world.memo = lambda _: "memo"


def first_fill_kept(_: World, patch: pytest.MonkeyPatch) -> None:
    """What was booked at confirmed is never compared with what became final."""
    book = resolve.book

    def keeps(life: Life, fill: ChainFill, out: list[Action]) -> Life:
        if life.booked is not None and life.booked.signature == fill.signature:
            return replace(life, booked=Booked(fill.signature, life.booked.fill))
        return book(life, fill, out)

    patch.setattr(resolve, "book", keeps)


def confirmed_failure_taken_as_end(_: World, patch: pytest.MonkeyPatch) -> None:
    """A transaction that failed at confirmed is given up, though a fork may land it anew."""
    failed = words._failed

    def ends(life: Life, attempt: AttemptLife, event: Status | FillRead, out: list[Action]) -> Life:
        life = failed(life, attempt, event, out)
        gone = words.find(life, attempt.signature)
        assert gone is not None
        return resolve.put(life, replace(gone, state=AttemptState.FINAL_FAILED))

    patch.setattr(words, "_failed", ends)


def entry_while_an_exit_lives(world: World, patch: pytest.MonkeyPatch) -> None:
    """The mint of an exit that filled is opened to entries though another attempt may land."""
    _crowd(world)
    patch.setattr(Life, "locks_mint", property(lambda life: not life.ended and not life.booked))


def waits_for_ever(_: World, patch: pytest.MonkeyPatch) -> None:
    """What was lost is polled for ever."""
    patch.setattr(evidence, "is_dead", lambda *_: False)


DEFECTS: dict[str, Plant] = {
    plant.__name__: plant
    for plant in (
        time_out_requote_resign,
        error_taken_as_null,
        one_null_taken_as_dead,
        expiry_by_reported_height_alone,
        no_history_search,
        unguarded_resign_of_exit,
        send_before_durable,
        new_epoch_while_an_attempt_lives,
        confirmed_taken_as_final,
        guard_recovered_too_early,
        identical_bytes,
        first_fill_kept,
        confirmed_failure_taken_as_end,
        entry_while_an_exit_lives,
        waits_for_ever,
    )
}
