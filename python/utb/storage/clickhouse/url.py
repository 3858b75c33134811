"""Where the store is: `CLICKHOUSE_URL`, read into its parts."""

import re
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

from utb.config.table import Secret
from utb.errors import ConfigError, ConfigProblem

VARIABLE: Final = "CLICKHOUSE_URL"
DATABASE: Final = "utb"
EXPECTED: Final = "http(s)://[NAME[:PASSWORD]@]HOST[:PORT][/DATABASE][?cluster=NAME]"
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}\Z")
_PORTS: Final = {"http": 8123, "https": 8443}


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A ClickHouse server's address; its repr shows no password."""

    secure: bool
    host: str
    port: int
    username: str
    password: Secret
    database: str
    cluster: str | None

    @property
    def address(self) -> str:
        """Return the address without user and password."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.secure else 'http'}://{host}:{self.port}/{self.database}"


def parse_url(secret: Secret) -> Endpoint:
    """Return the parts of a URL.

    Raises:
        ConfigError: If it is none; the message shows no part of it.
    """
    try:
        parts = urlsplit(secret.reveal().strip())
        port = parts.port
        host = parts.hostname
    except ValueError as error:
        raise _problem(EXPECTED, "the port is not a number from 1 to 65535") from error
    if parts.scheme not in _PORTS or not host or port == 0:
        raise _problem(EXPECTED)
    database = unquote(parts.path).strip("/") or DATABASE
    if not _NAME.match(database):
        raise _problem("a database named by letters, digits and _, at most 64")
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    cluster = options.pop("cluster", None)
    if options:
        raise _problem("no option but cluster", "the others belong to the server's configuration")
    if cluster is not None and not _NAME.match(cluster):
        raise _problem("a cluster named by letters, digits and _, at most 64")
    return Endpoint(
        secure=parts.scheme == "https",
        host=host,
        port=port or _PORTS[parts.scheme],
        username=unquote(parts.username or "default"),
        password=Secret(unquote(parts.password or "")),
        database=database,
        cluster=cluster,
    )


def _problem(expected: str, hint: str = "") -> ConfigError:
    problem = ConfigProblem(
        file="environment", key=VARIABLE, value="***", expected=expected, hint=hint
    )
    return ConfigError((problem,))
