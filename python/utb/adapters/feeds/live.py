"""Which feeds run, and what they are made of."""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from msgspec.structs import replace

from utb.adapters.clocks import SystemClock
from utb.adapters.feeds import birdeye, dexscreener, helius
from utb.adapters.feeds.birdeye import Birdeye
from utb.adapters.feeds.dexscreener import DexScreener
from utb.adapters.feeds.helius import Helius
from utb.adapters.feeds.off import FeedOff
from utb.adapters.feeds.wiring import AsTheyCome, FeedWiring
from utb.adapters.net.budget import RateBudget
from utb.adapters.net.endpoint import Endpoint
from utb.adapters.net.http import HttpClient, HttpWiring
from utb.adapters.net.redact import Redactor
from utb.adapters.net.websocket import (
    RECONNECT_SECONDS_MIN,
    SocketOwner,
    SocketWiring,
    WebSocket,
)
from utb.adapters.timers import WallTimer
from utb.config.instruments import accounts as configured_accounts
from utb.config.schema import ApiSource, Config, StreamSource
from utb.config.secrets import Secrets
from utb.config.table import Secret
from utb.domain.clock import Account
from utb.domain.market import Instrument
from utb.ports.livefeed import LiveFeed, Sink

_VARIABLES: Final = {birdeye.NAME: "BIRDEYE_API_KEY", helius.NAME: "HELIUS_API_KEY"}


def resolve_primaries(
    config: Config, secrets: Secrets, instruments: Sequence[Instrument]
) -> tuple[Instrument, ...]:
    """Return the instruments with the sources that will make their bars.

    Where the named source is off (no key; for Helius, no accounts of the pool's vaults), bars come
    from DexScreener.
    """
    roles: dict[int, set[str]] = {}
    for account in configured_accounts(config):
        roles.setdefault(account.instrument, set()).add(account.role)
    keyless = {name for name in _VARIABLES if _why_off(config, secrets, name)}

    def primary(instrument: Instrument) -> str:
        vaults = {"base_vault", "quote_vault"} <= roles.get(instrument.index, set())
        no_pool = instrument.primary == helius.NAME and not vaults
        off = instrument.primary in keyless or no_pool
        return dexscreener.NAME if off else instrument.primary

    return tuple(replace(one, primary=primary(one)) for one in instruments)


def wall_wiring(config: Config, sink: Sink, *, seed: int | None = None) -> FeedWiring:
    """Return what feeds of the wall's time are made of.

    Args:
        config: For the feeds' settings.
        sink: Takes what they deliver.
        seed: Of the jitter of back-offs; None: another one in each process.
    """
    clock = SystemClock()
    # One for all, so that two connections of a source do not come back in step.
    draw = np.random.default_rng(seed).random
    return FeedWiring(
        clock=clock,
        timer=WallTimer(),
        sink=sink,
        turns=AsTheyCome(clock),
        settings=config.feeds,
        elapsed_ns=clock.elapsed_ns,
        stopwatch_ns=clock.elapsed_ns,
        draws=lambda _: draw,
    )


def build_feeds(
    config: Config,
    secrets: Secrets,
    instruments: Sequence[Instrument],
    wiring: FeedWiring,
    accounts: Sequence[Account] | None = None,
) -> list[LiveFeed]:
    """Return the feeds of DexScreener, Birdeye and Helius, in this order; some may be off.

    Args:
        config: For `[api]` and `[feeds]`.
        secrets: The keys.
        instruments: With resolved primaries, by index.
        wiring: Of the wall's time or of a simulation.
        accounts: Of pools, for Helius; None: those of the configuration.
    """
    made = _Maker(config, secrets, wiring)
    pools = configured_accounts(config) if accounts is None else accounts
    barred = [one for one in instruments if one.primary == birdeye.NAME]
    now_ns = wiring.clock.now_ns()
    feeds: list[LiveFeed] = []
    if instruments:
        feeds.append(DexScreener(instruments, made.client(dexscreener.NAME), wiring))
    else:
        feeds.append(FeedOff(dexscreener.NAME, "no instrument is configured", now_ns))
    off = _why_off(config, secrets, birdeye.NAME) or ("" if barred else _unused(birdeye.NAME))
    if off:
        feeds.append(FeedOff(birdeye.NAME, off, now_ns))
    else:
        retries = (config.api.retry_attempts, max(config.api.retry_delay_seconds, 0.1))
        client, opener = made.client(birdeye.NAME), made.opener(birdeye.NAME)
        feeds.append(Birdeye(barred, client, opener, wiring, retries))
    off = _why_off(config, secrets, helius.NAME) or ("" if pools else _NO_ACCOUNTS)
    if off:
        feeds.append(FeedOff(helius.NAME, off, now_ns))
    else:
        feeds.append(Helius(pools, made.opener(helius.NAME), wiring))
    return feeds


_NO_ACCOUNTS: Final = (
    "no account to subscribe to: set base_vault and quote_vault of an instrument to use Helius"
)


def _unused(name: str) -> str:
    return f'no instrument has primary = "{name}"'


def _why_off(config: Config, secrets: Secrets, name: str) -> str:
    """Return why a source that needs a key is off, a sentence; empty when it is not."""
    variable = _VARIABLES[name]
    key = _key(secrets, name)
    if not key:
        return f"{variable} is not set: put the key of {name} into .env or the environment"
    if not (key.reveal().isascii() and key.reveal().isprintable()):
        return f"{variable} holds characters that no key has: copy it again"
    source = _source(config, name)
    for setting in ("base_url", "ws_url"):
        place = Endpoint.of(getattr(source, setting), f"api.{name}.{setting}")
        if not place.keeps_secrets:
            return f"{place.setting} is not encrypted: the key is sent over https and wss only"
    return ""


def _key(secrets: Secrets, name: str) -> Secret:
    keys = {birdeye.NAME: secrets.birdeye_api_key, helius.NAME: secrets.helius_api_key}
    return keys.get(name) or Secret("")


def _source(config: Config, name: str) -> ApiSource:
    source: ApiSource = getattr(config.api, name)
    return source


class _Maker:
    """Makes clients and connections of the configured sources."""

    def __init__(self, config: Config, secrets: Secrets, wiring: FeedWiring) -> None:
        self._config = config
        self._secrets = secrets
        self._wiring = wiring
        held = (secrets.birdeye_api_key, secrets.helius_api_key, secrets.dexscreener_api_key)
        self._redactor = Redactor([secret for secret in held if secret is not None])

    def client(self, name: str) -> HttpClient:
        """Return a source's HTTP client with its key and its budget."""
        source, wiring = _source(self._config, name), self._wiring
        headers = {}
        if name == birdeye.NAME:
            headers = {"X-API-KEY": _key(self._secrets, name).reveal(), "x-chain": "solana"}
        parts = HttpWiring(
            clock=wiring.clock,
            timer=wiring.timer,
            stopwatch_ns=wiring.stopwatch_ns,
            budget=RateBudget(source.rate_limit, wiring.timer, wiring.elapsed_ns),
            redactor=self._redactor,
            timeout_s=source.timeout,
            headers=headers,
        )
        return HttpClient(Endpoint.of(source.base_url, f"api.{name}.base_url"), parts)

    def opener(self, name: str) -> Callable[[SocketOwner], WebSocket]:
        """Return what makes a source's connections."""
        source, wiring = _source(self._config, name), self._wiring
        assert isinstance(source, StreamSource)  # noqa: S101 - both have a WebSocket
        number = birdeye.SOURCE if name == birdeye.NAME else helius.SOURCE
        key = _key(self._secrets, name).reveal()
        is_birdeye = name == birdeye.NAME
        place = Endpoint.of(source.ws_url, f"api.{name}.ws_url")

        def open_for(owner: SocketOwner) -> WebSocket:
            parts = SocketWiring(
                timer=wiring.timer,
                elapsed_ns=wiring.elapsed_ns,
                stopwatch_ns=wiring.stopwatch_ns,
                backoff=wiring.backoff(number, RECONNECT_SECONDS_MIN),
                redactor=self._redactor,
                heartbeat_s=wiring.settings.heartbeat_seconds,
                query={("x-api-key" if is_birdeye else "api-key"): key},
                headers=birdeye.HEADERS if is_birdeye else {},
            )
            return WebSocket(place, owner, parts)

        return open_for
