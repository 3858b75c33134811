"""The transition function of an order's life.

`step` is pure and total: an event that does not fit is ignored or counted, however late, repeated
or untrue it is. `InvariantError` says that our own process broke its part.

Nothing leaves before `Durable`. An entry is signed once; the same bytes go out again every
`Rules.resend_slots` until they land or their last block has passed, and then the order waits for
proof. An exit is one epoch: its attempts exclude each other by the guard account, so a further one
may be signed at any time; the order ends when all of them are dead or final.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from msgspec.structs import replace

from utb.domain.chain import Commitment
from utb.domain.names import OrderStatus
from utb.errors import InvariantError
from utb.orderlife import resolve as rs
from utb.orderlife import words
from utb.orderlife.actions import (
    Action,
    Alarm,
    AskStatus,
    AskWallet,
    Journal,
    ReadFill,
    Send,
    Subscribe,
)
from utb.orderlife.events import (
    Begin,
    Durable,
    Event,
    FillRead,
    Heights,
    NotSigned,
    Reprice,
    Restarted,
    Signed,
    Status,
    StatusAbsent,
    WalletAbsent,
)
from utb.orderlife.life import LANDED, AttemptLife, AttemptState, Life, OrderKind, Rules

S = AttemptState


def step(life: Life, event: Event, rules: Rules) -> tuple[Life, tuple[Action, ...]]:
    """Return the order's life after an event, and what is to be done about it, in order.

    Raises:
        InvariantError: If our own process gave what it cannot have: two attempts of the same
            bytes, or an attempt with a guard where none was asked for.
    """
    if life.ended:
        return life, _late(life, event)
    out: list[Action] = []
    life = _HANDLERS[type(event)](life, event, rules, out)
    return life, tuple(out)


def _late(life: Life, event: Event) -> tuple[Action, ...]:
    """Nothing changes an ended order; that a dead attempt landed is for the operator."""
    landed = (isinstance(event, FillRead) and event.finalized) or (
        isinstance(event, Status) and event.commitment is Commitment.FINALIZED
    )
    if landed and isinstance(event, FillRead | Status):
        attempt = words.find(life, event.signature)
        if attempt is not None and attempt.state not in {S.FINAL, S.FINAL_FAILED}:
            reason = f"order {life.intent_id} ended {life.status}, yet an endpoint has it finalized"
            return (Alarm(signature=event.signature, reason=reason),)
    return ()


def _begin(life: Life, _: Begin, __: Rules, out: list[Action]) -> Life:
    if life.tries or life.attempts:
        return words.misfit(life)
    return rs.sign_next(life, out)


def _signed(life: Life, event: Signed, rules: Rules, out: list[Action]) -> Life:
    if life.signing != event.number:
        return words.misfit(life)
    guarded = life.kind is OrderKind.EXIT and not (life.unguarded_first and event.number == 0)
    if event.guarded != guarded:
        raise InvariantError(
            f"order {life.intent_id}: attempt {event.number} has guarded {event.guarded}, "
            f"asked for was {guarded}"
        )
    if words.find(life, event.signature) is not None:
        raise InvariantError(
            f"order {life.intent_id}: attempt {event.number} has the bytes of an earlier one"
        )
    life = replace(life, signing=None)
    if life.booked is not None:
        # An earlier attempt filled meanwhile: this one is not made durable, so it never leaves
        return rs.resolve(life, rules, out)
    attempt = AttemptLife(
        number=event.number,
        signature=event.signature,
        limit_height=event.limit_height,
        guarded=event.guarded,
    )
    out.append(Journal(event.signature))
    return replace(life, attempts=(*life.attempts, attempt), status=OrderStatus.SIGNED)


def _not_signed(life: Life, event: NotSigned, rules: Rules, out: list[Action]) -> Life:
    if life.signing != event.number:
        return words.misfit(life)
    return rs.resolve(_given_up(life, rules, definitive=event.definitive), rules, out)


def _given_up(life: Life, rules: Rules, *, definitive: bool) -> Life:
    life = replace(life, signing=None)
    if definitive:
        return replace(life, tries=max(life.tries, rules.exit_attempts_max))
    return replace(life, signing_slot=life.slot + rules.sign_again_slots)


def _durable(life: Life, event: Durable, rules: Rules, out: list[Action]) -> Life:
    attempt = words.find(life, event.signature)
    if attempt is None or attempt.state is not S.SIGNED:
        return words.misfit(life)
    if life.block > attempt.limit_height or life.booked is not None:
        attempt = replace(attempt, state=S.DROPPED)
        return rs.resolve(rs.put(life, attempt), rules, out)
    out.append(Subscribe(event.signature))
    out.append(Send(event.signature))
    attempt = replace(attempt, state=S.SENT, sent_slot=life.slot, asked_slot=life.slot)
    return rs.resolve(rs.put(life, attempt), rules, out)


def _reprice(life: Life, _: Reprice, rules: Rules, out: list[Action]) -> Life:
    if life.kind is OrderKind.ENTRY or life.tries == 0 or not rs.may_sign(life, rules):
        return life
    return rs.sign_next(life, out)


def _restarted(life: Life, _: Restarted, __: Rules, out: list[Action]) -> Life:
    """Ask about everything that may have left; what was never durable does not exist."""
    if not life.attempts:
        return rs.end(life, out)
    for attempt in life.attempts:
        if attempt.live:
            out.append(Subscribe(attempt.signature))
            out.append(AskStatus(signature=attempt.signature, history=True))
    return life


def _heights(life: Life, event: Heights, rules: Rules, out: list[Action]) -> Life:
    first = life.slot == 0
    life = replace(
        life,
        # What was asked before any slot was known is waited for from now on
        signing_slot=event.slot if first else life.signing_slot,
        block=max(life.block, event.block),
        finalized=max(life.finalized, event.finalized),
        slot=max(life.slot, event.slot),
    )
    if life.signing is not None and life.slot >= life.signing_slot + rules.sign_wait_slots:
        life = _given_up(life, rules, definitive=False)
    attempts = tuple(_tick(life, a, rules, out) if a.live else a for a in life.attempts)
    if attempts != life.attempts:
        life = replace(life, attempts=attempts)
    return rs.resolve(life, rules, out)


def _tick(life: Life, attempt: AttemptLife, rules: Rules, out: list[Action]) -> AttemptLife:
    """Broadcast an attempt again and ask about it, each when it is due."""
    if attempt.state is S.SIGNED:
        if life.block > attempt.limit_height:
            return replace(attempt, state=S.DROPPED)
        return attempt
    on_its_way = attempt.state is S.SENT or attempt.state is S.SEEN
    if (
        on_its_way
        and life.booked is None
        and life.block <= attempt.limit_height
        and life.slot >= attempt.sent_slot + rules.resend_slots
    ):
        out.append(Send(attempt.signature))
        attempt = replace(attempt, sent_slot=life.slot)
    if life.slot >= attempt.asked_slot + rules.ask_slots:
        _ask(life, attempt, rules, out)
        attempt = replace(attempt, asked_slot=life.slot)
    return attempt


def _ask(life: Life, attempt: AttemptLife, rules: Rules, out: list[Action]) -> None:
    """Ask whatever is not known yet; a lost answer is asked for again."""
    past = life.finalized > attempt.limit_height
    old = attempt.state in LANDED and life.slot > attempt.slot + rules.history_after_slots
    out.append(AskStatus(signature=attempt.signature, history=past or old))
    if past and attempt.nulls:
        out.append(AskWallet(attempt.signature))
    if attempt.final_told:
        out.append(ReadFill(signature=attempt.signature, finalized=True))
    elif attempt.state is S.CONFIRMED and life.booked is None:
        out.append(ReadFill(signature=attempt.signature, finalized=False))


_Handler = Callable[[Life, Any, Rules, list[Action]], Life]
_HANDLERS: Final[Mapping[type, _Handler]] = MappingProxyType(
    {
        Begin: _begin,
        Signed: _signed,
        NotSigned: _not_signed,
        Durable: _durable,
        Status: words.on_status,
        StatusAbsent: words.on_absent,
        WalletAbsent: words.on_wallet_absent,
        Heights: _heights,
        FillRead: words.on_fill_read,
        Reprice: _reprice,
        Restarted: _restarted,
    }
)
