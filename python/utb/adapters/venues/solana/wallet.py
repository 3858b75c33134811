"""The wallet's own token accounts, and the mints they are of."""

from collections.abc import Iterable
from typing import Final

import msgspec

from utb.adapters.rpc import calls
from utb.adapters.rpc.answers import AccountValue, Bad
from utb.adapters.venues.solana.accounts import AccountFeed
from utb.adapters.venues.solana.parts import Rpc
from utb.domain.chain import Commitment
from utb.engine.chain import associated_token_address, key_bytes, key_text
from utb.ports.livefeed import Timer
from utb.routing.mints import Mint, read_mint

TOKEN_ACCOUNT_BYTES: Final = 165
_AMOUNT_AT: Final = slice(64, 72)


class OwnAccount(msgspec.Struct, frozen=True, kw_only=True):
    """Where the wallet keeps a mint."""

    mint: str
    mint_key: bytes
    token_program: str
    token_program_key: bytes
    address: str
    """Associated token account."""


class WalletAccounts:
    """Follows the wallet's accounts of the traded mints."""

    def __init__(self, wallet: str, rpc: Rpc, timer: Timer) -> None:
        """Know nothing yet."""
        self.wallet = wallet
        self._wallet_key = key_bytes(wallet)
        self._rpc = rpc
        self.accounts = AccountFeed(rpc, timer, self._apply, self._rollback)
        self._own: dict[str, OwnAccount] = {}
        self._mints: dict[str, Mint] = {}
        self._held: dict[str, tuple[int | None, int]] = {}
        """Amount (None: no account) and slot, by address."""

    async def run(self) -> None:
        """Keep them current until cancelled."""
        await self.accounts.run()

    async def read(self, mints: Iterable[str]) -> str:
        """Read mints and follow their accounts; return what could not be read, or nothing."""
        wanted = tuple(dict.fromkeys(mint for mint in mints if mint not in self._mints))
        for start in range(0, len(wanted), calls.ACCOUNTS_MAX):
            batch = wanted[start : start + calls.ACCOUNTS_MAX]
            answer = await self._rpc.call(calls.accounts(batch, Commitment.CONFIRMED))
            if isinstance(answer, Bad):
                return answer.sentence
            for mint, value in zip(batch, answer.value, strict=True):
                trouble = self._take_mint(mint, value)
                if trouble:
                    return trouble
        while self.accounts.due:
            if not await self.accounts.read_due():
                return self.accounts.trouble
        return ""

    def mint(self, mint: str) -> Mint | None:
        """Return a mint that was read."""
        return self._mints.get(mint)

    def own(self, mint: str) -> OwnAccount | None:
        """Return where the wallet keeps a mint; None: the mint was not read."""
        return self._own.get(mint)

    def exists(self, mint: str) -> bool:
        """Return whether the account of a mint is known to be there; unknown is no."""
        own = self._own.get(mint)
        return own is not None and self._held.get(own.address, (None, 0))[0] is not None

    def balance_raw(self, mint: str) -> int | None:
        """Return what the wallet holds of a mint; None: unknown, or no account."""
        own = self._own.get(mint)
        if own is None or self.accounts.age_slots((own.address,)) is None:
            return None
        return self._held.get(own.address, (None, 0))[0]

    def held_raw(self, mint: str) -> int | None:
        """Return what the wallet holds of a mint, 0 where it has no account; None: unknown."""
        own = self._own.get(mint)
        if own is None or self.accounts.age_slots((own.address,)) is None:
            return None
        held = self._held.get(own.address)
        return None if held is None else held[0] or 0

    def _take_mint(self, mint: str, value: AccountValue | None) -> str:
        found = "it does not exist" if value is None else read_mint(value.owner, value.data[0])
        if isinstance(found, str):
            return f"mint {mint}: {found}"
        program_key = key_bytes(found.token_program)
        mint_key = key_bytes(mint)
        address = key_text(associated_token_address(self._wallet_key, mint_key, program_key))
        self._mints[mint] = found
        self._own[mint] = OwnAccount(
            mint=mint,
            mint_key=mint_key,
            token_program=found.token_program,
            token_program_key=program_key,
            address=address,
        )
        self.accounts.want((address,))
        return ""

    def _apply(self, key: str, value: AccountValue | None, slot: int) -> None:
        held = self._held.get(key)
        if held is not None and held[1] > slot:
            return
        amount = None
        if value is not None and len(value.data[0]) >= TOKEN_ACCOUNT_BYTES:
            amount = int.from_bytes(value.data[0][_AMOUNT_AT], "little")
        self._held[key] = (amount, slot)

    def _rollback(self, slot: int) -> None:
        for key in [key for key, held in self._held.items() if held[1] > slot]:
            del self._held[key]
