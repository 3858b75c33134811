"""What follows from what is known of an order's attempts: its status, its next attempt, its end."""

from collections.abc import Iterable

from msgspec.structs import replace

from utb.domain.chain import ChainFill
from utb.domain.names import OrderStatus
from utb.orderlife.actions import Action, Failed, Filled, Progress, Reverted, Sign
from utb.orderlife.life import LANDED, AttemptLife, AttemptState, Booked, Life, OrderKind, Rules

S = AttemptState


def put(life: Life, attempt: AttemptLife) -> Life:
    """Return the life with one of its attempts as it is now."""
    attempts = tuple(attempt if a.signature == attempt.signature else a for a in life.attempts)
    return replace(life, attempts=attempts)


def sign_next(life: Life, out: list[Action]) -> Life:
    """Ask for the next attempt.

    Each attempt of an exit carries the guard, except the first one of a full exit that may go
    without. An entry has one attempt and no guard.
    """
    number = life.tries
    guarded = life.kind is OrderKind.EXIT and not (life.unguarded_first and number == 0)
    out.append(Sign(number=number, guarded=guarded, fee_step=number))
    return replace(life, signing=number, signing_slot=life.slot, tries=number + 1)


def may_sign(life: Life, rules: Rules) -> bool:
    """Return whether the order may have one more attempt beside those on their way."""
    limit = 1 if life.kind is OrderKind.ENTRY else rules.exit_attempts_max
    return (
        life.tries < limit
        and life.signing is None
        and life.slot >= life.signing_slot
        and not life.guard_taken
        and life.booked is None
        and all(a.state is not S.SIGNED and a.state is not S.CONFIRMED for a in life.attempts)
    )


def spent(life: Life, rules: Rules) -> bool:
    """Return whether no further attempt will be made."""
    limit = 1 if life.kind is OrderKind.ENTRY else rules.exit_attempts_max
    return life.tries >= limit or life.guard_taken


def book(life: Life, fill: ChainFill, out: list[Action]) -> Life:
    """Report a fill, unless the same is booked; one booked before it is undone first.

    It is provisional until SETTLED, also where it was read at finalized: another attempt may still
    land, fail, and cost its fee.
    """
    booked = life.booked
    if booked is not None:
        if _same(booked.fill, fill):
            return life
        reason = "it landed again with another fill"
        if booked.signature != fill.signature:
            reason = "another attempt landed in its place"
        life = unbook(life, out, reason)
    out.append(Filled(signature=fill.signature, fill=fill, provisional=True))
    return replace(life, booked=Booked(fill.signature, fill), status=OrderStatus.CONFIRMED)


def _same(booked: ChainFill, fill: ChainFill) -> bool:
    """Return whether two readings are of one fill; the journal does not keep what it computed."""
    return replace(booked, compute_units=fill.compute_units) == fill


def unbook(life: Life, out: list[Action], reason: str) -> Life:
    """Undo the fill that was reported last."""
    booked = life.booked
    if booked is None:
        return life
    limit = max(a.limit_height for a in life.attempts if a.signature == booked.signature)
    status = OrderStatus.UNKNOWN if life.block > limit else OrderStatus.SENT
    out.append(Reverted(signature=booked.signature, status=status, reason=reason))
    return replace(life, booked=None, status=status)


def resolve(life: Life, rules: Rules, out: list[Action]) -> Life:
    """Return the life after everything that now follows was asked or reported."""
    winner = next((a for a in life.attempts if a.state is S.FINAL), None)
    if winner is not None:
        return _finish(life, winner, out)
    if not any(a.state in _HOPEFUL for a in life.attempts) and life.signing is None:
        if may_sign(life, rules) and life.tries > 0:
            life = sign_next(life, out)
        elif spent(life, rules) and not any(a.live for a in life.attempts):
            return end(life, out)
    return _report_standing(life, rules, out)


_HOPEFUL = frozenset({S.SIGNED, S.SENT, S.SEEN, S.CONFIRMED})
"""States of an attempt that may still fill, as far as is known."""


def end(life: Life, out: list[Action]) -> Life:
    """Report that the order ended without a fill."""
    failed = [a for a in life.attempts if a.state is S.FINAL_FAILED]
    if failed:
        status, reason = OrderStatus.FAILED_ON_CHAIN, failed[-1].err or "failed on chain"
        if life.guard_taken:
            reason = f"its guard account exists already: {reason}"
    elif any(a.state is S.DEAD for a in life.attempts):
        status, reason = OrderStatus.EXPIRED, "proven not to have landed before its last block"
    else:
        status, reason = OrderStatus.CANCELLED, "nothing of it was ever sent"
    out.append(
        Failed(
            status=status,
            fee_lamports=_fees(failed),
            slot=max((a.slot for a in failed), default=0),
            attempts=len(life.attempts),
            reason=reason,
        )
    )
    return replace(life, status=status, signing=None)


def _finish(life: Life, winner: AttemptLife, out: list[Action]) -> Life:
    """FINAL at once; SETTLED when nothing of the other attempts can cost or move anything."""
    if life.status is not OrderStatus.FINAL:
        out.append(Progress(status=OrderStatus.FINAL, signature=winner.signature, slot=winner.slot))
        life = replace(life, status=OrderStatus.FINAL, signing=None)
    if any(a.live for a in life.attempts):
        return life
    failed = [a for a in life.attempts if a.state is S.FINAL_FAILED]
    out.append(
        Progress(
            status=OrderStatus.SETTLED,
            signature=winner.signature,
            slot=max(a.slot for a in (winner, *failed)),
            fee_lamports=_fees(failed),
        )
    )
    return replace(life, status=OrderStatus.SETTLED)


def _fees(attempts: Iterable[AttemptLife]) -> int:
    return sum(a.fee_lamports for a in attempts)


def is_unknown(attempt: AttemptLife, life: Life, rules: Rules) -> bool:
    """Return whether nobody can say what became of an attempt that can no longer be sent."""
    if not attempt.live or attempt.state is S.SIGNED:
        return False
    if life.finalized > attempt.limit_height + rules.unknown_after_blocks:
        return True
    return attempt.vanished and attempt.state is S.SENT and life.block > attempt.limit_height


def _report_standing(life: Life, rules: Rules, out: list[Action]) -> Life:
    status, about = _standing(life, rules)
    if about is None or status is life.status:
        return life
    reason = about.err or ""
    if status is OrderStatus.UNKNOWN:
        reason = "past its last block and not proven to have landed or not: its mint is blocked"
    out.append(Progress(status=status, signature=about.signature, slot=about.slot, reason=reason))
    return replace(life, status=status)


def _standing(life: Life, rules: Rules) -> tuple[OrderStatus, AttemptLife | None]:
    """Return the status that the attempts amount to, and the attempt it is about."""
    if life.booked is not None:
        return life.status, None
    live = [a for a in life.attempts if a.live]
    for attempt in live:
        if is_unknown(attempt, life, rules):
            return OrderStatus.UNKNOWN, attempt
    for attempt in live:
        if attempt.state in LANDED:
            return OrderStatus.SEEN, attempt
    if live and live[-1].state is S.SENT:
        return OrderStatus.SENT, live[-1]
    return life.status, None
