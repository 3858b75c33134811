"""A named wallet that gives lamports and tokens away, by signed transactions like any other."""

import hashlib
from typing import Final

from solders.compute_budget import set_compute_unit_limit
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.system_program import ID as SYSTEM
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction

from utb.simnet.chain import tokens

FAUCET_LAMPORTS: Final = 10**18
"""What it begins with: more than anybody needs, far from the end of 64 bits."""
_UNITS: Final = 60_000
_UNITS_SPREAD: Final = 1_000_000


class Faucet:
    """Makes signed transactions; two alike differ by their compute-unit limit."""

    def __init__(self, seed: int) -> None:
        self._keypair = Keypair.from_seed(hashlib.sha256(f"utb faucet {seed}".encode()).digest())
        self._count = 0

    @property
    def address(self) -> Pubkey:
        """Return its wallet; it is the mint authority of every test mint."""
        return self._keypair.pubkey()

    def lamports(self, to: Pubkey, lamports: int, blockhash: str) -> bytes:
        """Return a transaction that sends lamports."""
        return self._sign([self._transfer(to, lamports)], blockhash)

    def tokens(
        self, owner: Pubkey, mint: Pubkey, program: Pubkey, amount_raw: int, blockhash: str
    ) -> bytes:
        """Return a transaction that opens the owner's token account and fills it."""
        account = tokens.associated(owner, mint, program)
        payer = self.address
        opened = Instruction(
            tokens.ASSOCIATED,
            b"\x01",
            [
                AccountMeta(payer, is_signer=True, is_writable=True),
                AccountMeta(account, is_signer=False, is_writable=True),
                AccountMeta(owner, is_signer=False, is_writable=False),
                AccountMeta(mint, is_signer=False, is_writable=False),
                AccountMeta(SYSTEM, is_signer=False, is_writable=False),
                AccountMeta(program, is_signer=False, is_writable=False),
            ],
        )
        if mint == tokens.WRAPPED_SOL:
            synced = Instruction(
                program, b"\x11", [AccountMeta(account, is_signer=False, is_writable=True)]
            )
            return self._sign([opened, self._transfer(account, amount_raw), synced], blockhash)
        minted = Instruction(
            program,
            b"\x07" + amount_raw.to_bytes(8, "little"),
            [
                AccountMeta(mint, is_signer=False, is_writable=True),
                AccountMeta(account, is_signer=False, is_writable=True),
                AccountMeta(payer, is_signer=True, is_writable=False),
            ],
        )
        return self._sign([opened, minted], blockhash)

    def _transfer(self, to: Pubkey, lamports: int) -> Instruction:
        return transfer(TransferParams(from_pubkey=self.address, to_pubkey=to, lamports=lamports))

    def _sign(self, instructions: list[Instruction], blockhash: str) -> bytes:
        unique = set_compute_unit_limit(_UNITS + self._count % _UNITS_SPREAD)
        self._count += 1
        message = MessageV0.try_compile(
            self.address, [unique, *instructions], [], Hash.from_string(blockhash)
        )
        return bytes(VersionedTransaction(message, [self._keypair]))
