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

use crate::frame::Frame;
use crate::item::{Item, Rejected};
use crate::{DecodeError, Text};

/// Appends the items of a frame.
pub(crate) fn decode<'a>(frame: Frame<'a>, out: &mut Vec<Item<'a>>) -> Result<(), DecodeError> {
    if let Some(plain) = frame.plain() {
        if fast(plain, out).is_some() {
            return Ok(());
        }
        out.clear();
    }
    envelope::decode(frame.text()?, out)
}

/// Chooses the scan by the first bytes, which differ for every kind.
#[inline]
fn fast<'a>(frame: &'a [u8], out: &mut Vec<Item<'a>>) -> Option<()> {
    if frame.starts_with(b"{\"type\":\"PRICE_DATA\"") {
        ohlcv::scan_forming(frame, out)
    } else if frame.starts_with(b"{\"type\":\"TXS_DATA\"") {
        trade_fast::scan_socket(frame, out)
    } else if frame.starts_with(b"{\"data\":{\"items\":[{\"c\":") {
        ohlcv::scan_history(frame, out)
    } else if frame.starts_with(b"{\"data\":{\"items\":[") {
        trade_fast::scan_history(frame, out)
    } else {
        // Spot prices are asked for, not streamed: the typed fallback is fast enough.
        None
    }
}

/// Appends an item, or its refusal.
#[inline]
fn push<'a, T>(item: Result<T, DecodeError>, kind: fn(T) -> Item<'a>, out: &mut Vec<Item<'a>>) {
    let index = out.len();
    match item {
        Ok(item) => out.push(kind(item)),
        Err(reason) => out.push(Item::Rejected(Rejected { index, reason })),
    }
}

/// Returns the timeframe of a Birdeye type; those this system does not keep are unsupported.
#[inline]
fn timeframe(name: Option<&Text<'_>>) -> Result<Timeframe, DecodeError> {
    match name.ok_or(DecodeError::Shape)?.as_bytes() {
        b"1m" => Ok(Timeframe::M1),
        b"5m" => Ok(Timeframe::M5),
        b"15m" => Ok(Timeframe::M15),
        b"1H" => Ok(Timeframe::H1),
        b"4H" => Ok(Timeframe::H4),
        b"1D" => Ok(Timeframe::D1),
        _ => Err(DecodeError::Unsupported),
    }
}

#[cfg(test)]
mod tests {
    use super::fast;
    use crate::frames::{BARS, PRICE, REST_SWAPS, SWAP};

    #[test]
    fn known_frames_take_the_forward_scan() {
        for (frame, count) in [(PRICE, 1), (SWAP, 1), (REST_SWAPS, 1), (BARS, 2)] {
            let mut items = Vec::new();
            assert_eq!(fast(frame.as_bytes(), &mut items), Some(()), "{frame}");
            assert_eq!(items.len(), count);
        }
    }
}
