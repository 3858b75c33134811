"""Rules between values: weights that sum to 1, exits below entries, known quotes."""

import math
from collections.abc import Callable
from typing import Any, Final

import msgspec

from utb.domain.names import STRATEGIES

WEIGHT_TOLERANCE: Final = 1e-6


class Rule(msgspec.Struct, frozen=True):
    """A condition on the values of some keys."""

    keys: tuple[str, ...]
    holds: Callable[..., bool]
    expected: str


class Broken(msgspec.Struct, frozen=True):
    """A rule that does not hold."""

    key: str
    """The one to name."""
    keys: tuple[str, ...]
    """All that take part."""
    value: str
    expected: str


def _sum_is_one(*weights: float) -> bool:
    return abs(math.fsum(weights) - 1.0) <= WEIGHT_TOLERANCE


def _below(low: float, high: float) -> bool:
    return low < high


def _at_most(low: float, high: float) -> bool:
    return low <= high


_WEIGHTS: Final = Rule(
    tuple(f"strategies.{name}" for name in STRATEGIES),
    _sum_is_one,
    "the eight weights to sum to 1.0",
)

_THRESHOLDS: Final = "strategies.thresholds."
_ADJUSTMENTS: Final = "risk.adjustments."


def _pair(prefix: str, low: str, high: str, holds: Callable[..., bool] = _below) -> Rule:
    sign = "<" if holds is _below else "<="
    return Rule((prefix + low, prefix + high), holds, f"number {sign} {high}")


RULES: Final = (
    _pair(_THRESHOLDS, "whale_exit_accumulation", "whale_accumulation"),
    _pair(_THRESHOLDS, "sentiment_exit", "sentiment_threshold"),
    _pair(_THRESHOLDS, "stat_exit_z", "stat_z"),
    _pair(_THRESHOLDS, "volatility_exit_ratio", "volatility_ratio", _at_most),
    _pair(_ADJUSTMENTS, "low_volatility_ratio", "high_volatility_ratio"),
    _pair(_ADJUSTMENTS, "weak_trend_adx", "strong_trend_adx", _at_most),
    _pair("strategies.statistics.", "reversion_horizon_bars", "window_bars"),
    Rule(
        ("risk.risk_per_trade", "risk.max_position_size"),
        _at_most,
        "number <= max_position_size",
    ),
    Rule(
        ("paper.priority_fee_lamports", "paper.base_fee_lamports", "execution.max_fee_lamports"),
        lambda priority, base, limit: priority + base <= limit,
        "with base_fee_lamports at most execution.max_fee_lamports",
    ),
    Rule(
        (
            "execution.exit_slippage_step_bps",
            "execution.exit_attempts_max",
            "trading.slippage_tolerance",
        ),
        # An order carries at most 5,000 bps.
        lambda step, attempts, tolerance: step * (attempts - 1) + tolerance * 10_000 <= 5_000,  # noqa: PLR2004
        "the last exit's tolerance to be at most 5,000 bps",
    ),
    _pair("signer.", "sol_usdc_min", "sol_usdc_max", _at_most),
    _pair("signer.", "transaction_usdc_max", "minute_usdc_max", _at_most),
    _pair("signer.", "minute_usdc_max", "day_usdc_max", _at_most),
    Rule(
        ("signer.tip_lamports_max", "execution.max_fee_lamports"),
        _at_most,
        "number <= execution.max_fee_lamports",
    ),
    _pair("rpc.", "rest_seconds", "rest_seconds_max", _at_most),
    _pair("rpc.", "fees_seconds", "fees_max_age_seconds"),
    _pair("rpc.", "fee_floor_microlamports", "fee_cap_microlamports", _at_most),
    _pair("senders.jito.", "tip_lamports_min", "tip_lamports_max", _at_most),
    Rule(
        ("senders.jito.tip_lamports_max", "execution.max_fee_lamports"),
        _at_most,
        "number <= execution.max_fee_lamports",
    ),
)


def value_at(tree: dict[str, Any], key: str) -> Any:
    """Return the value at a dotted key of a complete tree."""
    value: Any = tree
    for part in key.split("."):
        value = value[part]
    return value


def broken(tree: dict[str, Any], invalid: frozenset[str]) -> list[Broken]:
    """Return the rules that do not hold, leaving out those with an invalid value."""
    found = []
    for rule in (_WEIGHTS, *RULES):
        if invalid.isdisjoint(rule.keys):
            values = [value_at(tree, key) for key in rule.keys]
            if not rule.holds(*values):
                found.append(_broken(rule, values))
    return found


def broken_keys(tree: dict[str, Any]) -> list[Broken]:
    """Return what is wrong between the API keys."""
    seen: dict[str, int] = {}
    found = []
    for index, key in enumerate(tree["server"].get("keys", ())):
        for field in ("id", "sha256"):
            first = seen.setdefault(f"{field} {key[field]}", index)
            if first != index:
                name = f"server.keys[{index}].{field}"
                wanted = f"one of its own, but server.keys[{first}] has it too"
                found.append(Broken(name, (name,), "", wanted))
    return found


def broken_endpoints(tree: dict[str, Any]) -> list[Broken]:
    """Return what is wrong between the RPC endpoints: those of the environment have names too."""
    seen = {"quicknode": "QUICKNODE_RPC_URL", "helius": "HELIUS_API_KEY"}
    found = []
    for index, endpoint in enumerate(tree["rpc"].get("endpoints", ())):
        name = f"rpc.endpoints[{index}].name"
        first = seen.setdefault(endpoint["name"], f"rpc.endpoints[{index}]")
        if first != f"rpc.endpoints[{index}]":
            wanted = f"a name of its own, but {first} has it too"
            found.append(Broken(name, (name,), "", wanted))
    return found


def _broken(rule: Rule, values: list[Any]) -> Broken:
    if rule is not _WEIGHTS:
        return Broken(rule.keys[0], rule.keys, f"{values[0]:.10g}", rule.expected)
    added = " + ".join(f"{value:.10g}" for value in values)
    return Broken("strategies", rule.keys, f"{added} = {math.fsum(values):.10g}", rule.expected)


def broken_instruments(tree: dict[str, Any]) -> list[Broken]:
    """Return what is wrong between the instruments and the quotes."""
    quotes: dict[str, Any] = tree["quotes"]
    symbols: dict[str, int] = {}
    found = []
    for index, instrument in enumerate(tree["instruments"]):
        key = f"instruments[{index}].symbol"
        symbol = instrument["symbol"]
        base, _, quote = symbol.partition("-")
        expected = ""
        if symbol in symbols:
            expected = f"a symbol once, but instruments[{symbols[symbol]}] has it too"
        elif quote not in quotes:
            expected = f"a quote with a table [quotes.{quote}]; known: {', '.join(quotes)}"
        elif base == quote or instrument["base_mint"] == quotes[quote]["mint"]:
            expected = "a base that is not the quote"
        symbols.setdefault(symbol, index)
        if expected:
            found.append(Broken(key, (key,), f'"{symbol}"', expected))
    return found
