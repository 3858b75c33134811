//! `DexScreener` REST pairs: `/latest/dex/*`, `/tokens/v1/*`, `/token-pairs/v1/*`.
//!
//! Source of the format: docs.dexscreener.com/api/reference. Prices are strings, everything else
//! numbers. Missing in the wild: `priceUsd`, `liquidity` as a whole, `labels`, `fdv`,
//! `marketCap`, `pairCreatedAt`, `info`, `boosts`, and any bucket of `priceChange`.

mod fast;
mod typed;

use utb_types::Value;

use crate::check::{optional_non_negative, positive, text};
use crate::frame::Frame;
use crate::item::{Item, Pair, Rejected};
use crate::{DecodeError, Text};

/// A price string as read.
#[derive(Clone, Copy, Debug, Default)]
enum Price {
    #[default]
    Absent,
    /// Text that is no number in JSON's grammar.
    Broken,
    Number(f64),
}

/// A pair as read, before its values are checked.
#[derive(Debug, Default)]
struct RawPair<'a> {
    chain_id: Option<Text<'a>>,
    pair_address: Option<Text<'a>>,
    base_mint: Option<Text<'a>>,
    quote_mint: Option<Text<'a>>,
    price_native: Price,
    price_usd: Price,
    buys_m5: Option<u32>,
    sells_m5: Option<u32>,
    volume_m5: Option<f64>,
    liquidity: [Option<f64>; 3],
}

/// Appends the items of a frame.
pub(crate) fn decode<'a>(frame: Frame<'a>, out: &mut Vec<Item<'a>>) -> Result<(), DecodeError> {
    if let Some(plain) = frame.plain() {
        if fast::decode(plain, out).is_some() {
            return Ok(());
        }
        out.clear();
    }
    typed::decode(frame.text()?, out)
}

/// Appends a pair, or its refusal.
#[inline]
fn push<'a>(pair: Result<Pair<'a>, DecodeError>, out: &mut Vec<Item<'a>>) {
    let index = out.len();
    match pair {
        Ok(pair) => out.push(Item::Pair(pair)),
        Err(reason) => out.push(Item::Rejected(Rejected { index, reason })),
    }
}

/// Checks the values of a pair, and takes its texts.
#[inline]
fn finish<'a>(raw: &mut RawPair<'a>) -> Result<Pair<'a>, DecodeError> {
    let [usd, base, quote] = raw.liquidity;
    Ok(Pair {
        price_native: price(raw.price_native)?.ok_or(DecodeError::Shape)?,
        price_usd: price(raw.price_usd)?.unwrap_or(Value::ABSENT),
        chain_id: text(raw.chain_id.take())?,
        pair_address: text(raw.pair_address.take())?,
        base_mint: text(raw.base_mint.take())?,
        quote_mint: text(raw.quote_mint.take())?,
        liquidity_usd: optional_non_negative(usd)?,
        liquidity_base: optional_non_negative(base)?,
        liquidity_quote: optional_non_negative(quote)?,
        volume_m5_usd: optional_non_negative(raw.volume_m5)?,
        buys_m5: raw.buys_m5,
        sells_m5: raw.sells_m5,
    })
}

/// Checks a price: finite and > 0.
#[inline]
fn price(price: Price) -> Result<Option<Value>, DecodeError> {
    match price {
        Price::Absent => Ok(None),
        Price::Broken => Err(DecodeError::Shape),
        Price::Number(number) => positive(Some(number)).map(|price| Some(Value::new(price))),
    }
}

#[cfg(test)]
mod tests {
    use super::fast;
    use crate::frames::PAIR;

    #[test]
    fn known_frames_take_the_forward_scan() {
        let bare =
            PAIR.replace(",\"priceUsd\":\"140.50\"", "").replace(",\"labels\":[\"CPMM\"]", "");
        for frame in [
            format!("{{\"schemaVersion\":\"1.0.0\",\"pairs\":[{PAIR},{bare}],\"pair\":null}}"),
            format!("[{bare},{PAIR}]"),
        ] {
            let mut items = Vec::new();
            assert_eq!(fast::decode(frame.as_bytes(), &mut items), Some(()), "{frame}");
            assert_eq!(items.len(), 2);
        }
    }
}
