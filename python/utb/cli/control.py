"""`utb pause|resume|safe-mode|emergency-stop|reset|close-all`: straight to the trading process."""

from pathlib import Path
from typing import Final

from utb.bootstrap.control import Given, give
from utb.cli.common import Stateful, write_json, write_line, write_note
from utb.domain import commands as cmd
from utb.domain.commands import Refusal
from utb.errors import TransientError

_DEFAULT: Final = Stateful()
_STATE: Final = Path("state")
FAILED: Final = 1


def pause(*, common: Stateful = _DEFAULT) -> int:
    """Stop entries; exits go on."""
    return _control(cmd.Pause, "Entries are stopped; exits go on.", common)


def resume(*, common: Stateful = _DEFAULT) -> int:
    """Trade again after a pause or safe mode."""
    return _control(cmd.Resume, "Entries are allowed again.", common)


def safe_mode(*, common: Stateful = _DEFAULT) -> int:
    """Allow only reducing orders, and tighten stops."""
    return _control(cmd.SafeMode, "Only reducing orders from now on; stops are tightened.", common)


def emergency_stop(*, common: Stateful = _DEFAULT) -> int:
    """Sell everything and refuse entries until a reset."""
    done = "Everything is being sold; no entries until `utb reset`."
    return _control(cmd.EmergencyStop, done, common)


def reset(*, common: Stateful = _DEFAULT) -> int:
    """Leave the emergency stop."""
    return _control(
        cmd.Reset, "The emergency stop is over; the peak starts at today's equity.", common
    )


def close_all(*, common: Stateful = _DEFAULT) -> int:
    """Sell every position at market."""
    return _control(cmd.CloseAll, "Every position is being sold.", common)


def _control(kind: type[cmd.Command], done: str, common: Stateful) -> int:
    state_dir = common.state or _STATE
    try:
        given = give(state_dir, kind, "cli")
    except TransientError as error:
        if common.json:
            write_json({"accepted": False, "error": str(error)})
        else:
            write_note(f"nothing was done: {error} (state directory {state_dir})")
        return FAILED
    if common.json:
        write_json(_told(given))
    elif isinstance(given.answer, Refusal):
        answer = given.answer
        write_note(
            f"refused ({answer.code}): {answer.field} is {answer.value}, expected {answer.expected}"
        )
    else:
        write_line(done if given.state is None else f"{done} State: {given.state}.")
    return 0 if given.accepted else FAILED


def _told(given: Given) -> dict[str, object]:
    answer = given.answer
    told: dict[str, object] = {"accepted": given.accepted, "command_id": answer.command_id}
    if isinstance(answer, Refusal):
        told |= {
            "code": answer.code,
            "field": answer.field,
            "value": answer.value,
            "expected": answer.expected,
        }
    else:
        told |= {"seq": answer.seq, "state": given.state}
    return told
