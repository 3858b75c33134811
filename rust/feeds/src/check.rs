//! Checks of decoded fields, shared by the fast scan and the typed fallback.

use utb_types::{Timeframe, Value};

use crate::{DecodeError, Text};

/// Longest kept text: a base58 signature has 88 characters, a Sui coin type about 100.
pub(crate) const TEXT_BYTES_MAX: usize = 128;

/// Nanoseconds in a second.
const SECOND_NS: i64 = 1_000_000_000;

/// Returns the number if it is finite and > 0.
#[inline]
pub(crate) fn positive(number: Option<f64>) -> Result<f64, DecodeError> {
    let number = number.ok_or(DecodeError::Shape)?;
    if number.is_finite() && number > 0.0 { Ok(number) } else { Err(DecodeError::Range) }
}

/// Returns the number if it is finite and >= 0 (never -0).
#[inline]
pub(crate) fn non_negative(number: Option<f64>) -> Result<f64, DecodeError> {
    let number = number.ok_or(DecodeError::Shape)?;
    if number.is_finite() && number >= 0.0 { Ok(number + 0.0) } else { Err(DecodeError::Range) }
}

/// Returns the number, absent stays absent, if it is finite and >= 0.
#[inline]
pub(crate) fn optional_non_negative(number: Option<f64>) -> Result<Value, DecodeError> {
    match number {
        None => Ok(Value::ABSENT),
        some => non_negative(some).map(Value::new),
    }
}

/// Returns the text if it is ASCII of 1 to 128 bytes.
#[inline]
pub(crate) fn text(text: Option<Text<'_>>) -> Result<Text<'_>, DecodeError> {
    let text = text.ok_or(DecodeError::Shape)?;
    let bytes = text.as_bytes();
    if (1..=TEXT_BYTES_MAX).contains(&bytes.len()) && bytes.is_ascii() {
        Ok(text)
    } else {
        Err(DecodeError::Shape)
    }
}

/// Borrows a piece of the frame.
#[inline]
#[expect(clippy::unnecessary_wraps, reason = "every field it fills may be absent")]
pub(crate) const fn borrowed(bytes: &[u8]) -> Option<Text<'_>> {
    Some(Text::borrowed(bytes))
}

/// Returns nanoseconds from Unix seconds; times before the epoch or after 2262 are refused.
#[inline]
pub(crate) fn unix_seconds(seconds: Option<u64>) -> Result<i64, DecodeError> {
    let seconds = seconds.ok_or(DecodeError::Shape)?;
    i64::try_from(seconds)
        .ok()
        .and_then(|seconds| seconds.checked_mul(SECOND_NS))
        .ok_or(DecodeError::Range)
}

/// Open, high, low, close as read, in that order.
pub(crate) type RawOhlc = [Option<f64>; 4];

/// Returns open, high, low, close if each is > 0, high is the highest and low the lowest.
#[inline]
pub(crate) fn ohlc(raw: RawOhlc) -> Result<[f64; 4], DecodeError> {
    let [open, high, low, close] = raw;
    let (open, high) = (positive(open)?, positive(high)?);
    let (low, close) = (positive(low)?, positive(close)?);
    if high >= open && high >= close && low <= open && low <= close {
        Ok([open, high, low, close])
    } else {
        Err(DecodeError::Range)
    }
}

/// Returns the open time of a bar if it lies on the grid of its timeframe.
#[inline]
pub(crate) fn open_ns(timeframe: Timeframe, seconds: Option<u64>) -> Result<i64, DecodeError> {
    let ts_ns = unix_seconds(seconds)?;
    if timeframe.open_ns(ts_ns) == ts_ns { Ok(ts_ns) } else { Err(DecodeError::Unaligned) }
}
