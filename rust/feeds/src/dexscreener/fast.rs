//! The expected order of a compact `DexScreener` frame.

use super::{RawPair, push};
use crate::check::borrowed;
use crate::item::Item;
use crate::scan::Scanner;

/// Appends the items of a frame, or returns `None` at the first surprise.
pub(super) fn decode<'a>(frame: &'a str, out: &mut Vec<Item<'a>>) -> Option<()> {
    let mut scanner = Scanner::new(frame);
    if scanner.eat("[") {
        pairs(&mut scanner, out)?;
        return scanner.end();
    }
    scanner.literal("{\"schemaVersion\":")?;
    scanner.string()?;
    scanner.literal(",\"pairs\":[")?;
    pairs(&mut scanner, out)?;
    if scanner.eat(",\"pair\":") && !scanner.eat("null") {
        // The single pair of a one-pair request repeats the first of the list.
        pair(&mut scanner)?;
    }
    scanner.literal("}")?;
    scanner.end()
}

/// Reads the elements of a list that has at least one, and its closing bracket.
fn pairs<'a>(scanner: &mut Scanner<'a>, out: &mut Vec<Item<'a>>) -> Option<()> {
    loop {
        let raw = pair(scanner)?;
        push(Ok(raw), out);
        if scanner.eat("]") {
            return Some(());
        }
        scanner.literal(",")?;
    }
}

#[inline]
fn pair<'a>(scanner: &mut Scanner<'a>) -> Option<RawPair<'a>> {
    let mut raw = RawPair::default();
    scanner.literal("{\"chainId\":\"")?;
    raw.chain_id = borrowed(scanner.text()?);
    scanner.literal(",\"dexId\":\"")?;
    scanner.text()?;
    scanner.literal(",\"url\":\"")?;
    scanner.text()?;
    scanner.literal(",\"pairAddress\":\"")?;
    raw.pair_address = borrowed(scanner.text()?);
    if scanner.eat(",\"labels\":") {
        scanner.skip_value()?;
    }
    scanner.literal(",\"baseToken\":{")?;
    raw.base_mint = borrowed(token(scanner)?);
    scanner.literal(",\"quoteToken\":{")?;
    raw.quote_mint = borrowed(token(scanner)?);
    scanner.literal(",\"priceNative\":\"")?;
    raw.price_native = borrowed(scanner.text()?);
    if scanner.eat(",\"priceUsd\":\"") {
        raw.price_usd = borrowed(scanner.text()?);
    }
    if scanner.eat(",\"txns\":{\"m5\":{\"buys\":") {
        transactions(scanner, &mut raw)?;
    }
    if scanner.eat(",\"volume\":{") {
        raw.volume_m5 = volume(scanner)?;
    }
    if scanner.eat(",\"priceChange\":") {
        scanner.skip_value()?;
    }
    if scanner.eat(",\"liquidity\":{\"usd\":") {
        raw.liquidity = liquidity(scanner)?;
    }
    rest(scanner)?;
    Some(raw)
}

/// Reads a token object after its brace; returns its address.
#[inline]
fn token<'a>(scanner: &mut Scanner<'a>) -> Option<&'a str> {
    scanner.literal("\"address\":\"")?;
    let address = scanner.text()?;
    scanner.literal(",\"name\":\"")?;
    scanner.text()?;
    scanner.literal(",\"symbol\":\"")?;
    scanner.text()?;
    scanner.literal("}")?;
    Some(address)
}

/// Reads `txns` after its first key.
#[inline]
fn transactions(scanner: &mut Scanner<'_>, raw: &mut RawPair<'_>) -> Option<()> {
    raw.buys_m5 = Some(u32::try_from(scanner.integer()?).ok()?);
    scanner.literal(",\"sells\":")?;
    raw.sells_m5 = Some(u32::try_from(scanner.integer()?).ok()?);
    scanner.literal("}")?;
    if scanner.eat(",\"h1\":{\"buys\":") {
        counts(scanner)?;
    }
    if scanner.eat(",\"h6\":{\"buys\":") {
        counts(scanner)?;
    }
    if scanner.eat(",\"h24\":{\"buys\":") {
        counts(scanner)?;
    }
    scanner.literal("}")
}

#[inline]
fn counts(scanner: &mut Scanner<'_>) -> Option<()> {
    scanner.skip_number()?;
    scanner.literal(",\"sells\":")?;
    scanner.skip_number()?;
    scanner.literal("}")
}

/// Reads `volume` after its brace; returns the five-minute value.
#[inline]
fn volume(scanner: &mut Scanner<'_>) -> Option<Option<f64>> {
    scanner.literal("\"h24\":")?;
    scanner.skip_number()?;
    if scanner.eat(",\"h6\":") {
        scanner.skip_number()?;
    }
    if scanner.eat(",\"h1\":") {
        scanner.skip_number()?;
    }
    let five_minutes = if scanner.eat(",\"m5\":") { scanner.optional_number()? } else { None };
    scanner.literal("}")?;
    Some(five_minutes)
}

/// Reads `liquidity` after its first key: USD, base, quote.
#[inline]
fn liquidity(scanner: &mut Scanner<'_>) -> Option<[Option<f64>; 3]> {
    let usd = scanner.optional_number()?;
    scanner.literal(",\"base\":")?;
    let base = scanner.optional_number()?;
    scanner.literal(",\"quote\":")?;
    let quote = scanner.optional_number()?;
    scanner.literal("}")?;
    Some([usd, base, quote])
}

/// Reads the members after `liquidity` and the closing brace.
#[inline]
fn rest(scanner: &mut Scanner<'_>) -> Option<()> {
    if scanner.eat(",\"fdv\":") {
        scanner.skip_value()?;
    }
    if scanner.eat(",\"marketCap\":") {
        scanner.skip_value()?;
    }
    if scanner.eat(",\"pairCreatedAt\":") {
        scanner.skip_value()?;
    }
    if scanner.eat(",\"info\":") {
        scanner.skip_value()?;
    }
    if scanner.eat(",\"boosts\":") {
        scanner.skip_value()?;
    }
    scanner.literal("}")
}
