"""What endpoints' answers prove about a transaction."""

from msgspec.structs import replace

from utb.orderlife.events import StatusAbsent, WalletAbsent
from utb.orderlife.life import LANDED, AttemptLife, Life, NullAnswers, Rules

WITNESSES = 2
"""Answers it takes to believe that a transaction is not on the chain."""


def add_null(attempt: AttemptLife, event: StatusAbsent) -> AttemptLife:
    """Return the attempt with an endpoint's null answer, if it says anything about its death.

    It does with history, from an endpoint whose finalized height is past the limit: only then is
    every block that could hold the transaction in what was searched.
    """
    if not event.history or event.finalized_height <= attempt.limit_height:
        return attempt
    height = event.finalized_height
    kept = []
    first = height
    for null in attempt.nulls:
        if null.endpoint == event.endpoint:
            first = min(null.first_height, height)
            height = max(null.last_height, height)
        else:
            kept.append(null)
    kept.append(NullAnswers(event.endpoint, first, height))
    kept.sort(key=lambda null: null.endpoint)
    return replace(attempt, nulls=tuple(kept))


def add_wallet_absence(attempt: AttemptLife, event: WalletAbsent) -> AttemptLife:
    """Return the attempt with an endpoint's word that the wallet's signatures lack it."""
    if event.finalized_height <= attempt.limit_height or event.endpoint in attempt.wallet_absent:
        return attempt
    return replace(attempt, wallet_absent=tuple(sorted((*attempt.wallet_absent, event.endpoint))))


def is_dead(attempt: AttemptLife, life: Life, rules: Rules) -> bool:
    """Return whether it is proven that the attempt never lands.

    The finalized height that two endpoints reached is past the limit, and there are null answers
    with history past it: of two endpoints, or of one twice, blocks apart, beside its absence from
    the wallet's signatures as another endpoint lists them (the same one where there is only one).
    The own height guards against an endpoint whose height runs ahead of what it searches, as behind
    a load balancer.
    """
    if life.finalized <= attempt.limit_height:
        return False
    if len(attempt.nulls) >= WITNESSES:
        return True
    for null in attempt.nulls:
        others = [e for e in attempt.wallet_absent if rules.endpoints == 1 or e != null.endpoint]
        if others and null.last_height - null.first_height >= rules.null_apart_blocks:
            return True
    return False


def add_gone(attempt: AttemptLife, event: StatusAbsent, rules: Rules) -> AttemptLife:
    """Return the attempt with an endpoint's word that it is not on the chain any more.

    Counts only from an endpoint that has seen the slot the attempt is said to have landed in, and
    without history only while nodes still keep statuses of that slot.
    """
    if attempt.state not in LANDED or event.slot < attempt.slot:
        return attempt
    if not event.history and event.slot > attempt.slot + rules.history_after_slots:
        return attempt
    if rules.endpoints > 1 and event.endpoint in attempt.gone:
        return attempt
    return replace(attempt, gone=(*attempt.gone, event.endpoint))


def has_vanished(attempt: AttemptLife) -> bool:
    """Return whether a transaction that was said to be on the chain is not there any more."""
    return len(attempt.gone) >= WITNESSES


def alive(attempt: AttemptLife) -> AttemptLife:
    """Return the attempt without evidence against it: somebody said it is on the chain."""
    if not (attempt.gone or attempt.nulls or attempt.wallet_absent):
        return attempt
    return replace(attempt, gone=(), nulls=(), wallet_absent=())
