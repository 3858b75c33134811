//! Birdeye WebSocket and REST messages.
//!
//! Source of the formats: docs.birdeye.so (WebSocket, `/defi/price`, `/defi/multi_price`,
//! `/defi/ohlcv`, `/defi/v3/ohlcv`, `/defi/txs/token`, `/defi/txs/pair`).

mod envelope;
mod ohlcv;
mod quote;
mod trade;
mod trade_fast;

use utb_types::Timeframe;

use crate::item::{Item, Rejected};
use crate::{DecodeError, Scan};

/// Appends the items of a frame.
pub(crate) fn decode<'a>(
    frame: &'a str,
    scan: Scan,
    out: &mut Vec<Item<'a>>,
) -> Result<(), DecodeError> {
    if scan == Scan::Fast {
        if fast(frame, out).is_some() {
            return Ok(());
        }
        out.clear();
    }
    envelope::decode(frame, out)
}

/// Chooses the scan by the first bytes, which differ for every kind.
#[inline]
fn fast<'a>(frame: &'a str, out: &mut Vec<Item<'a>>) -> Option<()> {
    if frame.starts_with("{\"type\":\"PRICE_DATA\"") {
        ohlcv::scan_forming(frame, out)
    } else if frame.starts_with("{\"type\":\"TXS_DATA\"") {
        trade_fast::scan_socket(frame, out)
    } else if frame.starts_with("{\"data\":{\"items\":[{\"c\":") {
        ohlcv::scan_history(frame, out)
    } else if frame.starts_with("{\"data\":{\"items\":[") {
        trade_fast::scan_history(frame, out)
    } else {
        // Spot prices are asked for, not streamed: the typed fallback is fast enough.
        None
    }
}

/// Appends an item, or its refusal.
#[inline]
fn push<'a>(item: Result<Item<'a>, DecodeError>, out: &mut Vec<Item<'a>>) {
    let index = out.len();
    match item {
        Ok(item) => out.push(item),
        Err(reason) => out.push(Item::Rejected(Rejected { index, reason })),
    }
}

/// Returns the timeframe of a Birdeye type; those this system does not keep are unsupported.
#[inline]
fn timeframe(name: Option<&str>) -> Result<Timeframe, DecodeError> {
    match name.ok_or(DecodeError::Shape)? {
        "1m" => Ok(Timeframe::M1),
        "5m" => Ok(Timeframe::M5),
        "15m" => Ok(Timeframe::M15),
        "1H" => Ok(Timeframe::H1),
        "4H" => Ok(Timeframe::H4),
        "1D" => Ok(Timeframe::D1),
        _ => Err(DecodeError::Unsupported),
    }
}
