"""Options that every command shares, and where its output goes."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from cyclopts import Parameter

from utb.errors import UsageError

WIDE: Final = 100_000
"""Width of a console on which every row of a table is one line."""


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Common:
    """Options of every command."""

    config: Annotated[Path | None, Parameter(help="File; default config/trading.toml.")] = None
    settings: Annotated[
        tuple[str, ...],
        Parameter(
            name="--set",
            help="Value KEY=VALUE that wins over the file and the environment; may be repeated.",
            negative="",
            show_default=False,
        ),
    ] = ()
    json: Annotated[bool, Parameter(help="One JSON object on stdout.", negative="")] = False


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Stateful(Common):
    """Options of commands that keep state."""

    state: Annotated[Path | None, Parameter(help="Directory of journal and bars.")] = None


def check_output(option: str, path: Path | None) -> None:
    """Refuse a file to write before the work whose outcome it shall hold.

    Raises:
        UsageError: If nothing can be written there.
    """
    if path is None:
        return
    if path.is_dir():
        raise UsageError(option, str(path), "a file: this is a directory")
    if not path.parent.is_dir():
        raise UsageError(option, str(path), "a file in a directory that exists")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise UsageError(option, str(path), "a file that can be written (no right to)")


def write_json(value: Any) -> None:
    """Write one JSON object to stdout."""
    sys.stdout.write(msgspec.json.encode(value).decode() + "\n")


def write_line(text: str) -> None:
    """Write a line of a command's result to stdout."""
    sys.stdout.write(text + "\n")


def write_note(text: str) -> None:
    """Write a line beside the result, to stderr."""
    sys.stderr.write(text + "\n")
