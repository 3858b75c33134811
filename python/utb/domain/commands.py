"""Commands an operator or the API may give, and the answers."""

import msgspec

from utb.domain.names import Side


class _Command(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    command_id: str
    """A repeat of an id is answered, not repeated."""
    issued_by: str


class Trade(_Command, frozen=True, kw_only=True, tag="trade"):
    """Place a manual order."""

    instrument: int
    side: Side
    size_base_raw: int
    stop: float | None = None
    target: float | None = None


class ClosePosition(_Command, frozen=True, kw_only=True, tag="close_position"):
    """Sell a position, or a fraction of it."""

    position_id: int
    fraction: float = 1.0


class CloseAll(_Command, frozen=True, kw_only=True, tag="close_all"):
    """Sell every position."""


class Pause(_Command, frozen=True, kw_only=True, tag="pause"):
    """Stop entries; exits go on."""


class Resume(_Command, frozen=True, kw_only=True, tag="resume"):
    """Return to RUNNING from PAUSED or SAFE_MODE."""


class SafeMode(_Command, frozen=True, kw_only=True, tag="safe_mode"):
    """Only reducing orders, stops tightened."""


class EmergencyStop(_Command, frozen=True, kw_only=True, tag="emergency_stop"):
    """Close all and refuse entries until a reset."""


class Reset(_Command, frozen=True, kw_only=True, tag="reset"):
    """Leave EMERGENCY_STOP."""


class Shutdown(_Command, frozen=True, kw_only=True, tag="shutdown"):
    """End the session in order."""


Command = (
    Trade | ClosePosition | CloseAll | Pause | Resume | SafeMode | EmergencyStop | Reset | Shutdown
)


class Accepted(msgspec.Struct, frozen=True, kw_only=True, tag="accepted"):
    """The command was taken; its effects follow record `seq`."""

    command_id: str
    seq: int
    last_seq: int = 0
    """Sequence of the last record the command itself caused: a reader that has it has read it."""


class Refusal(msgspec.Struct, frozen=True, kw_only=True, tag="refused"):
    """The command was not taken."""

    command_id: str
    code: str
    field: str
    value: str
    expected: str


Answer = Accepted | Refusal
