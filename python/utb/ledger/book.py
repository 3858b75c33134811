"""The book: one pure fold over the durable records, so a journal read from zero gives the same."""

from collections.abc import Mapping, Sequence

import msgspec

from utb.domain.amounts import quote_value_floor, ratio
from utb.domain.market import Instrument
from utb.domain.orders import Position, Trade
from utb.domain.records import EquityMarked, Record
from utb.errors import InvariantError
from utb.ledger import fold, nav
from utb.ledger.accounts import SOL, Account, balance
from utb.ledger.nav import NAV_SCALE
from utb.ledger.pending import PendingOrder
from utb.ledger.reverting import standing_on
from utb.ledger.state import FORMAT_VERSION, BookState, FeeTotals, Provisional, empty


class Book:
    """Cash, positions, orders and trades of one account; every amount is an integer."""

    def __init__(self, instruments: Sequence[Instrument], state: BookState | None = None) -> None:
        """Start empty, or from a state of `save`.

        Raises:
            InvariantError: If the instruments do not share one quote asset.
        """
        quotes = {(i.quote_mint, i.quote_decimals) for i in instruments}
        if len(quotes) > 1:
            raise InvariantError(f"one book has one quote asset, not {len(quotes)}")
        self._instruments = {i.index: i for i in instruments}
        self._quote = instruments[0].quote_mint if instruments else ""
        self.state = state if state is not None else empty()

    @classmethod
    def load(cls, data: bytes, instruments: Sequence[Instrument]) -> "Book":
        """Return the book `save` wrote.

        Raises:
            InvariantError: If the bytes are not a book of this format.
        """
        try:
            state = msgspec.msgpack.decode(data, type=BookState)
        except msgspec.DecodeError as error:
            raise InvariantError(f"the saved book cannot be read: {error}") from error
        if state.version != FORMAT_VERSION:
            raise InvariantError(f"the saved book has format {state.version}, not {FORMAT_VERSION}")
        return cls(instruments, state)

    def save(self) -> bytes:
        """Return the whole book as bytes; equal books give equal bytes."""
        return msgspec.msgpack.encode(self.state)

    def apply(self, record: Record) -> Trade | None:
        """Fold one durable record; return the trade it closed, if it closed one.

        A repeat of a fill, or of an order's end, changes nothing.

        Raises:
            InvariantError: If the record contradicts the book.
        """
        return fold.apply(self.state, self._instruments, self._quote, record)

    @property
    def cash_quote_raw(self) -> int:
        """Return the quote balance, reservations included."""
        return balance(self.state.balances, self._quote, Account.CASH)

    @property
    def available_quote_raw(self) -> int:
        """Return the cash no order has reserved."""
        return self.cash_quote_raw - self.state.reserved_quote_raw

    @property
    def sol_lamports(self) -> int:
        """Return the SOL fee reserve."""
        return balance(self.state.balances, SOL, Account.SOL_RESERVE)

    @property
    def rent_lamports(self) -> int:
        """Return the lamports locked in accounts of ours, which come back."""
        return balance(self.state.balances, SOL, Account.RENT)

    @property
    def provisional(self) -> dict[str, Provisional]:
        """Return the booked fills that are not settled on the chain, by intent, oldest first."""
        return self.state.provisional

    def standing_on(self, intent_id: str) -> list[str]:
        """Return the provisional fills of the same position behind one, the newest first."""
        return standing_on(self.state, intent_id)

    @property
    def positions(self) -> dict[int, Position]:
        """Return the open positions by id, oldest first."""
        return {key: holding.position for key, holding in self.state.holdings.items()}

    def position(self, position_id: int) -> Position | None:
        """Return an open position."""
        holding = self.state.holdings.get(position_id)
        return holding.position if holding is not None else None

    def position_of(self, instrument: int) -> Position | None:
        """Return the instrument's open position; there is one at most."""
        for holding in self.state.holdings.values():
            if holding.position.instrument == instrument:
                return holding.position
        return None

    def initial_risk_quote_raw(self, position_id: int) -> int | None:
        """Return R in money of an open position: the loss at its initial stop."""
        holding = self.state.holdings.get(position_id)
        return holding.initial_risk_quote_raw if holding is not None else None

    @property
    def pending(self) -> dict[str, PendingOrder]:
        """Return the approved orders that have neither filled nor ended, by intent id."""
        return {key: order for key, order in self.state.orders.items() if order.in_flight}

    @property
    def trades(self) -> list[Trade]:
        """Return the closed trades, oldest first, the last `TRADES_KEPT` of them."""
        return self.state.trades

    @property
    def fees(self) -> FeeTotals:
        """Return the fees paid so far, by kind."""
        return self.state.fees

    @property
    def next_position_id(self) -> int:
        """Return an id no position has had."""
        return self.state.last_position_id + 1

    def balances_of(self, asset: str) -> dict[str, int]:
        """Return all accounts of an asset; they sum to zero."""
        return dict(self.state.balances.get(asset, {}))

    def equity_quote_raw(self, marks_q64: Mapping[int, int], sol_q64: int | None) -> int | None:
        """Return cash, SOL reserve, locked rent and positions at their marks, each rounded down.

        Args:
            marks_q64: Price by instrument, `domain.amounts.price_q64_floor`.
            sol_q64: Quote raw per lamport, times 2^64.

        Returns:
            Quote raw, or None where the mark of something held is missing.
        """
        equity = self.cash_quote_raw
        lamports = self.sol_lamports + self.rent_lamports
        if lamports:
            if sol_q64 is None:
                return None
            equity += quote_value_floor(lamports, sol_q64)
        for holding in self.state.holdings.values():
            mark = marks_q64.get(holding.position.instrument)
            if mark is None:
                return None
            equity += quote_value_floor(holding.position.base_raw, mark)
        return equity

    def unrealised_quote_raw(self, marks_q64: Mapping[int, int]) -> int | None:
        """Return the open positions' value at their marks minus cost; None without a mark."""
        total = 0
        for holding in self.state.holdings.values():
            mark = marks_q64.get(holding.position.instrument)
            if mark is None:
                return None
            value = quote_value_floor(holding.position.base_raw, mark)
            total += value - holding.position.cost_quote_raw
        return total

    def drawdown_ppb(self, equity_raw: int) -> int:
        """Return the fall of a unit's value from its peak, parts per billion, rounded up."""
        return nav.drawdown_ppb(self.state.nav, equity_raw)

    def equity_mark(
        self, ts_ns: int, equity_raw: int, peak_equity_raw: int, *, peak_reset: bool = False
    ) -> EquityMarked:
        """Return the record of a mark, to which the caller adds the volatility.

        Args:
            ts_ns: Time of the mark.
            equity_raw: Equity, quote raw.
            peak_equity_raw: Highest equity since the units last changed.
            peak_reset: Whether the peak restarts at this mark.
        """
        units = self.state.nav
        highest = nav.nav_e12(units, max(equity_raw, 0 if peak_reset else peak_equity_raw))
        if not peak_reset:
            highest = max(highest, units.peak_nav_e12)
        return EquityMarked(
            ts_ns=ts_ns,
            equity_quote_raw=equity_raw,
            cash_quote_raw=self.cash_quote_raw,
            sol_lamports=self.sol_lamports,
            units_raw=units.units_raw,
            peak_nav=ratio(highest, NAV_SCALE),
            volatility_daily=None,
            peak_reset=peak_reset,
        )
