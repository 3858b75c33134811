"""Where a source is, and how its failures are told to a person."""

import socket
import ssl
from typing import Final
from urllib.parse import urlsplit

import msgspec

LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})

_PORTS: Final = {"http": 80, "https": 443, "ws": 80, "wss": 443}
_SECURE: Final = frozenset({"https", "wss"})


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A base address, taken apart."""

    setting: str
    """Key of the configuration that holds it, for messages."""
    scheme: str
    host: str
    port: int
    path: str
    """Without a slash at its end; empty for the root."""

    @classmethod
    def of(cls, url: str, setting: str) -> "Endpoint":
        """Take an address of the configuration apart; its form is checked there."""
        parts = urlsplit(url)
        return cls(
            setting=setting,
            scheme=parts.scheme,
            host=parts.hostname or "",
            port=parts.port or _PORTS[parts.scheme],
            path=parts.path.rstrip("/"),
        )

    @property
    def secure(self) -> bool:
        """Return whether the connection is encrypted."""
        return self.scheme in _SECURE

    @property
    def keeps_secrets(self) -> bool:
        """Return whether a key may be sent there: encrypted, or without leaving the machine."""
        return self.secure or self.host in LOOPBACK

    @property
    def authority(self) -> str:
        """Return host and port as a `Host` header has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    def unreachable(self, error: OSError) -> str:
        """Return a sentence: what could not be reached, why, and what to do."""
        advice = f"check the internet connection or {self.setting}"
        if isinstance(error, ssl.SSLCertVerificationError):
            cause = f"its certificate is not trusted ({error.verify_message})"
            advice = f"check the machine's clock and certificates or {self.setting}"
        elif isinstance(error, ssl.SSLError):
            cause = "no encrypted connection"
        elif isinstance(error, socket.gaierror):
            cause = "name not found"
        elif isinstance(error, ConnectionRefusedError):
            cause = "connection refused"
            advice = f"check that it runs, or {self.setting}"
        elif isinstance(error, TimeoutError):
            cause = "no answer to the connection"
        elif isinstance(error, ConnectionError):
            cause = "connection reset"
        else:
            cause = (error.strerror or "the network failed").lower()
        return f"cannot reach {self.authority}: {cause}; {advice}"
