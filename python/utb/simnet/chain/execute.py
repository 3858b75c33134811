"""Runs one transaction in the virtual machine and reads off what it did."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import msgspec
from solders.account import Account
from solders.litesvm import LiteSVM
from solders.pubkey import Pubkey
from solders.transaction_metadata import FailedTransactionMetadata, TransactionMetadata
from solders.transaction_metadata import InnerInstruction as Invoked

from utb.simnet.chain import tokens
from utb.simnet.chain.accounts import Accounts, told
from utb.simnet.chain.types import (
    Blockhash,
    InnerInstruction,
    Meta,
    Simulation,
    TokenBalance,
)
from utb.simnet.chain.wire import Incoming, Resolved, resolve

Inner = tuple[tuple[int, tuple[InnerInstruction, ...]], ...]


class Planner(Protocol):
    """Who knows what the AMM programs do with a transaction."""

    def scripts(self, incoming: Incoming, resolved: Resolved) -> dict[Pubkey, bytes]:
        """Return the data to plant in script accounts before this transaction runs."""
        ...


@dataclass(frozen=True, slots=True)
class Executed:
    """A transaction that ran; whether it landed is `charged`."""

    resolved: Resolved
    meta: Meta
    charged: bool
    """It paid its fee, so it stands in a block, failed or not."""


class Executor:
    """Runs transactions with signature verification on."""

    def __init__(self, svm: LiteSVM, accounts: Accounts, planner: Planner) -> None:
        self._svm = svm
        self._accounts = accounts
        self._planner = planner
        self._programs: dict[Pubkey, Account] = {}
        self._decimals: dict[str, int] = {}

    def run(self, incoming: Incoming) -> Executed:
        """Run a transaction for good."""
        accounts = self._accounts
        resolved = resolve(incoming.message, accounts.get)
        before = [self._load(key) for key in resolved.keys]
        planted = self._plant(incoming, resolved)
        result = self._svm.send_transaction(incoming.transaction)
        self._restore(planted)
        after = list(before)
        for index, (key, writable) in enumerate(zip(resolved.keys, resolved.writable, strict=True)):
            if writable:
                after[index] = accounts.get(key)
                if after[index] != before[index]:
                    accounts.note(key, before[index])
        err, meta = _outcome(result)
        charged = err is None or _lamports(before[0]) != _lamports(after[0])
        return Executed(resolved, self._meta((err, meta), resolved, before, after), charged)

    def simulate(
        self, incoming: Incoming, wanted: list[Pubkey], replacement: Blockhash | None, slot: int
    ) -> Simulation:
        """Run a transaction without keeping anything; signatures are not looked at."""
        resolved = resolve(incoming.message, self._accounts.get)
        loaded = [self._load(key) for key in resolved.keys]
        planted = self._plant(incoming, resolved)
        self._svm.with_sigverify(False)  # noqa: FBT003 - the library's own signature
        result = self._svm.simulate_transaction(incoming.transaction)
        self._svm.with_sigverify(True)  # noqa: FBT003
        self._restore(planted)
        post: dict[Pubkey, Account] = {}
        if isinstance(result, FailedTransactionMetadata):
            err, meta = _outcome(result)
        else:
            err, meta = None, result.meta()
            post = {key: one for key, one in result.post_accounts() if key not in planted}
        state = [post.get(key) or self._accounts.get(key) for key in wanted]
        return Simulation(
            err=err,
            logs=tuple(meta.logs()),
            units_consumed=meta.compute_units_consumed(),
            fee_lamports=meta.fee(),
            inner_instructions=_inner(meta),
            accounts=tuple(told(one) if one and one.lamports else None for one in state),
            return_data=_return_data(meta),
            replacement=replacement,
            slot=slot,
            loaded_accounts_data_size=sum(len(one.data) for one in loaded if one),
        )

    def _load(self, key: Pubkey) -> Account | None:
        """Return an account; programs, which never change, come from memory."""
        found = self._programs.get(key)
        if found is None:
            found = self._accounts.get(key)
            if found is not None and found.executable:
                self._programs[key] = found
        return found

    def _plant(
        self, incoming: Incoming, resolved: Resolved
    ) -> dict[Pubkey, tuple[Account | None, int]]:
        planted = {}
        for key, script in self._planner.scripts(incoming, resolved).items():
            before = self._accounts.get(key)
            # Rent-exempt at any rate, so that the machine takes it where it is writable.
            lamports = max(_lamports(before), self._svm.minimum_balance_for_rent_exemption(2**15))
            owner = Pubkey.default() if before is None else before.owner
            self._accounts.swap(key, Account(lamports, script, owner))
            planted[key] = (before, lamports)
        return planted

    def _restore(self, planted: dict[Pubkey, tuple[Account | None, int]]) -> None:
        for key, (before, lamports) in planted.items():
            gained = self._accounts.lamports(key) - lamports
            if gained == 0:
                self._accounts.swap(key, before)
                continue
            was = before or Account(0, b"", Pubkey.default())
            self._accounts.swap(key, Account(was.lamports + gained, was.data, was.owner))

    def _meta(
        self,
        outcome: tuple[object, TransactionMetadata],
        resolved: Resolved,
        before: list[Account | None],
        after: list[Account | None],
    ) -> Meta:
        err, meta = outcome
        loaded = [str(key) for key in resolved.keys[resolved.static_count :]]
        return Meta(
            err=err,
            fee_lamports=meta.fee(),
            compute_units=meta.compute_units_consumed(),
            logs=tuple(meta.logs()),
            inner_instructions=_inner(meta),
            pre_balances=tuple(_lamports(one) for one in before),
            post_balances=tuple(_lamports(one) for one in after),
            pre_token_balances=self._token_balances(before),
            post_token_balances=self._token_balances(after),
            loaded_writable=tuple(loaded[: resolved.loaded_writable_count]),
            loaded_readonly=tuple(loaded[resolved.loaded_writable_count :]),
            return_data=_return_data(meta),
        )

    def _token_balances(self, accounts: list[Account | None]) -> tuple[TokenBalance, ...]:
        found = []
        for index, account in enumerate(accounts):
            if account is None or not tokens.is_token_account(account):
                continue
            data = account.data
            mint = Pubkey(data[:32])
            found.append(
                TokenBalance(
                    account_index=index,
                    mint=_text(mint),
                    owner=_text(Pubkey(data[32:64])),
                    program=_text(account.owner),
                    amount_raw=tokens.amount_raw(data),
                    decimals=self._mint_decimals(mint),
                )
            )
        return tuple(found)

    def _mint_decimals(self, mint: Pubkey) -> int:
        name = _text(mint)
        if name not in self._decimals:
            data = self._accounts.data(mint)
            self._decimals[name] = data[tokens.DECIMALS_AT] if data else 0
        return self._decimals[name]


@lru_cache(maxsize=65_536)
def _text(key: Pubkey) -> str:
    return str(key)


def _lamports(account: Account | None) -> int:
    return 0 if account is None else account.lamports


def _outcome(
    result: TransactionMetadata | FailedTransactionMetadata,
) -> tuple[object, TransactionMetadata]:
    """Return the error in the form of JSON-RPC, and the rest."""
    if isinstance(result, TransactionMetadata):
        return None, result
    return msgspec.json.decode(result.to_json())["err"], result.meta()


def _inner(meta: TransactionMetadata) -> Inner:
    found = []
    for index, invoked in enumerate(meta.inner_instructions()):
        if invoked:
            found.append((index, tuple(map(_one_inner, invoked))))
    return tuple(found)


def _one_inner(invoked: Invoked) -> InnerInstruction:
    compiled = invoked.instruction()
    return InnerInstruction(
        program_id_index=compiled.program_id_index,
        accounts=tuple(compiled.accounts),
        data=bytes(compiled.data),
        stack_height=invoked.stack_height() or 0,
    )


def _return_data(meta: TransactionMetadata) -> tuple[str, bytes] | None:
    found = meta.return_data()
    return (str(found.program_id), bytes(found.data)) if found.data else None
