//! Birdeye bars: the forming one of the socket (`PRICE_DATA`) and those of `/defi/ohlcv`.

use serde::Deserialize;

use super::{push, timeframe};
use crate::DecodeError;
use crate::Text;
use crate::check::{RawOhlc, borrowed, non_negative, ohlc, open_ns, text};
use crate::item::{HistoryBar, Item, PriceBar};
use crate::scan::Scanner;
use crate::typed::{self, Number, RawText};

/// A bar as read, before its values are checked.
#[derive(Debug, Default)]
struct RawBar<'a> {
    ohlc: RawOhlc,
    volume: Option<f64>,
    timeframe: Option<Text<'a>>,
    unix_time: Option<u64>,
    address: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct TypedBar<'a> {
    #[serde(default)]
    o: Number,
    #[serde(default)]
    h: Number,
    #[serde(default)]
    l: Number,
    #[serde(default)]
    c: Number,
    #[serde(default)]
    v: Number,
    #[serde(borrow, rename = "type")]
    timeframe: Option<RawText<'a>>,
    /// The second name is that of `/defi/v3/ohlcv`.
    #[serde(rename = "unixTime", alias = "unix_time")]
    unix_time: Option<u64>,
    #[serde(borrow)]
    address: Option<RawText<'a>>,
}

/// Reads the data of a `PRICE_DATA` message in any order.
pub(super) fn forming(data: &str) -> Result<PriceBar<'_>, DecodeError> {
    finish_forming(typed_bar(data)?)
}

/// Reads one item of a list of bars in any order.
pub(super) fn history(item: &str) -> Result<HistoryBar<'_>, DecodeError> {
    finish_history(typed_bar(item)?)
}

fn typed_bar(text: &str) -> Result<RawBar<'_>, DecodeError> {
    let bar: TypedBar<'_> = typed::part(text)?;
    Ok(RawBar {
        ohlc: [bar.o.0, bar.h.0, bar.l.0, bar.c.0],
        volume: bar.v.0,
        timeframe: typed::text(bar.timeframe),
        unix_time: bar.unix_time,
        address: typed::text(bar.address),
    })
}

/// Reads a `PRICE_DATA` message in the order the socket writes.
#[inline]
pub(super) fn scan_forming<'a>(frame: &'a [u8], out: &mut Vec<Item<'a>>) -> Option<()> {
    let mut scanner = Scanner::new(frame);
    scanner.literal(b"{\"type\":\"PRICE_DATA\",\"data\":{\"o\":")?;
    let open = scanner.number()?;
    scanner.literal(b",\"h\":")?;
    let high = scanner.number()?;
    scanner.literal(b",\"l\":")?;
    let low = scanner.number()?;
    scanner.literal(b",\"c\":")?;
    let close = scanner.number()?;
    scanner.literal(b",\"eventType\":\"ohlcv\",\"type\":\"")?;
    let timeframe = scanner.text()?;
    scanner.literal(b",\"unixTime\":")?;
    let unix_time = scanner.integer()?;
    scanner.literal(b",\"v\":")?;
    let volume = scanner.number()?;
    scanner.literal(b",\"symbol\":\"")?;
    scanner.text()?;
    scanner.literal(b",\"address\":\"")?;
    let address = scanner.text()?;
    scanner.literal(b"}}")?;
    scanner.end()?;
    let raw = RawBar {
        ohlc: [Some(open), Some(high), Some(low), Some(close)],
        volume: Some(volume),
        timeframe: borrowed(timeframe),
        unix_time: Some(unix_time),
        address: borrowed(address),
    };
    push(finish_forming(raw), Item::Price, out);
    Some(())
}

/// Reads an answer of `/defi/ohlcv` in the order the server writes.
#[inline]
pub(super) fn scan_history<'a>(frame: &'a [u8], out: &mut Vec<Item<'a>>) -> Option<()> {
    let mut scanner = Scanner::new(frame);
    scanner.literal(b"{\"data\":{\"items\":[")?;
    loop {
        let raw = scan_bar(&mut scanner)?;
        push(finish_history(raw), Item::Bar, out);
        if !scanner.eat(b",") {
            break;
        }
    }
    scanner.literal(b"]},\"success\":true}")?;
    scanner.end()
}

#[inline]
fn scan_bar<'a>(scanner: &mut Scanner<'a>) -> Option<RawBar<'a>> {
    scanner.literal(b"{\"c\":")?;
    let close = scanner.number()?;
    scanner.literal(b",\"h\":")?;
    let high = scanner.number()?;
    scanner.literal(b",\"l\":")?;
    let low = scanner.number()?;
    scanner.literal(b",\"o\":")?;
    let open = scanner.number()?;
    scanner.literal(b",\"type\":\"")?;
    let timeframe = scanner.text()?;
    scanner.literal(b",\"unixTime\":")?;
    let unix_time = scanner.integer()?;
    let mut address = None;
    if scanner.eat(b",\"address\":\"") {
        address = borrowed(scanner.text()?);
    }
    scanner.literal(b",\"v\":")?;
    let volume = scanner.number()?;
    scanner.literal(b"}")?;
    Some(RawBar {
        ohlc: [Some(open), Some(high), Some(low), Some(close)],
        volume: Some(volume),
        timeframe: borrowed(timeframe),
        unix_time: Some(unix_time),
        address,
    })
}

#[inline]
fn finish_forming(raw: RawBar<'_>) -> Result<PriceBar<'_>, DecodeError> {
    let timeframe = timeframe(raw.timeframe.as_ref())?;
    let [open, high, low, close] = ohlc(raw.ohlc)?;
    Ok(PriceBar {
        address: text(raw.address)?,
        timeframe,
        open_ns: open_ns(timeframe, raw.unix_time)?,
        open,
        high,
        low,
        close,
        volume: non_negative(raw.volume)?,
    })
}

#[inline]
fn finish_history(raw: RawBar<'_>) -> Result<HistoryBar<'_>, DecodeError> {
    let timeframe = timeframe(raw.timeframe.as_ref())?;
    let [open, high, low, close] = ohlc(raw.ohlc)?;
    let address = match raw.address {
        None => None,
        some => Some(text(some)?),
    };
    Ok(HistoryBar {
        address,
        timeframe,
        open_ns: open_ns(timeframe, raw.unix_time)?,
        open,
        high,
        low,
        close,
        volume: non_negative(raw.volume)?,
    })
}
