"""A chain around one order, small enough to visit every state of it.

A blockhash lives 2 blocks and a block is final after 2 more. Endpoint a is honest, endpoint b lags
or lies about statuses, nulls and heights. Times are kept relative to the present block, so that the
states are finitely many.
"""

from collections.abc import Iterator
from typing import NamedTuple

from msgspec.structs import replace

from utb.domain.chain import ChainFill, Commitment
from utb.domain.names import OrderStatus
from utb.orderlife.actions import (
    Action,
    AskStatus,
    AskWallet,
    Progress,
    ReadFill,
)
from utb.orderlife.events import (
    Begin,
    Event,
    FillRead,
    Heights,
    NotSigned,
    Signed,
    Status,
    StatusAbsent,
    WalletAbsent,
)
from utb.orderlife.life import (
    AttemptLife,
    Life,
    NullAnswers,
    OrderKind,
    Rules,
    opened,
)
from utb.orderlife.step import step
from utb.orderlife.table import advance

NOW = 100
"""Present block, always: everything else is shifted when a block is made."""
VALIDITY = 2
FINALITY = 2
CONFIRMATION = 1
PAST = 5
"""Blocks back beyond which a limit makes no difference."""
WAIT = 3
APART = 2
RULES = Rules(
    exit_attempts_max=2,
    null_apart_blocks=APART,
    resend_slots=0,
    ask_slots=0,
    sign_wait_slots=WAIT,
    sign_again_slots=0,
    unknown_after_blocks=1,
    slot_ahead_max=2,
)


class BrokenRuleError(AssertionError):
    """A reachable state shows what must never be."""


class OnChain(NamedTuple):
    """Where the bytes of one attempt are."""

    guarded: bool
    last_valid: int
    out: bool = False
    """They left the process."""
    height: int | None = None
    """Block they are in."""
    ok: bool = False
    guard_failed: bool = False
    version: int = 1
    """Of the fill: another one when it lands anew."""


class State(NamedTuple):
    """The order's life and the world around it."""

    life: Life
    chain: tuple[OnChain, ...]
    """Of the attempts that became durable, by number order of the life's."""
    numbers: tuple[int, ...]
    journal: tuple[OrderStatus, ChainFill | None]
    """Status and fill as reported."""


def signature(number: int) -> str:
    """Return the name of an attempt's bytes."""
    return f"s{number}"


def fill_of(number: int, version: int) -> ChainFill:
    """Return what an attempt's landing does to the wallet."""
    return ChainFill(
        signature=signature(number),
        slot=NOW,
        base_raw=version,
        quote_raw=1,
        fee_lamports=1,
        tip_lamports=0,
        rent_lamports=0,
        compute_units=0,
    )


def start(kind: OrderKind, *, unguarded_first: bool) -> State:
    """Return the order before it began, heights known."""
    life = opened("i", kind, unguarded_first=unguarded_first)
    heights = Heights(block=NOW, finalized=NOW - FINALITY, slot=NOW)
    life, _ = step(life, heights, RULES)
    life, _ = step(life, Begin(), RULES)
    kept = (OrderStatus.APPROVED, None)
    return State(life, (), (), kept)


def landed(state: State, chain: OnChain, *, wanted: bool) -> OnChain:
    """Return bytes in the present block.

    Attempts of a partial exit exclude each other by the guard alone; a second one of a full exit
    finds no tokens.
    """
    taken = [c for c in state.chain if c.height is not None and c.ok]
    guard_failed = chain.guarded and any(c.guarded for c in taken)
    ok = wanted and not guard_failed and not (taken and state.life.unguarded_first)
    return chain._replace(height=NOW, ok=ok, guard_failed=guard_failed)


def shift(life: Life) -> Life:
    """Return the life one block later: all its heights and slots are one less."""
    attempts = tuple(
        replace(
            a,
            limit_height=max(a.limit_height - 1, NOW - PAST),
            slot=max(a.slot - 1, NOW - FINALITY) if a.slot else 0,
            nulls=tuple(_shifted(null) for null in a.nulls),
        )
        for a in life.attempts
    )
    return replace(
        life,
        attempts=attempts,
        block=max(life.block - 1, NOW - PAST),
        finalized=max(life.finalized - 1, NOW - PAST),
        slot=max(life.slot - 1, NOW - PAST),
        signing_slot=max(life.signing_slot - 1, NOW - WAIT),
    )


def _shifted(null: NullAnswers) -> NullAnswers:
    """Return null answers one block later; once they are far enough apart they stay so."""
    if null.last_height - null.first_height >= APART:
        return NullAnswers(null.endpoint, NOW - PAST, NOW - PAST + APART)
    return NullAnswers(
        null.endpoint,
        max(null.first_height - 1, NOW - PAST),
        max(null.last_height - 1, NOW - PAST),
    )


def canonical(state: State) -> State:
    """Return the state without what makes no difference."""
    life = state.life
    attempts = tuple(replace(a, sent_slot=0, asked_slot=0) for a in life.attempts)
    signing_slot = life.signing_slot if life.signing is not None else NOW - WAIT
    return state._replace(
        life=replace(life, attempts=attempts, misfits=0, signing_slot=signing_slot)
    )


def note(state: State, status: OrderStatus, fill: ChainFill | None) -> State:
    """Return the state with a report in the journal."""
    if status is OrderStatus.FINAL and state.journal[0] is OrderStatus.FINAL:
        raise BrokenRuleError("FINAL is reported twice")
    status = advance("i", state.journal[0], status)
    return state._replace(journal=(status, fill))


def with_chain(state: State, place: int, chain: OnChain) -> State:
    """Return the state with an attempt's bytes elsewhere."""
    chains = list(state.chain)
    chains[place] = chain
    if sum(c.height is not None and c.ok for c in chains) > 1:
        raise BrokenRuleError("two attempts landed")
    return state._replace(chain=tuple(chains))


def check_over(state: State) -> None:
    """Nothing that was sent may still land, and nothing on the chain may vanish."""
    for chain in state.chain:
        if chain.out and chain.height is None and chain.last_valid >= NOW:
            raise BrokenRuleError("ended while an attempt may land")
        if chain.height is not None and chain.height > NOW - FINALITY:
            raise BrokenRuleError("ended on what is not final")


def check_settled(state: State, action: Progress) -> None:
    """The order's fill is the chain's."""
    check_over(state)
    winners = [
        fill_of(number, chain.version)
        for number, chain in zip(state.numbers, state.chain, strict=True)
        if chain.height is not None and chain.ok and signature(number) == action.signature
    ]
    if winners != [state.journal[1]]:
        raise BrokenRuleError("settled with another fill than the chain's")


def signed(life: Life) -> Signed:
    """Return the signer's answer that gives an attempt."""
    number = life.signing or 0
    guarded = life.kind is OrderKind.EXIT and not (life.unguarded_first and number == 0)
    return Signed(
        number=number,
        signature=signature(number),
        limit_height=NOW + VALIDITY,
        guarded=guarded,
    )


def signer_answers(life: Life) -> Iterator[Event]:
    """Yield every answer of the signer."""
    number = life.signing or 0
    yield signed(life)
    for definitive in (False, True):
        yield NotSigned(number=number, reason="r", definitive=definitive)


def _on_chain(state: State, name: str) -> tuple[int, OnChain] | None:
    for number, chain in zip(state.numbers, state.chain, strict=True):
        if signature(number) == name:
            return number, chain
    return None


def words(state: State, attempt: AttemptLife, *, liar: bool) -> Iterator[tuple[Event, ...]]:
    """Yield what may be said of a sent attempt, each with what is said in the same moment.

    Without a liar both endpoints answer a question together, which leaves out the states in
    between; with one each answers alone, and b also says what is not so.
    """
    name = attempt.signature
    asked: list[Action] = [
        AskStatus(signature=name, history=True),
        ReadFill(signature=name, finalized=False),
        ReadFill(signature=name, finalized=True),
    ]
    if not liar:
        yield from (tuple(answers(state, action)) for action in asked)
        return
    asked.append(AskWallet(name))
    for action in asked:
        yield from ((event,) for event in answers(state, action))
    yield from ((event,) for event in _lies(state, name))


def _lies(state: State, name: str) -> Iterator[Event]:
    """Yield b's lies: nothing there, by heights ahead of what it searched; or something there."""
    yield StatusAbsent(
        signature=name, endpoint="b", slot=NOW, finalized_height=NOW + 1, history=True
    )
    yield WalletAbsent(signature=name, endpoint="b", finalized_height=NOW + 1)
    for commitment, err in (
        (Commitment.PROCESSED, None),
        (Commitment.CONFIRMED, None),
        (Commitment.CONFIRMED, "failed"),
        (Commitment.FINALIZED, None),
    ):
        yield Status(signature=name, endpoint="b", commitment=commitment, slot=NOW, err=err)
    found = _on_chain(state, name)
    if found is not None and found[1].version > 1:
        # It still holds the fork that lost
        yield FillRead(signature=name, slot=NOW, finalized=False, fill=fill_of(found[0], 1))


def answers(state: State, action: Action) -> Iterator[Event]:
    """Yield the truthful answers to a question: nulls of both endpoints, the rest of a."""
    if not isinstance(action, AskStatus | AskWallet | ReadFill):
        return
    found = _on_chain(state, action.signature)
    if found is None:
        return
    number, chain = found
    if chain.height is None:
        yield from _nulls(action)
        return
    age = NOW - chain.height
    if isinstance(action, AskStatus):
        yield _status(action.signature, chain, age)
    elif isinstance(action, ReadFill) and age >= (FINALITY if action.finalized else CONFIRMATION):
        yield FillRead(
            signature=action.signature,
            slot=NOW - age,
            finalized=action.finalized,
            fill=fill_of(number, chain.version) if chain.ok else None,
            err=None if chain.ok else "failed",
            guard_failed=chain.guard_failed,
            fee_lamports=0 if chain.ok else 1,
        )


def _nulls(action: AskStatus | AskWallet | ReadFill) -> Iterator[Event]:
    name, finalized = action.signature, NOW - FINALITY
    for endpoint in ("a", "b"):
        if isinstance(action, AskStatus):
            yield StatusAbsent(
                signature=name,
                endpoint=endpoint,
                slot=NOW,
                finalized_height=finalized,
                history=action.history,
            )
        elif isinstance(action, AskWallet):
            yield WalletAbsent(signature=name, endpoint=endpoint, finalized_height=finalized)


def _status(name: str, chain: OnChain, age: int) -> Status:
    commitment = Commitment.PROCESSED
    if age >= FINALITY:
        commitment = Commitment.FINALIZED
    elif age >= CONFIRMATION:
        commitment = Commitment.CONFIRMED
    return Status(
        signature=name,
        endpoint="a",
        commitment=commitment,
        slot=NOW - age,
        err=None if chain.ok else "failed",
        guard_failed=chain.guard_failed,
    )
