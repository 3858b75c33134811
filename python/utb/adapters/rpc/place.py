"""Which endpoints there are: of the environment and of `[[rpc.endpoints]]`; keys stay hidden."""

from collections.abc import Sequence
from typing import Final
from urllib.parse import parse_qsl, urlsplit

import msgspec

from utb.adapters.net.endpoint import Endpoint
from utb.adapters.net.redact import Redactor
from utb.config.schema import Config
from utb.config.secrets import Secrets
from utb.config.table import Secret
from utb.config.values import MASK, is_http_address
from utb.errors import ConfigError, ConfigProblem

_SOCKET_SCHEMES: Final = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}
_SECRET_PART_CHARS: Final = 8
"""Parts of a path at least so long may be a key."""


class RpcPlace(msgspec.Struct, frozen=True, kw_only=True):
    """One endpoint's addresses and limits. Its repr shows no key."""

    name: str
    http: Endpoint
    socket: Endpoint
    query: tuple[tuple[str, Secret], ...] = ()
    """Parameters of both addresses."""
    secrets: tuple[Secret, ...] = ()
    """Texts that must never be shown."""
    requests_per_second: int

    def revealed_query(self) -> dict[str, str]:
        """Return the parameters; only for the call that needs them."""
        return {name: secret.reveal() for name, secret in self.query}

    def __repr__(self) -> str:
        return f"RpcPlace({self.name!r}, {self.http.authority!r})"


def places(config: Config, secrets: Secrets) -> tuple[RpcPlace, ...]:
    """Return the endpoints in the order QuickNode, Helius, `[[rpc.endpoints]]`.

    Raises:
        ConfigError: If `QUICKNODE_RPC_URL` is no address, or a key would leave the machine
            unencrypted.
    """
    rpc = config.rpc
    found = []
    if secrets.quicknode_rpc_url:
        url = secrets.quicknode_rpc_url.reveal()
        if not is_http_address(url):
            raise ConfigError((_problem("QUICKNODE_RPC_URL", "an address https://HOST/..."),))
        found.append(
            _place("quicknode", url, setting="QUICKNODE_RPC_URL", rate=rpc.requests_per_second)
        )
    if secrets.helius_api_key and rpc.helius_enabled:
        place = _place(
            "helius", rpc.helius_url, setting="rpc.helius_url", rate=rpc.requests_per_second
        )
        key = secrets.helius_api_key
        found.append(
            msgspec.structs.replace(place, query=(("api-key", key),), secrets=(*place.secrets, key))
        )
    for index, endpoint in enumerate(rpc.endpoints):
        place = _place(
            endpoint.name,
            endpoint.url,
            setting=f"rpc.endpoints[{index}].url",
            rate=endpoint.requests_per_second or rpc.requests_per_second,
        )
        if endpoint.ws_url is not None:
            socket = Endpoint.of(endpoint.ws_url, f"rpc.endpoints[{index}].ws_url")
            place = msgspec.structs.replace(place, socket=socket)
        found.append(place)
    problems = tuple(
        _problem(place.http.setting, "https (and wss): it holds a key, which would go unencrypted")
        for place in found
        if place.secrets and not (place.http.keeps_secrets and place.socket.keeps_secrets)
    )
    if problems:
        raise ConfigError(problems)
    return tuple(found)


def redactor(found: Sequence[RpcPlace]) -> Redactor:
    """Return what removes the keys of all of them."""
    return Redactor(secret for place in found for secret in place.secrets)


def _problem(key: str, expected: str) -> ConfigProblem:
    return ConfigProblem(file="rpc", key=key, value=MASK, expected=expected)


def _place(name: str, url: str, *, setting: str, rate: int) -> RpcPlace:
    parts = urlsplit(url)
    query = tuple((key, Secret(text)) for key, text in parse_qsl(parts.query))
    http = Endpoint.of(url, setting)
    hidden = [Secret(part) for part in parts.path.split("/") if len(part) >= _SECRET_PART_CHARS]
    hidden += [secret for _, secret in query]
    if parts.query or hidden:
        hidden.append(Secret(url))
    return RpcPlace(
        name=name,
        http=http,
        socket=msgspec.structs.replace(http, scheme=_SOCKET_SCHEMES[http.scheme]),
        query=query,
        secrets=tuple(hidden),
        requests_per_second=rate,
    )
