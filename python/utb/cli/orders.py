"""`utb orders`."""

from collections.abc import Iterator
from typing import Annotated, Any, Final

from cyclopts import Parameter
from rich.console import Console
from rich.table import Table

from utb.cli.common import WIDE, Stateful, write_json, write_line
from utb.cli.journal import instruments_of, journal_of, rows_of
from utb.domain.amounts import units_of
from utb.domain.market import Instrument
from utb.domain.names import OrderStatus, Side
from utb.domain.records import FillBooked, FillReverted, OrderState, Record
from utb.domain.times import iso
from utb.errors import UsageError

LIMIT: Final = 20
_DEFAULT: Final = Stateful()
_OVER: Final = frozenset(
    {
        OrderStatus.DENIED,
        OrderStatus.EXPIRED,
        OrderStatus.FAILED_ON_CHAIN,
        OrderStatus.CANCELLED,
        OrderStatus.SETTLED,
    }
)


def orders(
    intent: str | None = None,
    /,
    *,
    open_only: Annotated[
        bool, Parameter(name="--open", negative="", help="Only orders on their way.")
    ] = False,
    limit: int = LIMIT,
    common: Stateful = _DEFAULT,
) -> int:
    """List the orders on record, or show one with every step of its life.

    Reads the journal of a state directory, also beside its running bot.

    For example: utb orders --state state --open

    Args:
        intent: Intent id of one order, or its beginning.
        open_only: Only orders on their way.
        limit: Most orders listed, newest first.
    """
    if limit < 1:
        raise UsageError("--limit", str(limit), "a number > 0")
    path = journal_of(common.state)
    found = _fold(rows_of(path), instruments_of(path))
    if intent is not None:
        return _one(found, intent, as_json=common.json)
    listed = [order for order in reversed(found.values()) if not open_only or _is_open(order)]
    listed = listed[:limit]
    if common.json:
        write_json({"orders": [_brief(order) for order in listed]})
    elif listed:
        _table(listed)
    else:
        write_line("no orders" + (" on their way" if open_only else ""))
    return 0


def _fold(
    rows: Iterator[tuple[int, Record]], instruments: tuple[Instrument, ...]
) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for seq, record in rows:
        match record:
            case OrderState():
                _on_state(found, seq, record, instruments)
            case FillBooked():
                _on_fill(found[record.fill.intent_id], record, instruments)
            case FillReverted():
                order = found[record.intent_id]
                order["fill"] = None
                order["status"] = record.status
                order["steps"].append(_step(seq, record.ts_ns, "REVERTED", record.reason))
            case _:
                continue
    return found


def _on_state(
    found: dict[str, dict[str, Any]],
    seq: int,
    record: OrderState,
    instruments: tuple[Instrument, ...],
) -> None:
    if record.intent is not None:
        one, intent = instruments[record.intent.instrument], record.intent
        buy = intent.side is Side.BUY
        decimals = one.quote_decimals if buy else one.base_decimals
        found[record.intent_id] = {
            "order_id": record.intent_id,
            "symbol": one.symbol,
            "side": intent.side,
            "lead": intent.lead,
            "decided_at": iso(intent.ts_ns),
            "amount_in": units_of(intent.amount_in_raw, decimals),
            "position_id": intent.position_id,
            "exit_reason": intent.exit_reason,
            "status": record.status,
            "fill": None,
            "attempts": [],
            "steps": [],
        }
    order = found.get(record.intent_id)
    if order is None:
        return
    order["status"] = record.status
    step = _step(seq, record.ts_ns, record.status, record.reason)
    if record.signature:
        step["signature"] = record.signature
    order["steps"].append(step)
    if record.attempt is not None:
        attempt = record.attempt
        order["attempts"].append(
            {
                "number": attempt.number + 1,
                "signature": attempt.signature,
                "last_valid_block_height": attempt.last_valid_block_height,
                "senders": attempt.senders,
                "guard": attempt.guard,
                "route": [f"{leg.program} {leg.pool}" for leg in attempt.route.legs],
            }
        )


def _step(seq: int, ts_ns: int, status: str, reason: str) -> dict[str, Any]:
    step: dict[str, Any] = {"seq": seq, "at": iso(ts_ns), "status": status}
    if reason:
        step["reason"] = reason
    return step


def _on_fill(
    order: dict[str, Any], record: FillBooked, instruments: tuple[Instrument, ...]
) -> None:
    fill = record.fill
    one = instruments[fill.instrument]
    order["fill"] = {
        "base": units_of(fill.base_raw, one.base_decimals),
        "quote": units_of(fill.quote_raw, one.quote_decimals),
        "fee_lamports": fill.fee_lamports,
        "tip_lamports": fill.tip_lamports,
        "rent_lamports": fill.rent_lamports,
        "signature": fill.signature,
        "slot": fill.slot,
    }


def _is_open(order: dict[str, Any]) -> bool:
    """Return whether something may still become of it."""
    if order["fill"] is None:
        return order["status"] not in _OVER
    # A fill without a signature is of a venue that settles at once
    return bool(order["fill"]["signature"]) and order["status"] != OrderStatus.SETTLED


def _brief(order: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in order.items() if key != "steps"}


def _one(found: dict[str, dict[str, Any]], intent: str, *, as_json: bool) -> int:
    named = [order for key, order in found.items() if key.startswith(intent)]
    if len(named) != 1:
        expected = "an order on record" if not named else f"more digits: {len(named)} begin so"
        raise UsageError("ORDER", intent, expected)
    order = named[0]
    if as_json:
        write_json(order)
        return 0
    for key, value in _brief(order).items():
        if key not in {"attempts", "fill"} and value is not None:
            write_line(f"{key:12} {value}")
    for attempt in order["attempts"]:
        guard = f", guard {attempt['guard']}" if attempt["guard"] else ""
        route = " + ".join(attempt["route"])
        write_line(f"attempt {attempt['number']}    {attempt['signature']} over {route}{guard}")
    for step in order["steps"]:
        more = "  ".join(filter(None, (step.get("signature", ""), step.get("reason", ""))))
        write_line(f"{step['at']}  {step['status']:15} {more}".rstrip())
    if order["fill"] is not None:
        fill = order["fill"]
        write_line(f"filled       {fill['base']:g} for {fill['quote']:g}")
    return 0


def _table(listed: list[dict[str, Any]]) -> None:
    table = Table(box=None, pad_edge=False)
    for title in ("order", "decided", "symbol", "side", "amount in", "lead", "status", "filled"):
        table.add_column(title, no_wrap=True)
    for order in listed:
        fill = order["fill"]
        filled = "" if fill is None else f"{fill['base']:g} for {fill['quote']:g}"
        table.add_row(
            order["order_id"],
            order["decided_at"],
            order["symbol"],
            order["side"],
            f"{order['amount_in']:g}",
            order["exit_reason"] or order["lead"],
            order["status"],
            filled,
        )
    # Also on a narrow terminal, which wraps by itself: an id in pieces could not be copied
    Console(highlight=False, markup=False, width=WIDE).print(table)
