"""Limits that stand in two tables or under two names: the stricter value applies."""

from typing import Final, Literal

import msgspec


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """One limit with all its names."""

    keys: tuple[str, ...]
    """Keys of the schema; each of them holds the effective value."""
    older: tuple[str, ...] = ()
    """Names of the guide that are accepted in the file and exist nowhere else."""
    stricter: Literal["lower", "higher"] = "lower"

    @property
    def names(self) -> tuple[str, ...]:
        """Return every key a file may use."""
        return self.keys + self.older

    def strictest(self, values: dict[str, float]) -> str:
        """Return the key of the strictest of the values, the first on a tie."""
        sign = 1.0 if self.stricter == "lower" else -1.0
        return min(values, key=lambda key: sign * values[key])


LIMITS: Final = (
    Limit(keys=("trading.max_position_size", "risk.max_position_size")),
    Limit(keys=("trading.risk_per_trade", "risk.risk_per_trade")),
    Limit(
        keys=("trading.max_drawdown", "risk.max_drawdown"), older=("risk.max_drawdown_threshold",)
    ),
    Limit(
        keys=("trading.min_confidence",),
        older=("risk.min_confidence_threshold",),
        stricter="higher",
    ),
    Limit(keys=("risk.volatility_threshold",), older=("risk.max_volatility_threshold",)),
    Limit(keys=("risk.adjustments.strong_trend_factor",), older=("risk.adjustments.trend_factor",)),
)

OLDER_NAMES: Final = {older: limit.keys[-1] for limit in LIMITS for older in limit.older}
"""Older name -> the key whose type and range it has."""
