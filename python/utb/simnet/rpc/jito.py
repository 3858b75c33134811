"""Jito's block engine: transactions and bundles that pay a tip, and what became of bundles."""

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Final

from utb.domain.chain import Commitment
from utb.simnet.chain import wire
from utb.simnet.chain.world import Chain
from utb.simnet.rpc.errors import RpcError, invalid_params
from utb.simnet.rpc.faults import JITO
from utb.simnet.rpc.messages import message_of
from utb.simnet.rpc.params import Params
from utb.simnet.rpc.sending import raw_transaction
from utb.simnet.rpc.sends import Sends
from utb.simnet.rpc.tips import JITO_TIP_ACCOUNTS, tip_lamports
from utb.simnet.rpc.view import API_VERSION

LEAST_TIP_LAMPORTS: Final = 1_000
BUNDLE_MAX: Final = 5
IDS_MAX: Final = 5
SLOTS_KEPT: Final = 750
"""How long a bundle is known: five minutes at 400 ms."""
SLOTS_PENDING: Final = 10
"""Slots after which a bundle that did not land has failed."""
_BUNDLES_MAX: Final = 10_000


@dataclass(frozen=True, slots=True)
class _Bundle:
    slot: int
    signatures: tuple[str, ...]


class Engine:
    """The block engine."""

    def __init__(self, chain: Chain, sends: Sends) -> None:
        self._chain = chain
        self._sends = sends
        self._bundles: OrderedDict[str, _Bundle] = OrderedDict()

    def call(self, method: str, params: Params, *, bundle_only: bool) -> tuple[Any, str | None]:
        """Answer a call; return the result, and the bundle id where one was made.

        Raises:
            RpcError: What it is answered with in place of a result.
        """
        if method == "sendTransaction":
            return self._transaction(params, bundle_only=bundle_only)
        if method == "sendBundle":
            made = self._bundle(params)
            return made, made
        if method == "getBundleStatuses":
            return self._told([self._status(one) for one in self._ids(params)]), None
        if method == "getInflightBundleStatuses":
            return self._told([self._inflight(one) for one in self._ids(params)]), None
        if method == "getTipAccounts":
            return list(JITO_TIP_ACCOUNTS), None
        raise RpcError(-32601, f"Invalid method: {method}")

    def tip_floor(self, time: str) -> list[dict[str, Any]]:
        """Return what landed tips were, SOL; the same at all times here."""
        return [
            {
                "time": time,
                "landed_tips_25th_percentile": 6.001e-06,
                "landed_tips_50th_percentile": 1e-05,
                "landed_tips_75th_percentile": 3.61965e-05,
                "landed_tips_95th_percentile": 0.0014479055,
                "landed_tips_99th_percentile": 0.010007999,
                "ema_landed_tips_50th_percentile": 9.836078125e-06,
            }
        ]

    def _transaction(self, params: Params, *, bundle_only: bool) -> tuple[str, str]:
        raw = raw_transaction(params.text(0), params.options(1))
        self._check_tip([raw])
        signature = self._signature(raw)
        made = self._remember((signature,))
        if bundle_only:
            self._sends.bundle(JITO, (raw,), method="sendTransaction")
        else:
            self._sends.send(JITO, raw, retries=None, method="sendTransaction")
        return signature, made

    def _bundle(self, params: Params) -> str:
        texts, options = params.several(0, BUNDLE_MAX), params.options(1)
        if not texts or not all(isinstance(one, str) for one in texts):
            raise invalid_params("Invalid params: expected 1 to 5 encoded transactions")
        raws = [raw_transaction(one, options) for one in texts]
        self._check_tip(raws)
        signatures = tuple(self._signature(raw) for raw in raws)
        if len(set(signatures)) != len(signatures):
            raise invalid_params("bundle contains duplicate transactions")
        self._sends.bundle(JITO, tuple(raws), method="sendBundle")
        return self._remember(signatures)

    def _check_tip(self, raws: list[bytes]) -> None:
        """Demand a tip, once in a bundle.

        Raises:
            RpcError: If there is none, or too little.
        """
        try:
            tips = [tip_lamports(message_of(raw), JITO_TIP_ACCOUNTS) for raw in raws]
        except ValueError as error:
            raise invalid_params(f"transaction could not be decoded: {error}") from error
        if max(tips) < LEAST_TIP_LAMPORTS:
            words = (
                "Bundles must write lock at least one tip account to be eligible for the auction, "
                f"and tip at least {LEAST_TIP_LAMPORTS} lamports"
            )
            raise invalid_params(words)

    def _signature(self, raw: bytes) -> str:
        incoming = wire.read(raw)
        wire.check_signatures(incoming)
        return incoming.signature

    def _remember(self, signatures: tuple[str, ...]) -> str:
        name = hashlib.sha256(",".join(signatures).encode()).hexdigest()
        self._bundles[name] = _Bundle(self._chain.slot, signatures)
        while len(self._bundles) > _BUNDLES_MAX:
            self._bundles.popitem(last=False)
        return name

    def _ids(self, params: Params) -> list[str]:
        asked = params.several(0, IDS_MAX)
        if not all(isinstance(one, str) for one in asked):
            raise invalid_params("Invalid params: expected bundle ids")
        return asked

    def _find(self, name: str) -> _Bundle | None:
        found = self._bundles.get(name)
        return None if found is None or self._chain.slot - found.slot > SLOTS_KEPT else found

    def _landed_slot(self, bundle: _Bundle) -> int | None:
        found = [self._chain.status(one) for one in bundle.signatures]
        slots = [one.slot for one in found if one is not None]
        return max(slots) if len(slots) == len(found) else None

    def _status(self, name: str) -> dict[str, Any] | None:
        bundle = self._find(name)
        slot = None if bundle is None else self._landed_slot(bundle)
        if bundle is None or slot is None:
            return None
        told = self._chain.status(bundle.signatures[0])
        commitment = Commitment.PROCESSED if told is None else told.commitment
        return {
            "bundle_id": name,
            "transactions": list(bundle.signatures),
            "slot": slot,
            "confirmation_status": commitment.value,
            "err": {"Ok": None},
        }

    def _inflight(self, name: str) -> dict[str, Any]:
        bundle, slot, status = self._find(name), None, "Invalid"
        if bundle is not None:
            slot = self._landed_slot(bundle)
            old = self._chain.slot - bundle.slot > SLOTS_PENDING
            status = "Landed" if slot is not None else "Failed" if old else "Pending"
        return {"bundle_id": name, "status": status, "landed_slot": slot}

    def _told(self, value: list[Any]) -> dict[str, Any]:
        return {"context": {"apiVersion": API_VERSION, "slot": self._chain.slot}, "value": value}
