"""A trader without a runner: the test is the venue."""

from typing import TypeVar

from fake_core import BAR_NS, FEATURES, SECOND_NS, FakeCore, Tick
from session import START_NS, config_of, instruments_of, params_of

from utb.config.schema import Config
from utb.domain.commands import Accepted, Command
from utb.domain.engine import DecisionMade, TriggerFired
from utb.domain.names import OrderStatus, Side
from utb.domain.orders import (
    OrderIntent,
    Position,
    Submission,
    VenueEvent,
    VenueFailed,
    VenueFilled,
)
from utb.domain.records import Record  # noqa: TC001
from utb.node import effects as fx
from utb.node.trader import Trader

Kind = TypeVar("Kind")


class Driver:
    """Feeds the pure trader and keeps what it asks for."""

    def __init__(self, config: Config | None = None, *, on_chain: bool = False) -> None:
        self.config = config or config_of()
        self.core = FakeCore()
        instruments = instruments_of(self.config)
        self.trader = Trader(self.config, instruments, params_of, on_chain=on_chain)
        self.now_ns = START_NS
        self.records: list[Record] = []
        self.submissions: list[Submission] = []
        self.calls: list[fx.EngineCall] = []
        self.price(0, 100.0)
        self.price(1, 50_000.0)
        self.take(self.trader.on_prices(self.now_ns, self.core))

    def take(self, effects: fx.Effects) -> fx.Effects:
        self.records += effects.records
        self.submissions += effects.submissions
        self.calls += effects.calls
        for call in effects.calls:
            match call:
                case fx.Arm(position):
                    self.core.arm(position)
                case fx.Disarm(position_id):
                    self.core.disarm(position_id)
                case fx.SetPortfolio():
                    self.core.set_portfolio(
                        cash=call.cash,
                        holdings=call.holdings,
                        peak=call.peak,
                        max_drawdown=call.max_drawdown,
                    )
                case _:
                    continue
        return effects

    def price(self, instrument: int, price: float) -> None:
        self.now_ns += SECOND_NS
        self.core.apply(Tick(instrument, price), self.now_ns)

    def decide(self, side: str, instrument: int = 0, lead: int = 2, **levels: float) -> fx.Effects:
        self.now_ns += SECOND_NS
        mark = self.core.state.marks[instrument]
        made = self.core._decision(
            Tick(
                instrument,
                mark.price,
                side,
                lead,
                levels.get("stop", mark.price * 0.97),
                levels.get("target", mark.price * 1.06),
            ),
            self.now_ns,
        )
        return self.take(self.trader.on_engine_event(made, self.core))

    def fire(self, kind: str, position_id: int = 1, fraction: float = 1.0) -> fx.Effects:
        self.now_ns += SECOND_NS
        position = self.trader.book.position(position_id)
        instrument = 0 if position is None else position.instrument
        price = self.core.state.marks[instrument].price
        event = TriggerFired(self.now_ns, instrument, position_id, kind, price, price, fraction)
        return self.take(self.trader.on_engine_event(event, self.core))

    def event(self, event: object) -> fx.Effects:
        return self.take(self.trader.on_engine_event(event, self.core))  # type: ignore[arg-type]

    def fill(self, intent: OrderIntent | None = None) -> fx.Effects:
        """Fill the last submission at the mark, without fee or impact."""
        self.now_ns += SECOND_NS
        intent = intent or self.submissions[-1].intent
        own = self.trader.desk.instruments[intent.instrument]
        price = self.core.state.marks[intent.instrument].price
        scale = price * 10.0 ** (own.quote_decimals - own.base_decimals)
        buy = intent.side is Side.BUY
        base = int(intent.amount_in_raw / scale) if buy else intent.amount_in_raw
        quote = intent.amount_in_raw if buy else int(intent.amount_in_raw * scale)
        return self.take(
            self.trader.on_venue_event(
                VenueFilled(
                    intent_id=intent.intent_id,
                    ts_ns=self.now_ns,
                    base_raw=base,
                    quote_raw=quote,
                    pool_fee_quote_raw=0,
                    fee_lamports=5_000,
                    mid_price=price,
                    indicative=False,
                ),
                self.core,
            )
        )

    def fail(self, status: OrderStatus = OrderStatus.FAILED_ON_CHAIN) -> fx.Effects:
        self.now_ns += SECOND_NS
        return self.take(
            self.trader.on_venue_event(
                VenueFailed(
                    intent_id=self.submissions[-1].intent.intent_id,
                    ts_ns=self.now_ns,
                    status=status,
                    fee_lamports=5_000 if status is OrderStatus.FAILED_ON_CHAIN else 0,
                    reason="price moved",
                ),
                self.core,
            )
        )

    def venue(self, event: VenueEvent) -> fx.Effects:
        return self.take(self.trader.on_venue_event(event, self.core))

    def command(self, command: Command) -> fx.Effects:
        self.now_ns += SECOND_NS
        return self.take(self.trader.on_command(command, self.now_ns, len(self.records), self.core))

    def bought(self, instrument: int = 0, **levels: float) -> int:
        """Buy and fill; return the position id."""
        self.decide("BUY", instrument, 2, **levels)
        self.price(instrument, self.core.state.marks[instrument].price)
        self.fill()
        position = self.trader.book.position_of(instrument)
        assert position is not None
        return position.position_id

    def of(self, kind: type[Kind]) -> list[Kind]:
        return [record for record in self.records if isinstance(record, kind)]

    def position(self, position_id: int = 1) -> Position:
        position = self.trader.book.position(position_id)
        assert position is not None
        return position


def accepted(effects: fx.Effects) -> bool:
    return isinstance(effects.answer, Accepted)


__all__ = ["BAR_NS", "FEATURES", "DecisionMade", "Driver", "accepted"]
