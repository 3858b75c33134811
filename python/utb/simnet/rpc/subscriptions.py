"""Subscriptions of one connection: what was asked for, and what each slot brings to it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

from utb.domain.chain import Commitment
from utb.simnet.chain.types import ChainAccount, SlotEvents
from utb.simnet.rpc.accounts import Encoding, encode
from utb.simnet.rpc.errors import invalid_params
from utb.simnet.rpc.filters import Filter, filters_of, matches
from utb.simnet.rpc.instructions import SYSTEM_PROGRAM
from utb.simnet.rpc.node import Node
from utb.simnet.rpc.params import Params, key_of
from utb.simnet.rpc.view import View

SUBSCRIPTIONS_MAX: Final = 10_000
"""Of one connection."""

_ids: Final = count(1)
_BASE64: Final = Encoding("base64", None)
_GONE: Final = ChainAccount(0, SYSTEM_PROGRAM, b"")
"""What is told of an account that was closed."""


@dataclass(slots=True)
class Subscription:
    """One of them."""

    id: int
    kind: str
    """account, program, signature, logs, slot or root."""
    commitment: Commitment = Commitment.FINALIZED
    target: str | None = None
    """Address, program, signature, or the mentioned key; None: everything."""
    encoding: Encoding = _BASE64
    filters: list[Filter] = field(default_factory=list)
    received: bool = False
    """It waits for word that a signature came in."""


@dataclass(frozen=True, slots=True)
class Slot:
    """What one slot brought, by the commitment it is told at."""

    events: SlotEvents
    view: View
    accounts: dict[Commitment, tuple[str, ...]]
    """Changed accounts."""
    landed: dict[Commitment, tuple[str, ...]]
    """Signatures that reached the commitment."""


class Subscriptions:
    """Those of one connection."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._by_id: dict[int, Subscription] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def take(self, method: str, params: Params) -> int | bool:
        """Subscribe or unsubscribe; return the id, or that it is gone.

        Raises:
            RpcError: If the call is wrong.
        """
        if method.endswith("Unsubscribe"):
            number = params.integer(0)
            if self._by_id.pop(number, None) is None:
                raise invalid_params("Invalid subscription id.")
            return True
        if len(self._by_id) >= SUBSCRIPTIONS_MAX:
            raise invalid_params(f"Too many subscriptions; max {SUBSCRIPTIONS_MAX}")
        made = _MAKERS[method](next(_ids), params)
        self._by_id[made.id] = made
        return made.id

    def at_once(self, number: int) -> list[dict[str, Any]]:
        """Return what a new subscription is told before anything happens."""
        one = self._by_id.get(number)
        if one is None or one.kind != "signature" or one.target is None:
            return []
        found = self._node.view.status(one.target)
        if found is None or _RANK[found.commitment] < _RANK[one.commitment]:
            return []
        del self._by_id[number]
        return [_told(one, _context(found.slot, {"err": found.err}))]

    def bring(self, slot: Slot) -> Iterable[dict[str, Any]]:
        """Yield the notifications of one slot."""
        for one in list(self._by_id.values()):
            yield from _BRINGERS[one.kind](self, one, slot)

    # By kind

    def _slot(self, one: Subscription, slot: Slot) -> Iterable[dict[str, Any]]:
        events = slot.events
        if events.block is not None:
            result = {"parent": events.parent, "root": events.root, "slot": events.slot}
            yield _told(one, result)

    def _root(self, one: Subscription, slot: Slot) -> Iterable[dict[str, Any]]:
        for number in slot.events.finalized:
            yield _told(one, number)

    def _account(self, one: Subscription, slot: Slot) -> Iterable[dict[str, Any]]:
        if one.target in slot.accounts[one.commitment]:
            account = slot.view.account(str(one.target), one.commitment) or _GONE
            yield _told(one, self._at(one, slot, self._encoded(one, slot, account)))

    def _program(self, one: Subscription, slot: Slot) -> Iterable[dict[str, Any]]:
        for key in slot.accounts[one.commitment]:
            account = slot.view.account(key, one.commitment)
            if account is None or account.owner != one.target:
                continue
            if matches(account, one.filters):
                value = {"account": self._encoded(one, slot, account), "pubkey": key}
                yield _told(one, self._at(one, slot, value))

    def _signature(self, one: Subscription, slot: Slot) -> Iterable[dict[str, Any]]:
        signature = str(one.target)
        if one.received and signature in slot.landed[Commitment.PROCESSED]:
            one.received = False
            yield _told(one, _context(slot.events.slot, "receivedSignature"))
        if signature not in slot.landed[one.commitment]:
            return
        status = self._node.chain.status(signature)
        if status is not None:
            del self._by_id[one.id]
            yield _told(one, _context(status.slot, {"err": status.err}))

    def _logs(self, one: Subscription, slot: Slot) -> Iterable[dict[str, Any]]:
        for signature in slot.landed[one.commitment]:
            landed = self._node.chain.transaction(signature, one.commitment)
            if landed is None or (one.target is not None and one.target not in landed.keys):
                continue
            value = {
                "err": landed.meta.err,
                "logs": list(landed.meta.logs),
                "signature": signature,
            }
            yield _told(one, _context(landed.slot, value))

    def _encoded(self, one: Subscription, slot: Slot, account: ChainAccount) -> dict[str, Any]:
        def find(key: str) -> ChainAccount | None:
            return slot.view.account(key, one.commitment)

        return encode(account, one.encoding, find, pushed=True)

    def _at(self, one: Subscription, slot: Slot, value: Any) -> dict[str, Any]:
        return _context(slot.view.slot(one.commitment), value)


def known(method: str) -> bool:
    """Return whether a method subscribes or unsubscribes."""
    return method in _MAKERS or method in _UNSUBSCRIBES


def _context(slot: int, value: Any) -> dict[str, Any]:
    return {"context": {"slot": slot}, "value": value}


def _told(one: Subscription, result: Any) -> dict[str, Any]:
    params = {"result": result, "subscription": one.id}
    return {"jsonrpc": "2.0", "method": f"{one.kind}Notification", "params": params}


def _make_account(number: int, params: Params) -> Subscription:
    options = params.options(1)
    return Subscription(
        number, "account", options.commitment(), params.key(0), Encoding.of(options, "base58")
    )


def _make_program(number: int, params: Params) -> Subscription:
    options = params.options(1)
    encoding, filters = Encoding.of(options, "base58"), filters_of(options)
    key, commitment = params.key(0), options.commitment()
    return Subscription(number, "program", commitment, key, encoding, filters)


def _make_signature(number: int, params: Params) -> Subscription:
    options = params.options(1)
    return Subscription(
        number,
        "signature",
        options.commitment(),
        params.signature(0),
        received=options.flag("enableReceivedNotification"),
    )


def _make_logs(number: int, params: Params) -> Subscription:
    wanted, commitment = params.at(0), params.options(1).commitment()
    if isinstance(wanted, str) and wanted in {"all", "allWithVotes"}:
        return Subscription(number, "logs", commitment)
    mentions = wanted.get("mentions") if isinstance(wanted, dict) else None
    if not isinstance(mentions, list):
        raise invalid_params("Invalid params: expected `all`, `allWithVotes` or mentions")
    if len(mentions) != 1:
        raise invalid_params("Invalid Request: Only 1 address supported")
    return Subscription(number, "logs", commitment, key_of(mentions[0]))


_MAKERS: Final[dict[str, Callable[[int, Params], Subscription]]] = {
    "accountSubscribe": _make_account,
    "programSubscribe": _make_program,
    "signatureSubscribe": _make_signature,
    "logsSubscribe": _make_logs,
    "slotSubscribe": lambda number, _: Subscription(number, "slot"),
    "rootSubscribe": lambda number, _: Subscription(number, "root"),
}
_UNSUBSCRIBES: Final = frozenset(name.replace("Subscribe", "Unsubscribe") for name in _MAKERS)
_BRINGERS: Final = {
    "account": Subscriptions._account,  # noqa: SLF001 - its own
    "program": Subscriptions._program,  # noqa: SLF001
    "signature": Subscriptions._signature,  # noqa: SLF001
    "logs": Subscriptions._logs,  # noqa: SLF001
    "slot": Subscriptions._slot,  # noqa: SLF001
    "root": Subscriptions._root,  # noqa: SLF001
}
_RANK: Final = {one: rank for rank, one in enumerate(Commitment)}
