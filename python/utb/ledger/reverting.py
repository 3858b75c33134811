"""Takes a fill back that vanished from the chain: the account is as it was before it."""

import msgspec

from utb.domain.market import Instrument
from utb.domain.names import Side
from utb.domain.orders import Fill
from utb.domain.records import FillReverted
from utb.errors import InvariantError
from utb.ledger.accounts import SOL, Account, take_back
from utb.ledger.holding import Holding
from utb.ledger.state import BookState, Provisional


def before(state: BookState, fill: Fill) -> Holding | None:
    """Return a copy of the position as it is before a fill; None where there is none."""
    holding = state.holdings.get(fill.position_id)
    if holding is None:
        return None
    return msgspec.msgpack.decode(msgspec.msgpack.encode(holding), type=Holding)


def standing_on(state: BookState, intent_id: str) -> list[str]:
    """Return the provisional fills of the same position behind one, the newest first."""
    fills = state.provisional
    position_id = fills[intent_id].record.fill.position_id
    same = [key for key, one in fills.items() if one.record.fill.position_id == position_id]
    return same[: same.index(intent_id) : -1]


def revert(
    state: BookState, instruments: dict[int, Instrument], quote: str, record: FillReverted
) -> None:
    """Undo the last provisional fill of a position; its order is on its way again.

    Raises:
        InvariantError: If the fill is not provisional, or another one stands on it.
    """
    one = state.provisional.get(record.intent_id)
    if one is None:
        raise InvariantError(f"fill {record.intent_id} is not provisional and cannot be undone")
    if standing_on(state, record.intent_id):
        raise InvariantError(f"fill {record.intent_id} cannot be undone: another stands on it")
    del state.provisional[record.intent_id]
    fill = one.record.fill
    _balances(state, instruments[fill.instrument].base_mint, quote, fill)
    _totals(state, one)
    if one.holding is None:
        state.holdings.pop(fill.position_id, None)
    else:
        state.holdings[fill.position_id] = one.holding
    del state.ended[record.intent_id]
    state.orders[record.intent_id] = msgspec.structs.replace(
        one.order, status=record.status, position_id=fill.position_id
    )
    state.reserved_quote_raw += one.order.reserved_quote_raw


def _balances(state: BookState, base: str, quote: str, fill: Fill) -> None:
    balances = state.balances
    if fill.side == Side.BUY:
        take_back(balances, quote, Account.CASH, Account.MARKET, fill.quote_raw)
        take_back(balances, base, Account.MARKET, Account.INVENTORY, fill.base_raw)
    else:
        take_back(balances, base, Account.INVENTORY, Account.MARKET, fill.base_raw)
        take_back(balances, quote, Account.MARKET, Account.CASH, fill.quote_raw)
    take_back(balances, SOL, Account.SOL_RESERVE, Account.NETWORK_FEES, fill.fee_lamports)
    take_back(balances, SOL, Account.SOL_RESERVE, Account.RENT, fill.rent_lamports)


def _totals(state: BookState, one: Provisional) -> None:
    fill, fees = one.record.fill, state.fees
    fees.network_lamports -= fill.fee_lamports
    fees.network_quote_raw -= one.record.fee_quote_raw
    fees.pool_quote_raw -= fill.pool_fee_quote_raw
    if fill.side == Side.SELL:
        state.realised_quote_raw -= fill.quote_raw - one.cost_quote_raw
    if one.closed:
        trades = state.trades
        if trades and trades[-1].position_id == fill.position_id:
            trades.pop()
        else:
            state.trades = [t for t in trades if t.position_id != fill.position_id]
        state.trades_closed -= 1
