"""What trades in the simulated world: entries, partial and full exits, an epoch after each end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from model_book import Opened, Order
from model_network import HEALED

from utb.domain.names import OrderStatus
from utb.orderlife.events import Begin, Reprice
from utb.orderlife.life import OrderKind

if TYPE_CHECKING:
    from model_world import World

ENTRY_QUOTE = 1_000_000
EXITS_BEGIN_SLOTS = 60
"""Exits may begin so long after healing."""
EPOCHS_MAX = 12
CASH_MINT = 2
"""Always guarded, as wrapped SOL is."""


class Trader:
    """Its state is the journal's orders, so that a restart changes nothing."""

    def __init__(self, world: World) -> None:
        rng = world.rng
        self.world = world
        self.mints = rng.randint(1, 3)
        self.entries_max = rng.randint(1, 12)
        self.eager = rng.choice((0.05, 0.2, 0.6))
        self.partials = rng.random()
        self.reprice_after = rng.choice((8, 25, 1_000))
        self.healed_at: int | None = None
        self.entries = 0

    def act(self, now: int) -> None:
        """Take at most one decision, and reprice exits that wait too long."""
        world, rng = self.world, self.world.rng
        if world.healing and self.healed_at is None:
            self.healed_at = now
        if self.healed_at is not None and now > self.healed_at + EXITS_BEGIN_SLOTS:
            return
        if rng.random() < self.eager:
            if not world.healing and self.entries < self.entries_max and rng.random() < 0.5:
                self._enter(rng.randrange(self.mints))
            else:
                self._exit()
        if rng.random() < 0.2:
            self._reprice()

    def done(self) -> bool:
        """Return whether nothing is on its way and nothing will begin."""
        if any(not order.ended for order in self.world.journal.orders.values()):
            return False
        late = self.healed_at is not None and (
            self.world.chain.slot > self.healed_at + EXITS_BEGIN_SLOTS
        )
        return late or not any(self._left(p) > 0 for p in self._positions())

    def _orders(self) -> list[Order]:
        return list(self.world.journal.orders.values())

    def _positions(self) -> list[Order]:
        return [
            order
            for order in self._orders()
            if order.opened.kind is OrderKind.ENTRY and order.fill is not None
        ]

    def _exits(self, position: Order) -> list[Order]:
        own = position.opened.intent
        return [o for o in self._orders() if o.opened.position == own and o.opened.intent != own]

    def _left(self, position: Order) -> int:
        fill = position.fill
        if fill is None:
            return 0
        sold = sum(o.fill.base_raw for o in self._exits(position) if o.fill is not None)
        return fill.base_raw - sold

    def _enter(self, mint: int) -> None:
        """Enter unless the mint is locked by an order whose transactions may still move tokens."""
        world = self.world
        for intent, order in world.journal.orders.items():
            life = world.venue.lives.get(intent)
            if order.opened.mint == mint and life is not None and life.locks_mint:
                return
        self.entries += 1
        intent = f"entry{self.entries}"
        self._open(
            Opened(intent, OrderKind.ENTRY, mint, ENTRY_QUOTE, intent, intent, 0, False)  # noqa: FBT003
        )

    def _exit(self) -> None:
        """Begin the first exit that is due: one at a time of each position."""
        rng = self.world.rng
        for position in self._positions():
            exits = self._exits(position)
            left = self._left(position)
            if left <= 0 or not all(self._over(o) for o in exits):
                continue
            if exits and exits[-1].fill is None:
                self._next_epoch(position, exits[-1].opened, left)
            else:
                partial = not exits and rng.random() < self.partials
                self._open_exit(position, len({o.opened.decision for o in exits}), left, partial)
            return

    def _over(self, order: Order) -> bool:
        life = self.world.venue.lives.get(order.opened.intent)
        if order.ended or life is None:
            return order.ended
        # A fill lets the next exit of the position begin: what it sells is known
        return order.fill is not None or self.world.epoch_over(life)

    def _open_exit(self, position: Order, number: int, left: int, partial: bool) -> None:  # noqa: FBT001
        own = position.opened
        amount = left // 2 if partial else left
        decision = f"{own.intent}/exit{number}"
        others = [o for o in self._orders() if o.opened.mint == own.mint and o is not position]
        alone = all(o.ended and (o.opened.kind is OrderKind.EXIT or o.fill is None) for o in others)
        full = amount == left and alone and own.mint != CASH_MINT
        self._open(
            Opened(f"{decision}.0", OrderKind.EXIT, own.mint, amount, decision, own.intent, 0, full)
        )

    def _next_epoch(self, position: Order, last: Opened, left: int) -> None:
        if last.epoch >= EPOCHS_MAX:
            return
        epoch = last.epoch + 1
        self._open(
            last._replace(
                intent=f"{last.decision}.{epoch}",
                epoch=epoch,
                amount=min(last.amount, left),
                unguarded_first=last.unguarded_first and position.status is OrderStatus.SETTLED,
            )
        )

    def _open(self, record: Opened) -> None:
        world = self.world
        world.journal.post(record)
        venue = world.venue
        venue.lives[record.intent] = world.journal.orders[record.intent].life()
        if world.faults is not HEALED and world.rng.random() < world.faults.prefund:
            world.chain.prefund(record.intent)
        venue.give(record.intent, Begin())

    def _reprice(self) -> None:
        venue = self.world.venue
        for intent, life in list(venue.lives.items()):
            if life.kind is OrderKind.EXIT and not life.ended and life.attempts:
                waited = life.slot - life.signing_slot
                if waited > self.reprice_after:
                    venue.give(intent, Reprice())
