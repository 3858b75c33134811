"""Tables `[rpc]`, `[[rpc.endpoints]]` and `[senders]`: how the chain is asked and sent to."""

from typing import Annotated

from msgspec import Meta

from utb.config.ranges import Lamports, Mint, OpenShare, Seconds, Url, WebSocketUrl
from utb.config.table import Table

EndpointName = Annotated[
    str,
    Meta(
        pattern=r"^[a-z0-9_-]{1,32}\Z",
        description="a name of up to 32 small letters, digits, - and _",
    ),
]
PerSecond = Annotated[int, Meta(ge=1, le=10_000)]
Slots = Annotated[int, Meta(ge=1, le=100_000)]
Microlamports = Annotated[int, Meta(ge=0, le=1_000_000_000)]
"""Of one compute unit; at 1,400,000 units the most is 1.4 SOL, which `max_fee_lamports` stops."""


class RpcEndpoint(Table, frozen=True):
    """One `[[rpc.endpoints]]` table: an endpoint beside those of the environment."""

    name: EndpointName
    url: Url
    ws_url: WebSocketUrl | None = None
    """None: the same address over WebSocket."""
    requests_per_second: PerSecond | None = None
    """None: `rpc.requests_per_second`."""


class Rpc(Table, frozen=True):
    """The endpoints of Solana's JSON-RPC, their limits, and how fresh what they say must be."""

    helius_enabled: bool
    helius_url: Url
    genesis_hash: Mint
    timeout_seconds: Seconds
    requests_per_second: PerSecond
    history_per_second: PerSecond
    exit_reserve: OpenShare
    slot_lag_max: Slots
    failures_max: Annotated[int, Meta(ge=1, le=100)]
    rest_seconds: Seconds
    rest_seconds_max: Seconds
    silent_seconds: Seconds
    heights_seconds: Seconds
    status_ms: Annotated[int, Meta(ge=50, le=60_000)]
    blockhash_seconds: Seconds
    blockhash_slots_max: Annotated[int, Meta(ge=1, le=140)]
    """Below the 150 blocks a blockhash lives at most, so that what is signed can still land."""
    fees_seconds: Seconds
    fees_max_age_seconds: Seconds
    fee_floor_microlamports: Microlamports
    fee_cap_microlamports: Microlamports
    endpoints: tuple[RpcEndpoint, ...] = ()


class RpcSender(Table, frozen=True):
    """`sendTransaction` of every RPC endpoint; never protected."""

    enabled: bool
    per_second: PerSecond


class JitoSender(Table, frozen=True):
    """Jito's block engine: single transactions, and bundles of one."""

    enabled: bool
    url: Url
    tip_floor_url: Url
    per_second: PerSecond
    bundle_only: bool
    bundles: bool
    tip_lamports_min: Lamports
    tip_lamports_max: Lamports


class HeliusSender(Table, frozen=True):
    """Helius Sender: to validators and relays at once, so not protected."""

    enabled: bool
    url: Url
    per_second: PerSecond
    tip_lamports_min: Lamports


class Senders(Table, frozen=True):
    """Where signed transactions go."""

    timeout_seconds: Seconds
    keep_warm_seconds: Seconds
    rpc: RpcSender
    jito: JitoSender
    helius: HeliusSender
