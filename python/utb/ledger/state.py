"""Everything a book is: the value its snapshot holds."""

from typing import Final

import msgspec

from utb.domain.orders import Trade
from utb.domain.records import FillBooked
from utb.ledger.accounts import Balances
from utb.ledger.holding import Holding
from utb.ledger.nav import Nav
from utb.ledger.pending import PendingOrder

FORMAT_VERSION: Final = 2


class FeeTotals(msgspec.Struct):
    """Fees paid since the account opened, by kind."""

    network_lamports: int = 0
    network_quote_raw: int = 0
    """The same, each valued when it was paid."""
    failed_lamports: int = 0
    """The part of `network_lamports` that orders without a fill cost."""
    pool_quote_raw: int = 0
    """Fees of the pools, inside the fills' amounts."""


class Provisional(msgspec.Struct, frozen=True, kw_only=True):
    """A booked fill that may still vanish from the chain, and what undoes it."""

    order: PendingOrder
    record: FillBooked
    holding: Holding | None
    """The position before the fill; None: the fill opened it."""
    cost_quote_raw: int
    """Of what an exit sold."""
    closed: bool
    """Whether it closed the position."""


class BookState(msgspec.Struct, kw_only=True):
    """The account as folded so far; it changes with every record."""

    version: int = FORMAT_VERSION
    balances: Balances
    nav: Nav
    fees: FeeTotals
    holdings: dict[int, Holding]
    orders: dict[str, PendingOrder]
    ended: dict[str, bool]
    """Ended intents, oldest first; True = with a fill."""
    trades: list[Trade]
    provisional: dict[str, Provisional] = {}
    """Fills that are not settled on the chain yet, by intent, oldest first."""
    trades_closed: int = 0
    realised_quote_raw: int = 0
    """Exits minus their FIFO cost, network fees apart."""
    flows_quote_raw: int = 0
    flows_lamports: int = 0
    reserved_quote_raw: int = 0
    last_position_id: int = 0


def empty() -> BookState:
    """Return the state of an account that was never opened."""
    return BookState(
        balances={}, nav=Nav(), fees=FeeTotals(), holdings={}, orders={}, ended={}, trades=[]
    )
