//! The typed fallback for `DexScreener` frames.

use serde::Deserialize;
use sonic_rs::LazyValue;

use super::{Price, RawPair, finish, push};
use crate::item::Item;
use crate::typed::{self, Number, RawText};
use crate::{DecodeError, number};

#[derive(Deserialize)]
#[expect(clippy::option_option, reason = "absent differs from null")]
struct Envelope<'a> {
    #[serde(borrow, default, deserialize_with = "typed::present")]
    pairs: Option<Option<Vec<LazyValue<'a>>>>,
    #[serde(borrow, default, deserialize_with = "typed::present")]
    pair: Option<Option<LazyValue<'a>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TypedPair<'a> {
    #[serde(borrow)]
    chain_id: Option<RawText<'a>>,
    #[serde(borrow)]
    pair_address: Option<RawText<'a>>,
    #[serde(borrow)]
    base_token: Option<Token<'a>>,
    #[serde(borrow)]
    quote_token: Option<Token<'a>>,
    #[serde(borrow)]
    price_native: Option<RawText<'a>>,
    #[serde(borrow)]
    price_usd: Option<RawText<'a>>,
    txns: Option<Transactions>,
    volume: Option<Volume>,
    liquidity: Option<Liquidity>,
}

#[derive(Deserialize)]
struct Token<'a> {
    #[serde(borrow)]
    address: Option<RawText<'a>>,
}

#[derive(Deserialize)]
struct Transactions {
    m5: Option<Counts>,
}

#[derive(Deserialize)]
struct Counts {
    buys: Option<u32>,
    sells: Option<u32>,
}

#[derive(Deserialize)]
struct Volume {
    #[serde(default)]
    m5: Number,
}

#[derive(Deserialize)]
struct Liquidity {
    #[serde(default)]
    usd: Number,
    #[serde(default)]
    base: Number,
    #[serde(default)]
    quote: Number,
}

/// Appends the items of a frame.
pub(super) fn decode<'a>(frame: &'a str, out: &mut Vec<Item<'a>>) -> Result<(), DecodeError> {
    let pairs: Vec<LazyValue<'a>> = if frame.trim_start().starts_with('[') {
        typed::frame(frame)?
    } else {
        let envelope: Envelope<'a> = typed::frame(frame)?;
        if envelope.pairs.is_none() && envelope.pair.is_none() {
            return Err(DecodeError::RejectedBySource);
        }
        let pairs = envelope.pairs.flatten().unwrap_or_default();
        if pairs.is_empty() { envelope.pair.flatten().into_iter().collect() } else { pairs }
    };
    for pair in &pairs {
        let pair = typed::raw(pair).and_then(typed::part).map(raw_pair);
        push(pair.and_then(|mut pair| finish(&mut pair)), out);
    }
    Ok(())
}

fn raw_pair(pair: TypedPair<'_>) -> RawPair<'_> {
    let counts = pair.txns.and_then(|txns| txns.m5);
    let (usd, base, quote) =
        pair.liquidity.map_or((None, None, None), |pool| (pool.usd.0, pool.base.0, pool.quote.0));
    RawPair {
        chain_id: typed::text(pair.chain_id),
        pair_address: typed::text(pair.pair_address),
        base_mint: typed::text(pair.base_token.and_then(|token| token.address)),
        quote_mint: typed::text(pair.quote_token.and_then(|token| token.address)),
        price_native: price(pair.price_native),
        price_usd: price(pair.price_usd),
        buys_m5: counts.as_ref().and_then(|counts| counts.buys),
        sells_m5: counts.as_ref().and_then(|counts| counts.sells),
        volume_m5: pair.volume.and_then(|volume| volume.m5.0),
        liquidity: [usd, base, quote],
    }
}

/// Reads a price string, which must be a number in JSON's grammar: `str::parse` takes more.
fn price(text: Option<RawText<'_>>) -> Price {
    let Some(RawText(text)) = text else { return Price::Absent };
    match number::number_text(text.as_bytes()) {
        None => Price::Broken,
        Some(_) => text.as_str().parse().map_or(Price::Broken, Price::Number),
    }
}
