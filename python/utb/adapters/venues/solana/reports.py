"""What an order's life reports, as the venue's events."""

from utb.adapters.venues.solana.flight import Flight
from utb.adapters.venues.solana.pricing import fee_in_quote
from utb.domain.names import OrderStatus
from utb.domain.orders import (
    VenueEvent,
    VenueFailed,
    VenueFilled,
    VenueProgress,
    VenueReverted,
)
from utb.errors import InvariantError
from utb.orderlife.actions import Failed, Filled, Progress, Report, Reverted


def signed(flight: Flight, signature: str, ts_ns: int) -> VenueProgress:
    """Return the report of a signed attempt, which must be durable before it leaves."""
    return VenueProgress(
        intent_id=flight.intent.intent_id,
        ts_ns=ts_ns,
        status=OrderStatus.SIGNED,
        signature=signature,
        attempt=flight.attempts[signature],
    )


def event_of(flight: Flight, report: Report, ts_ns: int) -> VenueEvent:
    """Return a report as the event the sink takes."""
    intent_id = flight.intent.intent_id
    match report:
        case Progress():
            return VenueProgress(
                intent_id=intent_id,
                ts_ns=ts_ns,
                status=report.status,
                signature=report.signature,
                slot=report.slot,
                reason=report.reason,
                fee_lamports=report.fee_lamports,
            )
        case Filled():
            return _filled(flight, report, ts_ns)
        case Reverted():
            return VenueReverted(
                intent_id=intent_id,
                ts_ns=ts_ns,
                signature=report.signature,
                status=report.status,
                reason=report.reason,
            )
        case Failed():
            cancelled = report.status is OrderStatus.CANCELLED
            return VenueFailed(
                intent_id=intent_id,
                ts_ns=ts_ns,
                status=report.status,
                fee_lamports=report.fee_lamports,
                # Nothing was sent: why it was not is what a person wants to know.
                reason=flight.reason if cancelled and flight.reason else report.reason,
                attempts=report.attempts,
                slot=report.slot,
            )


def _filled(flight: Flight, report: Filled, ts_ns: int) -> VenueFilled:
    fill = report.fill
    attempt = flight.attempts.get(report.signature)
    if attempt is None:
        raise InvariantError(
            f"order {flight.intent.intent_id}: fill of {report.signature}, which is no attempt"
        )
    pool_fee_raw = sum(leg.pool_fee_raw for leg in attempt.route.legs)
    return VenueFilled(
        intent_id=flight.intent.intent_id,
        ts_ns=ts_ns,
        base_raw=fill.base_raw,
        quote_raw=fill.quote_raw,
        pool_fee_quote_raw=fee_in_quote(
            flight.intent.side, pool_fee_raw, base_raw=fill.base_raw, quote_raw=fill.quote_raw
        ),
        fee_lamports=fill.fee_lamports + fill.tip_lamports,
        mid_price=attempt.route.mid_price,
        indicative=False,
        signature=fill.signature,
        slot=fill.slot,
        tip_lamports=fill.tip_lamports,
        rent_lamports=fill.rent_lamports,
        provisional=report.provisional,
    )
