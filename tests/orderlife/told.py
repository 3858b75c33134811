"""What an order is told in the tests of its rules, in short."""

from utb.domain.chain import ChainFill, Commitment
from utb.orderlife.actions import (
    Action,
)
from utb.orderlife.events import (
    Begin,
    Durable,
    Event,
    FillRead,
    Heights,
    Signed,
    Status,
    StatusAbsent,
)
from utb.orderlife.life import (
    Life,
    OrderKind,
    Rules,
    opened,
)
from utb.orderlife.step import step

LIMIT = 1_150
AT = 1_000
TWO = Rules(endpoints=2)
ONE = Rules(endpoints=1)


def run(life: Life, *events: Event, rules: Rules = TWO) -> tuple[Life, list[Action]]:
    """Return the life after the events and the actions of the last one."""
    actions: tuple[Action, ...] = ()
    for event in events:
        life, actions = step(life, event, rules)
    return life, list(actions)


def heights(block: int, finalized: int | None = None) -> Heights:
    return Heights(block=block, finalized=finalized or block - 32, slot=block)


def signed(number: int = 0, *, guarded: bool = False, name: str = "") -> Signed:
    return Signed(
        number=number, signature=name or f"s{number}", limit_height=LIMIT, guarded=guarded
    )


def status(commitment: str, *, name: str = "s0", slot: int = 1_001, **rest: object) -> Status:
    fields = {"endpoint": "a", "err": None, **rest}
    return Status(
        signature=name,
        commitment=Commitment(commitment),
        slot=slot,
        **fields,  # type: ignore[arg-type]
    )


def null(endpoint: str, finalized: int, *, name: str = "s0", history: bool = True) -> StatusAbsent:
    return StatusAbsent(
        signature=name,
        endpoint=endpoint,
        slot=finalized + 32,
        finalized_height=finalized,
        history=history,
    )


def fill(base_raw: int = 10, *, name: str = "s0", slot: int = 1_001) -> ChainFill:
    return ChainFill(
        signature=name,
        slot=slot,
        base_raw=base_raw,
        quote_raw=20,
        fee_lamports=5_100,
        tip_lamports=0,
        rent_lamports=0,
        compute_units=30_000,
    )


def read(found: ChainFill, *, finalized: bool) -> FillRead:
    return FillRead(signature=found.signature, slot=found.slot, finalized=finalized, fill=found)


def read_failure(
    name: str = "s0", *, finalized: bool = True, guard: bool = False, slot: int = 1_001
) -> FillRead:
    return FillRead(
        signature=name,
        slot=slot,
        finalized=finalized,
        fill=None,
        err="Custom(6001)",
        guard_failed=guard,
        fee_lamports=5_100,
    )


def entry() -> Life:
    return run(opened("i", OrderKind.ENTRY), heights(AT), Begin())[0]


def sent_entry() -> Life:
    return run(entry(), signed(), Durable("s0"))[0]


def sent_exit() -> Life:
    life = run(opened("i", OrderKind.EXIT), heights(AT), Begin())[0]
    return run(life, signed(guarded=True), Durable("s0"))[0]
