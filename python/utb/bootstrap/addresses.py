"""Where the processes of this machine listen."""

import errno
import socket
from collections.abc import Sequence
from typing import Final

from utb.errors import UsageError
from utb.serving.addresses import PORT_MAX, bare, shown

LOOPBACK: Final = "127.0.0.1"
_WILDCARDS: Final = frozenset({"0.0.0.0", "::", "[::]"})  # noqa: S104 - compared, not bound
CONNECT_TIMEOUT_S: Final = 0.2
TRIED_MAX: Final = 100


def is_free(host: str, port: int) -> bool:
    """Return whether a server could listen there now.

    Raises:
        UsageError: If nothing could ever listen there: a foreign address, or no right to.
    """
    name = bare(host)
    family = socket.AF_INET6 if ":" in name else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # As servers do: what is left of old connections does not keep a port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((name, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
            raise UsageError(
                "--port", f"{port} on {host}", f"an address to listen on ({error.strerror})"
            ) from error
    return True


def free_port(wanted: int, taken: Sequence[int] = (), host: str = LOOPBACK) -> int:
    """Return a port that is free now: `wanted`, or the next one that is.

    Not one that the kernel chooses: those are lent to clients, and a server that falls might find
    its port lent when it comes back.

    Raises:
        UsageError: If none of the next hundred is free.
    """
    for port in range(wanted, min(wanted + TRIED_MAX, PORT_MAX + 1)):
        if port not in taken and is_free(host, port):
            return port
    raise UsageError("--port", str(wanted), f"a free port among the {TRIED_MAX} from there on")


def answers(host: str, port: int) -> bool:
    """Return whether something takes connections there."""
    try:
        with socket.create_connection((reachable(host), port), CONNECT_TIMEOUT_S):
            return True
    except OSError:
        return False


def reachable(host: str) -> str:
    """Return the host by which this machine reaches a server that listens on `host`."""
    return LOOPBACK if host in _WILDCARDS else bare(host)


def url(host: str, port: int, path: str = "") -> str:
    """Return the address for a browser on this machine."""
    return f"http://{shown(reachable(host))}:{port}{path}"
