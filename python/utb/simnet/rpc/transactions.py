"""Landed transactions in the encodings of JSON-RPC."""

import base64
from typing import Any, Final

from solders.message import MessageV0
from solders.transaction import VersionedTransaction

from utb.simnet import base58
from utb.simnet.chain.types import InnerInstruction, LandedTransaction, Meta, TokenBalance
from utb.simnet.rpc.accounts import ui_amount
from utb.simnet.rpc.errors import unsupported_version
from utb.simnet.rpc.instructions import parsed_instruction
from utb.simnet.rpc.messages import AnyMessage, message_of, writable

ENCODINGS: Final = ("binary", "json", "jsonParsed", "base58", "base64")


def encode(landed: LandedTransaction, encoding: str, version_max: int | None) -> dict[str, Any]:
    """Return a transaction and its meta; without slot and time, as blocks hold it.

    Args:
        landed: The transaction.
        encoding: One of `ENCODINGS`.
        version_max: Newest version the client understands; None: only legacy ones.

    Raises:
        RpcError: If the client does not understand its version.
    """
    message = message_of(landed.raw)
    versioned = isinstance(message, MessageV0)
    if versioned and version_max is None:
        raise unsupported_version(0)
    parsed = encoding == "jsonParsed"
    told: dict[str, Any] = {
        "meta": _meta(landed, parsed=parsed),
        "transaction": _transaction(landed, message, encoding),
    }
    if version_max is not None:
        told["version"] = 0 if versioned else "legacy"
    return told


def inner(
    keys: tuple[str, ...],
    groups: tuple[tuple[int, tuple[InnerInstruction, ...]], ...],
    *,
    parsed: bool,
) -> list[dict[str, Any]]:
    """Return what instructions invoked."""
    return [
        {
            "index": index,
            "instructions": [
                _instruction(
                    keys, one.program_id_index, one.accounts, one.data, one.stack_height, parsed
                )
                for one in invoked
            ],
        }
        for index, invoked in groups
    ]


def return_data(told: tuple[str, bytes] | None) -> dict[str, Any] | None:
    """Return what a program returned, or None."""
    if told is None or not told[1]:
        return None
    return {"programId": told[0], "data": [base64.b64encode(told[1]).decode(), "base64"]}


def token_balance(one: TokenBalance) -> dict[str, Any]:
    """Return a token balance of a meta."""
    return {
        "accountIndex": one.account_index,
        "mint": one.mint,
        "owner": one.owner,
        "programId": one.program,
        "uiTokenAmount": ui_amount(one.amount_raw, one.decimals),
    }


def _meta(landed: LandedTransaction, *, parsed: bool) -> dict[str, Any]:
    meta: Meta = landed.meta
    told: dict[str, Any] = {
        "computeUnitsConsumed": meta.compute_units,
        "err": meta.err,
        "fee": meta.fee_lamports,
        "innerInstructions": inner(landed.keys, meta.inner_instructions, parsed=parsed),
        "logMessages": list(meta.logs),
        "postBalances": list(meta.post_balances),
        "postTokenBalances": [token_balance(one) for one in meta.post_token_balances],
        "preBalances": list(meta.pre_balances),
        "preTokenBalances": [token_balance(one) for one in meta.pre_token_balances],
        "rewards": [],
        "status": {"Ok": None} if meta.err is None else {"Err": meta.err},
    }
    if not parsed:
        told["loadedAddresses"] = {
            "readonly": list(meta.loaded_readonly),
            "writable": list(meta.loaded_writable),
        }
    returned = return_data(meta.return_data)
    if returned is not None:
        told["returnData"] = returned
    return told


def _transaction(landed: LandedTransaction, message: AnyMessage, encoding: str) -> Any:
    if encoding == "base64":
        return [base64.b64encode(landed.raw).decode(), "base64"]
    if encoding in {"base58", "binary"}:
        text = base58.encode(landed.raw)
        return text if encoding == "binary" else [text, "base58"]
    signatures = VersionedTransaction.from_bytes(landed.raw).signatures
    return {
        "message": (
            _parsed_message(landed, message)
            if encoding == "jsonParsed"
            else _json_message(landed, message)
        ),
        "signatures": [str(one) for one in signatures],
    }


def _json_message(landed: LandedTransaction, message: AnyMessage) -> dict[str, Any]:
    header = message.header
    told: dict[str, Any] = {
        "accountKeys": list(landed.keys[: len(message.account_keys)]),
        "header": {
            "numReadonlySignedAccounts": header.num_readonly_signed_accounts,
            "numReadonlyUnsignedAccounts": header.num_readonly_unsigned_accounts,
            "numRequiredSignatures": header.num_required_signatures,
        },
        "instructions": _instructions(landed, message, parsed=False),
        "recentBlockhash": str(message.recent_blockhash),
    }
    lookups = _lookups(message)
    return told if lookups is None else {**told, "addressTableLookups": lookups}


def _parsed_message(landed: LandedTransaction, message: AnyMessage) -> dict[str, Any]:
    static = len(message.account_keys)
    writable_end = static + len(landed.meta.loaded_writable)
    keys = [
        {
            "pubkey": key,
            "signer": index < message.header.num_required_signatures,
            "source": "transaction" if index < static else "lookupTable",
            "writable": (writable(message, index) if index < static else index < writable_end),
        }
        for index, key in enumerate(landed.keys)
    ]
    told: dict[str, Any] = {
        "accountKeys": keys,
        "instructions": _instructions(landed, message, parsed=True),
        "recentBlockhash": str(message.recent_blockhash),
    }
    lookups = _lookups(message)
    return told if lookups is None else {**told, "addressTableLookups": lookups}


def _instructions(
    landed: LandedTransaction, message: AnyMessage, *, parsed: bool
) -> list[dict[str, Any]]:
    return [
        _instruction(
            landed.keys, one.program_id_index, tuple(one.accounts), bytes(one.data), None, parsed
        )
        for one in message.instructions
    ]


def _instruction(
    keys: tuple[str, ...],
    program_index: int,
    accounts: tuple[int, ...],
    data: bytes,
    height: int | None,
    parsed: bool,  # noqa: FBT001 - private
) -> dict[str, Any]:
    if not parsed:
        return {
            "accounts": list(accounts),
            "data": base58.encode(data),
            "programIdIndex": program_index,
            "stackHeight": height,
        }
    program = keys[program_index]
    told = parsed_instruction(program, [keys[index] for index in accounts], data)
    return {**told, "programId": program, "stackHeight": height}


def _lookups(message: AnyMessage) -> list[dict[str, Any]] | None:
    if not isinstance(message, MessageV0):
        return None
    return [
        {
            "accountKey": str(one.account_key),
            "readonlyIndexes": list(one.readonly_indexes),
            "writableIndexes": list(one.writable_indexes),
        }
        for one in message.address_table_lookups
    ]
