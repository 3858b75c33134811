"""What a node tells of the chain: slots, statuses, transactions, accounts; changes nothing."""

from typing import Final

from solders.litesvm import LiteSVM
from solders.pubkey import Pubkey

from utb.domain.chain import Commitment
from utb.errors import UsageError
from utb.simnet.chain import tokens, wire
from utb.simnet.chain.accounts import Accounts, told
from utb.simnet.chain.blocks import Blocks
from utb.simnet.chain.history import History
from utb.simnet.chain.types import (
    Block,
    Blockhash,
    ChainAccount,
    LandedTransaction,
    SignatureEntry,
    Status,
    TokenAccount,
)

SLOTS_PER_EPOCH: Final = 432_000
_MEMO_PROGRAMS: Final = frozenset(
    {
        "MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr",
        "Memo1UhkJRfHyvLMcVucJwxXeuD728EqVDDwQDxFMNo",
    }
)


class Reads:
    """The reading half of a chain; every answer takes a commitment."""

    def __init__(self, svm: LiteSVM, accounts: Accounts, blocks: Blocks, history: History) -> None:
        self._svm = svm
        self._accounts = accounts
        self._blocks = blocks
        self._history = history

    # Where the chain is

    @property
    def slot(self) -> int:
        """Return the newest (processed) slot."""
        return self._blocks.slot

    @property
    def block_height(self) -> int:
        """Return the newest block's height."""
        return self._blocks.height

    @property
    def confirmed_slot(self) -> int:
        """Return the newest confirmed slot."""
        return self._blocks.confirmed

    @property
    def finalized_slot(self) -> int:
        """Return the newest finalized slot."""
        return self._blocks.finalized

    @property
    def finalized_block_height(self) -> int:
        """Return the block height at the finalized slot."""
        return self._blocks.height_at(Commitment.FINALIZED)

    @property
    def replaceable_slots(self) -> int:
        """Return how many of the newest slots a fork may replace: those not finalized."""
        return self._blocks.replaceable()

    @property
    def genesis_hash(self) -> str:
        """Return the hash that names this chain; another seed makes another one."""
        return self._blocks.genesis_hash

    @property
    def epoch(self) -> int:
        """Return the epoch of the newest slot."""
        return self._blocks.slot // SLOTS_PER_EPOCH

    @property
    def unix_time_s(self) -> int:
        """Return the chain's time at the newest slot."""
        return self._svm.get_clock().unix_timestamp

    def slot_at(self, commitment: Commitment) -> int:
        """Return the newest slot at a commitment."""
        return self._blocks.slot_at(commitment)

    def block_height_at(self, commitment: Commitment) -> int:
        """Return the block height at a commitment."""
        return self._blocks.height_at(commitment)

    def latest_blockhash(self, commitment: Commitment = Commitment.CONFIRMED) -> Blockhash:
        """Return the newest blockhash at a commitment and the last height it is valid at."""
        return self._blocks.latest(commitment)

    def is_blockhash_valid(self, blockhash: str, commitment: Commitment) -> bool:
        """Return whether a transaction with it could still land, seen from a commitment."""
        last = self._blocks.last_valid_height(blockhash)
        return last is not None and self._blocks.height_at(commitment) <= last

    # Transactions

    def status(self, signature: str) -> Status | None:
        """Return where a signature stands; None: not on this chain (now)."""
        landed = self._history.get(signature)
        if landed is None:
            return None
        commitment = self._commitment_of(landed.slot)
        final = commitment is Commitment.FINALIZED
        confirmations = None if final else self._blocks.height - self._blocks.height_of(landed.slot)
        return Status(landed.slot, confirmations, landed.meta.err, commitment)

    def transaction(
        self, signature: str, commitment: Commitment = Commitment.CONFIRMED
    ) -> LandedTransaction | None:
        """Return a landed transaction with its meta; None: not there at that commitment."""
        landed = self._history.get(signature)
        if landed is None or landed.slot > self._blocks.slot_at(commitment):
            return None
        return landed

    def signatures_for(
        self,
        address: str,
        *,
        limit: int = 1_000,
        before: str | None = None,
        until: str | None = None,
        commitment: Commitment = Commitment.CONFIRMED,
    ) -> list[SignatureEntry]:
        """Return the signatures that name an address, newest first.

        `before` and `until` are signatures and are left out themselves; an unknown `before`
        gives nothing.
        """
        at_most = self._blocks.slot_at(commitment)
        found: list[SignatureEntry] = []
        open_ = before is None
        for landed in self._history.of(address):
            if landed.signature == until or len(found) == limit:
                break
            if open_ and landed.slot <= at_most:
                found.append(
                    SignatureEntry(
                        signature=landed.signature,
                        slot=landed.slot,
                        err=landed.meta.err,
                        block_time=landed.block_time,
                        memo=_memo(landed),
                        commitment=self._commitment_of(landed.slot),
                    )
                )
            open_ = open_ or landed.signature == before
        return found

    def block(self, slot: int) -> Block | None:
        """Return the block of a slot; None: skipped, replaced, or long forgotten."""
        return self._blocks.block(slot)

    # Accounts

    def account(
        self, key: str, commitment: Commitment = Commitment.CONFIRMED
    ) -> ChainAccount | None:
        """Return an account at a commitment; None: there is none."""
        found = self._accounts.at(pubkey(key), self._blocks.slot_at(commitment))
        return None if found is None else told(found)

    def token_accounts(
        self,
        owner: str,
        *,
        mint: str | None = None,
        program: str | None = None,
        commitment: Commitment = Commitment.CONFIRMED,
    ) -> list[TokenAccount]:
        """Return an owner's token accounts of a mint or of a token program, by address."""
        slot = self._blocks.slot_at(commitment)
        wanted, minted = bytes(pubkey(owner)), None if mint is None else bytes(pubkey(mint))
        found = []
        for token_program in tokens.TOKEN_PROGRAMS:
            if program is not None and program != str(token_program):
                continue
            for key, account in self._accounts.of_program(token_program, slot):
                data = account.data
                if not tokens.is_token_account(account) or data[32:64] != wanted:
                    continue
                if minted is None or data[:32] == minted:
                    found.append(TokenAccount(str(key), told(account)))
        return found

    def program_accounts(
        self, program: str, commitment: Commitment = Commitment.CONFIRMED
    ) -> list[TokenAccount]:
        """Return all accounts of a program, by address."""
        slot = self._blocks.slot_at(commitment)
        found = self._accounts.of_program(pubkey(program), slot)
        return [TokenAccount(str(key), told(account)) for key, account in found]

    def minimum_balance(self, space: int) -> int:
        """Return the rent-exempt minimum of an account with `space` bytes, lamports."""
        return self._svm.minimum_balance_for_rent_exemption(space)

    def _commitment_of(self, slot: int) -> Commitment:
        if slot <= self._blocks.finalized:
            return Commitment.FINALIZED
        return Commitment.CONFIRMED if slot <= self._blocks.confirmed else Commitment.PROCESSED


def pubkey(text: str) -> Pubkey:
    """Read a key.

    Raises:
        UsageError: If it is not 32 bytes of base58.
    """
    try:
        return Pubkey.from_string(text)
    except ValueError as error:
        raise UsageError("key", text, "32 bytes of base58") from error


def _memo(landed: LandedTransaction) -> str | None:
    """Return the memos of a transaction as a node tells them: `[length] text`, joined by `; `."""
    message = wire.read(landed.raw).message
    keys = message.account_keys
    texts = [
        bytes(one.data)
        for one in message.instructions
        if str(keys[one.program_id_index]) in _MEMO_PROGRAMS
    ]
    return "; ".join(f"[{len(one)}] {one.decode(errors='replace')}" for one in texts) or None
