"""Accounts in the encodings of JSON-RPC, parsed ones included."""

import base64
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from utb.simnet import base58
from utb.simnet.chain.types import ChainAccount
from utb.simnet.rpc.errors import INVALID_REQUEST, RpcError, invalid_params
from utb.simnet.rpc.params import Options

TOKEN_PROGRAM: Final = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"  # noqa: S105 - a program id
TOKEN_2022_PROGRAM: Final = "TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb"  # noqa: S105
TOKEN_PROGRAMS: Final = {TOKEN_PROGRAM: "spl-token", TOKEN_2022_PROGRAM: "spl-token-2022"}
LOOKUP_PROGRAM: Final = "AddressLookupTab1e1111111111111111111111111"

ENCODINGS: Final = ("binary", "base58", "base64", "base64+zstd", "jsonParsed")
ACCOUNT_BYTES: Final = 165
MINT_BYTES: Final = 82
_BASE58_BYTES_MAX: Final = 128
_TOO_LONG: Final = "error: data too large for bs58 encoding"
_TYPE_AT: Final = 165
_TYPE_MINT: Final = 1
_TYPE_ACCOUNT: Final = 2
_LOOKUP_HEAD: Final = 56
_STATES: Final = ("uninitialized", "initialized", "frozen")

Find = Callable[[str], ChainAccount | None]
"""Looks an account up, at the commitment of the call."""


class TokenAccount(NamedTuple):
    """What a token account holds."""

    mint: str
    owner: str
    amount_raw: int
    delegate: str | None
    state: str
    native_reserve: int | None
    """Lamports that are not the token's; None: not wrapped SOL."""
    delegated_raw: int
    close_authority: str | None


class Mint(NamedTuple):
    """What a mint says."""

    authority: str | None
    supply_raw: int
    decimals: int
    initialized: bool
    freeze_authority: str | None


class Encoding(NamedTuple):
    """How accounts are asked for."""

    name: str
    slice: tuple[int, int] | None
    """(offset, length)."""

    @classmethod
    def of(cls, options: Options, default: str = "binary") -> "Encoding":
        """Read it from a call's options.

        Raises:
            RpcError: If there is no such encoding, or the slice is wrong.
        """
        name = options.choice("encoding", default, *ENCODINGS)
        if name == "base64+zstd":
            raise invalid_params("Invalid params: base64+zstd is not served, use base64")
        part = options.object("dataSlice")
        if part is None:
            return cls(name, None)
        offset, length = part.integer("offset"), part.integer("length")
        if offset is None or length is None:
            raise invalid_params("Invalid params: dataSlice needs offset and length")
        return cls(name, (offset, length))


def encode(
    account: ChainAccount, encoding: Encoding, find: Find, *, pushed: bool = False
) -> dict[str, Any]:
    """Return an account as JSON-RPC tells it.

    Args:
        account: The account.
        encoding: How it is asked for.
        find: For the mint of a parsed token account.
        pushed: It is told by a subscription: what is too long for base58 is no error there.

    Raises:
        RpcError: If it is too long for base58.
    """
    try:
        data = _data(account, encoding, find)
    except RpcError:
        if not pushed:
            raise
        data = _TOO_LONG if encoding.name == "binary" else [_TOO_LONG, encoding.name]
    return {
        "data": data,
        "executable": account.executable,
        "lamports": account.lamports,
        "owner": account.owner,
        "rentEpoch": account.rent_epoch,
        "space": len(account.data),
    }


def encode_or_none(
    account: ChainAccount | None, encoding: Encoding, find: Find
) -> dict[str, Any] | None:
    """Return an account as JSON-RPC tells it; None for one that is not there."""
    return None if account is None else encode(account, encoding, find)


def token_account(account: ChainAccount | None) -> TokenAccount | None:
    """Return what a token account holds; None for anything else."""
    data = b"" if account is None else account.data
    if account is None or account.owner not in TOKEN_PROGRAMS or len(data) < ACCOUNT_BYTES:
        return None
    if len(data) > ACCOUNT_BYTES and data[_TYPE_AT] != _TYPE_ACCOUNT:
        return None
    state = data[108]
    if not 0 < state < len(_STATES):
        return None
    return TokenAccount(
        mint=base58.encode(data[0:32]),
        owner=base58.encode(data[32:64]),
        amount_raw=int.from_bytes(data[64:72], "little"),
        delegate=_optional_key(data, 72),
        state=_STATES[state],
        native_reserve=_u64(data, 113) if data[109] else None,
        delegated_raw=_u64(data, 121),
        close_authority=_optional_key(data, 129),
    )


def mint(account: ChainAccount | None) -> Mint | None:
    """Return what a mint says; None for anything else."""
    data = b"" if account is None else account.data
    if account is None or account.owner not in TOKEN_PROGRAMS or len(data) < MINT_BYTES:
        return None
    if len(data) != MINT_BYTES and (len(data) <= _TYPE_AT or data[_TYPE_AT] != _TYPE_MINT):
        return None
    return Mint(
        authority=_optional_key(data, 0),
        supply_raw=_u64(data, 36),
        decimals=data[44],
        initialized=data[45] == 1,
        freeze_authority=_optional_key(data, 46),
    )


def ui_amount(raw: int, decimals: int) -> dict[str, Any]:
    """Return an amount as JSON-RPC tells it: text, digits after the point, number, words."""
    whole, part = divmod(raw, 10**decimals)
    digits = f"{part:0{decimals}d}".rstrip("0") if part else ""
    return {
        "amount": str(raw),
        "decimals": decimals,
        "uiAmount": raw / 10**decimals,
        "uiAmountString": f"{whole}.{digits}" if digits else str(whole),
    }


def _data(account: ChainAccount, encoding: Encoding, find: Find) -> Any:
    if encoding.name == "jsonParsed":
        parsed = _parsed(account, find)
        if parsed is not None:
            return parsed
    data = account.data
    if encoding.slice is not None:
        offset, length = encoding.slice
        data = data[offset : offset + length]
    if encoding.name in {"binary", "base58"}:
        if len(data) > _BASE58_BYTES_MAX:
            words = (
                f"Encoded binary (base 58) data should be less than {_BASE58_BYTES_MAX} bytes, "
                "please use Base64 encoding."
            )
            raise RpcError(INVALID_REQUEST, words)
        text = base58.encode(data)
        return text if encoding.name == "binary" else [text, "base58"]
    return [base64.b64encode(data).decode(), "base64"]


def _parsed(account: ChainAccount, find: Find) -> dict[str, Any] | None:
    """Return the parsed form of token accounts, mints and lookup tables; None for others."""
    program, kind, info = TOKEN_PROGRAMS.get(account.owner, ""), "account", None
    held = token_account(account)
    if held is not None:
        info = _account_info(held, mint(find(held.mint)))
    else:
        said = mint(account)
        if said is not None:
            kind, info = "mint", _mint_info(said)
    if account.owner == LOOKUP_PROGRAM and len(account.data) >= _LOOKUP_HEAD:
        program, kind, info = "address-lookup-table", "lookupTable", _table_info(account.data)
    if info is None:
        return None
    parsed = {"info": info, "type": kind}
    return {"program": program, "parsed": parsed, "space": len(account.data)}


def _account_info(held: TokenAccount, said: Mint | None) -> dict[str, Any] | None:
    if said is None:
        return None
    info: dict[str, Any] = {
        "isNative": held.native_reserve is not None,
        "mint": held.mint,
        "owner": held.owner,
        "state": held.state,
        "tokenAmount": ui_amount(held.amount_raw, said.decimals),
    }
    if held.delegate is not None:
        info["delegate"] = held.delegate
        info["delegatedAmount"] = ui_amount(held.delegated_raw, said.decimals)
    if held.native_reserve is not None:
        info["rentExemptReserve"] = ui_amount(held.native_reserve, said.decimals)
    if held.close_authority is not None:
        info["closeAuthority"] = held.close_authority
    return info


def _mint_info(said: Mint) -> dict[str, Any]:
    return {
        "decimals": said.decimals,
        "freezeAuthority": said.freeze_authority,
        "isInitialized": said.initialized,
        "mintAuthority": said.authority,
        "supply": str(said.supply_raw),
    }


def _table_info(data: bytes) -> dict[str, Any]:
    entries = range(_LOOKUP_HEAD, len(data) - 31, 32)
    info: dict[str, Any] = {
        "addresses": [base58.encode(data[at : at + 32]) for at in entries],
        "deactivationSlot": str(_u64(data, 4)),
        "lastExtendedSlot": str(_u64(data, 12)),
        "lastExtendedSlotStartIndex": data[20],
    }
    if data[21]:
        info["authority"] = base58.encode(data[22:54])
    return info


def _u64(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 8], "little")


def _optional_key(data: bytes, at: int) -> str | None:
    """Read a 4-byte flag and a key."""
    return base58.encode(data[at + 4 : at + 36]) if data[at] else None
