"""Tables `[server]` and `[[server.keys]]`: who may ask `utb serve`, from where and how often."""

from typing import Annotated, Literal

from msgspec import Meta

from utb.config.ranges import PerMinute
from utb.config.table import Table

Host = Annotated[
    str,
    Meta(
        pattern=r"^(\[[0-9A-Fa-f:.]{2,45}\]|[0-9A-Za-z][0-9A-Za-z.-]{0,252})\Z",
        description='a host name or address without port, for example "bot.example.org" or "[::1]"',
    ),
]
Origin = Annotated[
    str,
    Meta(
        pattern=r"^https?://[^\s/@?#]{1,255}\Z",
        description='an origin, for example "https://bot.example.org"',
    ),
]
Port = Annotated[int, Meta(ge=0, le=65_535)]
KeyName = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9_-]{1,32}\Z",
        description="a name of up to 32 letters, digits, - and _",
    ),
]
KeyHash = Annotated[
    str,
    Meta(
        pattern=r"^[0-9a-f]{64}\Z",
        description="a SHA-256 in 64 hexadecimal digits, as `utb keys new` prints it",
    ),
]
Day = Annotated[
    str,
    Meta(
        pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])\Z",
        description='the first day (UTC) it is no longer valid, for example "2027-01-31"',
    ),
]

Scope = Literal["read", "trade", "admin"]


class ServerKey(Table, frozen=True):
    """One `[[server.keys]]` table: an API key, of which only the hash is kept."""

    id: KeyName
    sha256: KeyHash
    scopes: Annotated[tuple[Scope, ...], Meta(min_length=1, max_length=3)]
    expires: Day | None = None
    """None: never."""


class Server(Table, frozen=True):
    """The API and the dashboard."""

    host: Host
    port: Port
    """0: any free one."""
    allowed_hosts: Annotated[tuple[Host, ...], Meta(min_length=1, max_length=64)]
    """Names a request's Host may have, beside the address itself."""
    origins: Annotated[tuple[Origin, ...], Meta(max_length=64)]
    """Origins beside our own that may change things or open `/ws`."""
    rate_limit_per_minute: PerMinute
    """Requests per key, or per address without one."""
    body_bytes_max: Annotated[int, Meta(ge=1_024, le=1_048_576)]
    keys: tuple[ServerKey, ...] = ()
