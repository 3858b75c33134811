"""Addresses that a process listens on."""

import ipaddress
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from utb.errors import UsageError

PORT_MAX: Final = 65_535
_LOCALHOST: Final = "localhost"


def bare(host: str) -> str:
    """Return a host as sockets take it: an IPv6 address without its brackets."""
    return host.removeprefix("[").removesuffix("]")


def shown(host: str) -> str:
    """Return a host as an address has it: an IPv6 address in brackets."""
    return f"[{host}]" if ":" in host else host


def is_loopback(host: str) -> bool:
    """Return whether only this machine reaches a server that listens on `host`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == _LOCALHOST


@contextmanager
def listening(host: str, port: int, backlog: int) -> Iterator[socket.socket]:
    """Yield a bound socket.

    Args:
        host: Name or bare address.
        port: 0 for any.
        backlog: Connections that wait to be taken.

    Raises:
        UsageError: If the port is none, or the address cannot be had.
    """
    if not 0 <= port <= PORT_MAX:
        raise UsageError("--port", str(port), f"a number from 0 to {PORT_MAX}")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, port))
            # From here on a connection waits for us instead of being refused
            listener.listen(backlog)
        except OSError as error:
            reason = error.strerror or str(error)
            raise UsageError(
                "--port",
                f"{port} on {host}",
                f"a free one ({reason}): choose another, or 0 for any",
            ) from error
        yield listener
