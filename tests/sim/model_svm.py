"""The simulated worlds over real execution: signed bytes, AMM pools and guards in LiteSVM."""

from collections import Counter
from functools import cache

from model_chain import FINALITY, Chain, Landed, Tx
from model_venue import UNITS
from solders.compute_budget import set_compute_unit_limit, set_compute_unit_price
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.system_program import (
    ID,
    CreateAccountWithSeedParams,
    TransferParams,
    TransferWithSeedParams,
    create_account_with_seed,
    transfer,
    transfer_with_seed,
)
from solders.transaction import VersionedTransaction

from utb.domain.chain import USDC_MINT, WRAPPED_SOL_MINT, Commitment
from utb.errors import UsageError
from utb.simnet.chain import tokens
from utb.simnet.chain.amm.instructions import SwapOrder
from utb.simnet.chain.amm.spec import MarketSpec, specs_of
from utb.simnet.chain.settings import ChainSettings
from utb.simnet.chain.types import ChainAccount, LandedTransaction
from utb.simnet.chain.world import Chain as SvmWorld
from utb.simnet.profiles import instruments

WALLET = Keypair.from_seed(bytes(range(32)))
MEMO = Pubkey.from_string("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr")
NOW = Commitment.PROCESSED
GUARD_PLACE = 2
"""Index of the guard's instruction, behind the two of the compute budget."""
START_LAMPORTS = 10**12
START_QUOTE = 10**12
PRICE_SLOTS = 4


@cache
def specs() -> tuple[MarketSpec, ...]:
    """Return three markets; the cash mint is the last."""
    found = sorted(specs_of(instruments()), key=lambda s: s.base_mint == WRAPPED_SOL_MINT)
    return (*found[:2], found[-1])


class SvmChain(Chain):
    """The model's chain with LiteSVM in the place of its arithmetic."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.svm = SvmWorld(ChainSettings(seed=seed), specs())
        self.wallet = WALLET.pubkey()
        self.txs: dict[str, Tx] = {}
        self.closing: dict[str, int] = {}
        """Housekeeping transactions and what they brought, 0 before they land."""
        self.hashes: dict[int, tuple[str, int]] = {}
        markets = self.svm.markets
        programs = [pool.program for pool in markets[0].pools]
        wanted = programs[seed % len(programs)]
        self.pools = [next(p for p in m.pools if p.program == wanted) for m in markets]
        self.svm.airdrop(str(self.wallet), START_LAMPORTS)
        self.svm.airdrop_tokens(str(self.wallet), USDC_MINT, START_QUOTE)
        for market in markets:
            self.svm.airdrop_tokens(str(self.wallet), market.base_mint, 1)
        for _ in range(FINALITY + 2):
            # The wallet's funds are final before anything begins
            self.svm.tick(skip=False)
        self._enter_slot()
        self.first = self.height
        self.guard_rent = self.svm.minimum_balance(0)
        self.start = self._held()

    def _enter_slot(self) -> None:
        self.slot, self.height = self.svm.slot, self.svm.block_height
        self.heights[self.slot] = self.height
        newest = self.svm.latest_blockhash(NOW)
        self.hashes[self.slot] = newest.blockhash, newest.last_valid_block_height

    def height_at(self, slot: int) -> int:
        """Return the block height at a slot, the first one's before it."""
        return self.heights.get(slot, self.first)

    def quote_out(self, mint: int, amount: int, *, entry: bool) -> int:
        """Return what the pool gives for an exact input."""
        pool = self.pools[mint]
        paid = pool.quote_mint if entry else pool.base_mint
        return self.svm.amm.quote(pool, paid, amount)

    def blockhash(self, slot: int) -> tuple[str, int]:
        """Return the blockhash of a slot, or the newest where it had none."""
        return self.hashes.get(slot) or self.hashes[self.slot]

    def guard_address(self, guard: str) -> Pubkey:
        """Return the guard account's address."""
        return Pubkey.create_with_seed(self.wallet, guard, ID)

    def sign(self, draft: Tx, blockhash: str, unit_price: int, memo: str) -> Tx:
        """Return a transaction with its bytes, signed."""
        pool = self.pools[draft.mint]
        inside = [set_compute_unit_limit(UNITS), set_compute_unit_price(unit_price)]
        if draft.guard is not None:
            inside.append(self._make_guard(draft.guard))
        paid = pool.quote_mint if draft.entry else pool.base_mint
        inside.append(
            self.svm.amm.swap(
                SwapOrder(
                    place=pool,
                    user=self.wallet,
                    input_mint=Pubkey.from_string(paid),
                    amount_in_raw=draft.amount,
                    min_out_raw=draft.min_out,
                )
            )
        )
        if draft.guard is None:
            signer = AccountMeta(self.wallet, is_signer=True, is_writable=False)
            inside.append(Instruction(MEMO, memo.encode(), [signer]))
        if draft.fails:
            beyond = TransferParams(from_pubkey=self.wallet, to_pubkey=self.wallet, lamports=2**60)
            inside.append(transfer(beyond))
        raw = self._signed(inside, blockhash)
        signature = str(VersionedTransaction.from_bytes(raw).signatures[0])
        tx = draft._replace(signature=signature, raw=raw)
        self.txs[signature] = tx
        return tx

    def _signed(self, inside: list[Instruction], blockhash: str) -> bytes:
        message = MessageV0.try_compile(self.wallet, inside, [], Hash.from_string(blockhash))
        return bytes(VersionedTransaction(message, [WALLET]))

    def _make_guard(self, guard: str) -> Instruction:
        return create_account_with_seed(
            CreateAccountWithSeedParams(
                from_pubkey=self.wallet,
                to_pubkey=self.guard_address(guard),
                base=self.wallet,
                seed=guard,
                lamports=self.guard_rent,
                space=0,
                owner=ID,
            )
        )

    def tick(self) -> list[Landed]:
        """Send what reaches this slot's leader, each once, and execute it."""
        for tx in self.pool.pop(self.slot + 1, ()):
            self.svm.submit(tx.raw, max_retries=0)
        if (self.slot + 1) % PRICE_SLOTS == 0:
            for spec in specs():
                self.svm.set_price(spec.symbol, spec.price * self.price(self.slot + 1) / 1_000)
        events = self.svm.tick(skip=False)
        self._enter_slot()
        landed = []
        for signature in events.landed:
            done = self.svm.transaction(signature, NOW)
            assert done is not None
            if signature in self.closing:
                self._closed(done, 1)
            elif signature in self.txs:
                record = self._record(done)
                self.enter(record)
                landed.append(record)
        return landed

    def _record(self, done: LandedTransaction) -> Landed:
        tx, meta = self.txs[done.signature], done.meta
        ok = meta.err is None
        changes: Counter[str] = Counter()
        for sign, balances in ((-1, meta.pre_token_balances), (1, meta.post_token_balances)):
            for one in balances:
                if one.owner == str(self.wallet):
                    changes[one.mint] += sign * one.amount_raw
        pool = self.pools[tx.mint]
        guard_failed = tx.guard is not None and meta.err == {
            "InstructionError": [GUARD_PLACE, {"Custom": 0}]
        }
        rent = meta.pre_balances[0] - meta.post_balances[0] - meta.fee_lamports
        assert meta.fee_lamports == tx.fee
        return Landed(
            tx=tx,
            slot=done.slot,
            ok=ok,
            err=None if ok else str(meta.err),
            guard_failed=guard_failed,
            base=abs(changes[pool.base_mint]),
            quote=abs(changes[pool.quote_mint]),
            rent=rent,
        )

    def fork(self, depth: int) -> list[Landed]:
        """Replace the last slots; what was in them is lost unless it is sent again."""
        while True:
            try:
                gone = self.svm.fork(depth, drop=lambda _: True)
                break
            except UsageError:
                # Earlier forks left fewer slots that may be replaced
                depth -= 1
                if depth == 0:
                    return []
        for signature in gone.vanished:
            if signature in self.closing:
                self.recovered -= self.closing[signature]
                self.closing[signature] = 0
        self.height = self.svm.block_height
        since = min(gone.slots) - 1
        for slot in range(since + 1, self.slot + 1):
            self.hashes.pop(slot, None)
        undone = self.rewind(since)
        self.hashes[self.slot] = self._newest()
        return undone

    def _newest(self) -> tuple[str, int]:
        newest = self.svm.latest_blockhash(NOW)
        return newest.blockhash, newest.last_valid_block_height

    def _undo(self, record: Landed) -> None:
        """Nothing: the virtual machine's accounts went back by themselves."""

    def prefund(self, guard: str) -> None:
        """Let a stranger make a guard's account."""
        account = ChainAccount(self.guard_rent, str(ID), b"")
        self.svm.plant(str(self.guard_address(guard)), account)

    def recover(self, guard: str) -> None:
        """Send a transaction that closes a guard account."""
        address = self.guard_address(guard)
        found = self.svm.account(str(address), NOW)
        if found is None or found.lamports == 0:
            return
        inside = transfer_with_seed(
            TransferWithSeedParams(
                from_pubkey=address,
                from_base=self.wallet,
                from_seed=guard,
                from_owner=ID,
                to_pubkey=self.wallet,
                lamports=found.lamports,
            )
        )
        raw = self._signed([inside], self._newest()[0])
        self.closing[self.svm.submit(raw)] = 0

    def _closed(self, done: LandedTransaction, sign: int) -> None:
        brought = done.meta.post_balances[0] - done.meta.pre_balances[0]
        self.closing[done.signature] = brought
        self.recovered += sign * brought

    def _held(self) -> tuple[Counter[int], int, int]:
        base: Counter[int] = Counter()
        for number, market in enumerate(self.svm.markets):
            base[number] = self._tokens(market.base_mint)
        account = self.svm.account(str(self.wallet), NOW)
        assert account is not None
        return base, self._tokens(USDC_MINT), account.lamports

    def _tokens(self, mint: str) -> int:
        owned = self.svm.token_accounts(str(self.wallet), mint=mint, commitment=NOW)
        return sum(tokens.amount_raw(one.account.data) for one in owned)

    def balances(self) -> tuple[Counter[int], int, int]:
        """Return what the wallet gained since the start."""
        base, quote, lamports = self._held()
        gained = Counter({mint: base[mint] - self.start[0][mint] for mint in base})
        return gained, quote - self.start[1], lamports - self.start[2]
