"""`utb wallet new|import|show|balance`."""

import os
from pathlib import Path
from typing import Final

import msgspec
from cyclopts import App

from utb.bootstrap.wallet import Holdings, holdings, key_file
from utb.cli.common import Common, write_json, write_line, write_note
from utb.config import secrets
from utb.config.load import resolve
from utb.engine.signer import keystore_import, keystore_new, keystore_show
from utb.signing.passphrase import asked, from_descriptor, from_file, wipe

app: Final = App(name="wallet", help="Make, import and show the wallet's key file.")

_DEFAULT: Final = Common()
LAMPORT_DIGITS: Final = 9


@app.command
def new(
    path: Path,
    *,
    passphrase_file: Path | None = None,
    passphrase_fd: int | None = None,
    common: Common = _DEFAULT,
) -> int:
    """Make a key and write its encrypted file.

    Without the file, or its passphrase, what the wallet holds is lost: keep a copy of both. No
    file is ever replaced.

    For example: utb wallet new ~/utb/wallet.json

    Args:
        path: New file, in a directory that others cannot write into.
        passphrase_file: File of the passphrase; default: asked for, twice.
        passphrase_fd: Open file descriptor to read the passphrase from.
        common: Options of every command.
    """
    secret = _passphrase(passphrase_file, passphrase_fd)
    try:
        address = keystore_new(path, secret, os.geteuid())
    finally:
        wipe(secret)
    _tell(common, path, address)
    return 0


@app.command(name="import")
def import_(
    source: Path,
    path: Path,
    *,
    passphrase_file: Path | None = None,
    passphrase_fd: int | None = None,
    common: Common = _DEFAULT,
) -> int:
    """Encrypt a plain Solana key file (as `solana-keygen` writes it) into a new one.

    The plain file stays: remove it when the new one works.

    For example: utb wallet import id.json ~/utb/wallet.json

    Args:
        source: The plain file.
        path: New file, in a directory that others cannot write into.
        passphrase_file: File of the passphrase; default: asked for, twice.
        passphrase_fd: Open file descriptor to read the passphrase from.
        common: Options of every command.
    """
    secret = _passphrase(passphrase_file, passphrase_fd)
    try:
        address = keystore_import(source, path, secret, os.geteuid())
    finally:
        wipe(secret)
    _tell(common, path, address)
    write_note(f"{source} still holds the key unencrypted: remove it when the new file works")
    return 0


@app.command
def show(*, key: Path | None = None, common: Common = _DEFAULT) -> int:
    """Show the wallet's address and whether its file is encrypted; no passphrase is needed.

    For example: utb wallet show --key ~/utb/wallet.json

    Args:
        key: Key file; default WALLET_PRIVATE_KEY_PATH.
        common: Options of every command.
    """
    path, encrypted = key_file(key, secrets.read().secrets())
    _, address = keystore_show(path, os.geteuid())
    if common.json:
        write_json({"wallet": address, "encrypted": encrypted})
        return 0
    write_line(address)
    if not encrypted:
        write_note("the file is not encrypted: `utb wallet import` makes one that is")
    return 0


@app.command
def balance(
    *, key: Path | None = None, address: str | None = None, common: Common = _DEFAULT
) -> int:
    """Show what the chain says the wallet holds.

    For example: utb wallet balance --key ~/utb/wallet.json

    Args:
        key: Key file; default WALLET_PRIVATE_KEY_PATH.
        address: Address of any wallet, in place of a key file.
        common: Options of every command.
    """
    variables = secrets.read()
    loaded = resolve(common.config, variables, common.settings)
    wallet = address
    if wallet is None:
        path, _ = key_file(key, variables.secrets())
        _, wallet = keystore_show(path, os.geteuid())
    found = holdings(loaded, variables.secrets(), wallet)
    if common.json:
        write_json(msgspec.to_builtins(found))
        return 0
    for line in _lines(found):
        write_line(line)
    return 0


def _lines(found: Holdings) -> list[str]:
    rows = [("SOL", found.lamports, LAMPORT_DIGITS)]
    rows += [(it.mint, it.amount_raw, it.decimals) for it in found.tokens]
    width = max(len(name) for name, _, _ in rows)
    return [f"{found.wallet} at slot {found.slot}"] + [
        f"{name:{width}}  {whole(raw, digits)}" for name, raw, digits in rows
    ]


def whole(raw: int, digits: int) -> str:
    """Return base units as whole ones, exactly."""
    if not digits:
        return str(raw)
    units, rest = divmod(raw, 10**digits)
    return f"{units}.{rest:0{digits}}"


def _passphrase(file: Path | None, descriptor: int | None) -> bytearray:
    if descriptor is not None:
        return from_descriptor(descriptor)
    return asked(twice=True) if file is None else from_file(file)


def _tell(common: Common, path: Path, address: str) -> None:
    if common.json:
        write_json({"wallet": address, "path": str(path)})
        return
    write_line(address)
    write_note(f"written to {path}; put into .env:")
    write_note(f"WALLET_ADDRESS={address}\nWALLET_PRIVATE_KEY_PATH={path}")
