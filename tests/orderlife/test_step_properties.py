"""Whatever is told in whatever order: no error, no way back, the table kept."""

from hypothesis import given, settings
from hypothesis import strategies as st

from utb.domain.chain import ChainFill, Commitment
from utb.domain.names import OrderStatus
from utb.orderlife.actions import Failed, Filled, Journal, Progress, Reverted, Send, Sign
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
from utb.orderlife.life import Life, OrderKind, Rules, opened
from utb.orderlife.step import step
from utb.orderlife.table import advance

NAMES = st.sampled_from(["s0", "s1", "s2", "other"])
ENDPOINTS = st.sampled_from(["a", "b"])
HEIGHTS = st.integers(990, 1_250)
ERRORS = st.sampled_from([None, None, "Custom(0)", "Custom(6001)"])


@st.composite
def fills(draw: st.DrawFn) -> FillRead:
    name, slot = draw(NAMES), draw(HEIGHTS)
    err = draw(ERRORS)
    found = None
    if err is None:
        found = ChainFill(
            signature=name,
            slot=slot,
            base_raw=draw(st.integers(1, 3)),
            quote_raw=1,
            fee_lamports=1,
            tip_lamports=0,
            rent_lamports=0,
            compute_units=0,
        )
    return FillRead(
        signature=name,
        slot=slot,
        finalized=draw(st.booleans()),
        fill=found,
        err=err,
        guard_failed=err == "Custom(0)",
        fee_lamports=0 if err is None else 1,
    )


OF_THE_WORLD = st.one_of(
    st.builds(
        Status,
        signature=NAMES,
        endpoint=ENDPOINTS,
        commitment=st.sampled_from(Commitment),
        slot=HEIGHTS,
        err=ERRORS,
        guard_failed=st.booleans(),
    ),
    st.builds(
        StatusAbsent,
        signature=NAMES,
        endpoint=ENDPOINTS,
        slot=HEIGHTS,
        finalized_height=HEIGHTS,
        history=st.booleans(),
    ),
    st.builds(WalletAbsent, signature=NAMES, endpoint=ENDPOINTS, finalized_height=HEIGHTS),
    st.builds(Heights, block=HEIGHTS, finalized=HEIGHTS, slot=HEIGHTS),
    fills(),
    st.builds(Durable, NAMES),
    st.builds(NotSigned, number=st.integers(0, 4), reason=st.just("r"), definitive=st.booleans()),
    st.sampled_from([Begin(), Reprice()]),
)
SIGN = "sign"
"""The signer answers what it was asked, as our own process does."""


def answer(life: Life) -> Event:
    """Return the signer's answer, or a late one where none is due."""
    number = 9 if life.signing is None else life.signing
    guarded = life.kind is OrderKind.EXIT and not (life.unguarded_first and number == 0)
    return Signed(number=number, signature=f"s{number}", limit_height=1_150, guarded=guarded)


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from([(OrderKind.ENTRY, False), (OrderKind.EXIT, False), (OrderKind.EXIT, True)]),
    st.integers(1, 3),
    st.lists(st.one_of(OF_THE_WORLD, st.just(SIGN)), max_size=60),
)
def test_any_events_keep_the_rules(
    kind: tuple[OrderKind, bool], endpoints: int, told: list[Event | str]
) -> None:
    rules = Rules(endpoints=endpoints)
    life = opened("i", kind[0], unguarded_first=kind[1])
    status = OrderStatus.APPROVED
    durable: set[str] = set()
    booked: ChainFill | None = None
    asked = 0
    for event in (Begin(), *told):
        given_event = answer(life) if isinstance(event, str) else event
        if isinstance(given_event, Durable):
            durable.add(given_event.signature)
        ended = life.ended
        life, actions = step(life, given_event, rules)
        for action in actions:
            match action:
                case Sign():
                    asked += 1
                    assert action.guarded or action.number == 0
                case Send():
                    assert action.signature in durable
                case Journal():
                    status = advance("i", status, OrderStatus.SIGNED)
                case Progress() | Failed():
                    status = advance("i", status, action.status)
                case Filled():
                    assert booked is None
                    status, booked = advance("i", status, OrderStatus.CONFIRMED), action.fill
                case Reverted():
                    assert booked is not None
                    status, booked = advance("i", status, action.status), None
                case _:
                    assert not ended or not hasattr(action, "history")
        assert status is life.status
        assert (life.booked.fill if life.booked else None) == booked
        assert not (ended and any(isinstance(a, Send | Sign | Filled) for a in actions))
    assert asked <= (1 if kind[0] is OrderKind.ENTRY else rules.exit_attempts_max)


def test_restart_of_an_order_that_has_nothing_is_its_end() -> None:
    life, actions = step(opened("i", OrderKind.EXIT), Restarted(), Rules())
    assert life.status is OrderStatus.CANCELLED
    assert [type(a) for a in actions] == [Failed]
