"""Who gets tips, and what a transaction tips them.

The accounts stand here a second time on purpose: a bot that tips a wrong one must not find it here.
"""

from collections.abc import Iterable
from typing import Final

from utb.simnet.rpc.instructions import SYSTEM_PROGRAM
from utb.simnet.rpc.messages import AnyMessage

JITO_TIP_ACCOUNTS: Final = (
    "96gYZGLnJYVFmbjzopPSU6QiEV5fGqZNyN9nmNhvrZU5",
    "HFqU5x63VTqvQss8hp11i4wVV8bD44PvwucfZ2bU7gRe",
    "Cw8CFyM9FkoMi7K7Crf6HNQqf4uEMzpKw6QNghXLvLkY",
    "ADaUMid9yfUytqMBgopwjb2DTLSokTSzL1zt6iGPaS49",
    "DfXygSm4jCyNCybVYYK6DwvWqjKee8pbDmJGcLWNDXjh",
    "ADuUkR4vqLUMWXxW9gh6D6L8pMSawimctcNZ5pGwDcEt",
    "DttWaMuVvTiduZRnguLF7jNxTgiMBZ1hyAumKUiL2KRL",
    "3AVi9Tg9Uo68tJfuvoKvqKNWKkC5wPdSSdeBnizKZ6jT",
)
"""Source: Jito's getTipAccounts; public addresses."""
HELIUS_TIP_ACCOUNTS: Final = (
    "4ACfpUFoaSD9bfPdeu6DBt89gB6ENTeHBXCAi87NhDEE",
    "D2L6yPZ2FmmmTKPgzaMKdhu6EWZcTpLy1Vhx8uvZe7NZ",
    "9bnz4RShgq1hAnLnZbP8kbgBg1kEmcJBYQq3gQbmnSta",
    "5VY91ws6B2hMmBFRsXkoAAdsPHBJwRfBht4DXox3xkwn",
    "2nyhqdwKcJZR2vcqCyrYsaPVdAnFoJjiksCXJ7hfEYgD",
    "2q5pghRs6arqVjRvT5gfgWfWcHWmw1ZuCzphgd5KfWGJ",
    "wyvPkWjVZz1M8fHQnMMCDTQDbkManefNNhweYk5WkcF",
    "3KCKozbAaF75qEU33jtzozcJ29yJuaLJTy2jFdzUY8bT",
    "4vieeGHPYPG2MmyPRcYjdiDmmhN3ww7hsFNap8pVN3Ey",
    "4TQLFNWK8AovT1gFvda5jfw2oJeRMKEmw7aH6MGBJ3or",
)
"""Source: Helius Sender's documentation; public addresses."""

_TRANSFER: Final = b"\x02\0\0\0"


def tip_lamports(message: AnyMessage, accounts: Iterable[str]) -> int:
    """Return what a message transfers to tip accounts.

    Accounts of lookup tables are not seen: relays look at static keys only.
    """
    wanted, keys = set(accounts), [str(key) for key in message.account_keys]
    total = 0
    for one in message.instructions:
        data, to = bytes(one.data), list(one.accounts)[1:2]
        transfers = keys[one.program_id_index] == SYSTEM_PROGRAM and data[:4] == _TRANSFER
        if transfers and to and to[0] < len(keys) and keys[to[0]] in wanted:
            total += int.from_bytes(data[4:12], "little")
    return total
