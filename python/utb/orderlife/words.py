"""What the chain's endpoints say of an attempt, taken into the order's life."""

from msgspec.structs import replace

from utb.domain.chain import Commitment
from utb.orderlife import evidence
from utb.orderlife import resolve as rs
from utb.orderlife.actions import Action, Alarm, AskWallet, ReadFill
from utb.orderlife.events import FillRead, Status, StatusAbsent, WalletAbsent
from utb.orderlife.life import AttemptLife, AttemptState, Life, Rules

S = AttemptState


def find(life: Life, signature: str) -> AttemptLife | None:
    """Return the attempt of that signature, if it is one of this order."""
    for attempt in life.attempts:
        if attempt.signature == signature:
            return attempt
    return None


def misfit(life: Life) -> Life:
    """Count an event that fits nothing."""
    return replace(life, misfits=life.misfits + 1)


def on_status(life: Life, event: Status, rules: Rules, out: list[Action]) -> Life:
    """Take a word that a transaction is on the chain; nothing but a reading makes it final."""
    attempt = find(life, event.signature)
    if attempt is None or attempt.state in _NEVER_SENT:
        return misfit(life)
    if event.slot > life.slot + rules.slot_ahead_max:
        return misfit(life)
    if attempt.state in _READ_FINAL:
        return life
    attempt = evidence.alive(attempt)
    if attempt.state is S.DEAD:
        attempt = replace(attempt, state=S.SENT)
    if event.commitment is Commitment.PROCESSED:
        if attempt.state is S.SENT:
            attempt = replace(attempt, state=S.SEEN, slot=event.slot, err=event.err)
        return rs.resolve(rs.put(life, attempt), rules, out)
    final = event.commitment is Commitment.FINALIZED
    if final:
        out.append(ReadFill(signature=attempt.signature, finalized=True))
        attempt = replace(attempt, final_told=True)
    if event.err is not None:
        life = _failed(life, attempt, event, out)
    else:
        if (attempt.state is not S.CONFIRMED or attempt.slot != event.slot) and not final:
            out.append(ReadFill(signature=attempt.signature, finalized=False))
        attempt = replace(attempt, state=S.CONFIRMED, slot=event.slot, err=None)
        life = rs.put(life, attempt)
    return rs.resolve(life, rules, out)


_NEVER_SENT = frozenset({S.SIGNED, S.DROPPED})
_READ_FINAL = frozenset({S.FINAL, S.FINAL_FAILED})


def _failed(life: Life, attempt: AttemptLife, event: Status | FillRead, out: list[Action]) -> Life:
    """Failed at confirmed: only provisionally, for a fork may land it anew."""
    if life.booked is not None and life.booked.signature == attempt.signature:
        life = rs.unbook(life, out, "it failed on the chain that replaced the one it filled on")
    attempt = replace(attempt, state=S.FAILED, slot=event.slot, err=event.err)
    life = rs.put(life, attempt)
    return replace(life, guard_taken=life.guard_taken or event.guard_failed)


def on_absent(life: Life, event: StatusAbsent, rules: Rules, out: list[Action]) -> Life:
    """Take a null answer: it may have vanished, or be dead."""
    attempt = find(life, event.signature)
    if attempt is None or attempt.state is S.SIGNED:
        return misfit(life)
    if not attempt.live:
        return life
    attempt = evidence.add_null(evidence.add_gone(attempt, event, rules), event)
    life = rs.put(life, attempt)
    if evidence.is_dead(attempt, life, rules):
        return _dead(life, attempt, rules, out)
    if evidence.has_vanished(attempt):
        return _vanished(life, attempt, rules, out)
    if len(attempt.nulls) == 1 and not attempt.wallet_absent:
        out.append(AskWallet(attempt.signature))
    return life


def on_wallet_absent(life: Life, event: WalletAbsent, rules: Rules, out: list[Action]) -> Life:
    """Take the word that the wallet's signatures lack the transaction."""
    attempt = find(life, event.signature)
    if attempt is None or attempt.state is S.SIGNED:
        return misfit(life)
    if not attempt.live:
        return life
    attempt = evidence.add_wallet_absence(attempt, event)
    life = rs.put(life, attempt)
    if evidence.is_dead(attempt, life, rules):
        return _dead(life, attempt, rules, out)
    return life


def _dead(life: Life, attempt: AttemptLife, rules: Rules, out: list[Action]) -> Life:
    if life.booked is not None and life.booked.signature == attempt.signature:
        life = rs.unbook(life, out, "it vanished from the chain and cannot land any more")
    attempt = replace(evidence.alive(attempt), state=S.DEAD, slot=0, err=None, final_told=False)
    return rs.resolve(rs.put(life, attempt), rules, out)


def _vanished(life: Life, attempt: AttemptLife, rules: Rules, out: list[Action]) -> Life:
    """Back to SENT: it is broadcast again while its height allows, and asked about."""
    if life.booked is not None and life.booked.signature == attempt.signature:
        life = rs.unbook(life, out, "it vanished from the chain")
    attempt = replace(
        attempt,
        state=S.SENT,
        slot=0,
        err=None,
        final_told=False,
        vanished=True,
        gone=(),
        sent_slot=0,
        asked_slot=0,
    )
    return rs.resolve(rs.put(life, attempt), rules, out)


def on_fill_read(life: Life, event: FillRead, rules: Rules, out: list[Action]) -> Life:
    """Take a transaction as it was read: at finalized it is the truth, before it a claim."""
    attempt = find(life, event.signature)
    if attempt is None or attempt.state is S.SIGNED:
        return misfit(life)
    if attempt.state in _READ_FINAL or (not event.finalized and not attempt.live):
        return life
    attempt = evidence.alive(attempt)
    if event.finalized:
        life = _read_final(life, attempt, event, out)
    elif event.fill is None:
        life = _failed(life, attempt, event, out)
    else:
        attempt = replace(attempt, state=S.CONFIRMED, slot=event.slot, err=None)
        life = rs.put(life, attempt)
        # Two attempts exclude each other: the one booked first is asked about until it vanishes
        if life.booked is None or life.booked.signature == attempt.signature:
            life = rs.book(life, event.fill, out)
    return rs.resolve(life, rules, out)


def _read_final(life: Life, attempt: AttemptLife, event: FillRead, out: list[Action]) -> Life:
    if event.fill is not None and any(a.state is S.FINAL for a in life.attempts):
        # What guard and lock are there to prevent; its fill is not this order's to book
        reason = f"a second attempt of order {life.intent_id} filled: reconcile the wallet"
        out.append(Alarm(signature=attempt.signature, reason=reason))
        attempt = replace(attempt, state=S.FINAL_FAILED, slot=event.slot, err="filled twice")
        return rs.put(life, attempt)
    if event.fill is not None:
        attempt = replace(attempt, state=S.FINAL, slot=event.slot, err=None)
        life = rs.put(life, attempt)
        return rs.book(life, event.fill, out)
    if life.booked is not None and life.booked.signature == attempt.signature:
        life = rs.unbook(life, out, "it failed on the chain that became final")
    attempt = replace(
        attempt,
        state=S.FINAL_FAILED,
        slot=event.slot,
        err=event.err,
        fee_lamports=event.fee_lamports,
    )
    life = rs.put(life, attempt)
    return replace(life, guard_taken=life.guard_taken or event.guard_failed)
