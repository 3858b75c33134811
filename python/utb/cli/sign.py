"""`utb sign`, `utb sign halt`, `utb sign resume`, `utb sign codes`."""

import signal
from pathlib import Path
from typing import Final

from cyclopts import App

from utb.bootstrap.signing import SignOptions, set_halt, sign
from utb.bootstrap.wallet import key_file
from utb.cli.common import Common, Stateful, write_json, write_line, write_note
from utb.config import secrets
from utb.config.load import resolve
from utb.engine.signer import refusal_codes
from utb.signing.passphrase import asked, from_descriptor, from_file

app: Final = App(
    name="sign",
    help=(
        "Hold the wallet's key and sign what the policy lets pass.\n\n"
        "For example: utb sign --state ./state"
    ),
)

_DEFAULT: Final = Stateful()
_COMMON: Final = Common()
INTERRUPTED: Final = 130
STATE: Final = Path("state")


@app.default
def serve(
    *,
    key: Path | None = None,
    passphrase_file: Path | None = None,
    passphrase_fd: int | None = None,
    common: Stateful = _DEFAULT,
) -> int:
    """Hold the key and sign.

    Listens on a Unix socket of its own user, judges every message by itself, and remembers what it
    signed. The passphrase comes from a file, a file descriptor or the terminal, never from the
    command line or the environment.

    For example: utb sign --state ./state --passphrase-fd 3 3< passphrase

    Args:
        key: Key file; default WALLET_PRIVATE_KEY_PATH.
        passphrase_file: File of the passphrase; default signer.passphrase_file.
        passphrase_fd: Open file descriptor to read the passphrase from.
        common: Options of every command.
    """
    variables = secrets.read()
    loaded = resolve(common.config, variables, common.settings)
    for note in loaded.notes:
        write_note(f"note: {note}")
    path, encrypted = key_file(key, variables.secrets())
    file = passphrase_file or _path(loaded.config.signer.passphrase_file)
    secret = None
    if encrypted:
        if passphrase_fd is not None:
            secret = from_descriptor(passphrase_fd)
        else:
            secret = from_file(file) if file is not None else asked(twice=False)
    options = SignOptions(state_dir=common.state or STATE, key=path, passphrase=secret)
    return INTERRUPTED if sign(loaded, options) is signal.SIGINT else 0


@app.command
def halt(*, common: Stateful = _DEFAULT) -> int:
    """Sign exits only from now on, until `utb sign resume`.

    For example: utb sign halt --state ./state

    Args:
        common: Options of every command.
    """
    changed = set_halt(common.state or STATE, on=True)
    _tell(common, halted=True, changed=changed)
    return 0


@app.command
def resume(*, common: Stateful = _DEFAULT) -> int:
    """Sign entries again; only the signer's own user can.

    For example: utb sign resume --state ./state

    Args:
        common: Options of every command.
    """
    changed = set_halt(common.state or STATE, on=False)
    _tell(common, halted=False, changed=changed)
    return 0


@app.command
def codes(*, common: Common = _COMMON) -> int:
    """List the codes of refusals.

    For example: utb sign codes

    Args:
        common: Options of every command.
    """
    listed = refusal_codes()
    if common.json:
        write_json({code.name: code.words for code in listed})
        return 0
    width = max(len(code.name) for code in listed)
    for code in listed:
        write_line(f"{code.name:{width}}  {code.words}")
    return 0


def _tell(common: Common, *, halted: bool, changed: bool) -> None:
    if common.json:
        write_json({"halted": halted, "changed": changed})
        return
    state = "halted: only exits are signed" if halted else "not halted"
    write_line(state if changed else f"{state} (as before)")


def _path(text: str) -> Path | None:
    return Path(text) if text else None
