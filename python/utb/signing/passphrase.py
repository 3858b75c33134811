"""How a passphrase comes in: from a file, a file descriptor or a prompt; never argv or environ."""

import getpass
import os
import stat
import sys
from pathlib import Path
from typing import Final

from utb.errors import UsageError

BYTES_MAX: Final = 1_024
_OTHERS: Final = 0o077
_STDERR: Final = 2


def from_file(path: Path) -> bytearray:
    """Return the first line of a file that only its owner may read.

    Raises:
        UsageError: The file is not there, not safe, or too long.
    """
    field = "passphrase file"
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise UsageError(field, str(path), f"a readable file ({error.strerror})") from error
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
            raise UsageError(field, str(path), "a regular file of this user")
        if found.st_mode & _OTHERS:
            mode = f"{path} (mode {stat.S_IMODE(found.st_mode):04o})"
            raise UsageError(field, mode, "a file that others cannot read: chmod 600")
        return _line(descriptor, field)
    finally:
        os.close(descriptor)


def from_descriptor(descriptor: int) -> bytearray:
    """Return the first line of an open file descriptor, and close it.

    Raises:
        UsageError: It is not open for reading, or the line is too long.
    """
    if descriptor <= _STDERR and descriptor != 0:
        raise UsageError("--passphrase-fd", str(descriptor), "0, or 3 and above")
    try:
        return _line(descriptor, "--passphrase-fd")
    except OSError as error:
        expected = f"a descriptor open for reading ({error.strerror})"
        raise UsageError("--passphrase-fd", str(descriptor), expected) from error
    finally:
        if descriptor:
            _close(descriptor)


def asked(*, twice: bool) -> bytearray:
    """Ask for it on the terminal; `twice` for a new one.

    Raises:
        UsageError: There is no terminal, or the two do not agree.
    """
    if not sys.stdin.isatty():
        raise UsageError(
            "passphrase", "not given", "signer.passphrase_file, --passphrase-fd, or a terminal"
        )
    first = getpass.getpass("Passphrase: ")
    if twice and getpass.getpass("Again: ") != first:
        raise UsageError("passphrase", "given twice", "the same both times")
    return bytearray(first.encode())


def wipe(secret: bytearray | None) -> None:
    """Write zeros over a passphrase."""
    if secret is not None:
        secret[:] = bytes(len(secret))


def _close(descriptor: int) -> None:
    try:
        os.close(descriptor)
    except OSError as error:
        raise UsageError("--passphrase-fd", str(descriptor), f"open ({error.strerror})") from error


def _line(descriptor: int, field: str) -> bytearray:
    secret = bytearray(BYTES_MAX + 1)
    length = 0
    view = memoryview(secret)
    while length < len(secret):
        count = os.readv(descriptor, [view[length:]])
        if count == 0:
            break
        length += count
    view.release()
    end = secret.find(b"\n", 0, length)
    end = length if end < 0 else end
    if not 0 < end <= BYTES_MAX:
        wipe(secret)
        raise UsageError(field, "empty or too long", f"a line of 1 to {BYTES_MAX} bytes")
    line = bytearray(memoryview(secret)[:end])
    wipe(secret)
    return line
