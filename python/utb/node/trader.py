"""The trader: a pure fold of inputs into state, which says what it wants done.

It reads no clock, no file, no network and no chance: time comes with the inputs, so the same
inputs give the same effects. Its whole state is the book, the guards, the weights and a
`TraderState`; all of it is saved in a snapshot, and all that matters is in the records.
"""

import hashlib
from typing import Final

import msgspec

from utb.config.schema import Config
from utb.domain.amounts import LAMPORT_DECIMALS, quote_value_floor, raw_nearest, units_of
from utb.domain.commands import Command
from utb.domain.engine import (
    DayClosed,
    DecisionMade,
    EngineEvent,
    EquityFloorHit,
    FlashCrash,
    TriggerFired,
    TriggerMoved,
    WarmUpRestarted,
)
from utb.domain.market import Instrument
from utb.domain.names import ExitReason, Side
from utb.domain.orders import (
    FlowCause,
    Trade,
    VenueDiscrepancy,
    VenueEvent,
    VenueFailed,
    VenueFilled,
    VenueFlow,
    VenueProgress,
    VenueReverted,
)
from utb.domain.records import (
    CashMoved,
    ContextSet,
    Flow,
    ParamsSet,
    TriggerMovedRecord,
    WarmUp,
)
from utb.domain.records import OperatorState as OperatorStateRecord
from utb.errors import InvariantError
from utb.ledger.book import Book
from utb.node import effects as fx
from utb.node import entries, exits, fills, guards, onchain, operator, weights
from utb.node.desk import BuildParams, Desk
from utb.node.guards import SYSTEM
from utb.node.state import STATE_VERSION, TraderState
from utb.ports.feed import Health
from utb.ports.market import Market
from utb.risk.breakers import Breakers, breaker_settings

_NO_CHANGE: Final = (TriggerMoved, WarmUpRestarted)
"""Engine events after which nothing needs to be looked at."""


class _Saved(msgspec.Struct, frozen=True, kw_only=True):
    """A trader in bytes."""

    state: TraderState
    book: bytes
    breakers: bytes
    weights: bytes


class Trader:
    """Decides what is ordered, booked, watched and refused."""

    def __init__(
        self,
        config: Config,
        instruments: tuple[Instrument, ...],
        build_params: BuildParams,
        *,
        on_chain: bool = False,
    ) -> None:
        self.desk = Desk(config, instruments, build_params, on_chain=on_chain)

    @property
    def book(self) -> Book:
        """Return the ledger."""
        return self.desk.book

    @property
    def is_open(self) -> bool:
        """Return whether the account's opening is on record."""
        return self.desk.state.is_open

    def knows(self, command_id: str) -> bool:
        """Return whether a command was answered before."""
        return command_id in self.desk.state.answers

    # A session's start and end

    def on_start(self, ts_ns: int) -> fx.Effects:
        """Record that the session starts, or goes on."""
        return self._lifecycle(ts_ns, "start")

    def on_resume(self) -> fx.Effects:
        """Hand the core its parameters again: they are configuration, not part of its state."""
        effects = fx.Effects()
        desk = self.desk
        if desk.state.is_open:
            params = desk.build_params(desk.state.params_version, desk.weights.rows)
            effects.calls.append(fx.SetParams(params))
        return effects

    def on_stop(self, ts_ns: int) -> fx.Effects:
        """Record that the session stops."""
        return self._lifecycle(ts_ns, "stop")

    def on_prices(self, ts_ns: int, market: Market) -> fx.Effects:
        """Open the account as soon as what it holds has a price."""
        effects = fx.Effects()
        sol = self.desk.sol_instrument
        if sol is None or market.mark(sol) is not None:
            self._open(effects, ts_ns, market)
        return effects

    def on_end_of_order(self, event: VenueEvent, market: Market) -> fx.Effects:
        """Take the end of an order that was on its way when the recording ended: no retry."""
        self.desk.state.ended = True
        return self.on_venue_event(event, market)

    def on_end(self, ts_ns: int, market: Market) -> fx.Effects:
        """Ask for the sale of everything: the recording is over."""
        effects = fx.Effects()
        self._open(effects, ts_ns, market)
        self.desk.state.ended = True
        exits.close_all(self.desk, effects, ExitReason.END, ts_ns, market)
        return effects

    def on_closed(self, ts_ns: int, market: Market) -> fx.Effects:
        """Mark equity at the end of the run."""
        effects = fx.Effects()
        desk = self.desk
        equity_raw = desk.equity_raw(market)
        if equity_raw is not None:
            peak_raw = raw_nearest(desk.peak(market), desk.quote_decimals)
            guards.post_mark(desk, effects, desk.book.equity_mark(ts_ns, equity_raw, peak_raw))
        return effects

    # Inputs

    def on_engine_event(self, event: EngineEvent, market: Market) -> fx.Effects:
        """Take one event of the core."""
        desk = self.desk
        effects = fx.Effects()
        self._open(effects, event.ts_ns, market)
        guards.advance(desk, effects, event.ts_ns)
        match event:
            case DecisionMade():
                standing = guards.watch_drawdown(desk, effects, event.ts_ns, market)
                if event.side == Side.BUY:
                    entries.on_buy(desk, effects, event, market, standing)
                else:
                    exits.on_sell(desk, effects, event, market)
            case TriggerFired():
                exits.on_fired(desk, effects, event, market)
            case TriggerMoved():
                self._moved(effects, event)
            case DayClosed():
                guards.on_day(desk, effects, event, market)
            case EquityFloorHit():
                guards.on_floor(desk, effects, event, market)
            case FlashCrash():
                guards.on_flash_crash(desk, effects, event)
            case WarmUpRestarted():
                record = WarmUp(ts_ns=event.ts_ns, instrument=event.instrument, gap_ns=event.gap_ns)
                desk.post(effects, record)
        if type(event) not in _NO_CHANGE:
            exits.insist(desk, effects, event.ts_ns, market)
        return effects

    def on_venue_event(self, event: VenueEvent, market: Market) -> fx.Effects:
        """Take what became of an order."""
        desk = self.desk
        effects = fx.Effects()
        guards.advance(desk, effects, event.ts_ns)
        trade: Trade | None = None
        match event:
            case VenueFilled():
                trade = fills.on_filled(desk, effects, event, market)
            case VenueFailed():
                fills.on_failed(desk, effects, event, market)
            case VenueProgress():
                trade = onchain.on_progress(desk, effects, event, market)
            case VenueReverted():
                trade = onchain.on_reverted(desk, effects, event, market)
            case VenueFlow():
                onchain.on_flow(desk, effects, event, market)
            case VenueDiscrepancy():
                onchain.on_discrepancy(desk, effects, event)
        if trade is not None:
            self._weigh(effects, trade, event.ts_ns, market)
        return effects

    def on_context(self, instrument: int, payload: bytes, ts_ns: int, market: Market) -> fx.Effects:
        """Take a slow input: it is recorded, looked at, and handed to the core."""
        effects = fx.Effects()
        guards.advance(self.desk, effects, ts_ns)
        record = ContextSet(ts_ns=ts_ns, instrument=instrument, payload=payload.decode())
        self.desk.post(effects, record)
        effects.calls.append(fx.SetContext(instrument=instrument, payload=payload, ts_ns=ts_ns))
        guards.on_context(self.desk, effects, instrument, payload, ts_ns)
        exits.insist(self.desk, effects, ts_ns, market)
        return effects

    def on_health(self, item: Health, market: Market) -> fx.Effects:
        """Take the system's health, or one instrument's: unhealthy denies entries, exits go on."""
        effects = fx.Effects()
        desk = self.desk
        guards.advance(desk, effects, item.ts_ns)
        changes = desk.breakers.on_health(
            item.ts_ns, healthy=item.healthy, cause=item.cause, instrument=item.instrument
        )
        guards.post_changes(desk, effects, changes)
        exits.insist(desk, effects, item.ts_ns, market)
        return effects

    def on_command(self, command: Command, ts_ns: int, seq: int, market: Market) -> fx.Effects:
        """Carry a command out; `seq` is the sequence of the last record before its effects."""
        return operator.on_command(self.desk, command, ts_ns, seq, market)

    # Snapshots

    def save(self) -> bytes:
        """Return the whole state."""
        desk = self.desk
        return msgspec.msgpack.encode(
            _Saved(
                state=desk.state,
                book=desk.book.save(),
                breakers=desk.breakers.save(),
                weights=weights.save(desk.weights),
            )
        )

    def load(self, data: bytes) -> None:
        """Replace the state by a saved one.

        Raises:
            InvariantError: If the bytes are not a trader of this version.
        """
        try:
            saved = msgspec.msgpack.decode(data, type=_Saved)
        except msgspec.DecodeError as error:
            raise InvariantError(f"the saved trader cannot be read: {error}") from error
        if saved.state.version != STATE_VERSION:
            raise InvariantError(f"the saved trader has version {saved.state.version}")
        desk = self.desk
        desk.state = saved.state
        desk.book = Book.load(saved.book, desk.instruments)
        desk.breakers = Breakers.load(saved.breakers, breaker_settings(desk.config))
        desk.weights = weights.load(saved.weights)

    # Parts

    def _lifecycle(self, ts_ns: int, cause: str) -> fx.Effects:
        effects = fx.Effects()
        state = self.desk.state.operator
        record = OperatorStateRecord(
            ts_ns=ts_ns, state=state, previous=None, issued_by=SYSTEM, cause=cause, lifecycle=True
        )
        self.desk.post(effects, record)
        return effects

    def _open(self, effects: fx.Effects, ts_ns: int, market: Market) -> None:
        """Record the account's opening: money, first mark of equity, weights and parameters.

        On the chain it is what the wallet holds, once that was read.
        """
        desk = self.desk
        if desk.state.is_open:
            return
        opening = desk.state.opening if desk.on_chain else _configured(desk)
        if opening is None:
            return
        desk.state.is_open = True
        cash_raw, lamports, rent = opening
        value_raw = cash_raw + quote_value_floor(lamports, desk.sol_q64(market))
        desk.post(
            effects,
            CashMoved(
                ts_ns=ts_ns,
                quote_raw=cash_raw,
                lamports=lamports,
                cause="opening",
                value_quote_raw=value_raw,
                equity_before_quote_raw=0,
            ),
        )
        if rent:
            rented = Flow(ts_ns=ts_ns, cause=FlowCause.RENT, lamports=-rent, reason="opening")
            desk.post(effects, rented)
        desk.state.peak = units_of(value_raw, desk.quote_decimals)
        guards.post_mark(desk, effects, desk.book.equity_mark(ts_ns, value_raw, value_raw))
        self._set_weights(effects, ts_ns)
        effects.calls.append(desk.watch_portfolio(market))

    def _moved(self, effects: fx.Effects, event: TriggerMoved) -> None:
        if self.desk.book.position(event.position_id) is not None:
            record = TriggerMovedRecord(
                ts_ns=event.ts_ns,
                position_id=event.position_id,
                stop=event.stop,
                target=event.target,
                cause=event.cause,
            )
            self.desk.post(effects, record)

    def _weigh(self, effects: fx.Effects, trade: Trade, ts_ns: int, market: Market) -> None:
        """Recompute the weights after a closed trade."""
        desk = self.desk
        if desk.state.ended:
            return
        desk.weights = weights.with_trade(
            desk.weights, trade, market.diversity(), desk.weight_settings
        )
        self._set_weights(effects, ts_ns)

    def _set_weights(self, effects: fx.Effects, ts_ns: int) -> None:
        """Record the weights and hand the core parameters that hold them."""
        desk = self.desk
        desk.state.params_version += 1
        params = desk.build_params(desk.state.params_version, desk.weights.rows)
        digest = hashlib.sha256(params).hexdigest()
        desk.post(effects, weights.record(desk.weights, ts_ns))
        desk.post(
            effects,
            ParamsSet(ts_ns=ts_ns, version=desk.state.params_version, digest=digest),
        )
        effects.calls.append(fx.SetParams(params))


def _configured(desk: Desk) -> tuple[int, int, int]:
    """Return the paper account's cash (quote raw) and lamports; no rent."""
    paper = desk.config.paper
    return (
        raw_nearest(paper.cash_usdc, desk.quote_decimals),
        raw_nearest(paper.sol_reserve, LAMPORT_DECIMALS),
        0,
    )
