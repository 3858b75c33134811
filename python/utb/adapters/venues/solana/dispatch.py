"""Which senders an attempt goes to and the one tip it pays."""

import msgspec

from utb.adapters.venues.solana.parts import SenderSet


class Dispatch(msgspec.Struct, frozen=True, kw_only=True):
    """The senders of an attempt; a re-broadcast stays among them."""

    senders: tuple[str, ...]
    tip_account: str | None
    """None: no tip."""
    tip_lamports_min: int


class Dispatches:
    """Chooses senders."""

    def __init__(self, senders: SenderSet) -> None:
        self._senders = senders

    @property
    def protects(self) -> bool:
        """Return whether there is any protected sender."""
        return bool(self._senders.names(protected=True))

    def choose(self, *, protected: bool, sequence: int, tip_lamports_max: int) -> Dispatch | str:
        """Return the senders of one attempt; a text says why there are none.

        A transaction pays one tip, so of the senders that want one only those are taken that
        share its account; the others would turn it away. Tip accounts take turns.

        Args:
            protected: Protected senders only, or the others only.
            sequence: Of the attempt.
            tip_lamports_max: A sender that wants more is left out.
        """
        views = [self._senders.view(name) for name in self._senders.names(protected=protected)]
        free = tuple(view.name for view in views if not view.tip_accounts)
        paid = [v for v in views if v.tip_accounts and v.tip_lamports_min <= tip_lamports_max]
        if paid:
            accounts = paid[0].tip_accounts
            shared = [view for view in paid if view.tip_accounts == accounts]
            return Dispatch(
                senders=(*free, *(view.name for view in shared)),
                tip_account=accounts[sequence % len(accounts)],
                tip_lamports_min=max(view.tip_lamports_min for view in shared),
            )
        if free:
            return Dispatch(senders=free, tip_account=None, tip_lamports_min=0)
        kind = "protected " if protected else ""
        if views:
            return f"every {kind}sender wants a tip above {tip_lamports_max} lamports"
        return f"no {kind}sender is configured"
