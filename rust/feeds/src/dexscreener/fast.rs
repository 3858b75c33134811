//! The expected order of a compact `DexScreener` frame.

#![expect(clippy::option_option, reason = "outer: the scan gives up; inner: null")]
#![expect(clippy::inline_always, reason = "a call would put the position into memory")]

use super::{Price, RawPair, finish, push};
use crate::check::borrowed;
use crate::item::Item;
use crate::scan::Scanner;

/// Appends the items of a frame, or returns `None` at the first surprise.
pub(super) fn decode<'a>(frame: &'a [u8], out: &mut Vec<Item<'a>>) -> Option<()> {
    let mut scanner = Scanner::new(frame);
    if scanner.eat(b"[") {
        return pairs(scanner, out)?.end();
    }
    scanner.literal(b"{\"schemaVersion\":")?;
    scanner.string()?;
    scanner.literal(b",\"pairs\":[")?;
    scanner = pairs(scanner, out)?;
    if scanner.eat(b",\"pair\":") && !scanner.eat(b"null") {
        // The single pair of a one-pair request repeats the first of the list.
        scanner = pair(scanner, &mut RawPair::default())?;
    }
    scanner.literal(b"}")?;
    scanner.end()
}

/// Reads the elements of a list that has at least one, and its closing bracket.
fn pairs<'a>(mut scanner: Scanner<'a>, out: &mut Vec<Item<'a>>) -> Option<Scanner<'a>> {
    loop {
        let mut raw = RawPair::default();
        scanner = pair(scanner, &mut raw)?;
        push(finish(&mut raw), out);
        if scanner.eat(b"]") {
            return Some(scanner);
        }
        scanner.literal(b",")?;
    }
}

fn pair<'a>(mut scanner: Scanner<'a>, raw: &mut RawPair<'a>) -> Option<Scanner<'a>> {
    pair_members(&mut scanner, raw)?;
    Some(scanner)
}

#[inline(always)]
fn pair_members<'a>(scanner: &mut Scanner<'a>, raw: &mut RawPair<'a>) -> Option<()> {
    scanner.literal(b"{\"chainId\":\"")?;
    raw.chain_id = borrowed(scanner.text()?);
    scanner.literal(b",\"dexId\":\"")?;
    scanner.text()?;
    scanner.literal(b",\"url\":\"")?;
    scanner.long_text()?;
    scanner.literal(b",\"pairAddress\":\"")?;
    raw.pair_address = borrowed(scanner.text()?);
    if scanner.eat(b",\"labels\":") {
        scanner.skip_value()?;
    }
    scanner.literal(b",\"baseToken\":{")?;
    raw.base_mint = borrowed(token(scanner)?);
    scanner.literal(b",\"quoteToken\":{")?;
    raw.quote_mint = borrowed(token(scanner)?);
    scanner.literal(b",\"priceNative\":\"")?;
    raw.price_native = price(scanner)?;
    if scanner.eat(b",\"priceUsd\":\"") {
        raw.price_usd = price(scanner)?;
    }
    if scanner.eat(b",\"txns\":{\"m5\":{\"buys\":") {
        transactions(scanner, raw)?;
    }
    if scanner.eat(b",\"volume\":{") {
        raw.volume_m5 = volume(scanner)?;
    }
    if scanner.eat(b",\"priceChange\":") {
        scanner.skip_value()?;
    }
    if scanner.eat(b",\"liquidity\":{\"usd\":") {
        raw.liquidity = liquidity(scanner)?;
    }
    rest(scanner)
}

/// Reads a price after its opening quote.
#[inline(always)]
fn price(scanner: &mut Scanner<'_>) -> Option<Price> {
    let number = scanner.number()?;
    scanner.literal(b"\"")?;
    Some(Price::Number(number))
}

/// Reads a token object after its brace; returns its address.
#[inline(always)]
fn token<'a>(scanner: &mut Scanner<'a>) -> Option<&'a [u8]> {
    scanner.literal(b"\"address\":\"")?;
    let address = scanner.text()?;
    scanner.literal(b",\"name\":\"")?;
    scanner.text()?;
    scanner.literal(b",\"symbol\":\"")?;
    scanner.text()?;
    scanner.literal(b"}")?;
    Some(address)
}

/// Reads `txns` after its first key.
#[inline(always)]
fn transactions(scanner: &mut Scanner<'_>, raw: &mut RawPair<'_>) -> Option<()> {
    raw.buys_m5 = Some(u32::try_from(scanner.integer()?).ok()?);
    scanner.literal(b",\"sells\":")?;
    raw.sells_m5 = Some(u32::try_from(scanner.integer()?).ok()?);
    scanner.literal(b"}")?;
    if scanner.eat(b",\"h1\":{\"buys\":") {
        counts(scanner)?;
    }
    if scanner.eat(b",\"h6\":{\"buys\":") {
        counts(scanner)?;
    }
    if scanner.eat(b",\"h24\":{\"buys\":") {
        counts(scanner)?;
    }
    scanner.literal(b"}")
}

#[inline(always)]
fn counts(scanner: &mut Scanner<'_>) -> Option<()> {
    scanner.skip_number()?;
    scanner.literal(b",\"sells\":")?;
    scanner.skip_number()?;
    scanner.literal(b"}")
}

/// Reads `volume` after its brace; returns the five-minute value.
#[inline(always)]
fn volume(scanner: &mut Scanner<'_>) -> Option<Option<f64>> {
    scanner.literal(b"\"h24\":")?;
    scanner.skip_number()?;
    if scanner.eat(b",\"h6\":") {
        scanner.skip_number()?;
    }
    if scanner.eat(b",\"h1\":") {
        scanner.skip_number()?;
    }
    let five_minutes = if scanner.eat(b",\"m5\":") { scanner.optional_number()? } else { None };
    scanner.literal(b"}")?;
    Some(five_minutes)
}

/// Reads `liquidity` after its first key: USD, base, quote.
#[inline(always)]
fn liquidity(scanner: &mut Scanner<'_>) -> Option<[Option<f64>; 3]> {
    let usd = scanner.optional_number()?;
    scanner.literal(b",\"base\":")?;
    let base = scanner.optional_number()?;
    scanner.literal(b",\"quote\":")?;
    let quote = scanner.optional_number()?;
    scanner.literal(b"}")?;
    Some([usd, base, quote])
}

/// Reads the members after `liquidity` and the closing brace.
#[inline(always)]
fn rest(scanner: &mut Scanner<'_>) -> Option<()> {
    if scanner.eat(b",\"fdv\":") {
        scanner.skip_scalar()?;
    }
    if scanner.eat(b",\"marketCap\":") {
        scanner.skip_scalar()?;
    }
    if scanner.eat(b",\"pairCreatedAt\":") {
        scanner.skip_scalar()?;
    }
    if scanner.eat(b",\"info\":") {
        scanner.skip_value()?;
    }
    if scanner.eat(b",\"boosts\":") {
        scanner.skip_value()?;
    }
    scanner.literal(b"}")
}
