"""A thin venue: it carries out what the production order life asks, over the model's network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from model_book import FillBooked, Moved, SignedRecord
from model_chain import Tx
from model_network import HEALED, LANDING_SLOTS
from msgspec.structs import replace

from utb.domain.names import OrderStatus
from utb.orderlife.actions import (
    Action,
    Alarm,
    AskStatus,
    AskWallet,
    Failed,
    Filled,
    Journal,
    Progress,
    ReadFill,
    Reverted,
    Send,
    Sign,
    Subscribe,
)
from utb.orderlife.events import (
    Event,
    Heights,
    NotSigned,
    Signed,
    StatusAbsent,
)
from utb.orderlife.life import Life, OrderKind, limit_height
from utb.orderlife.pricing import (
    min_out_raw,
    network_fee_lamports,
    price_at_step,
    slippage_bps_at_step,
)

if TYPE_CHECKING:
    from model_network import Endpoint
    from model_world import World

UNITS = 200_000
FRESH_SLOTS = 20
BLOCKHASH_SLOTS_MAX = 60


class Venue:
    """What dies with the process: lives, unsent bytes, subscriptions, the blockhash."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.lives: dict[str, Life] = {}
        self.txs: dict[str, Tx] = {}
        self.signed: dict[str, SignedRecord] = {}
        self.subscribed: dict[str, str] = {}
        self.blockhash = (0, "", 0, 0)
        """Slot, hash, its last height in truth and as told."""

    def give(self, intent: str, event: Event) -> None:
        """Step an order's life and do what it asks."""
        life = self.lives.get(intent)
        if life is None:
            return
        world = self.world
        world.steps += 1
        life, actions = world.step(life, event, world.rules)
        self.lives[intent] = life
        for action in actions:
            self._do(intent, action)
        if any(isinstance(action, Filled | Failed | Progress) for action in actions):
            world.recover_guards(life)

    def heights(self) -> None:
        """Hear every endpoint's height and tell the open orders."""
        world = self.world
        for endpoint in world.endpoints:
            endpoint.tell_height(world.faults)
        event = self.told_heights()
        for intent in [i for i, life in self.lives.items() if not life.ended]:
            self.give(intent, event)

    def told_heights(self) -> Heights:
        """Return the highest height told, and what two endpoints reached of the others."""
        told = [e.told for e in self.world.endpoints]
        second = min(1, len(told) - 1)
        return Heights(
            block=max(t.block for t in told),
            finalized=sorted((t.finalized for t in told), reverse=True)[second],
            slot=sorted((t.slot for t in told), reverse=True)[second],
        )

    def refresh_blockhash(self) -> None:
        """Fetch a blockhash from any endpoint; the limit it tells may be untrue."""
        world, rng = self.world, self.world.rng
        endpoint = rng.choice(world.endpoints)
        if endpoint.dark() or rng.random() < world.faults.error:
            return
        slot = endpoint.view()
        name, last_valid = world.chain.blockhash(slot)
        off = rng.choice((-120, -40, 30)) if endpoint.lies(world.faults) else 0
        self.blockhash = (slot, name, last_valid, last_valid + off)

    def _do(self, intent: str, action: Action) -> None:
        match action:
            case Sign():
                self._sign(intent, action)
            case Journal():
                self.world.journal.post(self.signed[action.signature])
                self.world.sync(intent, action.signature)
            case Send():
                self._send(action.signature)
            case Subscribe():
                self.subscribed[action.signature] = intent
            case AskStatus() | AskWallet() | ReadFill():
                self._ask(intent, action)
            case _:
                self._report(intent, action)

    def _report(self, intent: str, action: Action) -> None:
        world = self.world
        match action:
            case Progress():
                self._progress(intent, action)
            case Filled():
                world.counts["fills"] += 1
                world.journal.post(FillBooked(intent, OrderStatus.CONFIRMED, action.fill))
            case Reverted():
                world.counts["reverted"] += 1
                world.journal.post(FillBooked(intent, action.status, None))
            case Failed():
                world.journal.post(Moved(intent, action.status, action.fee_lamports))
                world.check_failed(intent, action)
            case Alarm():
                world.counts["alarms"] += 1

    def _progress(self, intent: str, action: Progress) -> None:
        world = self.world
        world.journal.post(Moved(intent, action.status, action.fee_lamports))
        world.counts[action.status] += 1
        if action.status is OrderStatus.SETTLED:
            world.check_settled(intent, action)

    def _sign(self, intent: str, action: Sign) -> None:
        world, rng = self.world, self.world.rng
        number = action.number
        now = world.chain.slot
        fresh = sum(now - e.told_at <= FRESH_SLOTS for e in world.endpoints)
        heights = self.told_heights()
        old = self.blockhash[0] < heights.slot - BLOCKHASH_SLOTS_MAX
        if fresh < min(2, len(world.endpoints)) or old:
            event: Event = NotSigned(number=number, reason="no blockhash", definitive=False)
            world.later(1, intent, event)
            return
        drawn = rng.random()
        if drawn < 0.01 * (world.faults is not HEALED):
            event = NotSigned(number=number, reason="refused", definitive=True)
            world.later(1, intent, event)
            return
        tx = self._build(intent, action)
        limit = limit_height(self.blockhash[3], heights.block)
        self.signed[tx.signature] = SignedRecord(intent, tx, number, limit, action.guarded)
        self.txs[tx.signature] = tx
        world.check_signed(intent, tx)
        if drawn < 0.01 + world.faults.signer_lost:
            return
        event = Signed(
            number=number, signature=tx.signature, limit_height=limit, guarded=action.guarded
        )
        world.later(rng.randrange(3), intent, event)

    def _build(self, intent: str, action: Sign) -> Tx:
        world = self.world
        order = world.journal.orders[intent].opened
        world.sequence += 1
        entry = order.kind is OrderKind.ENTRY
        quoted = world.chain.quote_out(order.mint, order.amount, entry=entry)
        slippage = slippage_bps_at_step(100, action.fee_step, step_bps=100, max_bps=500)
        wanted = price_at_step(20_000, action.fee_step, step_bps=5_000)
        unit_price = world.unit_price(wanted, world.sequence)
        guard = intent if action.guarded and world.builds_guards else None
        draft = Tx(
            signature="",
            intent=intent,
            decision=order.decision,
            entry=entry,
            mint=order.mint,
            amount=order.amount,
            min_out=min_out_raw(quoted, slippage),
            last_valid=self.blockhash[2],
            guard=guard,
            fee=network_fee_lamports(unit_price, UNITS),
            fails=world.rng.random() < world.faults.tx_fails,
        )
        return world.chain.sign(draft, self.blockhash[1], unit_price, world.memo(intent))

    def _send(self, signature: str) -> None:
        world, rng = self.world, self.world.rng
        world.check_send(signature)
        world.counts["sends"] += 1
        if world.chain.slot < world.dark_until or rng.random() < world.faults.loss:
            return
        tx = world.journal.records[world.journal.signed_at[signature]]
        assert isinstance(tx, SignedRecord)
        healed = world.faults is HEALED
        world.chain.submit(tx.tx, 1 if healed else rng.choice(LANDING_SLOTS))

    def _ask(self, intent: str, action: AskStatus | AskWallet | ReadFill) -> None:
        world, rng = self.world, self.world.rng
        everyone = isinstance(action, AskWallet) or (
            isinstance(action, AskStatus) and action.history
        )
        for endpoint in world.endpoints if everyone else (rng.choice(world.endpoints),):
            world.counts["asks"] += 1
            if endpoint.dark() or rng.random() < world.faults.error:
                self._error(intent, action, endpoint)
                continue
            event: Event | None
            if isinstance(action, AskStatus):
                event = self._status(endpoint, action)
            elif isinstance(action, AskWallet):
                event = endpoint.wallet(action.signature, world.faults)
            else:
                event = endpoint.read(action.signature, finalized=action.finalized)
            if event is not None:
                world.answer(intent, event)

    def _status(self, endpoint: Endpoint, action: AskStatus) -> Event:
        world = self.world
        if world.searches_history or not action.history:
            return endpoint.status(action.signature, world.faults, history=action.history)
        event = endpoint.status(action.signature, world.faults, history=False)
        return replace(event, history=True) if isinstance(event, StatusAbsent) else event

    def _error(
        self, intent: str, action: AskStatus | AskWallet | ReadFill, endpoint: Endpoint
    ) -> None:
        """An error is no event; a defect makes a null of it."""
        if self.world.errors_are_nulls and isinstance(action, AskStatus):
            null = StatusAbsent(
                signature=action.signature,
                endpoint=endpoint.name,
                slot=endpoint.chain.slot,
                finalized_height=endpoint.finalized_height(),
                history=action.history,
            )
            self.world.answer(intent, null)
