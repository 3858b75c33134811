"""Methods that send and simulate transactions, and the airdrop."""

from typing import Any, Final

from solders.transaction import VersionedTransaction

from utb.domain.chain import Commitment
from utb.simnet.chain.types import Simulation
from utb.simnet.rpc import errors, transactions
from utb.simnet.rpc.accounts import Encoding, encode_or_none
from utb.simnet.rpc.errors import RpcError, invalid_params
from utb.simnet.rpc.node import Method, Node
from utb.simnet.rpc.params import Options, Params, key_of, wire_bytes
from utb.simnet.rpc.view import View
from utb.simnet.rpc.words import transaction_error

TRANSACTION_BYTES_MAX: Final = 1_232
AIRDROP_LAMPORTS_MAX: Final = 1_000_000 * 10**9
_ADDRESSES_MAX: Final = 64
_BLOCKHASH_NOT_FOUND: Final = "BlockhashNotFound"


def _send(node: Node, params: Params) -> str:
    options = params.options(1)
    raw = raw_transaction(params.text(0), options)
    retries = options.integer("maxRetries")
    if not options.flag("skipPreflight"):
        _preflight(node, raw, options)
    else:
        node.view.reach(options, Commitment.PROCESSED)
    return node.sends.send(node.name, raw, retries=retries, method="sendTransaction")


def raw_transaction(text: str, options: Options) -> bytes:
    """Return the signed bytes of a call.

    Raises:
        RpcError: If the text is not in its encoding, or too long.
    """
    encoding = options.choice("encoding", "base58", "base58", "base64")
    return wire_bytes(text, encoding, most=TRANSACTION_BYTES_MAX)


def _preflight(node: Node, raw: bytes, options: Options) -> None:
    """Simulate before sending.

    Raises:
        RpcError: If it fails.
    """
    commitment = options.commitment(name="preflightCommitment")
    view = node.view
    view.reach(options, commitment)
    told = node.chain.simulate(raw, sig_verify=True, replace_blockhash=False)
    # The age of the blockhash is looked at before anything runs.
    err = told.err if _blockhash_known(view, raw, commitment) else _BLOCKHASH_NOT_FOUND
    if err is None:
        return
    early = err == _BLOCKHASH_NOT_FOUND
    data = {
        "accounts": None,
        "err": err,
        "innerInstructions": None,
        "logs": [] if early else list(told.logs),
        "replacementBlockhash": None,
        "returnData": transactions.return_data(told.return_data),
        "unitsConsumed": 0 if early else told.units_consumed,
    }
    words = f"Transaction simulation failed: {transaction_error(err)}"
    raise RpcError(errors.PREFLIGHT, words, data)


def _blockhash_known(view: View, raw: bytes, commitment: Commitment) -> bool:
    """Return whether the bank at a commitment has the transaction's blockhash yet.

    A blockhash of a confirmed block is not known to the finalized bank: the reason for
    `preflightCommitment`.
    """
    message = VersionedTransaction.from_bytes(raw).message
    return view.blockhash_valid(str(message.recent_blockhash), commitment)


def _simulate(node: Node, params: Params) -> dict[str, Any]:
    options = params.options(1)
    raw = raw_transaction(params.text(0), options)
    view, commitment = node.view_at(options)
    verify, replace = options.flag("sigVerify"), options.flag("replaceRecentBlockhash")
    if verify and replace:
        raise invalid_params("sigVerify may not be used with replaceRecentBlockhash")
    wanted = options.object("accounts")
    keys, encoding = _wanted(wanted)
    told = node.chain.simulate(
        raw, sig_verify=verify, replace_blockhash=replace, accounts=tuple(keys)
    )
    value = _simulated(told, raw, inner=options.flag("innerInstructions"))
    value["accounts"] = None
    if wanted is not None:
        value["accounts"] = [
            encode_or_none(one, encoding, lambda key: view.account(key, commitment))
            for one in told.accounts
        ]
    return view.context(commitment, value)


def _wanted(options: Options | None) -> tuple[list[str], Encoding]:
    if options is None:
        return [], Encoding("base64", None)
    addresses = options.get("addresses")
    if not isinstance(addresses, list) or len(addresses) > _ADDRESSES_MAX:
        raise invalid_params(f"Too many accounts provided; max {_ADDRESSES_MAX}")
    encoding = Encoding.of(options, "base64")
    if encoding.name in {"binary", "base58"}:
        raise invalid_params("base58 encoding not supported")
    return [key_of(one) for one in addresses], encoding


def _simulated(told: Simulation, raw: bytes, *, inner: bool) -> dict[str, Any]:
    value: dict[str, Any] = {
        "err": told.err,
        "fee": told.fee_lamports,
        "innerInstructions": None,
        "loadedAccountsDataSize": told.loaded_accounts_data_size,
        "logs": list(told.logs),
        "replacementBlockhash": None,
        "returnData": transactions.return_data(told.return_data),
        "unitsConsumed": told.units_consumed,
    }
    if inner:
        message = VersionedTransaction.from_bytes(raw).message
        # Programs are static keys, so what they invoke is told with indexes as it is.
        keys = tuple(str(key) for key in message.account_keys)
        value["innerInstructions"] = transactions.inner(keys, told.inner_instructions, parsed=False)
    if told.replacement is not None:
        value["replacementBlockhash"] = {
            "blockhash": told.replacement.blockhash,
            "lastValidBlockHeight": told.replacement.last_valid_block_height,
        }
    return value


def _airdrop(node: Node, params: Params) -> str:
    key, lamports = params.key(0), params.integer(1)
    if not 0 < lamports <= AIRDROP_LAMPORTS_MAX:
        raise invalid_params(
            f"Invalid request: {lamports} lamports, expected 1 to {AIRDROP_LAMPORTS_MAX}"
        )
    return node.chain.airdrop(key, lamports)


METHODS: Final[dict[str, Method]] = {
    "sendTransaction": _send,
    "simulateTransaction": _simulate,
    "requestAirdrop": _airdrop,
}
"""By name."""
