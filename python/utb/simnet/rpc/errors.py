"""Errors as a node's JSON-RPC tells them: codes, words and data of the real ones.

Source of codes and words: solana-rpc-client-api, `custom_error.rs`; JSON-RPC 2.0 section 5.1.
"""

from typing import Any, Final

PARSE: Final = -32700
INVALID_REQUEST: Final = -32600
METHOD_NOT_FOUND: Final = -32601
INVALID_PARAMS: Final = -32602
INTERNAL: Final = -32603
PREFLIGHT: Final = -32002
SIGNATURE_VERIFICATION: Final = -32003
BLOCK_NOT_AVAILABLE: Final = -32004
NODE_UNHEALTHY: Final = -32005
SLOT_SKIPPED: Final = -32007
KEY_EXCLUDED: Final = -32010
SIGNATURE_LENGTH: Final = -32013
UNSUPPORTED_VERSION: Final = -32015
MIN_CONTEXT_SLOT: Final = -32016


class RpcError(Exception):
    """What a request is answered with in place of a result."""

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data

    def body(self) -> dict[str, Any]:
        """Return the `error` object of the answer."""
        told = {"code": self.code, "message": self.message}
        return told if self.data is None else {**told, "data": self.data}


def invalid_params(message: str) -> RpcError:
    """Return the error of a parameter that is wrong."""
    return RpcError(INVALID_PARAMS, message)


def method_not_found() -> RpcError:
    """Return the error of a method that nobody knows."""
    return RpcError(METHOD_NOT_FOUND, "Method not found")


def unhealthy(slots_behind: int) -> RpcError:
    """Return the error of a node that is behind the cluster."""
    message = f"Node is behind by {slots_behind} slots"
    return RpcError(NODE_UNHEALTHY, message, {"numSlotsBehind": slots_behind})


def block_not_available(slot: int) -> RpcError:
    """Return the error of a block that is not there yet."""
    return RpcError(BLOCK_NOT_AVAILABLE, f"Block not available for slot {slot}")


def slot_skipped(slot: int) -> RpcError:
    """Return the error of a slot without a block."""
    words = f"Slot {slot} was skipped, or missing due to ledger jump to recent snapshot"
    return RpcError(SLOT_SKIPPED, words)


def min_context_slot(slot: int) -> RpcError:
    """Return the error of a node that has not reached a slot that was asked for."""
    words = "Minimum context slot has not been reached"
    return RpcError(MIN_CONTEXT_SLOT, words, {"contextSlot": slot})


def unsupported_version(version: int) -> RpcError:
    """Return the error of a transaction whose version the client did not ask for."""
    words = (
        f"Transaction version ({version}) is not supported by the requesting client. "
        "Please try the request again with the following configuration parameter: "
        f'"maxSupportedTransactionVersion": {version}'
    )
    return RpcError(UNSUPPORTED_VERSION, words)
