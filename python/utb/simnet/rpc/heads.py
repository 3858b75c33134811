"""Methods about the node, slots, blocks' heads, blockhashes, rent and fees."""

from typing import Any, Final

from solders.message import Message, MessageV0, from_bytes_versioned

from utb.domain.chain import Commitment
from utb.simnet.rpc import errors
from utb.simnet.rpc.errors import RpcError, invalid_params
from utb.simnet.rpc.node import Method, Node
from utb.simnet.rpc.params import Params, key_of, wire_bytes
from utb.simnet.rpc.prices import fee_lamports
from utb.simnet.rpc.view import API_VERSION

SLOTS_PER_EPOCH: Final = 432_000
_MESSAGE_BYTES_MAX: Final = 1_232
_FEE_KEYS_MAX: Final = 128
_ACCOUNT_BYTES_MAX: Final = 10 * 1024 * 1024


def _health(_node: Node, _params: Params) -> str:
    return "ok"


def _version(_node: Node, _params: Params) -> dict[str, Any]:
    return {"feature-set": 3_604_001_754, "solana-core": API_VERSION}


def _genesis(node: Node, _params: Params) -> str:
    return node.chain.genesis_hash


def _slot(node: Node, params: Params) -> int:
    view, commitment = node.view_at(params.options(0))
    return view.slot(commitment)


def _height(node: Node, params: Params) -> int:
    _, commitment = node.view_at(params.options(0))
    return node.height(commitment, "getBlockHeight")


def _epoch(node: Node, params: Params) -> dict[str, int]:
    view, commitment = node.view_at(params.options(0))
    slot = view.slot(commitment)
    return {
        "absoluteSlot": slot,
        "blockHeight": node.height(commitment, "getEpochInfo"),
        "epoch": slot // SLOTS_PER_EPOCH,
        "slotIndex": slot % SLOTS_PER_EPOCH,
        "slotsInEpoch": SLOTS_PER_EPOCH,
        "transactionCount": node.past.transactions,
    }


def _latest_blockhash(node: Node, params: Params) -> dict[str, Any]:
    view, commitment = node.view_at(params.options(0))
    found = view.blockhash(commitment)
    value = {
        "blockhash": found.blockhash,
        "lastValidBlockHeight": found.last_valid_block_height,
    }
    return view.context(commitment, value)


def _blockhash_valid(node: Node, params: Params) -> dict[str, Any]:
    view, commitment = node.view_at(params.options(1))
    return view.context(commitment, view.blockhash_valid(params.key(0), commitment))


def _rent(node: Node, params: Params) -> int:
    length = params.integer(0)
    if length > _ACCOUNT_BYTES_MAX:
        raise invalid_params(f"Invalid params: data length {length} is over {_ACCOUNT_BYTES_MAX}")
    return node.chain.minimum_balance(length)


def _fees(node: Node, params: Params) -> list[dict[str, int]]:
    keys = params.several(0, _FEE_KEYS_MAX) if params.at(0) is not None else []
    rows = node.past.prices.rows(tuple(key_of(key) for key in keys))
    last = node.view.slot(Commitment.PROCESSED)
    return [{"slot": slot, "prioritizationFee": fee} for slot, fee in rows if slot <= last]


def _fee_for_message(node: Node, params: Params) -> dict[str, Any]:
    view, commitment = node.view_at(params.options(1))
    raw = wire_bytes(params.text(0), "base64", most=_MESSAGE_BYTES_MAX)
    try:
        message = from_bytes_versioned(raw)
        if not isinstance(message, Message | MessageV0):
            raise invalid_params("message version is not supported, expected 0 or legacy")
    except ValueError as error:
        raise invalid_params(f"failed to deserialize VersionedMessage: {error}") from error
    known = view.blockhash_valid(str(message.recent_blockhash), commitment)
    return view.context(commitment, fee_lamports(message) if known else None)


def _first_block(node: Node, _params: Params) -> int:
    return node.past.ago(len(node.past.moments)).slots[Commitment.FINALIZED]


def _transaction_count(node: Node, _params: Params) -> int:
    return node.past.transactions


def _block_time(node: Node, params: Params) -> int:
    slot = params.integer(0)
    block = node.chain.block(slot)
    if block is None or slot > node.view.slot(Commitment.CONFIRMED):
        raise RpcError(errors.BLOCK_NOT_AVAILABLE, f"Block not available for slot {slot}")
    return block.block_time


METHODS: Final[dict[str, Method]] = {
    "getHealth": _health,
    "getVersion": _version,
    "getGenesisHash": _genesis,
    "getSlot": _slot,
    "getBlockHeight": _height,
    "getEpochInfo": _epoch,
    "getLatestBlockhash": _latest_blockhash,
    "isBlockhashValid": _blockhash_valid,
    "getMinimumBalanceForRentExemption": _rent,
    "getRecentPrioritizationFees": _fees,
    "getFeeForMessage": _fee_for_message,
    "getFirstAvailableBlock": _first_block,
    "getTransactionCount": _transaction_count,
    "getBlockTime": _block_time,
}
"""By name."""
