"""A chain with a funded wallet for the tests of the stand-in chain."""

import struct
from collections import Counter

from solders.address_lookup_table_account import AddressLookupTableAccount
from solders.compute_budget import set_compute_unit_limit, set_compute_unit_price
from solders.hash import Hash
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from utb.domain.chain import USDC_MINT, Commitment
from utb.simnet.chain import tokens
from utb.simnet.chain.amm.spec import MarketSpec, fee_token_spec, specs_of
from utb.simnet.chain.settings import ChainSettings
from utb.simnet.chain.types import LandedTransaction, Market, PoolAddress
from utb.simnet.chain.world import Chain
from utb.simnet.profiles import instruments

NOW = Commitment.PROCESSED
WALLET = Keypair.from_seed(bytes(range(32)))
OTHER = Keypair.from_seed(bytes(range(1, 33)))
SOL = 10**9

SPECS: tuple[MarketSpec, ...] = (*specs_of(instruments()), fee_token_spec())


class Stand:
    """A chain, a wallet, and what a client does with them."""

    def __init__(
        self,
        specs: tuple[MarketSpec, ...] = (),
        settings: ChainSettings | None = None,
        *,
        tokens_of_base: bool = True,
    ) -> None:
        self.chain = Chain(settings, specs)
        self.wallet = WALLET.pubkey()
        self._price = 0
        self.chain.airdrop(str(self.wallet), 1_000 * SOL)
        wanted = [spec.base_mint for spec in specs] + [USDC_MINT] if specs else []
        for mint in wanted if tokens_of_base else []:
            self.chain.airdrop_tokens(str(self.wallet), mint, 10**13)
        assert len(self.chain.tick().landed) == 1 + len(wanted) * tokens_of_base

    def sign(
        self,
        *instructions: Instruction,
        blockhash: str | None = None,
        tables: tuple[AddressLookupTableAccount, ...] = (),
        priced: bool = True,
    ) -> bytes:
        """Return a signed transaction; each differs from the one before by its price."""
        self._price += 1
        head = [set_compute_unit_limit(600_000), set_compute_unit_price(self._price)]
        newest = blockhash or self.chain.latest_blockhash(NOW).blockhash
        message = MessageV0.try_compile(
            self.wallet,
            [*(head if priced else []), *instructions],
            list(tables),
            Hash.from_string(newest),
        )
        return bytes(VersionedTransaction(message, [WALLET]))

    def land(
        self, *instructions: Instruction, tables: tuple[AddressLookupTableAccount, ...] = ()
    ) -> LandedTransaction:
        """Send a transaction and return what it did in the next block."""
        signature = self.chain.submit(self.sign(*instructions, tables=tables))
        events = self.chain.tick()
        assert events.landed == (signature,)
        landed = self.chain.transaction(signature, NOW)
        assert landed is not None
        return landed

    def lamports(self, key: Pubkey | str) -> int:
        found = self.chain.account(str(key), NOW)
        return 0 if found is None else found.lamports

    def amount(self, mint: str, owner: Pubkey | None = None) -> int:
        """Return the owner's tokens of a mint, base units."""
        found = self.chain.token_accounts(str(owner or self.wallet), mint=mint, commitment=NOW)
        return sum(tokens.amount_raw(one.account.data) for one in found)

    def market(self, symbol: str) -> Market:
        return next(one for one in self.chain.markets if one.symbol == symbol)

    def pool(self, symbol: str, program: str) -> PoolAddress:
        return next(one for one in self.market(symbol).pools if one.program == program)

    def sums(self) -> Counter[str]:
        """Return all tokens by mint (withheld fees included) and all lamports of the chain."""
        found: Counter[str] = Counter()
        for program in tokens.TOKEN_PROGRAMS:
            for one in self.chain.program_accounts(str(program), NOW):
                data = one.account.data
                if len(data) >= tokens.ACCOUNT_BYTES and data[108] == 1:
                    mint = str(Pubkey(data[:32]))
                    found[mint] += tokens.amount_raw(data)
                    found[mint] += withheld(data)
        return found


def withheld(data: bytes) -> int:
    """Return what Token-2022 keeps of transfers in the account they arrived in."""
    at = tokens.ACCOUNT_BYTES + 1
    while at + 4 <= len(data):
        kind, length = struct.unpack_from("<HH", data, at)
        if kind == 2:
            return int.from_bytes(data[at + 4 : at + 12], "little")
        at += 4 + length
    return 0
