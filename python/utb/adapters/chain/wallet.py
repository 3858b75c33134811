"""Everything the wallet has on the chain, at one finalized slot."""

import hashlib
from collections.abc import Sequence
from typing import Final

import msgspec

from utb.adapters.chain import base58
from utb.adapters.chain.system import SYSTEM_PROGRAM, moves
from utb.adapters.rpc import calls
from utb.adapters.rpc.answers import AccountValue, Bad, SignatureEntry
from utb.adapters.rpc.pool import RpcPool
from utb.domain.chain import WRAPPED_SOL_MINT, Commitment

TOKEN_PROGRAM: Final = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"  # noqa: S105 - a program's address
TOKEN_2022_PROGRAM: Final = "TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb"  # noqa: S105 - as above
TOKEN_PROGRAMS: Final = (TOKEN_PROGRAM, TOKEN_2022_PROGRAM)

HISTORY_SECONDS: Final = 86_400
"""How far back the wallet's signatures are looked at."""
PAGES_MAX: Final = 20
ROUNDS_MAX: Final = 4
"""Readings before giving up because the wallet's accounts change meanwhile."""

_TOKEN_ACCOUNT_BYTES: Final = 165
_FROZEN: Final = 2
_HEADER_BYTES: Final = 4
_NO_EXTENSION: Final = 0
_HARMLESS: Final = frozenset({7, 8, 13, 27})
"""ImmutableOwner, MemoTransfer, NonTransferableAccount and PausableAccount hold nothing."""


class TokenAccount(msgspec.Struct, frozen=True, kw_only=True):
    """A token account of the wallet."""

    address: str
    program: str
    mint: str
    amount_raw: int
    rent_lamports: int
    """That come back when it is closed, beside the wrapped SOL it holds."""
    frozen: bool
    withheld: bool
    """Whether it holds withheld transfer fees, or what cannot be read, or another may close it:
    we cannot."""


class Guard(msgspec.Struct, frozen=True, kw_only=True):
    """A guard account that exists."""

    address: str
    seed: str
    lamports: int


class WalletReading(msgspec.Struct, frozen=True, kw_only=True):
    """The wallet at one slot."""

    endpoint: str
    slot: int
    """Finalized."""
    lamports: int
    accounts: tuple[TokenAccount, ...]
    guards: tuple[Guard, ...]
    signatures: tuple[SignatureEntry, ...]
    """Finalized ones of the last 24 hours, newest first."""

    def tokens(self) -> dict[str, int]:
        """Return amounts by mint."""
        found: dict[str, int] = {}
        for account in self.accounts:
            found[account.mint] = found.get(account.mint, 0) + account.amount_raw
        return found

    def rent_lamports(self) -> int:
        """Return what is locked in token accounts and guards."""
        own = sum(account.rent_lamports for account in self.accounts)
        return own + sum(guard.lamports for guard in self.guards)


def guard_address(wallet: str, seed: str) -> str:
    """Return the address derived from the wallet and a seed, owned by the System program.

    Source: `Pubkey::create_with_seed`: SHA-256 of base, seed and owner.
    """
    owner = base58.decode(SYSTEM_PROGRAM)
    return base58.encode(hashlib.sha256(base58.decode(wallet) + seed.encode() + owner).digest())


async def read_wallet(
    pool: RpcPool, wallet: str, guard_seeds: Sequence[str], now_s: float
) -> WalletReading | Bad:
    """Read balances at one finalized slot, and the signatures of the last 24 hours.

    Args:
        pool: Whom to ask; one endpoint answers everything.
        wallet: Address.
        guard_seeds: Intents whose guard accounts may exist.
        now_s: Seconds since the epoch.
    """
    last = Bad(endpoint="", reason="no_endpoint", sentence="no endpoint is usable", transient=True)
    for endpoint in pool.usable():
        reading = await _Reader(pool, endpoint, wallet).read(guard_seeds, now_s)
        if isinstance(reading, WalletReading):
            return reading
        last = reading
    return last


async def guard_seeds_of(
    pool: RpcPool, wallet: str, signatures: Sequence[str], seeds: Sequence[str]
) -> tuple[str, ...] | Bad:
    """Return the seeds whose guards the given transactions of the wallet opened.

    For a journal that was lost: the wallet's history names the accounts, `seeds` are tried.
    """
    derived = {guard_address(wallet, seed): seed for seed in seeds}
    found = []
    for signature in signatures:
        answer = await pool.call(calls.transaction(signature, Commitment.FINALIZED))
        if isinstance(answer, Bad):
            return answer
        if answer.value is None or answer.value.meta.err is not None:
            continue
        found += [derived[m.destination] for m in moves(answer.value) if m.destination in derived]
    return tuple(dict.fromkeys(found))


def token_account(address: str, account: AccountValue) -> TokenAccount | None:
    """Return what a token account holds; None: it is none.

    What others may take away again is no rent of ours: all of an account that another may close
    (whoever opens an account can keep that right and then make it ours), and what was sent to one
    of wrapped SOL beyond its reserve (anybody may turn that into wrapped SOL).

    Source: spl-token `Account`: mint 0, owner 32, amount u64 at 64, state at 108, then as u32 and
    value the reserve of wrapped SOL u64 at 109 and the close authority at 129.
    """
    data = account.data[0]
    if account.owner not in TOKEN_PROGRAMS or len(data) < _TOKEN_ACCOUNT_BYTES:
        return None
    mint = base58.encode(data[:32])
    amount = int.from_bytes(data[64:72], "little")
    rent = account.lamports
    if mint == WRAPPED_SOL_MINT:
        rent -= amount
        if any(data[109:113]):
            rent = min(rent, int.from_bytes(data[113:121], "little"))
    foreign = any(data[129:133]) and data[133:165] != data[32:64]
    return TokenAccount(
        address=address,
        program=account.owner,
        mint=mint,
        amount_raw=amount,
        rent_lamports=0 if foreign else rent,
        frozen=data[108] == _FROZEN,
        withheld=foreign or _withheld(data[_TOKEN_ACCOUNT_BYTES:]),
    )


def _withheld(extensions: bytes) -> bool:
    """Return whether extensions of a token account keep it from being closed.

    Source: spl-token-2022: the account's type, then type u16, length u16 and value of each;
    2 is TransferFeeAmount, whose value is the withheld amount u64.
    """
    at = 1
    while at + _HEADER_BYTES <= len(extensions):
        kind = int.from_bytes(extensions[at : at + 2], "little")
        if kind == _NO_EXTENSION:
            return False
        length = int.from_bytes(extensions[at + 2 : at + _HEADER_BYTES], "little")
        at += _HEADER_BYTES
        if kind not in _HARMLESS and any(extensions[at : at + length]):
            return True
        at += length
    # A value that is cut off is nothing we know.
    return at > max(1, len(extensions))


class _Reader:
    """One reading on one endpoint."""

    def __init__(self, pool: RpcPool, endpoint: str, wallet: str) -> None:
        self._pool = pool
        self._endpoint = endpoint
        self._wallet = wallet

    async def read(self, guard_seeds: Sequence[str], now_s: float) -> WalletReading | Bad:
        guards = {guard_address(self._wallet, seed): seed for seed in guard_seeds}
        listed = await self._listed()
        for _ in range(ROUNDS_MAX):
            if isinstance(listed, Bad):
                return listed
            balances = await self._balances(listed, tuple(guards))
            if isinstance(balances, Bad):
                return balances
            again = await self._listed()
            # Nothing was opened or closed between the lists: the balances are all there are.
            if again == listed and balances is not None:
                return await self._whole(*balances, guards, now_s)
            listed = again
        sentence = f"{self._endpoint}: the wallet's accounts change faster than they are read"
        return self._bad("moving", sentence)

    async def _listed(self) -> tuple[str, ...] | Bad:
        found: list[str] = []
        for program in TOKEN_PROGRAMS:
            call = calls.token_accounts(self._wallet, program, Commitment.FINALIZED)
            answer = await self._pool.ask(self._endpoint, call, urgent=True)
            if isinstance(answer, Bad):
                return answer
            found += [each.pubkey for each in answer.value]
        return tuple(sorted(found))

    async def _balances(
        self, own: tuple[str, ...], guards: tuple[str, ...]
    ) -> tuple[int, dict[str, AccountValue]] | Bad | None:
        """Return slot and accounts; None: ours moved while they were read.

        More than one call takes are read between two readings of the wallet itself: whatever of
        ours opens, empties or trades from an account pays a fee, so where the wallet is the same
        in both nothing of that moved between. What others send meanwhile is of this reading or of
        the next.
        """
        keys = (self._wallet, *own, *guards)
        first = await self._at_once(keys[: calls.ACCOUNTS_MAX])
        if isinstance(first, Bad) or len(keys) <= calls.ACCOUNTS_MAX:
            return first
        found, slots = dict(first[1]), [first[0]]
        for start in range(calls.ACCOUNTS_MAX, len(keys), calls.ACCOUNTS_MAX):
            part = await self._at_once(keys[start : start + calls.ACCOUNTS_MAX])
            if isinstance(part, Bad):
                return part
            slots.append(part[0])
            found |= part[1]
        last = await self._at_once((self._wallet,))
        if isinstance(last, Bad):
            return last
        still = first[1].get(self._wallet) == last[1].get(self._wallet)
        in_between = all(first[0] <= slot <= last[0] for slot in slots)
        return (last[0], found) if still and in_between else None

    async def _at_once(self, keys: tuple[str, ...]) -> tuple[int, dict[str, AccountValue]] | Bad:
        """Return the slot and the accounts of as many keys as one call takes."""
        call = calls.accounts(keys, Commitment.FINALIZED)
        answer = await self._pool.ask(self._endpoint, call, urgent=True)
        if isinstance(answer, Bad):
            return answer
        if len(answer.value) != len(keys) or answer.slot is None:
            return self._bad("not_understood", f"{self._endpoint} answers with other accounts")
        found = {k: a for k, a in zip(keys, answer.value, strict=True) if a is not None}
        return answer.slot, found

    async def _whole(
        self, slot: int, found: dict[str, AccountValue], guards: dict[str, str], now_s: float
    ) -> WalletReading | Bad:
        signatures = await self._signatures(slot, now_s - HISTORY_SECONDS)
        if isinstance(signatures, Bad):
            return signatures
        wallet = found.pop(self._wallet, None)
        if wallet is not None and wallet.owner != SYSTEM_PROGRAM:
            return self._bad("foreign", f"{self._wallet} is no wallet: {wallet.owner} owns it")
        opened = [
            Guard(address=key, seed=seed, lamports=found.pop(key).lamports)
            for key, seed in guards.items()
            if key in found
        ]
        accounts = [token_account(key, account) for key, account in found.items()]
        return WalletReading(
            endpoint=self._endpoint,
            slot=slot,
            # An account that does not exist holds nothing: that is an answer, not a failure.
            lamports=0 if wallet is None else wallet.lamports,
            accounts=tuple(each for each in accounts if each is not None),
            guards=tuple(opened),
            signatures=signatures,
        )

    async def _signatures(self, slot: int, since_s: float) -> tuple[SignatureEntry, ...] | Bad:
        found: list[SignatureEntry] = []
        before: str | None = None
        for _ in range(PAGES_MAX):
            call = calls.signatures_for(self._wallet, before=before, at_least_slot=slot)
            answer = await self._pool.ask(self._endpoint, call, urgent=True)
            if isinstance(answer, Bad):
                return answer
            fresh = [e for e in answer.value if e.block_time is None or e.block_time >= since_s]
            found += [entry for entry in fresh if entry.slot <= slot]
            if len(fresh) < len(answer.value) or len(answer.value) < calls.SIGNATURES_MAX:
                return tuple(found)
            before = answer.value[-1].signature
        sentence = f"{self._endpoint}: more than {len(found):,} transactions in 24 hours"
        return self._bad("too_many", sentence)

    def _bad(self, reason: str, sentence: str) -> Bad:
        return Bad(endpoint=self._endpoint, reason=reason, sentence=sentence, transient=True)
