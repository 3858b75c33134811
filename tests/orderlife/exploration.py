"""Every order of events around one order of at most two attempts, breadth first."""

from collections import deque
from collections.abc import Callable, Iterator
from typing import NamedTuple

from small_world import (
    FINALITY,
    NOW,
    PAST,
    RULES,
    BrokenRuleError,
    OnChain,
    State,
    answers,
    canonical,
    check_over,
    check_settled,
    landed,
    note,
    shift,
    signature,
    signed,
    signer_answers,
    with_chain,
    words,
)

from utb.domain.names import OrderStatus
from utb.orderlife.actions import (
    Action,
    Failed,
    Filled,
    Journal,
    Progress,
    Reverted,
    Send,
)
from utb.orderlife.events import (
    Durable,
    Event,
    Heights,
    Reprice,
    Restarted,
)
from utb.orderlife.life import (
    AttemptLife,
    AttemptState,
    Life,
    Rules,
    opened,
    restored_from,
)
from utb.orderlife.step import step

FAIR_BLOCKS = 40
Step = Callable[[Life, Event, Rules], tuple[Life, tuple[Action, ...]]]


class Explorer:
    """Walks every state that events can lead to."""

    def __init__(self, stepped: Step = step, *, liar: bool = True) -> None:
        self.step = stepped
        self.liar = liar
        self._ends: set[State] = set()
        """States from which a healed network is known to end the order."""

    # --- one event ---

    def give(self, state: State, event: Event) -> State:
        """Return the state after the life took an event, its own actions carried out.

        Raises:
            BrokenRuleError: If that is a state that must not be.
        """
        life, actions = self.step(state.life, event, RULES)
        return self.after(state._replace(life=life), actions)

    def _give_all(self, state: State, events: tuple[Event, ...]) -> State:
        for event in events:
            state = self.give(state, event)
        return state

    def after(self, state: State, actions: tuple[Action, ...]) -> State:
        """Carry out the actions that concern journal and network."""
        for action in actions:
            match action:
                case Send():
                    state = self._send(state, action.signature)
                case Journal():
                    state = note(state, OrderStatus.SIGNED, state.journal[1])
                case Progress():
                    state = note(state, action.status, state.journal[1])
                    if action.status is OrderStatus.SETTLED:
                        check_settled(state, action)
                case Filled():
                    state = note(state, OrderStatus.CONFIRMED, action.fill)
                case Reverted():
                    state = note(state, action.status, None)
                case Failed():
                    state = note(state, action.status, None)
                    check_over(state)
                    if any(c.height is not None and c.ok for c in state.chain):
                        raise BrokenRuleError(f"{action.status}, and it landed")
                case _:
                    continue
        return state

    def _send(self, state: State, name: str) -> State:
        for place, number in enumerate(state.numbers):
            if signature(number) == name:
                return with_chain(state, place, state.chain[place]._replace(out=True))
        raise BrokenRuleError(f"{name} sent before it was durable")

    # --- what may happen ---

    def successors(self, state: State) -> Iterator[State]:
        """Yield every state that one more happening leads to."""
        life = state.life
        yield self.block(state)
        yield from self._crash(state)
        yield from self._chain_moves(state)
        if life.signing is not None:
            yield from (self.give(state, event) for event in signer_answers(life))
        for attempt in life.attempts:
            if attempt.state is AttemptState.SIGNED:
                yield self.durable(state, attempt)
            elif attempt.live:
                told = words(state, attempt, liar=self.liar)
                yield from (self._give_all(state, events) for events in told)
        yield self.give(state, Reprice())

    def block(self, state: State) -> State:
        """Make one block and tell its height."""
        life = shift(state.life)
        chain = tuple(
            c._replace(
                last_valid=max(c.last_valid - 1, NOW - PAST),
                height=None if c.height is None else max(c.height - 1, NOW - FINALITY),
            )
            for c in state.chain
        )
        heights = Heights(block=NOW, finalized=NOW - FINALITY, slot=NOW)
        return self.give(state._replace(life=life, chain=chain), heights)

    def durable(self, state: State, attempt: AttemptLife) -> State:
        """Sync the journal with the attempt in it."""
        chain = OnChain(guarded=attempt.guarded, last_valid=attempt.limit_height)
        state = state._replace(
            chain=(*state.chain, chain),
            numbers=(*state.numbers, attempt.number),
        )
        return self.give(state, Durable(attempt.signature))

    def _crash(self, state: State) -> Iterator[State]:
        """Start anew from the journal: with all of its reports, or none since an attempt's."""
        least = OrderStatus.SIGNED if state.numbers else OrderStatus.APPROVED
        for status, fill in {state.journal, (least, None)}:
            order = opened("i", state.life.kind, unguarded_first=state.life.unguarded_first)
            attempts = tuple(
                AttemptLife(
                    number=number,
                    signature=signature(number),
                    limit_height=chain.last_valid,
                    guarded=chain.guarded,
                    state=AttemptState.SENT,
                )
                for number, chain in zip(state.numbers, state.chain, strict=True)
            )
            life = restored_from(order, status, attempts, fill)
            heights = Heights(block=NOW, finalized=NOW - FINALITY, slot=NOW)
            restarted = self.give(state._replace(life=life, journal=(status, fill)), Restarted())
            yield self.give(restarted, heights)

    def _chain_moves(self, state: State) -> Iterator[State]:
        """Landings, with success or failure, and a fork that undoes what is not final."""
        for place, chain in enumerate(state.chain):
            if chain.out and chain.height is None and chain.last_valid >= NOW:
                for ok in (True, False):
                    yield with_chain(state, place, landed(state, chain, wanted=ok))
        for depth in range(1, FINALITY + 1):
            undone = tuple(
                c._replace(height=None, ok=False, guard_failed=False, version=2 if self.liar else 1)
                if c.height is not None and c.height > NOW - depth
                else c
                for c in state.chain
            )
            if undone != state.chain:
                yield state._replace(chain=undone)

    # --- liveness ---

    def fair_end(self, state: State) -> bool:
        """Return whether the order ends when everything works from here on."""
        path: list[State] = []
        after: State | None = canonical(state)
        while after is not None and not after.life.ended and after not in self._ends:
            if len(path) == FAIR_BLOCKS:
                return False
            path.append(after)
            after = self._fair_block(after)
            after = None if after is None else canonical(after)
        self._ends.update(path)
        return True

    def _fair_block(self, state: State) -> State | None:
        for place, chain in enumerate(state.chain):
            if chain.out and chain.height is None and chain.last_valid >= NOW:
                state = with_chain(state, place, landed(state, chain, wanted=True))
        if state.life.signing is not None:
            state = self.give(state, signed(state.life))
        for attempt in state.life.attempts:
            if attempt.state is AttemptState.SIGNED:
                state = self.durable(state, attempt)
        if state.life.ended:
            return None
        before = state
        state = self.block(state)
        # What this block made the life ask, answered truthfully by both endpoints
        _, actions = self.step(
            shift(before.life),
            Heights(block=NOW, finalized=NOW - FINALITY, slot=NOW),
            RULES,
        )
        for action in actions:
            for event in answers(state, action):
                if state.life.ended:
                    return None
                state = self.give(state, event)
        return state


class Explored(NamedTuple):
    """What an exploration came to."""

    states: int
    moves: int
    ends: frozenset[OrderStatus]
    complete: bool
    """Every reachable state was visited."""
    dead_ends: int


def explore(
    first: State,
    *,
    states_max: int,
    liar: bool = True,
    stepped: Step = step,
    fair: bool = True,
) -> Explored:
    """Walk all states from one, breadth first, up to a bound.

    Raises:
        BrokenRuleError: At the first state that must not be.
    """
    explorer = Explorer(stepped, liar=liar)
    first = canonical(first)
    seen = {first}
    queue = deque([first])
    ends = set()
    moves = dead_ends = 0
    while queue:
        state = queue.popleft()
        if state.life.ended:
            ends.add(state.life.status)
            continue
        if fair and not explorer.fair_end(state):
            dead_ends += 1
        for after in explorer.successors(state):
            moves += 1
            known = canonical(after)
            if known not in seen and len(seen) < states_max:
                seen.add(known)
                queue.append(known)
    return Explored(len(seen), moves, frozenset(ends), len(seen) < states_max, dead_ends)
