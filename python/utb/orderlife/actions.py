"""What an order's life asks of the venue, in the order given."""

import msgspec

from utb.domain.chain import ChainFill
from utb.domain.names import OrderStatus


class Sign(msgspec.Struct, frozen=True, kw_only=True):
    """Route, build and sign an attempt; answered by `Signed` or `NotSigned`."""

    number: int
    guarded: bool
    """With the guard account of the intent in front of the swap."""
    fee_step: int
    """Steps of the fee and slippage ladder, 0 for the first attempt."""


class Journal(msgspec.Struct, frozen=True):
    """Report SIGNED with the attempt and have it made durable; answered by `Durable`."""

    signature: str


class Send(msgspec.Struct, frozen=True):
    """Send the attempt's bytes to its senders; the first time and at each re-broadcast."""

    signature: str


class Subscribe(msgspec.Struct, frozen=True):
    """Subscribe to the signature; whoever is told passes it on as `Status`."""

    signature: str


class AskStatus(msgspec.Struct, frozen=True, kw_only=True):
    """Ask for the status: of one endpoint, or with history of every endpoint."""

    signature: str
    history: bool


class AskWallet(msgspec.Struct, frozen=True):
    """Look for the signature among the wallet's, of every endpoint; absent: `WalletAbsent`."""

    signature: str


class ReadFill(msgspec.Struct, frozen=True, kw_only=True):
    """Read the landed transaction: at confirmed, or at finalized commitment."""

    signature: str
    finalized: bool


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """Report (`VenueProgress`): SENT, SEEN, UNKNOWN, FINAL, SETTLED."""

    status: OrderStatus
    signature: str
    slot: int = 0
    """With SETTLED: of the last one of its transactions."""
    reason: str = ""
    fee_lamports: int = 0
    """With SETTLED: fees of attempts that failed on chain beside the one that filled."""


class Filled(msgspec.Struct, frozen=True, kw_only=True):
    """Report (`VenueFilled`): the transaction's fill, to be booked once."""

    signature: str
    fill: ChainFill
    provisional: bool


class Reverted(msgspec.Struct, frozen=True, kw_only=True):
    """Report (`VenueReverted`): the fill reported last is undone."""

    signature: str
    status: OrderStatus
    """SENT or UNKNOWN."""
    reason: str


class Failed(msgspec.Struct, frozen=True, kw_only=True):
    """Report (`VenueFailed`): the order ended without a fill; nothing of it can land any more."""

    status: OrderStatus
    """EXPIRED, FAILED_ON_CHAIN, or CANCELLED (nothing was ever sent)."""
    fee_lamports: int
    slot: int = 0
    """Of the last transaction that failed on chain; 0: none did."""
    attempts: int
    """Transactions that were signed for it."""
    reason: str


class Alarm(msgspec.Struct, frozen=True, kw_only=True):
    """Tell the operator: a transaction landed that could not, so the books miss its fill."""

    signature: str
    reason: str


Report = Progress | Filled | Reverted | Failed
Action = Sign | Journal | Send | Subscribe | AskStatus | AskWallet | ReadFill | Alarm | Report
