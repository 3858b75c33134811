//! The forward scan of swaps.
//!
//! Birdeye has changed the order of their members more than once. The members are tried in the
//! order the socket writes today, round and round until the object ends: the known order is
//! read in one round, any other in a few.

#![expect(clippy::option_option, reason = "outer: the scan gives up; inner: null")]
#![expect(clippy::inline_always, reason = "a call would cost more than the read it does")]

use super::push;
use super::trade::{RawLeg, RawTrade, finish};
use crate::Text;
use crate::check::borrowed;
use crate::item::Item;
use crate::number::number_text;
use crate::scan::Scanner;

/// Reads a `TXS_DATA` message: one swap, or a list.
#[inline]
pub(super) fn scan_socket<'a>(frame: &'a [u8], out: &mut Vec<Item<'a>>) -> Option<()> {
    let mut scanner = Scanner::new(frame);
    scanner.literal(b"{\"type\":\"TXS_DATA\",\"data\":")?;
    let mut scanner = if scanner.eat(b"[") { swaps(scanner, out)? } else { one(scanner, out)? };
    scanner.literal(b"}")?;
    scanner.end()
}

/// Reads an answer of `/defi/txs/*`.
#[inline]
pub(super) fn scan_history<'a>(frame: &'a [u8], out: &mut Vec<Item<'a>>) -> Option<()> {
    let mut scanner = Scanner::new(frame);
    scanner.literal(b"{\"data\":{\"items\":[")?;
    let mut scanner = swaps(scanner, out)?;
    if scanner.eat(b",\"hasNext\":") && !scanner.eat(b"true") {
        scanner.literal(b"false")?;
    }
    scanner.literal(b"},\"success\":true}")?;
    scanner.end()
}

/// Reads the elements of a list that has at least one, and its closing bracket.
fn swaps<'a>(mut scanner: Scanner<'a>, out: &mut Vec<Item<'a>>) -> Option<Scanner<'a>> {
    loop {
        scanner = one(scanner, out)?;
        if scanner.eat(b"]") {
            return Some(scanner);
        }
        scanner.literal(b",")?;
    }
}

/// A leg as read.
#[derive(Debug, Default)]
struct Leg<'a> {
    /// Whether it is known to be the other token's: then its numbers are not parsed.
    other: bool,
    address: Option<&'a [u8]>,
    amount: Option<f64>,
    price: Option<f64>,
    /// Parsed only where the leg has no price of its own.
    nearest_price: Option<&'a [u8]>,
}

/// Reads a swap and appends it.
#[inline]
fn one<'a>(scanner: Scanner<'a>, out: &mut Vec<Item<'a>>) -> Option<Scanner<'a>> {
    let mut raw = RawTrade::default();
    let mut legs = <[Option<Leg<'a>>; 2]>::default();
    let scanner = swap(scanner, &mut raw, &mut legs)?;
    // Without a hash it is no swap: the fallback decides what else.
    raw.tx_hash.as_ref()?;
    let [from, to] = &legs;
    match raw.side.as_ref()?.as_bytes() {
        b"buy" => raw.to = to.as_ref().map(completed),
        b"sell" => raw.from = from.as_ref().map(completed),
        _ => {}
    }
    push(finish(&mut raw), Item::Trade, out);
    Some(scanner)
}

/// Completes the leg of the token; `null` is no number.
#[inline]
fn completed<'a>(leg: &Leg<'a>) -> RawLeg<'a> {
    let own = leg.price.is_some();
    RawLeg {
        address: leg.address.and_then(borrowed),
        amount: leg.amount,
        price: leg.price,
        nearest_price: if own { None } else { leg.nearest_price.and_then(number_text) },
    }
}

/// Notes a member that may stand once.
#[inline(always)]
fn once(seen: &mut u32, member: u32) -> Option<()> {
    let bit = 1 << member;
    if *seen & bit != 0 {
        return None;
    }
    *seen |= bit;
    Some(())
}

/// Reads a member if it is next, and leaves the function with `$end` at the object's end.
///
/// Without `$read` the literal is the whole member: a value that is nearly always the same.
macro_rules! member {
    ($scanner:ident, $key:literal, $read:expr, $end:expr) => {
        if $scanner.eat($key) {
            $read;
            if !$scanner.more()? {
                return Some($end);
            }
        }
    };
    ($scanner:ident, $whole:literal) => {
        if $scanner.eat($whole) && !$scanner.more()? {
            return Some($scanner);
        }
    };
    ($scanner:ident, $key:literal, $read:expr) => {
        member!($scanner, $key, $read, $scanner)
    };
}

fn swap<'a>(
    mut scanner: Scanner<'a>,
    raw: &mut RawTrade<'a>,
    legs: &mut [Option<Leg<'a>>; 2],
) -> Option<Scanner<'a>> {
    let [from, to] = legs;
    scanner.literal(b"{")?;
    let mut seen = 0;
    loop {
        let before = scanner.left();
        member!(scanner, b"\"blockUnixTime\":", {
            once(&mut seen, 0)?;
            raw.unix_time = Some(scanner.integer()?);
        });
        member!(scanner, b"\"owner\":", {
            once(&mut seen, 1)?;
            raw.owner = borrowed(scanner.string()?);
        });
        member!(scanner, b"\"source\":", scanner.skip_value()?);
        member!(scanner, b"\"txHash\":\"", {
            once(&mut seen, 2)?;
            raw.tx_hash = borrowed(scanner.long_text()?);
        });
        member!(scanner, b"\"side\":", {
            once(&mut seen, 3)?;
            raw.side = borrowed(scanner.string()?);
        });
        member!(scanner, b"\"tokenAddress\":", {
            once(&mut seen, 4)?;
            raw.token = scanner.optional_string()?.and_then(borrowed);
        });
        member!(scanner, b"\"alias\":null");
        member!(scanner, b"\"alias\":", scanner.skip_value()?);
        member!(scanner, b"\"isTradeOnBe\":false");
        member!(scanner, b"\"isTradeOnBe\":", scanner.skip_value()?);
        member!(scanner, b"\"platform\":", scanner.skip_value()?);
        member!(scanner, b"\"pricePair\":", scanner.skip_scalar()?);
        member!(scanner, b"\"volumeUSD\":", {
            once(&mut seen, 5)?;
            raw.volume_usd = scanner.optional_number()?;
        });
        member!(scanner, b"\"from\":", {
            once(&mut seen, 6)?;
            let side = raw.side.as_ref().map(Text::as_bytes);
            let read = Leg { other: side == Some(b"buy"), ..Leg::default() };
            scanner = leg(scanner, from.insert(read))?;
        });
        member!(scanner, b"\"to\":", {
            once(&mut seen, 7)?;
            let side = raw.side.as_ref().map(Text::as_bytes);
            let read = Leg { other: side == Some(b"sell"), ..Leg::default() };
            scanner = leg(scanner, to.insert(read))?;
        });
        if !place(&mut scanner, raw, &mut seen)? {
            return Some(scanner);
        }
        if scanner.left() == before {
            let more;
            (scanner, more) = other(scanner, raw, &mut seen)?;
            if !more {
                return Some(scanner);
            }
        }
    }
}

/// Reads the members that tell where a swap stands on the chain; returns whether others follow.
#[inline(always)]
fn place<'a>(scanner: &mut Scanner<'a>, raw: &mut RawTrade<'a>, seen: &mut u32) -> Option<bool> {
    member!(scanner, b"\"poolId\":", scanner.skip_value()?, false);
    member!(scanner, b"\"network\":", scanner.skip_value()?, false);
    member!(scanner, b"\"interactedProgramId\":", scanner.skip_value()?, false);
    member!(
        scanner,
        b"\"insIndex\":",
        {
            once(seen, 9)?;
            raw.instruction_index = index(scanner)?;
        },
        false
    );
    member!(
        scanner,
        b"\"blockNumber\":",
        {
            once(seen, 8)?;
            raw.slot = Some(scanner.integer()?);
        },
        false
    );
    member!(
        scanner,
        b"\"innerInsIndex\":",
        {
            once(seen, 10)?;
            raw.inner_index = index(scanner)?;
        },
        false
    );
    Some(true)
}

/// Reads a member of REST answers, or an unknown one; returns whether others follow.
fn other<'a>(
    mut scanner: Scanner<'a>,
    raw: &mut RawTrade<'a>,
    seen: &mut u32,
) -> Option<(Scanner<'a>, bool)> {
    match scanner.key()? {
        b"slot" => {
            once(seen, 8)?;
            raw.slot = Some(scanner.integer()?);
        }
        b"txStatus" => {
            once(seen, 11)?;
            raw.status = scanner.optional_string()?.and_then(borrowed);
        }
        // No string where the members above expect one.
        b"txHash" => return None,
        _ => scanner.skip_value()?,
    }
    let more = scanner.more()?;
    Some((scanner, more))
}

#[inline(always)]
fn index(scanner: &mut Scanner<'_>) -> Option<Option<u32>> {
    if scanner.eat(b"null") {
        return Some(None);
    }
    u32::try_from(scanner.integer()?).ok().map(Some)
}

/// Reads a number or `null`, and parses it if it is wanted.
#[inline(always)]
fn amount(scanner: &mut Scanner<'_>, unwanted: bool) -> Option<Option<f64>> {
    if unwanted {
        return scanner.unparsed_number().map(|_| None);
    }
    scanner.optional_number()
}

fn leg<'a>(mut scanner: Scanner<'a>, raw: &mut Leg<'a>) -> Option<Scanner<'a>> {
    scanner.literal(b"{")?;
    let mut seen = 0;
    loop {
        let before = scanner.left();
        member!(scanner, b"\"address\":", {
            once(&mut seen, 0)?;
            raw.address = Some(scanner.string()?);
        });
        member!(scanner, b"\"amount\":", scanner.skip_scalar()?);
        member!(scanner, b"\"changeAmount\":", scanner.skip_scalar()?);
        member!(scanner, b"\"decimals\":", scanner.skip_scalar()?);
        member!(scanner, b"\"feeInfo\":null");
        member!(scanner, b"\"feeInfo\":", scanner.skip_value()?);
        member!(scanner, b"\"nearestPrice\":", {
            once(&mut seen, 1)?;
            raw.nearest_price = Some(scanner.unparsed_number()?);
        });
        member!(scanner, b"\"price\":", {
            once(&mut seen, 2)?;
            raw.price = amount(&mut scanner, raw.other)?;
        });
        member!(scanner, b"\"symbol\":", scanner.skip_value()?);
        member!(scanner, b"\"type\":\"transfer\"");
        member!(scanner, b"\"type\":", scanner.skip_value()?);
        member!(scanner, b"\"typeSwap\":", scanner.skip_value()?);
        member!(scanner, b"\"uiAmount\":", {
            once(&mut seen, 3)?;
            raw.amount = amount(&mut scanner, raw.other)?;
        });
        member!(scanner, b"\"uiChangeAmount\":", scanner.skip_scalar()?);
        if scanner.left() == before {
            scanner.key()?;
            scanner.skip_value()?;
            if !scanner.more()? {
                return Some(scanner);
            }
        }
    }
}
