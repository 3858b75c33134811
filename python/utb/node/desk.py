"""What every part of the trader works with: configuration, book, state, and their views."""

from collections.abc import Callable

import msgspec

from utb.config.schema import Config
from utb.domain.amounts import (
    LAMPORT_DECIMALS,
    PPB,
    price_q64_floor,
    quote_value_ceil,
    ratio,
    raw_floor,
    units_of,
)
from utb.domain.engine import DecisionFeatures, DecisionMade
from utb.domain.market import Instrument
from utb.domain.names import OperatorState, Side
from utb.domain.orders import Trade
from utb.domain.records import Record
from utb.ledger.book import Book
from utb.node import effects as fx
from utb.node import weights
from utb.node.state import TraderState
from utb.ports.market import Market
from utb.risk.breakers import Breakers, breaker_settings
from utb.risk.settings import RiskSettings, risk_settings
from utb.risk.view import MarketFacts, PendingView, PortfolioView, PositionView, position_view

WRAPPED_SOL_MINT = "So11111111111111111111111111111111111111112"
"""Mint of wrapped SOL: its instrument's price values the fee reserve."""

NS_PER_MINUTE = 60_000_000_000
TIMEFRAME_NS = {
    "1m": NS_PER_MINUTE,
    "5m": 5 * NS_PER_MINUTE,
    "15m": 15 * NS_PER_MINUTE,
    "1h": 60 * NS_PER_MINUTE,
    "4h": 240 * NS_PER_MINUTE,
    "1d": 1440 * NS_PER_MINUTE,
}
"""Length of each timeframe."""

BuildParams = Callable[[int, tuple[tuple[float, ...], ...]], bytes]
"""Makes the core's parameters of a version and a row of weights per regime."""


class Standing(msgspec.Struct, frozen=True):
    """What the account is worth at one moment."""

    equity_raw: int | None
    """Quote raw; None while something held has no mark."""
    drawdown: float
    """Fall below the peak, 0..1; 1 while equity is unknown."""


class Desk:
    """The account, its rules and its memory; handlers take it as their first argument."""

    def __init__(
        self,
        config: Config,
        instruments: tuple[Instrument, ...],
        build_params: BuildParams,
        *,
        on_chain: bool = False,
    ) -> None:
        self.config = config
        self.on_chain = on_chain
        """Whether the venue signs and sends: it tells each step of an order, and the opening."""
        self.instruments = instruments
        self.build_params = build_params
        self.settings: RiskSettings = risk_settings(config)
        self.book = Book(instruments)
        self.state = TraderState()
        self.breakers = Breakers(breaker_settings(config))
        self.weight_settings = weights.weight_settings(config)
        self.weights = weights.initial(self.weight_settings)
        quote = instruments[0]
        self.quote_decimals = quote.quote_decimals
        self._sol = next((i.index for i in instruments if i.base_mint == WRAPPED_SOL_MINT), None)
        own = {i.symbol: i.timeframe for i in config.instruments}
        self._timeframes_ns = tuple(
            TIMEFRAME_NS[own.get(i.symbol) or config.strategies.timeframe] for i in instruments
        )
        self._lamports_q64 = price_q64_floor(
            config.paper.sol_price_usdc, LAMPORT_DECIMALS, self.quote_decimals
        )
        self._pools = tuple(config.paper.pool(i.symbol) for i in instruments)

    def is_close(self, decision: DecisionMade) -> bool:
        """Return whether a decision was taken at a bar's close, not on the forming bar."""
        return decision.ts_ns >= decision.bar_open_ns + self._timeframes_ns[decision.instrument]

    def post(self, effects: fx.Effects, record: Record) -> Trade | None:
        """Put a record into the effects and fold it into the book."""
        effects.records.append(record)
        return self.book.apply(record)

    # SOL

    @property
    def sol_instrument(self) -> int | None:
        """Return the instrument whose price is SOL's, if the session has one."""
        return self._sol

    def sol_price(self, market: Market) -> float:
        """Return quote units per SOL: its mark, or the configured price while there is none."""
        mark = market.mark(self._sol) if self._sol is not None else None
        return self.config.paper.sol_price_usdc if mark is None else mark.price

    def sol_q64(self, market: Market) -> int:
        """Return quote raw per lamport, times 2^64."""
        mark = market.mark(self._sol) if self._sol is not None else None
        if mark is None:
            return self._lamports_q64
        return price_q64_floor(mark.price, LAMPORT_DECIMALS, self.quote_decimals)

    def fee_quote_raw(self, lamports: int, market: Market) -> int:
        """Return a network fee in quote raw at SOL's present price, rounded up."""
        return quote_value_ceil(lamports, self.sol_q64(market)) if lamports else 0

    # Portfolio

    def mark_q64(self, instrument: int, market: Market) -> int | None:
        """Return an instrument's mark as the ledger takes it."""
        mark = market.mark(instrument)
        if mark is None:
            return None
        own = self.instruments[instrument]
        return price_q64_floor(mark.price, own.base_decimals, own.quote_decimals)

    def equity_raw(self, market: Market) -> int | None:
        """Return equity at the last marks, quote raw; None while one is missing."""
        marks: dict[int, int] = {}
        for holding in self.book.state.holdings.values():
            instrument = holding.position.instrument
            mark = self.mark_q64(instrument, market)
            if mark is not None:
                marks[instrument] = mark
        return self.book.equity_quote_raw(marks, self.sol_q64(market))

    def peak(self, market: Market) -> float:
        """Return the highest marked equity, quote units."""
        present = market.equity()
        return self.state.peak if present is None else max(self.state.peak, present[1])

    def drawdown(self, equity_raw: int | None, market: Market) -> float:
        """Return the fall of equity below its peak, 0..1; 1 while equity is unknown."""
        if equity_raw is None:
            return 1.0
        by_nav = ratio(self.book.drawdown_ppb(equity_raw), PPB)
        peak_raw = raw_floor(self.peak(market), self.quote_decimals)
        by_mark = ratio(peak_raw - equity_raw, peak_raw) if peak_raw > 0 else 0.0
        return min(max(by_nav, by_mark, 0.0), 1.0)

    def standing(self, market: Market) -> Standing:
        """Return the account's value at the last marks."""
        equity_raw = self.equity_raw(market)
        return Standing(equity_raw, self.drawdown(equity_raw, market))

    def facts(
        self,
        instrument: int,
        market: Market,
        price: float | None,
        features: DecisionFeatures | None,
    ) -> MarketFacts:
        """Return what the gate may know of an instrument's market.

        Args:
            instrument: Index.
            market: The core.
            price: Decision price; None for the mark.
            features: Features of the decision; None for those of the last closed bar.
        """
        if features is None:
            features = market.features(instrument)
        mark = market.mark(instrument)
        pool = self._pools[instrument]
        liquidity = None if mark is None else mark.liquidity_quote
        if features is not None and features.liquidity_quote is not None:
            liquidity = features.liquidity_quote
        depth = liquidity if liquidity is not None and liquidity > 0.0 else pool.depth_quote
        atr = None if mark is None else mark.atr
        if features is not None:
            atr = features.atr
        return MarketFacts(
            price=price if price is not None else (None if mark is None else mark.price),
            atr=atr,
            adx=None if features is None else features.adx,
            volatility_ratio=None if features is None else features.volatility_ratio,
            trend_4h=None if features is None else features.trend_4h,
            depth_quote_raw=raw_floor(depth, self.quote_decimals),
            fee_bps=pool.fee_bps,
            sol_price=self.sol_price(market),
        )

    def holdings(self) -> PortfolioView:
        """Return what the gate looks at for an exit: quantities and orders, no values."""
        return PortfolioView(
            equity_raw=None,
            cash_raw=self.book.cash_quote_raw,
            reserved_raw=self.book.state.reserved_quote_raw,
            sol_lamports=self.book.sol_lamports,
            positions=self._positions(None),
            pending=self._pending(),
            drawdown=1.0,
            operator_state=self.state.operator,
            breakers=(),
        )

    def _positions(self, market: Market | None) -> tuple[PositionView, ...]:
        """Return the open positions, valued at their marks where there is a market to ask."""
        views = []
        for holding in self.book.state.holdings.values():
            position = holding.position
            mark = None if market is None else market.mark(position.instrument)
            price = None if mark is None else mark.price
            instrument = self.instruments[position.instrument]
            views.append(
                position_view(position, instrument, price, self.settings.gap_allowance_ppb)
            )
        return tuple(views)

    def _pending(self) -> tuple[PendingView, ...]:
        return tuple(
            [
                PendingView(
                    instrument=order.intent.instrument,
                    value_raw=order.reserved_quote_raw,
                    risk_at_stop_raw=order.risk_at_stop_raw,
                    position_id=order.intent.position_id,
                )
                for order in self.book.pending.values()
            ]
        )

    def portfolio(self, market: Market, instrument: int, standing: Standing) -> PortfolioView:
        """Return the account as the gate sees it for an entry.

        Args:
            market: The core.
            instrument: The candidate whose correlation with what is held is wanted.
            standing: The account's value at the same marks.
        """
        book = self.book
        positions, pending = self._positions(market), self._pending()
        held = {p.instrument for p in positions} | {p.instrument for p in pending}
        correlations = {
            other: market.correlation(instrument, other)
            for other in sorted(held)
            if other != instrument
        }
        return PortfolioView(
            equity_raw=standing.equity_raw,
            cash_raw=book.cash_quote_raw,
            reserved_raw=book.state.reserved_quote_raw,
            sol_lamports=book.sol_lamports,
            positions=positions,
            pending=pending + self._unsettled_sales(),
            drawdown=standing.drawdown,
            operator_state=self.state.operator,
            breakers=self.breakers.active,
            correlations=correlations,
        )

    def _unsettled_sales(self) -> tuple[PendingView, ...]:
        """Return the sales that are booked and can still be undone, or land once more.

        Another attempt of theirs may land for as long as its blockhash lives, and would sell what
        an entry buys meanwhile.
        """
        fills = [one.record.fill for one in self.book.provisional.values()]
        return tuple(
            [
                PendingView(
                    instrument=fill.instrument,
                    value_raw=0,
                    risk_at_stop_raw=0,
                    position_id=fill.position_id,
                )
                for fill in fills
                if fill.side is Side.SELL
            ]
        )

    def restart_peak(self, equity_raw: int) -> None:
        """Forget the peak: an operator's reset starts it again at present equity."""
        self.state.peak = units_of(equity_raw, self.quote_decimals)

    def watch_portfolio(self, market: Market, *, peak_restarts: bool = False) -> fx.SetPortfolio:
        """Return what the core marks equity with after a change of the book."""
        holdings = [
            (p.instrument, units_of(p.base_raw, self.instruments[p.instrument].base_decimals))
            for p in self.book.positions.values()
        ]
        cash = units_of(self.book.cash_quote_raw, self.quote_decimals)
        sol = units_of(self.book.sol_lamports, LAMPORT_DECIMALS)
        if self._sol is not None and market.mark(self._sol) is not None:
            holdings.append((self._sol, sol))
        else:
            cash += sol * self.config.paper.sol_price_usdc
        if not peak_restarts:
            self.state.peak = self.peak(market)
        stopped = self.state.operator is OperatorState.EMERGENCY_STOP
        floor = self.settings.emergency_stop_enabled and not stopped
        return fx.SetPortfolio(
            cash=cash,
            holdings=tuple(holdings),
            peak=self.state.peak,
            max_drawdown=self.settings.max_drawdown if floor else None,
        )
