"""One AMM instruction on its way to a script: its accounts, the state before it, refusals."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from solders.pubkey import Pubkey

from utb.simnet.chain import tokens
from utb.simnet.chain.accounts import Accounts
from utb.simnet.chain.program.script import SIGNER, WRITABLE, Script

if TYPE_CHECKING:
    from solders.account import Account

_U64_MAX: Final = 2**64 - 1


class Refused(Exception):  # noqa: N818 - what the program says, not a fault of ours
    """The program would return this error."""

    def __init__(self, code: int, words: str) -> None:
        super().__init__(words)
        self.code = code
        self.words = words


@dataclass(frozen=True, slots=True)
class Call:
    """An instruction: the program, its accounts in order, its data."""

    program: Pubkey
    keys: tuple[Pubkey, ...]
    data: bytes
    writable: tuple[bool, ...] = ()
    """Of each account; only an aggregator's calls pass this on."""


class View:
    """State as a transaction's instructions see it one after the other."""

    def __init__(self, accounts: Accounts, epoch: int, time_s: int) -> None:
        self._accounts = accounts
        self._owners: dict[Pubkey, Account | None] = {}
        self._data: dict[Pubkey, bytes] = {}
        self.epoch = epoch
        self.time_s = time_s

    def data(self, key: Pubkey, owner: Pubkey | None = None) -> bytes | None:
        """Return an account's data; None: it does not exist or is not `owner`'s."""
        if key not in self._owners:
            self._owners[key] = self._accounts.get(key)
        account = self._owners[key]
        if account is None or (owner is not None and account.owner != owner):
            return None
        found = self._data.get(key)
        if found is None:
            found = self._data[key] = account.data
        return found

    def write(self, key: Pubkey, offset: int, body: bytes) -> None:
        """Change data for the instructions that follow."""
        data = self.data(key) or b""
        self._data[key] = data[:offset] + body + data[offset + len(body) :]

    def amount(self, key: Pubkey) -> int:
        """Return a token account's amount; 0 where there is none."""
        data = self.data(key)
        return tokens.amount_raw(data) if data and len(data) >= tokens.ACCOUNT_BYTES else 0

    def move(self, key: Pubkey, change_raw: int) -> None:
        """Change a token account's amount for the instructions that follow."""
        if self.data(key) is not None:
            # Beyond these the token program refuses the transfer; what follows never runs.
            after = max(0, min(self.amount(key) + change_raw, _U64_MAX))
            self.write(key, tokens.AMOUNT_AT, after.to_bytes(8, "little"))

    def mint_of(self, key: Pubkey) -> Pubkey | None:
        """Return a token account's mint; None: it does not exist (yet)."""
        data = self.data(key)
        return Pubkey(data[:32]) if data and len(data) >= tokens.ACCOUNT_BYTES else None

    def transfer_fee(self, mint: Pubkey, amount_raw: int) -> int:
        """Return what Token-2022 withholds of a transfer."""
        data = self.data(mint)
        if data is None or len(data) <= tokens.ACCOUNT_BYTES:
            return 0
        fee = tokens.transfer_fee(data, self.epoch)
        return 0 if fee is None else fee.of(amount_raw)

    def decimals(self, mint: Pubkey) -> int:
        """Return a mint's decimals."""
        data = self.data(mint)
        return data[tokens.DECIMALS_AT] if data else 0


@dataclass(frozen=True, slots=True)
class Leg:
    """One side of a swap, as positions among the instruction's accounts."""

    program: int
    source: int
    destination: int
    authority: int
    mint: int | None
    """None: the plain transfer of the classic program."""


def transfer(script: Script, leg: Leg, amount_raw: int, decimals: int) -> None:
    """Add a token transfer to a script."""
    amount = amount_raw.to_bytes(8, "little")
    source, destination = (leg.source, WRITABLE), (leg.destination, WRITABLE)
    authority = (leg.authority, SIGNER)
    if leg.mint is None:
        script.invoke(leg.program, (source, destination, authority), b"\x03" + amount)
        return
    metas = (source, (leg.mint, 0), destination, authority)
    script.invoke(leg.program, metas, b"\x0c" + amount + bytes((decimals,)))


def ceil_div(numerator: int, denominator: int) -> int:
    """Return a quotient rounded up."""
    return -(-numerator // denominator)


def u64(data: bytes, at: int) -> int:
    """Read 8 bytes, little-endian."""
    return int.from_bytes(data[at : at + 8], "little")


def u128(data: bytes, at: int) -> int:
    """Read 16 bytes, little-endian."""
    return int.from_bytes(data[at : at + 16], "little")


def key_at(data: bytes, at: int) -> Pubkey:
    """Read a key."""
    return Pubkey(data[at : at + 32])
