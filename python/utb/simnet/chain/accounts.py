"""Account state of the stand-in chain: the virtual machine's, with an undo log by slot."""

from collections.abc import Iterable
from typing import Final

from solders.account import Account
from solders.litesvm import LiteSVM
from solders.pubkey import Pubkey

from utb.simnet.chain.types import ChainAccount

SYSTEM: Final = Pubkey.default()

_NO_ACCOUNT: Final = Account(0, b"", SYSTEM)
"""Setting this removes an account."""

Undo = dict[Pubkey, Account | None]
"""What accounts were before a slot changed them; None: they did not exist."""


class Accounts:
    """Reads and writes accounts, and remembers what each unfinalized slot changed.

    The virtual machine cannot be copied, so the state at an older slot is read backwards: the
    first later slot that changed an account knows what it was.
    """

    def __init__(self, svm: LiteSVM) -> None:
        self._svm = svm
        self._undo: dict[int, Undo] = {}
        self._open: Undo | None = None
        self._saved: Undo | None = None

    def begin(self, slot: int) -> None:
        """Open the log of `slot`; what changes from now on belongs to it."""
        self._open = self._undo[slot] = {}

    def end(self) -> tuple[Pubkey, ...]:
        """Close the open log; return the accounts that changed."""
        changed = tuple(self._open or ())
        self._open = None
        return changed

    def save(self) -> None:
        """Mark the state: what changes from now on can be taken back alone."""
        self._saved, self._open = self._open, {}

    def keep(self) -> None:
        """Let what changed since `save` be a part of the open slot."""
        changed, self._open = self._open or {}, self._saved
        for key, before in changed.items():
            self.note(key, before)

    def drop(self) -> None:
        """Take back what changed since `save`."""
        changed, self._open = self._open or {}, self._saved
        for key, before in changed.items():
            self._svm.set_account(key, before or _NO_ACCOUNT)

    def get(self, key: Pubkey) -> Account | None:
        """Return an account as it stands now."""
        return self._svm.get_account(key)

    def lamports(self, key: Pubkey) -> int:
        """Return an account's lamports now; 0 where there is none."""
        return self._svm.get_balance(key) or 0

    def data(self, key: Pubkey) -> bytes | None:
        """Return an account's data now; None where there is none."""
        account = self._svm.get_account(key)
        return None if account is None else account.data

    def set(self, key: Pubkey, account: Account | None) -> None:
        """Change an account as a part of the open slot."""
        self.note(key, self._svm.get_account(key))
        self._svm.set_account(key, account or _NO_ACCOUNT)

    def replace(self, key: Pubkey, before: Account, after: Account) -> None:
        """Change an account that was read a moment ago, as a part of the open slot."""
        self.note(key, before)
        self._svm.set_account(key, after)

    def note(self, key: Pubkey, before: Account | None) -> None:
        """Remember what an account was before the virtual machine changed it."""
        if self._open is not None:
            self._open.setdefault(key, before)

    def swap(self, key: Pubkey, account: Account | None) -> None:
        """Change an account for the length of one execution: the log learns nothing."""
        self._svm.set_account(key, account or _NO_ACCOUNT)

    def plant(self, key: Pubkey, account: Account | None) -> None:
        """Change an account as if it had always been so: no fork takes it back."""
        for undo in self._undo.values():
            if key in undo:
                undo[key] = account
        self._svm.set_account(key, account or _NO_ACCOUNT)

    def undo(self, slots: Iterable[int]) -> tuple[Pubkey, ...]:
        """Take back the changes of `slots`, which are the newest ones; return the accounts."""
        changed: dict[Pubkey, None] = {}
        for slot in sorted(slots, reverse=True):
            for key, before in self._undo.pop(slot, {}).items():
                self._svm.set_account(key, before or _NO_ACCOUNT)
                changed[key] = None
        return tuple(changed)

    def settle(self, slot: int) -> None:
        """Forget the logs up to `slot`: nothing before it is asked for any more."""
        for old in [one for one in self._undo if one <= slot]:
            del self._undo[old]

    def at(self, key: Pubkey, slot: int) -> Account | None:
        """Return an account as it stood at the end of `slot`, the finalized one or later."""
        for later, undo in self._undo.items():
            if later > slot and key in undo:
                return undo[key]
        return self._svm.get_account(key)

    def of_program(self, program: Pubkey, slot: int) -> list[tuple[Pubkey, Account]]:
        """Return a program's accounts at `slot`, in the order of their addresses."""
        keys = {key for key, _ in self._svm.get_program_accounts(program)}
        for later, undo in self._undo.items():
            if later > slot:
                keys.update(undo)
        found = []
        for key in sorted(keys, key=bytes):
            account = self.at(key, slot)
            if account is not None and account.owner == program:
                found.append((key, account))
        return found


def told(account: Account) -> ChainAccount:
    """Return an account as the node tells it."""
    return ChainAccount(
        account.lamports, str(account.owner), account.data, executable=account.executable
    )
