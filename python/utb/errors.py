"""Exceptions, named by what the caller should do.

    UtbError                    exit 1
    ├── ConfigError             stop: the configuration or environment is wrong; exit 2
    ├── UsageError              stop: a command's argument or input file is wrong; exit 2
    ├── TransientError          retry, a bounded number of times
    ├── VenueRejected           drop the order
    ├── InvariantError          halt: our own state contradicts itself
    └── RefusedError            stop: refused for safety; exit 3
        └── LiveRefused         live trading refused; exit 10-15, one per cause

An interrupted command exits with 130. Expected failures inside the trading path are values
(`RiskRefused`, `Refusal`), not exceptions.
"""

from enum import Enum

import msgspec


class UtbError(Exception):
    """Base of every error this package raises on purpose."""

    exit_code: int = 1


class ConfigProblem(msgspec.Struct, frozen=True, kw_only=True):
    """One mistake in a configuration file or in the environment."""

    file: str
    line: int | None = None
    key: str
    """Dotted key, variable name, or empty when the whole file is meant."""
    value: str
    """The value as written, cut short; `***` where it may be a secret; empty when there is none."""
    expected: str
    hint: str = ""

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        what = self.key
        if self.value:
            what = f"{what} = {self.value}" if what else self.value
        what = f"{what}: " if what else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{place}: {what}expected {self.expected}{hint}"


class ConfigError(UtbError):
    """The configuration cannot be used; holds every problem found."""

    exit_code = 2

    def __init__(self, problems: tuple[ConfigProblem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class UsageError(UtbError):
    """An argument or input file is wrong."""

    exit_code = 2

    def __init__(self, field: str, value: str, expected: str) -> None:
        super().__init__(f"{field} is {value}, expected {expected}")
        self.field = field
        self.value = value
        self.expected = expected


class TransientError(UtbError):
    """The other side failed in a way that may pass."""

    def __init__(self, source: str, reason: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(f"{source}: {reason}")
        self.source = source
        self.reason = reason
        self.retry_after_s = retry_after_s


class VenueRejected(UtbError):  # noqa: N818 - the field's word for it
    """The venue said no to an order."""

    def __init__(self, intent_id: str, reason: str) -> None:
        super().__init__(f"order {intent_id} rejected: {reason}")
        self.intent_id = intent_id
        self.reason = reason


class InvariantError(UtbError):
    """Something that cannot happen did; nothing that follows could be trusted."""


class RefusedError(UtbError):
    """Refused for safety."""

    exit_code = 3


class LiveCause(Enum):
    """Why live trading does not start: exit code and reason."""

    ONE_SWITCH = (10, "only one of the two switches is on live")
    NO_KEY = (11, "there is no wallet whose key is safe to use")
    NO_RPC = (12, "no RPC endpoint answers")
    FOREIGN_GENESIS = (13, "an RPC endpoint is of another chain")
    SHORTFALL = (14, "the wallet holds less than the journal says, and nothing explains it")
    LOCKED = (15, "another instance uses this wallet")

    @property
    def exit_code(self) -> int:
        """Return the exit code of this cause."""
        return self.value[0]

    @property
    def reason(self) -> str:
        """Return the cause as a sentence part."""
        return self.value[1]


class LiveRefused(RefusedError):  # noqa: N818 - as RiskRefused
    """Live trading was asked for and does not start."""

    def __init__(self, cause: LiveCause, words: str) -> None:
        """Refuse for a cause; `words` say what was found and what to do, as a sentence part."""
        super().__init__(f"live trading refused: {cause.reason}: {words}")
        self.cause = cause
        self.exit_code = cause.exit_code
