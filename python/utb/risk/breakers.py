"""Guards that stop entries until their cause ends: one state machine, time passed in.

Every change is a `Breaker` record; `apply` folds records, so that a replica or a restart has the
same state. Inputs that are absent trip nothing here: the gate itself refuses what it cannot
check. Inputs that are not numbers trip.
"""

from math import isfinite, sqrt
from typing import Final

import msgspec

from utb.config.schema import Config
from utb.domain.amounts import ratio
from utb.domain.names import BreakerKind
from utb.domain.records import Breaker, EquityMarked
from utb.errors import InvariantError

EWMA_LAMBDA: Final = 0.94
"""Decay per day of the variance. Source: RiskMetrics Technical Document (1996), daily data."""
WARNING_RELEASE: Final = 0.9
"""The drawdown warning ends this far below its level, so that it does not flicker on it."""
_MINUTE_NS: Final = 60_000_000_000
_FORMAT_VERSION: Final = 1


class BreakerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """When each guard trips."""

    emergency_stop_enabled: bool
    max_drawdown: float
    drawdown_warning: float
    """Drawdown at which the warning starts, as a fraction of the peak."""
    volatility_max: float
    cooling_off_ns: int
    manipulation_wallet_share: float
    manipulation_sale_share: float


def breaker_settings(config: Config) -> BreakerSettings:
    """Return the guards' limits; one that stands in two tables at its stricter value."""
    risk = config.risk
    max_drawdown = min(config.trading.max_drawdown, risk.max_drawdown)
    return BreakerSettings(
        emergency_stop_enabled=risk.emergency_stop_enabled,
        max_drawdown=max_drawdown,
        drawdown_warning=risk.drawdown_warning * max_drawdown,
        volatility_max=risk.volatility_threshold,
        cooling_off_ns=int(risk.cooling_off_minutes * _MINUTE_NS),
        manipulation_wallet_share=risk.manipulation_wallet_share,
        manipulation_sale_share=risk.manipulation_sale_share,
    )


class BreakerState(msgspec.Struct, kw_only=True):
    """What is tripped, and the running volatility."""

    version: int = _FORMAT_VERSION
    active: list[Breaker] = []
    """In the order they tripped; one per kind and instrument."""
    volatility_daily: float | None = None
    last_day: int | None = None
    last_nav: float = 0.0


class Whales(msgspec.Struct, frozen=True, kw_only=True):
    """Ten minutes of one instrument's swaps; None = not known."""

    top_wallet_buy_share: float | None
    """One wallet's part of the bought volume."""
    top_wallet_sell_share: float | None
    """The same wallet's part of the sold volume."""
    largest_sale_share: float | None
    """Largest sale / liquidity of the pool."""


class Breakers:
    """The guards of one account; every method returns the records of what changed."""

    def __init__(self, settings: BreakerSettings, state: BreakerState | None = None) -> None:
        self._settings = settings
        self.state = state if state is not None else BreakerState()

    @classmethod
    def load(cls, data: bytes, settings: BreakerSettings) -> "Breakers":
        """Return the guards `save` wrote.

        Raises:
            InvariantError: If the bytes are not guards of this format.
        """
        try:
            state = msgspec.msgpack.decode(data, type=BreakerState)
        except msgspec.DecodeError as error:
            raise InvariantError(f"the saved breakers cannot be read: {error}") from error
        if state.version != _FORMAT_VERSION:
            raise InvariantError(f"the saved breakers have format {state.version}")
        return cls(settings, state)

    def save(self) -> bytes:
        """Return the whole state as bytes."""
        return msgspec.msgpack.encode(self.state)

    @property
    def active(self) -> tuple[Breaker, ...]:
        """Return what is tripped, oldest first."""
        return tuple(self.state.active)

    @property
    def volatility_daily(self) -> float | None:
        """Return the EWMA volatility of daily values; None before two days."""
        return self.state.volatility_daily

    def find(self, kind: BreakerKind, instrument: int | None = None) -> Breaker | None:
        """Return the tripped guard of a kind, of one instrument or of the account."""
        for breaker in self.state.active:
            if breaker.kind == kind and breaker.instrument == instrument:
                return breaker
        return None

    def next_end_ns(self) -> int | None:
        """Return when the next cooling-off time ends."""
        active = self.state.active
        if not active:
            return None
        return min((b.until_ts_ns for b in active if b.until_ts_ns), default=None)

    def apply(self, record: Breaker | EquityMarked) -> None:
        """Fold a record; one this object returned itself changes nothing more."""
        if isinstance(record, EquityMarked):
            if record.day is not None and record.units_raw > 0:
                self.state.volatility_daily = record.volatility_daily
                self.state.last_day = record.day
                self.state.last_nav = ratio(record.equity_quote_raw, record.units_raw)
            return
        kept = [
            b
            for b in self.state.active
            if b.kind != record.kind or b.instrument != record.instrument
        ]
        self.state.active = [*kept, record] if record.active else kept

    def on_drawdown(self, ts_ns: int, drawdown: float) -> list[Breaker]:
        """Take the present drawdown, 0..1: warning, and the emergency stop above the limit.

        The stop stays until `reset`, whatever the drawdown does.
        """
        settings, changes = self._settings, list[Breaker]()
        warned = self.find(BreakerKind.DRAWDOWN_WARNING)
        level = settings.drawdown_warning
        if warned is None and drawdown >= level:
            changes += self._trip(
                ts_ns, BreakerKind.DRAWDOWN_WARNING, drawdown, level, "drawdown near its limit"
            )
        elif warned is not None and drawdown < level * WARNING_RELEASE:
            changes += self._clear(ts_ns, warned, drawdown, "the drawdown fell")
        limit = settings.max_drawdown
        stopped = self.find(BreakerKind.DRAWDOWN)
        if settings.emergency_stop_enabled and stopped is None and drawdown > limit:
            cause = "drawdown above its limit: emergency stop"
            changes += self._trip(ts_ns, BreakerKind.DRAWDOWN, drawdown, limit, cause)
        return changes

    def on_day(self, ts_ns: int, day: int, equity_raw: int, units_raw: int) -> list[Breaker]:
        """Take the value at the end of a UTC day; days without a mark count as evenly spent.

        Args:
            ts_ns: Time of the mark.
            day: Days since the epoch, of the day that ended.
            equity_raw: Equity, quote raw, > 0.
            units_raw: Units of the account, > 0: deposits and withdrawals are neutral.
        """
        state = self.state
        if (
            units_raw <= 0
            or equity_raw <= 0
            or (state.last_day is not None and day <= state.last_day)
        ):
            return []
        nav = ratio(equity_raw, units_raw)
        if state.last_day is not None and state.last_nav > 0.0:
            state.volatility_daily = ewma_volatility(
                state.volatility_daily, nav / state.last_nav - 1.0, day - state.last_day
            )
        state.last_day, state.last_nav = day, nav
        volatility, limit = state.volatility_daily, self._settings.volatility_max
        if volatility is None:
            return []
        tripped = self.find(BreakerKind.PORTFOLIO_VOLATILITY)
        if tripped is None and not volatility <= limit:
            kind = BreakerKind.PORTFOLIO_VOLATILITY
            return self._trip(ts_ns, kind, volatility, limit, "daily volatility above its limit")
        if tripped is not None and volatility <= limit:
            return self._clear(ts_ns, tripped, volatility, "the volatility fell")
        return []

    def on_flash_crash(
        self, ts_ns: int, instrument: int, *, fall: float, limit: float
    ) -> list[Breaker]:
        """Take a flash crash: the instrument cools off, from now on if it already did."""
        return self._cool_off(ts_ns, BreakerKind.FLASH_CRASH, instrument, (fall, limit))

    def on_whales(self, ts_ns: int, instrument: int, whales: Whales) -> list[Breaker]:
        """Take ten minutes of swaps: one wallet on both sides, or one sale too large."""
        settings, kind = self._settings, BreakerKind.WHALE_MANIPULATION
        limit = settings.manipulation_wallet_share
        buys, sells = whales.top_wallet_buy_share, whales.top_wallet_sell_share
        if _above(buys, limit) and _above(sells, limit):
            value = min(buys or 0.0, sells or 0.0)
            return self._cool_off(ts_ns, kind, instrument, (value, limit))
        limit, sale = settings.manipulation_sale_share, whales.largest_sale_share
        if _above(sale, limit):
            return self._cool_off(ts_ns, kind, instrument, (sale or 0.0, limit))
        return []

    def on_health(
        self, ts_ns: int, *, healthy: bool, cause: str, instrument: int | None = None
    ) -> list[Breaker]:
        """Take the system's health, or one instrument's feed's; it ends when healthy again."""
        tripped = self.find(BreakerKind.UNHEALTHY, instrument)
        if healthy:
            return self._clear(ts_ns, tripped, 0.0, cause) if tripped is not None else []
        if tripped is not None and tripped.cause == cause:
            return []
        return self._trip(ts_ns, BreakerKind.UNHEALTHY, 1.0, 0.0, cause, instrument=instrument)

    def on_discrepancy(self, ts_ns: int, words: str) -> list[Breaker]:
        """Take what reconciliation found: chain and book differ, or (empty words) agree again."""
        tripped = self.find(BreakerKind.RECONCILIATION)
        if not words:
            return [] if tripped is None else self._clear(ts_ns, tripped, 0.0, "it agrees again")
        if tripped is not None and tripped.cause == words:
            return []
        return self._trip(ts_ns, BreakerKind.RECONCILIATION, 1.0, 0.0, words)

    def advance(self, ts_ns: int) -> list[Breaker]:
        """End the cooling-off times that are over."""
        over = [
            b for b in self.state.active if b.until_ts_ns is not None and b.until_ts_ns <= ts_ns
        ]
        return [c for b in over for c in self._clear(ts_ns, b, b.value, "cooled off")]

    def reset(self, ts_ns: int, cause: str) -> list[Breaker]:
        """End the emergency stop, on an operator's word; the caller restarts the peak.

        A discrepancy that the operator has looked into ends, too; the next reading finds it again
        if it is still there.
        """
        kinds = (
            BreakerKind.DRAWDOWN,
            BreakerKind.DRAWDOWN_WARNING,
            BreakerKind.RECONCILIATION,
        )
        found = [b for b in self.state.active if b.kind in kinds]
        return [c for b in found for c in self._clear(ts_ns, b, b.value, cause)]

    def _cool_off(
        self, ts_ns: int, kind: BreakerKind, instrument: int, figures: tuple[float, float]
    ) -> list[Breaker]:
        until = ts_ns + self._settings.cooling_off_ns
        cause = "cooling off"
        return self._trip(ts_ns, kind, *figures, cause, instrument=instrument, until_ts_ns=until)

    def _trip(  # noqa: PLR0913 - a record's fields
        self,
        ts_ns: int,
        kind: BreakerKind,
        value: float,
        limit: float,
        cause: str,
        *,
        instrument: int | None = None,
        until_ts_ns: int | None = None,
    ) -> list[Breaker]:
        record = Breaker(
            ts_ns=ts_ns,
            kind=kind,
            instrument=instrument,
            active=True,
            until_ts_ns=until_ts_ns,
            # A record holds finite numbers; what is not a number has tripped at its limit
            value=value if isfinite(value) else limit,
            limit=limit,
            cause=cause,
        )
        self.apply(record)
        return [record]

    def _clear(self, ts_ns: int, breaker: Breaker, value: float, cause: str) -> list[Breaker]:
        record = msgspec.structs.replace(
            breaker, ts_ns=ts_ns, active=False, until_ts_ns=None, value=value, cause=cause
        )
        self.apply(record)
        return [record]


def ewma_volatility(volatility: float | None, change: float, days: int) -> float:
    """Return the volatility after one more return; a return over several days is spread evenly.

    Args:
        volatility: Before; None at the first return, whose size then is the volatility.
        change: Return since the last value.
        days: Days it took, >= 1.
    """
    daily = change * change / days
    if volatility is None:
        return sqrt(daily)
    decay = EWMA_LAMBDA**days
    return sqrt(decay * volatility * volatility + (1.0 - decay) * daily)


def _above(value: float | None, limit: float) -> bool:
    """Return whether a figure is above its limit; not a number is, absent is not."""
    return value is not None and not value <= limit
