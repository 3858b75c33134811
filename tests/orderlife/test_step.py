"""The rules of an order's life, one by one: literal events in, literal actions out."""

import pytest
from told import (
    AT,
    LIMIT,
    ONE,
    entry,
    fill,
    heights,
    null,
    read,
    read_failure,
    run,
    sent_entry,
    sent_exit,
    signed,
    status,
)

from utb.domain.names import OrderStatus as S
from utb.errors import InvariantError
from utb.orderlife.actions import (
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
    Begin,
    Durable,
    Event,
    Heights,
    NotSigned,
    Reprice,
    Restarted,
    WalletAbsent,
)
from utb.orderlife.life import (
    AttemptLife,
    AttemptState,
    OrderKind,
    limit_height,
    opened,
    restored_from,
)


def test_nothing_is_sent_before_it_is_durable() -> None:
    life, actions = run(entry(), signed())
    assert actions == [Journal("s0")]
    assert life.status is S.SIGNED
    assert run(life, heights(AT + 9))[1] == []
    _, actions = run(life, Durable("s0"))
    assert actions == [
        Subscribe("s0"),
        Send("s0"),
        Progress(status=S.SENT, signature="s0"),
    ]


def test_same_bytes_go_out_every_two_slots_until_their_last_block() -> None:
    life = sent_entry()
    assert run(life, heights(AT + 1))[1] == []
    life, actions = run(life, heights(AT + 2))
    assert actions == [Send("s0")]
    assert Send("s0") in run(life, heights(LIMIT))[1]
    assert Send("s0") not in run(life, heights(LIMIT + 1))[1]


def test_entry_is_never_signed_again() -> None:
    life, actions = run(sent_entry(), Reprice())
    assert actions == []
    life, actions = run(life, heights(LIMIT + 40), null("a", LIMIT + 1), null("b", LIMIT + 1))
    assert [type(a) for a in actions] == [Failed]
    assert life.status is S.EXPIRED


def test_limit_is_the_later_of_what_was_told_and_150_blocks_past_the_height_seen() -> None:
    assert limit_height(1_020, 1_000) == 1_150
    assert limit_height(1_160, 1_000) == 1_160


@pytest.mark.parametrize(
    ("events", "dead"),
    [
        ((null("a", LIMIT + 1), null("b", LIMIT + 1)), True),
        ((null("a", LIMIT + 1), null("b", LIMIT)), False),
        ((null("a", LIMIT + 1), null("b", LIMIT + 1, history=False)), False),
        ((null("a", LIMIT + 1), null("a", LIMIT + 33)), False),
        (
            (
                null("a", LIMIT + 1),
                null("a", LIMIT + 33),
                WalletAbsent(signature="s0", endpoint="b", finalized_height=LIMIT + 1),
            ),
            True,
        ),
        (
            (
                null("a", LIMIT + 1),
                null("a", LIMIT + 32),
                WalletAbsent(signature="s0", endpoint="b", finalized_height=LIMIT + 1),
            ),
            False,
        ),
        (
            (
                null("a", LIMIT + 1),
                null("a", LIMIT + 33),
                WalletAbsent(signature="s0", endpoint="a", finalized_height=LIMIT + 33),
            ),
            False,
        ),
        ((null("a", LIMIT + 1), status("processed"), null("b", LIMIT + 1)), False),
    ],
)
def test_dead_takes_nulls_past_the_limit_from_two_sides(
    events: tuple[Event, ...], *, dead: bool
) -> None:
    life, _ = run(sent_entry(), heights(LIMIT + 60), *events)
    assert (life.status is S.EXPIRED) is dead


def test_dead_with_one_endpoint_takes_it_twice_and_the_wallets_list() -> None:
    absent = WalletAbsent(signature="s0", endpoint="a", finalized_height=LIMIT + 33)
    events = (heights(LIMIT + 70), null("a", LIMIT + 1), null("a", LIMIT + 33))
    life, _ = run(sent_entry(), *events, rules=ONE)
    assert not life.ended
    assert run(life, absent, rules=ONE)[0].status is S.EXPIRED


def test_endpoints_alone_do_not_make_it_dead_below_the_agreed_height() -> None:
    """Their heights may run ahead of what they searched."""
    life, _ = run(sent_entry(), heights(AT + 10), null("a", 9_999), null("b", 9_999))
    assert not life.ended


def test_past_the_limit_without_proof_is_unknown_and_locks_the_mint() -> None:
    life, actions = run(sent_entry(), heights(LIMIT + 70))
    assert [a.status for a in actions if isinstance(a, Progress)] == [S.UNKNOWN]
    assert AskStatus(signature="s0", history=True) in actions
    assert life.locks_mint


def test_confirmed_fill_is_provisional_and_settles_when_final() -> None:
    life, actions = run(sent_entry(), status("confirmed"))
    assert ReadFill(signature="s0", finalized=False) in actions
    life, actions = run(life, read(fill(), finalized=False))
    assert actions == [Filled(signature="s0", fill=fill(), provisional=True)]
    life, actions = run(life, status("finalized"))
    assert actions == [ReadFill(signature="s0", finalized=True)]
    life, actions = run(life, read(fill(), finalized=True))
    assert actions == [
        Progress(status=S.FINAL, signature="s0", slot=1_001),
        Progress(status=S.SETTLED, signature="s0", slot=1_001),
    ]
    assert life.status is S.SETTLED


def test_other_fill_at_finalized_is_booked_anew() -> None:
    life, _ = run(sent_entry(), status("confirmed"), read(fill(10), finalized=False))
    _, actions = run(life, read(fill(11), finalized=True))
    assert [type(a) for a in actions] == [Reverted, Filled, Progress, Progress]
    assert actions[1] == Filled(signature="s0", fill=fill(11), provisional=True)


@pytest.mark.parametrize(("block", "back_to"), [(1_010, S.SENT), (LIMIT + 1, S.UNKNOWN)])
def test_vanished_fill_is_reverted(block: int, back_to: S) -> None:
    life, _ = run(sent_entry(), status("confirmed"), read(fill(), finalized=False))
    life, _ = run(life, Heights(block=block, finalized=AT, slot=1_010), null("a", 970))
    assert life.status is S.CONFIRMED
    life, actions = run(life, null("b", 970))
    assert isinstance(actions[0], Reverted)
    assert actions[0].status is back_to
    assert life.status is back_to
    sends = run(life, Heights(block=block, finalized=AT, slot=1_011))[1]
    assert (Send("s0") in sends) is (back_to is S.SENT)


def test_failure_at_confirmed_ends_nothing() -> None:
    life, actions = run(sent_entry(), status("confirmed", err="Custom(6001)"))
    assert not life.ended
    assert not any(isinstance(a, Failed) for a in actions)
    life, actions = run(life, read_failure())
    assert actions == [
        Failed(
            status=S.FAILED_ON_CHAIN,
            fee_lamports=5_100,
            slot=1_001,
            attempts=1,
            reason="Custom(6001)",
        )
    ]


def test_exit_has_four_guarded_attempts_with_rising_steps() -> None:
    life = sent_exit()
    for number in (1, 2, 3):
        life, actions = run(life, Reprice())
        assert actions == [Sign(number=number, guarded=True, fee_step=number)]
        life, _ = run(life, signed(number, guarded=True), Durable(f"s{number}"))
    assert run(life, Reprice())[1] == []


def test_full_exit_may_begin_unguarded_and_goes_on_guarded() -> None:
    life = opened("i", OrderKind.EXIT, unguarded_first=True)
    life, actions = run(life, heights(AT), Begin())
    assert actions == [Sign(number=0, guarded=False, fee_step=0)]
    _, actions = run(life, signed(guarded=False), Durable("s0"), Reprice())
    assert actions == [Sign(number=1, guarded=True, fee_step=1)]


def test_failed_exit_attempt_is_followed_by_the_next_at_once() -> None:
    _, actions = run(sent_exit(), status("confirmed", err="Custom(6001)"))
    assert Sign(number=1, guarded=True, fee_step=1) in actions


def test_taken_guard_ends_the_epoch_when_every_attempt_is_over() -> None:
    """A stranger made the account: no attempt of this epoch can land, the next epoch can."""
    life, actions = run(sent_exit(), status("confirmed", err="Custom(0)", guard_failed=True))
    assert not any(isinstance(a, Sign) for a in actions)
    assert run(life, Reprice())[1] == []
    life, actions = run(life, read_failure(guard=True))
    assert isinstance(actions[0], Failed)
    assert actions[0].reason.startswith("its guard account exists already")
    assert life.guard_recoverable


def test_fill_settles_only_when_the_other_attempts_are_over() -> None:
    """An attempt still on its way costs a fee when it lands, and its guard must stay."""
    life, _ = run(sent_exit(), Reprice(), signed(1, guarded=True), Durable("s1"))
    life, actions = run(life, read(fill(name="s1"), finalized=True))
    assert life.status is S.FINAL
    assert not life.guard_recoverable
    assert life.locks_mint
    life, actions = run(life, read_failure("s0", guard=True, slot=1_007))
    # The wallet has paid it from that slot on
    assert actions == [Progress(status=S.SETTLED, signature="s1", slot=1_007, fee_lamports=5_100)]


def test_second_fill_of_one_order_is_an_alarm_and_not_booked() -> None:
    life, _ = run(sent_exit(), Reprice(), signed(1, guarded=True), Durable("s1"))
    life, actions = run(life, read(fill(), finalized=True), read(fill(name="s1"), finalized=True))
    assert [type(a) for a in actions] == [Alarm, Progress]
    assert life.status is S.SETTLED
    assert life.booked is not None
    assert life.booked.signature == "s0"


def test_signer_that_does_not_answer_cancels_an_entry_and_not_an_exit() -> None:
    life, actions = run(entry(), NotSigned(number=0, reason="UNREACHABLE", definitive=False))
    assert [type(a) for a in actions] == [Failed]
    assert life.status is S.CANCELLED
    assert run(life, signed())[1] == []
    life = run(opened("i", OrderKind.EXIT), heights(AT), Begin())[0]
    life, actions = run(life, NotSigned(number=0, reason="UNREACHABLE", definitive=False))
    assert actions == []
    assert run(life, heights(AT + 5))[1] == [Sign(number=1, guarded=True, fee_step=1)]


def test_signers_silence_is_an_answer_after_a_while() -> None:
    life, actions = run(entry(), heights(AT + 74))
    assert actions == []
    assert run(life, heights(AT + 75))[0].status is S.CANCELLED


def test_restart_asks_about_what_was_durable() -> None:
    attempt = AttemptLife(
        number=0, signature="s0", limit_height=LIMIT, guarded=False, state=AttemptState.SENT
    )
    life = restored_from(opened("i", OrderKind.ENTRY), S.CONFIRMED, (attempt,), fill())
    life, actions = run(life, Restarted())
    assert actions == [Subscribe("s0"), AskStatus(signature="s0", history=True)]
    assert run(life, read(fill(), finalized=True))[0].status is S.SETTLED


def test_restart_cancels_what_was_never_durable() -> None:
    life = restored_from(opened("i", OrderKind.ENTRY), S.APPROVED, (), None)
    assert run(life, Restarted())[0].status is S.CANCELLED


def test_attempt_that_expires_before_it_is_durable_is_dropped() -> None:
    life, actions = run(entry(), signed(), heights(LIMIT + 1))
    assert [type(a) for a in actions] == [Failed]
    assert life.status is S.CANCELLED


def test_dead_transaction_that_landed_is_an_alarm() -> None:
    life, _ = run(sent_entry(), heights(LIMIT + 60), null("a", LIMIT + 1), null("b", LIMIT + 1))
    after, actions = run(life, status("finalized"))
    assert after is life
    assert [type(a) for a in actions] == [Alarm]


def test_first_null_past_the_limit_has_the_wallets_list_searched() -> None:
    _, actions = run(sent_entry(), heights(LIMIT + 60), null("a", LIMIT + 1))
    assert actions == [AskWallet("s0")]


def test_status_from_far_ahead_is_not_believed() -> None:
    life, actions = run(sent_entry(), status("confirmed", slot=AT + 65))
    assert actions == []
    assert life.misfits == 1


@pytest.mark.parametrize(
    "event",
    [
        signed(3),
        Durable("other"),
        status("finalized", name="other"),
        null("a", 9_999, name="other"),
        WalletAbsent(signature="other", endpoint="a", finalized_height=1),
        read_failure("other"),
        NotSigned(number=2, reason="", definitive=True),
        Begin(),
    ],
)
def test_event_that_fits_nothing_is_counted(event: Event) -> None:
    life = sent_entry()
    after, actions = run(life, event)
    assert actions == []
    assert after.misfits == life.misfits + 1


def test_own_mistakes_are_invariant_errors() -> None:
    with pytest.raises(InvariantError, match="has guarded True, asked for was False"):
        run(entry(), signed(guarded=True))
    life, _ = run(sent_exit(), Reprice())
    with pytest.raises(InvariantError, match="has the bytes of an earlier one"):
        run(life, signed(1, guarded=True, name="s0"))
    with pytest.raises(InvariantError, match="no guard to leave out"):
        opened("i", OrderKind.ENTRY, unguarded_first=True)
