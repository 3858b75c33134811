"""What the AMM world's pools would give, and the instructions that would get it."""

from dataclasses import dataclass

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from utb.domain.chain import Commitment
from utb.simnet.chain import tokens
from utb.simnet.chain.amm.calls import Call, Refused
from utb.simnet.chain.amm.instructions import SwapOrder
from utb.simnet.chain.amm.markets import VENUES
from utb.simnet.chain.types import PoolAddress
from utb.simnet.chain.world import Chain
from utb.simnet.rpc.accounts import TOKEN_PROGRAM


@dataclass(frozen=True, slots=True)
class QuotedSwap:
    """An exact input into one pool: what it gives now, and its instruction."""

    place: PoolAddress
    in_raw: int
    out_raw: int
    instruction: Instruction
    """Without a least output of its own."""


class Quotes:
    """Quotes on the newest state, by the same sums that execute."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain

    def pools(self, input_mint: str, output_mint: str) -> list[PoolAddress]:
        """Return the pools between two mints."""
        pair = {input_mint, output_mint}
        return [
            place
            for market in self._chain.markets
            for place in market.pools
            if {place.base_mint, place.quote_mint} == pair
        ]

    def mints(self) -> frozenset[str]:
        """Return every mint that a pool trades."""
        return frozenset(
            mint
            for market in self._chain.markets
            for place in market.pools
            for mint in (place.base_mint, place.quote_mint)
        )

    def swap(
        self, place: PoolAddress, user: str, input_mint: str, amount_in_raw: int
    ) -> QuotedSwap | None:
        """Quote an exact input; None: the pool's program would refuse it.

        Args:
            place: The pool.
            user: Whose token accounts the instruction names.
            input_mint: One of the pool's mints.
            amount_in_raw: Input, raw, > 0.
        """
        amm = self._chain.amm
        order = SwapOrder(
            place=place,
            user=Pubkey.from_string(user),
            input_mint=Pubkey.from_string(input_mint),
            amount_in_raw=amount_in_raw,
        )
        made = amm.swap(order)
        keys = tuple(meta.pubkey for meta in made.accounts)
        writable = tuple(meta.is_writable for meta in made.accounts)
        call = Call(made.program_id, keys, bytes(made.data), writable)
        try:
            told = VENUES[made.program_id].plan(call, amm.view())
        except Refused:
            return None
        return QuotedSwap(place, amount_in_raw, told.received_raw, made)

    def token_account(self, owner: str, mint: str) -> tuple[str, str]:
        """Return the owner's associated account of a mint, and its token program."""
        found = self._chain.account(mint, Commitment.PROCESSED)
        program = TOKEN_PROGRAM if found is None else found.owner
        account = tokens.associated(*(Pubkey.from_string(one) for one in (owner, mint, program)))
        return str(account), program
