"""Methods about what landed: statuses, signatures of an address, transactions, blocks."""

from typing import Any, Final

from utb.domain.chain import Commitment
from utb.simnet.chain.types import Status
from utb.simnet.rpc import transactions
from utb.simnet.rpc.errors import block_not_available, invalid_params, slot_skipped
from utb.simnet.rpc.node import Method, Node
from utb.simnet.rpc.params import Options, Params, signature_of

STATUSES_MAX: Final = 256
SIGNATURES_MAX: Final = 1_000
_BLOCKS_MAX: Final = 500_000
_DETAILS: Final = ("full", "accounts", "signatures", "none")


def _statuses(node: Node, params: Params) -> dict[str, Any]:
    asked = [signature_of(one) for one in params.several(0, STATUSES_MAX)]
    # What is older than the status cache is found with history only; here nothing is.
    params.options(1).flag("searchTransactionHistory")
    view = node.view_of_signatures("getSignatureStatuses")
    told = [None if view is None else _status(view.status(one)) for one in asked]
    return node.view.context(Commitment.PROCESSED, told)


def _status(one: Status | None) -> dict[str, Any] | None:
    if one is None:
        return None
    return {
        "confirmationStatus": one.commitment.value,
        "confirmations": one.confirmations,
        "err": one.err,
        "slot": one.slot,
        "status": {"Ok": None} if one.err is None else {"Err": one.err},
    }


def _signatures(node: Node, params: Params) -> list[dict[str, Any]]:
    key, options = params.key(0), params.options(1)
    commitment = _no_processed(options)
    limit = options.integer("limit", SIGNATURES_MAX) or 0
    if not 0 < limit <= SIGNATURES_MAX:
        raise invalid_params(f"Invalid limit; max {SIGNATURES_MAX}")
    view = node.view_of_signatures("getSignaturesForAddress")
    if view is None:
        return []
    view.reach(options, commitment)
    before, until = (_optional_signature(options, name) for name in ("before", "until"))
    found = node.chain.signatures_for(
        key, limit=limit, before=before, until=until, commitment=commitment
    )
    return [
        {
            "blockTime": one.block_time,
            "confirmationStatus": one.commitment.value,
            "err": one.err,
            "memo": one.memo,
            "signature": one.signature,
            "slot": one.slot,
        }
        for one in view.within(found, commitment)
    ]


def _transaction(node: Node, params: Params) -> dict[str, Any] | None:
    signature, options = params.signature(0), _encoding_or_options(params, 1)
    encoding = options.choice("encoding", "json", *transactions.ENCODINGS)
    commitment = _no_processed(options)
    version = options.integer("maxSupportedTransactionVersion")
    view = node.view_of_signatures("getTransaction")
    landed = None if view is None else view.transaction(signature, commitment)
    if landed is None:
        return None
    told = transactions.encode(landed, encoding, version)
    return {**told, "blockTime": landed.block_time, "slot": landed.slot}


def _block(node: Node, params: Params) -> dict[str, Any]:
    slot, options = params.integer(0), _encoding_or_options(params, 1)
    commitment = _no_processed(options)
    details = options.choice("transactionDetails", "full", *_DETAILS)
    encoding = options.choice("encoding", "json", *transactions.ENCODINGS)
    version = options.integer("maxSupportedTransactionVersion")
    if slot > node.view.slot(commitment):
        raise block_not_available(slot)
    block = node.chain.block(slot)
    if block is None:
        raise slot_skipped(slot)
    told: dict[str, Any] = {
        "blockHeight": block.height,
        "blockTime": block.block_time,
        "blockhash": block.blockhash,
        "parentSlot": block.parent,
        "previousBlockhash": block.previous_blockhash,
    }
    if options.flag("rewards", default=True):
        told["rewards"] = []
    if details == "signatures":
        told["signatures"] = list(block.signatures)
    elif details != "none":
        landed = [node.chain.transaction(one, commitment) for one in block.signatures]
        told["transactions"] = [
            transactions.encode(one, encoding, version) for one in landed if one is not None
        ]
    return told


def _blocks(node: Node, params: Params) -> list[int]:
    first = params.integer(0)
    second = params.at(1)
    options = params.options(1 if isinstance(second, dict) else 2)
    last = node.view.slot(_no_processed(options))
    if isinstance(second, int):
        last = min(last, second)
    if last - first > _BLOCKS_MAX:
        raise invalid_params(f"Slot range too large; max {_BLOCKS_MAX}")
    first = max(first, last - len(node.past.moments))
    return [slot for slot in range(first, last + 1) if node.chain.block(slot) is not None]


def _no_processed(options: Options) -> Commitment:
    """Return the commitment; what landed is asked for when it is at least confirmed."""
    commitment = options.commitment()
    if commitment is Commitment.PROCESSED:
        raise invalid_params("Method does not support commitment below `confirmed`")
    return commitment


def _optional_signature(options: Options, name: str) -> str | None:
    told = options.get(name)
    return None if told is None else signature_of(told)


def _encoding_or_options(params: Params, index: int) -> Options:
    """Read options; a bare encoding stood there before there were any."""
    told = params.at(index)
    if isinstance(told, str):
        return Options({"encoding": told})
    return params.options(index)


METHODS: Final[dict[str, Method]] = {
    "getSignatureStatuses": _statuses,
    "getSignaturesForAddress": _signatures,
    "getTransaction": _transaction,
    "getBlock": _block,
    "getBlocks": _blocks,
}
"""By name."""
