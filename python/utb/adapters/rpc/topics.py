"""What can be subscribed to, and what its notices hold.

Source of the messages: solana.com/docs/rpc/websocket.
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from utb.adapters.rpc.answers import AccountValue, InContext, LogsNote, SignatureNote
from utb.domain.chain import Commitment


class Topic(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to be told about."""

    kind: str
    """account, signature, logs: begins the names of its methods."""
    key: str
    """Of the account or signature."""
    params: tuple[Any, ...]
    shape: Any
    """Type of the notice's `result`."""
    once: bool = False
    """Whether the first notice ends it."""


class Notice(msgspec.Struct, frozen=True):
    """What an endpoint told."""

    endpoint: str
    topic: Topic
    slot: int
    value: Any
    """`AccountValue`, `SignatureNote` or `LogsNote`."""


class SlotNotice(msgspec.Struct, frozen=True):
    """An endpoint came to another slot."""

    endpoint: str
    slot: int
    root: int
    parent: int | None = None
    """Slot it builds on; None: not told."""


OnNotice = Callable[[Notice], None]

_ACCOUNT: Final = InContext[AccountValue]
_SIGNATURE: Final = InContext[SignatureNote]
_LOGS: Final = InContext[LogsNote]


def account_topic(key: str, commitment: Commitment = Commitment.PROCESSED) -> Topic:
    """Be told of each change of an account."""
    config = {"encoding": "base64", "commitment": commitment}
    return Topic(kind="account", key=key, params=(key, config), shape=_ACCOUNT)


def signature_topic(signature: str, commitment: Commitment) -> Topic:
    """Be told once when a transaction has come to a commitment."""
    config = {"commitment": commitment, "enableReceivedNotification": False}
    return Topic(
        kind="signature", key=signature, params=(signature, config), shape=_SIGNATURE, once=True
    )


def logs_topic(key: str, commitment: Commitment = Commitment.CONFIRMED) -> Topic:
    """Be told of each transaction that mentions an account."""
    params = ({"mentions": (key,)}, {"commitment": commitment})
    return Topic(kind="logs", key=key, params=params, shape=_LOGS)
