"""`utb explain`."""

from typing import Any, Final

import msgspec
from rich.console import Console
from rich.table import Table

from utb.api.trades.timeline import event
from utb.cli.common import Stateful, write_json, write_line
from utb.cli.journal import instruments_of, journal_of, rows_of
from utb.config import secrets
from utb.config.load import resolve
from utb.domain.amounts import units_of
from utb.domain.chain import Attempt
from utb.domain.names import STRATEGIES, Regime, Side
from utb.domain.records import Decision
from utb.errors import UsageError
from utb.node.explain import Check, Explanation, explain
from utb.risk.settings import risk_settings

_DEFAULT: Final = Stateful()
DIFFERS: Final = 1
EXACT_MAX: Final = 2**53 - 1
"""Largest integer that every reader of JSON holds exactly."""


def explain_command(trade: str, /, *, common: Stateful = _DEFAULT) -> int:
    """Explain a trade: votes, weights, risk, route, fees and timeline.

    Every number is recomputed from what is on record and compared with it: the ensemble's sums
    from the votes, the size from what the risk gate saw, profit and loss from the fills. Exit
    code 1 if one differs; then the configuration or the version is another one than at the time.

    For example: utb explain 12 --state state

    Args:
        trade: Number of a position, or the id of one of its orders.
    """
    config = resolve(common.config, secrets.read(), common.settings).config
    path = journal_of(common.state)
    try:
        found = explain(rows_of(path), instruments_of(path), risk_settings(config), trade)
    except LookupError:
        raise UsageError("TRADE", trade, "a position or an order with a fill on record") from None
    if common.json:
        write_json(_plain(_as_json(found)))
    else:
        _show(found)
    return DIFFERS if found.differences else 0


def _as_json(found: Explanation) -> dict[str, Any]:
    return {
        "position_id": found.position_id,
        "symbol": found.instrument.symbol,
        "lead": found.trade.lead if found.trade is not None else _lead(found),
        "decision": None if found.decision is None else _decision(found.decision),
        "weights": found.weights,
        "factors": _factors(found),
        "attempts": [_attempt(attempt) for attempt in found.attempts],
        "fills": [record.fill for record in found.fills],
        "costs": _costs(found),
        "trade": found.trade,
        "timeline": [event(seq, record, found.instrument) for seq, record in found.timeline],
        "checks": [_check(check) for check in found.checks],
        "recomputed": not found.differences,
    }


def _decision(record: Decision) -> dict[str, Any]:
    """Return a decision with the names of its strategies."""
    found: dict[str, Any] = _plain(record)
    made = found["decision"]
    made["lead"] = STRATEGIES[record.decision.lead]
    votes = zip(STRATEGIES, made["votes"], strict=True)
    made["votes"] = [{"strategy": name, **vote} for name, vote in votes]
    return found


def _plain(value: Any) -> Any:
    """Return a value for JSON: every field by its name, integers no float holds as texts."""
    if isinstance(value, msgspec.Struct):
        told = value.__struct_config__
        kind = {} if told.array_like or told.tag is None else {str(told.tag_field): told.tag}
        return kind | {name: _plain(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, int) and abs(value) > EXACT_MAX:
        return str(value)
    return value


def _check(check: Check) -> dict[str, Any]:
    return {
        "name": check.name,
        "recorded": check.recorded,
        "recomputed": check.recomputed,
        "equal": check.equal,
    }


def _lead(found: Explanation) -> str | None:
    return found.fills[0].fill.lead if found.fills else None


def _factors(found: Explanation) -> dict[str, float]:
    return {} if found.approved is None else {f.name: f.value for f in found.approved.factors}


def _attempt(attempt: Attempt) -> dict[str, Any]:
    return {
        "number": attempt.number + 1,
        "signature": attempt.signature,
        "guard": attempt.guard,
        "senders": attempt.senders,
        "compute_unit_limit": attempt.compute_unit_limit,
        "compute_unit_price": attempt.compute_unit_price,
        "tip_lamports": attempt.tip_lamports,
        "route": attempt.route,
    }


def _costs(found: Explanation) -> dict[str, Any]:
    decimals = found.instrument.quote_decimals
    fills = [record.fill for record in found.fills]
    return {
        "pool_fees": units_of(sum(f.pool_fee_quote_raw for f in fills), decimals),
        "network_fees": units_of(sum(r.fee_quote_raw for r in found.fills), decimals),
        "network_lamports": sum(f.fee_lamports for f in fills),
        "tip_lamports": sum(f.tip_lamports for f in fills),
        "rent_lamports": sum(f.rent_lamports for f in fills),
    }


def _show(found: Explanation) -> None:
    one = found.instrument
    write_line(f"position {found.position_id} of {one.symbol}")
    if found.decision is None:
        write_line("bought by hand: no votes")
    else:
        _votes(found)
    for name, value in _factors(found).items():
        write_line(f"factor {name:12} {value:.6g}")
    for attempt in found.attempts:
        _route(attempt)
    for record in found.fills:
        fill = record.fill
        side = "bought" if fill.side is Side.BUY else "sold"
        base, quote = units_of(fill.base_raw, one.base_decimals), fill.quote_raw
        why = "" if fill.exit_reason is None else f" ({fill.exit_reason})"
        write_line(f"{side} {base:g} for {units_of(quote, one.quote_decimals):g} {one.quote}{why}")
    for name, value in _costs(found).items():
        write_line(f"cost {name:17} {value:g}")
    if found.trade is not None:
        pnl = units_of(found.trade.pnl_quote_raw, one.quote_decimals)
        write_line(f"closed by {found.trade.exit_reason}: {pnl:+g} {one.quote}")
    write_line("")
    for seq, told in found.timeline:
        line = event(seq, told, one)
        write_line(f"{line.timestamp}  {line.text}")
    write_line("")
    met = len(found.checks) - len(found.differences)
    write_line(f"recomputed: {met} of {len(found.checks)} numbers are the same")
    for check in found.differences:
        write_line(f"  {check.name}: on record {check.recorded}, now {check.recomputed}")


def _votes(found: Explanation) -> None:
    made = found.decision.decision if found.decision is not None else None
    if made is None:
        return
    table = Table(box=None, pad_edge=False)
    for title in ("strategy", "vote", "weight", "strength", "confidence", "conditions"):
        table.add_column(title)
    for name, vote in zip(STRATEGIES, made.votes, strict=True):
        numbers = (f"{vote.weight:.4f}", f"{vote.strength:.4f}", f"{vote.confidence:.4f}")
        table.add_row(name, vote.side, *numbers, vote.conditions)
    Console().print(table)
    regime = Regime(made.features.regime).name.lower()
    write_line(
        f"{made.side} led by {STRATEGIES[made.lead]} in a {regime} market: consensus "
        f"{made.consensus:.4f}, confidence {made.confidence:.4f}, participation "
        f"{made.participation:.4f}"
    )


def _route(attempt: Attempt) -> None:
    write_line(f"attempt {attempt.number + 1}: {attempt.signature}")
    for leg in attempt.route.legs:
        write_line(
            f"  {leg.program} {leg.pool}: {leg.amount_in_raw} in, {leg.quoted_out_raw} quoted, "
            f"at least {leg.min_out_raw}"
        )
    for refused in attempt.route.refused:
        net = "no quote" if refused.net_out_raw is None else f"net {refused.net_out_raw}"
        write_line(f"  not {refused.words}: {refused.reason} ({net})")
