"""Transactions as `getTransaction` answers them: recorded ones, and made ones."""

import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from utb.adapters.chain import base58
from utb.adapters.rpc.answers import TransactionValue

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("UTB_DATA", ROOT.parent / "shared" / "data")) / "rpc"

needs_data = pytest.mark.skipif(
    not DATA.is_dir(), reason=f"no recorded transactions: UTB_DATA has no folder {DATA}"
)

WALLET = base58.encode(bytes(range(32)))
SIGNATURE = base58.encode(bytes(range(64)))
OTHER = base58.encode(bytes(range(1, 65)))
SYSTEM = "1" * 32
BUDGET = "ComputeBudget111111111111111111111111111111"
JITO_TIP = "96gYZGLnJYVFmbjzopPSU6QiEV5fGqZNyN9nmNhvrZU5"
USDC = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"
WSOL = "So11111111111111111111111111111111111111112"
TOKEN = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"  # noqa: S105 - a program's address


def key(number: int) -> str:
    return base58.encode(bytes([number]) * 32)


def recorded(name: str) -> TransactionValue:
    body = msgspec.json.decode((DATA / f"{name}.json").read_bytes())
    return msgspec.convert(body["result"], TransactionValue)


def payer(transaction: TransactionValue) -> str:
    return transaction.transaction.message.account_keys[0]


class Made:
    """A transaction put together account by account; the wallet pays."""

    def __init__(self, fee: int = 5_000) -> None:
        self.keys = [WALLET]
        self.before = [10_000_000_000]
        self.after = [10_000_000_000 - fee]
        self.fee = fee
        self.tokens_before: list[dict[str, Any]] = []
        self.tokens_after: list[dict[str, Any]] = []
        self.instructions: list[dict[str, Any]] = []
        self.inner: list[dict[str, Any]] = []
        self.err: Any = None
        self.program(SYSTEM)

    def account(self, address: str, before: int = 0, after: int = 0) -> int:
        self.keys.append(address)
        self.before.append(before)
        self.after.append(after)
        return len(self.keys) - 1

    def program(self, address: str) -> int:
        return self.account(address, 1, 1)

    def holding(
        self,
        address: str,
        mint: str,
        before_raw: int | None,
        after_raw: int | None,
        *,
        rent: int = 2_039_280,
        owner: str = WALLET,
    ) -> int:
        """Add a token account; an amount of None: it does not exist then."""
        native = 1 if mint == WSOL else 0
        lamports = [0 if raw is None else rent + native * raw for raw in (before_raw, after_raw)]
        index = self.account(address, *lamports)
        for raw, table in ((before_raw, self.tokens_before), (after_raw, self.tokens_after)):
            if raw is not None:
                amount = {"amount": str(raw), "decimals": 6, "uiAmount": None}
                table.append(
                    {
                        "accountIndex": index,
                        "mint": mint,
                        "owner": owner,
                        "programId": TOKEN,
                        "uiTokenAmount": amount,
                    }
                )
        return index

    def pay(self, index: int, lamports: int) -> None:
        """The wallet transfers lamports to an account, which has them already in `after`."""
        self.after[0] -= lamports
        self.system([0, index], (2).to_bytes(4, "little") + lamports.to_bytes(8, "little"))

    def system(self, accounts: list[int], data: bytes, *, called: bool = False) -> None:
        instruction = {
            "programIdIndex": self.keys.index(SYSTEM),
            "accounts": accounts,
            "data": base58.encode(data),
        }
        if called:
            self.inner.append({"index": 0, "instructions": [instruction]})
        else:
            self.instructions.append(instruction)

    def value(self) -> TransactionValue:
        return msgspec.convert(self.body(), TransactionValue)

    def body(self) -> dict[str, Any]:
        return {
            "slot": 77,
            "blockTime": 1_700_000_000,
            "transaction": {
                "signatures": [SIGNATURE],
                "message": {"accountKeys": self.keys, "instructions": self.instructions},
            },
            "meta": {
                "err": self.err,
                "fee": self.fee,
                "preBalances": self.before,
                "postBalances": self.after,
                "preTokenBalances": self.tokens_before,
                "postTokenBalances": self.tokens_after,
                "innerInstructions": self.inner,
                "loadedAddresses": {"writable": [], "readonly": []},
                "computeUnitsConsumed": 61_355,
            },
        }


def create(lamports: int, space: int = 165) -> bytes:
    return (
        bytes(4)
        + lamports.to_bytes(8, "little")
        + space.to_bytes(8, "little")
        + base58.decode(TOKEN)
    )


def create_with_seed(base: str, seed: str, lamports: int) -> bytes:
    text = seed.encode()
    return (
        (3).to_bytes(4, "little")
        + base58.decode(base)
        + len(text).to_bytes(8, "little")
        + text
        + lamports.to_bytes(8, "little")
        + bytes(8)
        + bytes(32)
    )


def transfer_with_seed(seed: str, lamports: int) -> bytes:
    text = seed.encode()
    return (
        (11).to_bytes(4, "little")
        + lamports.to_bytes(8, "little")
        + len(text).to_bytes(8, "little")
        + text
        + bytes(32)
    )
