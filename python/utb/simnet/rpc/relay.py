"""Helius' relay and its fee estimate."""

from typing import Any, Final

from utb.simnet.rpc.errors import invalid_params
from utb.simnet.rpc.faults import HELIUS
from utb.simnet.rpc.messages import message_of, writable
from utb.simnet.rpc.node import Method, Node
from utb.simnet.rpc.params import Options, Params, key_of
from utb.simnet.rpc.prices import bid
from utb.simnet.rpc.sending import raw_transaction
from utb.simnet.rpc.sends import Sends
from utb.simnet.rpc.tips import HELIUS_TIP_ACCOUNTS, tip_lamports

LEAST_TIP_LAMPORTS: Final = 1_000_000
LEAST_TIP_SWQOS_LAMPORTS: Final = 5_000
"""With `?swqos_only=true`."""
_LEVELS: Final = {
    "min": 0.0,
    "low": 0.25,
    "medium": 0.5,
    "high": 0.75,
    "veryHigh": 0.95,
    "unsafeMax": 1.0,
}
"""Percentile of each level."""


class Sender:
    """`/fast`: sends what pays for its place."""

    def __init__(self, sends: Sends) -> None:
        self._sends = sends

    def send(self, params: Params, *, swqos_only: bool) -> str:
        """Take a transaction in.

        Raises:
            RpcError: If it is not sent as the relay demands, or pays too little.
        """
        options = params.options(1)
        raw = raw_transaction(params.text(0), options)
        if not options.flag("skipPreflight"):
            raise invalid_params("Invalid params: skipPreflight must be true")
        try:
            message = message_of(raw)
        except ValueError as error:
            raise invalid_params(f"failed to deserialize transaction: {error}") from error
        least = LEAST_TIP_SWQOS_LAMPORTS if swqos_only else LEAST_TIP_LAMPORTS
        tip = tip_lamports(message, HELIUS_TIP_ACCOUNTS)
        if tip < least:
            raise invalid_params(
                f"Transaction must tip at least {least} lamports to a Sender tip account"
            )
        if bid(message).price == 0:
            raise invalid_params("Transaction must set a compute unit price")
        retries = options.integer("maxRetries")
        return self._sends.send(HELIUS, raw, retries=retries, method="sendTransaction")


def _estimate(node: Node, params: Params) -> dict[str, Any]:
    asked = params.options(0)
    options = asked.object("options") or Options({})
    keys = _keys(asked, options)
    prices = {
        level: float(node.past.prices.percentile(keys, share)) for level, share in _LEVELS.items()
    }
    if options.flag("includeAllPriorityFeeLevels"):
        return {"priorityFeeLevels": prices}
    level = str(options.get("priorityLevel") or "Medium")
    found = prices.get(level[:1].lower() + level[1:])
    if found is None:
        raise invalid_params(f"Invalid params: unknown priorityLevel `{level}`")
    if options.flag("recommended"):
        found = max(found, 10_000.0)
    return {"priorityFeeEstimate": found}


def _keys(asked: Options, options: Options) -> tuple[str, ...]:
    """Return the accounts that are asked about: listed, or written by a transaction."""
    listed = asked.get("accountKeys")
    if isinstance(listed, list):
        return tuple(key_of(key) for key in listed)
    text = asked.get("transaction")
    if not isinstance(text, str):
        raise invalid_params("Invalid params: expected transaction or accountKeys")
    encoding = str(options.get("transactionEncoding") or "base58").lower()
    raw = raw_transaction(text, Options({"encoding": encoding}))
    try:
        message = message_of(raw)
    except ValueError as error:
        raise invalid_params(f"failed to deserialize transaction: {error}") from error
    keys = message.account_keys
    return tuple(str(key) for at, key in enumerate(keys) if writable(message, at))


METHODS: Final[dict[str, Method]] = {"getPriorityFeeEstimate": _estimate}
"""Of JSON-RPC endpoints."""
