"""Instructions in words, as `jsonParsed` tells those of the base programs."""

import struct
from collections.abc import Callable
from typing import Any, Final

from utb.simnet import base58
from utb.simnet.rpc.accounts import TOKEN_2022_PROGRAM, TOKEN_PROGRAM, ui_amount

SYSTEM_PROGRAM: Final = "11111111111111111111111111111111"
ATA_PROGRAM: Final = "ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL"
MEMO_PROGRAM: Final = "MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr"
MEMO_V1_PROGRAM: Final = "Memo1UhkJRfHyvLMcVucJwxXeuD728EqVDDwQDxFMNo"

_Parsed = tuple[str, dict[str, Any]]
"""Type and info."""


def parsed_instruction(program: str, accounts: list[str], data: bytes) -> dict[str, Any]:
    """Return an instruction parsed, or with its data in base58 where nobody can."""
    if program in {MEMO_PROGRAM, MEMO_V1_PROGRAM}:
        return {"program": "spl-memo", "parsed": data.decode("utf-8", "replace")}
    name, parse = _PARSERS.get(program, ("", None))
    try:
        found = None if parse is None else parse(accounts, data)
    except (IndexError, struct.error, UnicodeDecodeError):
        # Too few accounts or bytes: such a transaction fails on chain, and is told as it is.
        found = None
    if found is None:
        return {"accounts": accounts, "data": base58.encode(data)}
    kind, info = found
    return {"program": name, "parsed": {"info": info, "type": kind}}


def _system(accounts: list[str], data: bytes) -> _Parsed | None:
    match int.from_bytes(data[:4], "little"):
        case 0:
            lamports, space = struct.unpack_from("<QQ", data, 4)
            return "createAccount", {
                "source": accounts[0],
                "newAccount": accounts[1],
                "lamports": lamports,
                "space": space,
                "owner": base58.encode(data[20:52]),
            }
        case 2:
            (lamports,) = struct.unpack_from("<Q", data, 4)
            info = {"source": accounts[0], "destination": accounts[1], "lamports": lamports}
            return "transfer", info
        case 3:
            seed, rest = _seed(data, 36)
            lamports, space = struct.unpack_from("<QQ", data, rest)
            return "createAccountWithSeed", {
                "source": accounts[0],
                "newAccount": accounts[1],
                "base": base58.encode(data[4:36]),
                "seed": seed,
                "lamports": lamports,
                "space": space,
                "owner": base58.encode(data[rest + 16 : rest + 48]),
            }
        case 11:
            (lamports,) = struct.unpack_from("<Q", data, 4)
            seed, rest = _seed(data, 12)
            return "transferWithSeed", {
                "source": accounts[0],
                "sourceBase": accounts[1],
                "destination": accounts[2],
                "lamports": lamports,
                "sourceSeed": seed,
                "sourceOwner": base58.encode(data[rest : rest + 32]),
            }
    return None


def _token(accounts: list[str], data: bytes) -> _Parsed | None:
    match data[0]:
        case 3:
            (amount,) = struct.unpack_from("<Q", data, 1)
            return "transfer", {
                "source": accounts[0],
                "destination": accounts[1],
                "authority": accounts[2],
                "amount": str(amount),
            }
        case 9:
            return "closeAccount", {
                "account": accounts[0],
                "destination": accounts[1],
                "owner": accounts[2],
            }
        case 12:
            amount, decimals = struct.unpack_from("<QB", data, 1)
            return "transferChecked", {
                "source": accounts[0],
                "mint": accounts[1],
                "destination": accounts[2],
                "authority": accounts[3],
                "tokenAmount": ui_amount(amount, decimals),
            }
        case 17:
            return "syncNative", {"account": accounts[0]}
        case 18:
            return "initializeAccount3", {
                "account": accounts[0],
                "mint": accounts[1],
                "owner": base58.encode(data[1:33]),
            }
    return None


def _associated(accounts: list[str], data: bytes) -> _Parsed | None:
    if data not in {b"", b"\0", b"\1"}:
        return None
    return "createIdempotent" if data == b"\1" else "create", {
        "source": accounts[0],
        "account": accounts[1],
        "wallet": accounts[2],
        "mint": accounts[3],
        "systemProgram": accounts[4],
        "tokenProgram": accounts[5],
    }


def _seed(data: bytes, at: int) -> tuple[str, int]:
    """Read a text with its 8-byte length, and return it and where it ends."""
    (length,) = struct.unpack_from("<Q", data, at)
    end = at + 8 + length
    return data[at + 8 : end].decode(), end


_PARSERS: Final[dict[str, tuple[str, Callable[[list[str], bytes], _Parsed | None]]]] = {
    SYSTEM_PROGRAM: ("system", _system),
    TOKEN_PROGRAM: ("spl-token", _token),
    TOKEN_2022_PROGRAM: ("spl-token", _token),
    ATA_PROGRAM: ("spl-associated-token-account", _associated),
}
