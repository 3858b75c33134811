"""One seeded world: trader, venue, network and chain, two phases, and the checks."""

from collections import Counter
from collections.abc import Callable, Iterable
from operator import attrgetter
from random import Random

from model_book import Journal, SignedRecord
from model_chain import Chain, Landed, Tx
from model_network import ENDPOINT_NAMES, HEALED, Endpoint, Told, draw_faults, status_of
from model_trader import Trader
from model_venue import Venue

from utb.orderlife import pricing
from utb.orderlife.actions import Failed, Progress
from utb.orderlife.events import Durable, Event, Restarted
from utb.orderlife.life import Life, Rules
from utb.orderlife.step import step as production_step

SAFETY_SLOTS = (150, 600)
LIVENESS_SLOTS = 420
"""60 in which exits may still begin, 210 of the longest limit (150 and the liar's 60), 32 to
finality, 36 for one endpoint's second null, the rest for questions."""


class ViolationError(AssertionError):
    """The world shows what must never be."""


class World:
    """Everything is a function of the seed."""

    def __init__(self, seed: int, chain: Chain | None = None) -> None:
        self.rng = rng = Random(seed)  # noqa: S311 - a world is a function of its seed
        self.seed = seed
        self.faults = draw_faults(rng)
        self.chain = Chain(seed) if chain is None else chain
        count = rng.choice((1, 2, 3, 3))
        liar = rng.randrange(count) if count > 1 else None
        self.endpoints = [
            Endpoint(name, self.chain, rng, liar=place == liar)
            for place, name in enumerate(ENDPOINT_NAMES[:count])
        ]
        self.rules = Rules(endpoints=count)
        self.journal = Journal()
        self.venue = Venue(self)
        self.trader = Trader(self)
        self.due: dict[int, list[tuple[str, Event]]] = {}
        self.syncs: list[tuple[int, int, str, str]] = []
        """Height at which it is done, records it covers, intent, signature."""
        self.held: list[tuple[str, Event]] = []
        self.down_until = 0
        self.stopped_until = 0
        self.dark_until = 0
        self.sequence = 0
        self.sent: dict[str, Tx] = {}
        self.signatures: dict[str, str] = {}
        self.entries_signed: Counter[str] = Counter()
        self.recovering: list[tuple[int, str]] = []
        self.counts: Counter[str] = Counter()
        self.steps = 0
        self.healing = False
        # What a planted defect may replace
        self.step = production_step
        self.errors_are_nulls = False
        self.searches_history = True
        self.builds_guards = True
        self.watches_signing = True
        self.unit_price: Callable[[int, int], int] = pricing.with_unique_bits
        self.memo: Callable[[str], str] = "memo {}".format
        self.epoch_over: Callable[[Life], bool] = attrgetter("ended")

    # --- time ---

    def run(self) -> Counter[str]:
        """Run both phases.

        Raises:
            ViolationError: At the first thing that must never be.
        """
        for _ in range(self.rng.randint(*SAFETY_SLOTS)):
            self._slot()
        self._heal()
        for _ in range(LIVENESS_SLOTS):
            self._slot()
            if self.trader.done():
                break
        self._check_end()
        self.counts["intents"] += len(self.journal.orders)
        self.counts["forks"] += self.chain.forks
        self.counts["steps"] += self.steps
        return self.counts

    def _slot(self) -> None:
        chain = self.chain
        landed = chain.tick()
        now = chain.slot
        if chain.doubles:
            raise ViolationError(f"landed twice: {chain.doubles[0]}")
        if not self.healing:
            self._misfortune()
        self._finish_syncs(now)
        due = self.due.pop(now, ())
        if now < self.down_until:
            return
        if now == self.down_until:
            self._restart()
        if now < self.stopped_until:
            self.held.extend(due)
            return
        self._work(now, landed, due)

    def _work(self, now: int, landed: list[Landed], due: Iterable[tuple[str, Event]]) -> None:
        """Let the process do what it does in a slot."""
        rng = self.rng
        venue = self.venue
        held, self.held = self.held, []
        for intent, event in (*held, *due):
            venue.give(intent, event)
        for record in landed:
            self._notify(record)
        if rng.random() < 0.15:
            venue.refresh_blockhash()
        if rng.random() < 0.6:
            venue.heights()
        self.trader.act(now)
        if rng.random() < 0.2:
            self.journal.durable = len(self.journal.records)
        self._recover(now)

    def _notify(self, record: Landed) -> None:
        """Have the subscription, where there is one, tell of a landing, each stage or not."""
        intent = self.venue.subscribed.get(record.tx.signature)
        if intent is None:
            return
        for age in (0, 2):
            name = self.rng.choice(self.endpoints).name
            event = status_of(record, self.chain.slot + age, name)
            if self.rng.random() >= self.faults.answer_lost:
                self.later(1 + age + self.rng.randrange(2), intent, event)

    def later(self, slots: int, intent: str, event: Event) -> None:
        """Give an event to the process some slots from now."""
        self.due.setdefault(self.chain.slot + 1 + slots, []).append((intent, event))

    def answer(self, intent: str, event: Event) -> None:
        """Have an endpoint's answer travel: it may be lost, late or repeated."""
        rng, faults = self.rng, self.faults
        if rng.random() < faults.answer_lost:
            return
        self.later(rng.randrange(faults.delay_slots_max), intent, event)
        if rng.random() < faults.duplicate:
            self.later(rng.randrange(2 * faults.delay_slots_max), intent, event)

    def sync(self, intent: str, signature: str) -> None:
        """Begin a sync of the journal as it is now."""
        done = self.chain.slot + self.rng.choice((0, 0, 1, 4))
        self.syncs.append((done, len(self.journal.records), intent, signature))

    def _finish_syncs(self, now: int) -> None:
        if not self.syncs:
            return
        rest = []
        for sync in self.syncs:
            if sync[0] > now:
                rest.append(sync)
                continue
            self.journal.durable = max(self.journal.durable, sync[1])
            self.due.setdefault(now, []).append((sync[2], Durable(sync[3])))
        self.syncs = rest

    # --- misfortune ---

    def _misfortune(self) -> None:
        rng, faults, now = self.rng, self.faults, self.chain.slot
        drawn = rng.random
        if drawn() < faults.fork:
            self._fork()
        if drawn() < faults.crash and now >= self.down_until:
            self._crash()
        if drawn() < faults.stop:
            self.stopped_until = now + rng.choice((5, 50, 300))
        if drawn() < faults.blackout:
            self.dark_until = now + rng.choice((10, 60, 225))
            for endpoint in self.endpoints:
                endpoint.dark_until = self.dark_until
        if now % 8 == 0:
            for endpoint in self.endpoints:
                slow = drawn() < 0.3
                endpoint.lag = rng.randint(0, faults.lag_slots_max if slow else 2)
                if drawn() < 0.02:
                    endpoint.dark_until = now + rng.choice((10, 100))
                if len(self.endpoints) == 1 and drawn() < 0.05:
                    endpoint.burst_until = now + rng.randrange(20)

    def _fork(self) -> None:
        rng, now = self.rng, self.chain.slot
        for record in self.chain.fork(rng.choice((1, 2, 3, 8, 31))):
            if rng.random() < 0.5:
                self.chain.submit(record.tx, rng.randint(1, 20))
            for endpoint in self.endpoints:
                if rng.random() < 0.3:
                    endpoint.ghosts[record.tx.signature] = (record, now + rng.randrange(32))

    def _crash(self) -> None:
        rng = self.rng
        self.counts["crashes"] += 1
        for sync in self.syncs:
            if rng.random() < 0.5:
                self.journal.durable = max(self.journal.durable, sync[1])
        self.syncs = []
        self.due.clear()
        self.held = []
        self.journal.crash()
        self.venue = Venue(self)
        self.stopped_until = 0
        self.down_until = self.chain.slot + rng.choice((1, 5, 40, 220))

    def _restart(self) -> None:
        for endpoint in self.endpoints:
            endpoint.told, endpoint.told_at = Told(0, 0, 0), 0
        for intent, order in list(self.journal.orders.items()):
            if not order.ended:
                self.venue.lives[intent] = order.restored()
                self.venue.give(intent, Restarted())

    def _heal(self) -> None:
        self.healing = True
        self.faults = HEALED
        self.dark_until = self.stopped_until = 0
        for endpoint in self.endpoints:
            endpoint.lag = endpoint.dark_until = endpoint.burst_until = 0
            endpoint.liar = False
            endpoint.ghosts.clear()
        if self.chain.slot < self.down_until:
            self.down_until = self.chain.slot + 1

    # --- housekeeping ---

    def recover_guards(self, life: Life) -> None:
        """Close the order's guard account some slots from now, if its life allows it."""
        if life.guard_recoverable and any(a.guarded for a in life.attempts):
            at = self.chain.slot + self.rng.randint(1, 20)
            self.recovering.append((at, life.intent_id))

    def _recover(self, now: int) -> None:
        for at, guard in self.recovering:
            if at <= now:
                self.chain.recover(guard)
        self.recovering = [item for item in self.recovering if item[0] > now]

    # --- checks ---

    def check_signed(self, intent: str, tx: Tx) -> None:
        """An entry is signed once; no two orders share bytes."""
        if tx.entry:
            self.entries_signed[intent] += 1
            if self.watches_signing and self.entries_signed[intent] > 1:
                raise ViolationError(f"entry {intent} was signed again")
        shared = self.signatures.setdefault(tx.signature, intent) != intent
        if self.watches_signing and shared:
            raise ViolationError(f"{intent} and {self.signatures[tx.signature]} share a signature")

    def check_send(self, signature: str) -> None:
        """Nothing leaves that a crash would forget."""
        if not self.journal.is_durable(signature):
            raise ViolationError(f"sent before durable: {signature}")
        record = self.journal.records[self.journal.signed_at[signature]]
        assert isinstance(record, SignedRecord)
        self.sent[signature] = record.tx

    def _check_over(self, intent: str) -> int:
        """Nothing sent for the order may land any more; return the fees of what failed."""
        fees = 0
        for signature, tx in self.sent.items():
            if tx.intent != intent:
                continue
            record = self.chain.known.get(signature)
            if record is None:
                if self.chain.height < tx.last_valid:
                    raise ViolationError(f"{intent} ended while {signature} may land")
                continue
            if record.slot > self.chain.slot - 32:
                raise ViolationError(f"{intent} ended on {signature}, which is not final")
            fees += 0 if record.ok else tx.fee
        return fees

    def check_failed(self, intent: str, action: Failed) -> None:
        """An order that ended without a fill has none, and its fees are the chain's."""
        self.counts[action.status] += 1
        if self.chain.successes[intent]:
            raise ViolationError(f"{intent} is {action.status} and landed")
        if self._check_over(intent) != action.fee_lamports:
            raise ViolationError(f"{intent}: fee {action.fee_lamports} is not the chain's")

    def check_settled(self, intent: str, action: Progress) -> None:
        """A settled order's fill is the chain's, and so are its failed attempts' fees."""
        order = self.journal.orders[intent]
        record = self.chain.known.get(action.signature)
        if record is None or record.fill() != order.fill:
            raise ViolationError(f"{intent} settled with another fill than the chain's")
        if self._check_over(intent) != action.fee_lamports:
            raise ViolationError(f"{intent}: fees beside its fill are not the chain's")

    def _check_end(self) -> None:
        stuck = [i for i, order in self.journal.orders.items() if not order.ended]
        if stuck:
            status = self.journal.orders[stuck[0]].status
            raise ViolationError(f"stuck after healing: {stuck[0]} is {status}")
        base: Counter[int] = Counter()
        quote, lamports = 0, self.chain.recovered
        for order in self.journal.orders.values():
            lamports -= order.fee
            if order.fill is None:
                continue
            way = 1 if order.opened.intent == order.opened.position else -1
            base[order.opened.mint] += way * order.fill.base_raw
            quote -= way * order.fill.quote_raw
            lamports -= order.fill.fee_lamports + order.fill.rent_lamports
        held, held_quote, held_lamports = self.chain.balances()
        if any(base[m] != held[m] for m in set(base) | set(held)) or quote != held_quote:
            raise ViolationError("booked fills are not the chain's balances")
        if lamports != held_lamports:
            raise ViolationError(f"booked {lamports} lamports, the chain has {held_lamports}")
