//! The forward scan of swaps.
//!
//! Birdeye has changed the order of their members more than once. The members are tried in the
//! order the socket writes today, round and round until the object ends: the known order is
//! read in one round, any other in a few.

#![expect(clippy::option_option, reason = "outer: the scan gives up; inner: null")]
#![expect(clippy::inline_always, reason = "a call would cost more than the read it does")]

use super::push;
use super::trade::{RawLeg, RawTrade, finish};
use crate::check::borrowed;
use crate::item::Item;
use crate::scan::Scanner;

/// Reads a `TXS_DATA` message: one swap, or a list.
#[inline]
pub(super) fn scan_socket<'a>(frame: &'a [u8], out: &mut Vec<Item<'a>>) -> Option<()> {
    let mut scanner = Scanner::new(frame);
    scanner.literal(b"{\"type\":\"TXS_DATA\",\"data\":")?;
    if scanner.eat(b"[") {
        swaps(&mut scanner, out)?;
    } else {
        let mut raw = RawTrade::default();
        swap(&mut scanner, &mut raw)?;
        push(finish(&mut raw), Item::Trade, out);
    }
    scanner.literal(b"}")?;
    scanner.end()
}

/// Reads an answer of `/defi/txs/*`.
#[inline]
pub(super) fn scan_history<'a>(frame: &'a [u8], out: &mut Vec<Item<'a>>) -> Option<()> {
    let mut scanner = Scanner::new(frame);
    scanner.literal(b"{\"data\":{\"items\":[")?;
    swaps(&mut scanner, out)?;
    if scanner.eat(b",\"hasNext\":") && !scanner.eat(b"true") {
        scanner.literal(b"false")?;
    }
    scanner.literal(b"},\"success\":true}")?;
    scanner.end()
}

/// Reads the elements of a list that has at least one, and its closing bracket.
fn swaps<'a>(scanner: &mut Scanner<'a>, out: &mut Vec<Item<'a>>) -> Option<()> {
    loop {
        let mut raw = RawTrade::default();
        swap(scanner, &mut raw)?;
        // Without a hash it is no swap: the fallback decides what else.
        raw.tx_hash.as_ref()?;
        push(finish(&mut raw), Item::Trade, out);
        if scanner.eat(b"]") {
            return Some(());
        }
        scanner.literal(b",")?;
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

/// Reads a member if it is next, and leaves the function at the object's end.
macro_rules! member {
    ($scanner:ident, $key:literal, $read:expr) => {
        if $scanner.eat($key) {
            $read;
            if !$scanner.more()? {
                return Some(());
            }
        }
    };
}

fn swap<'a>(scanner: &mut Scanner<'a>, raw: &mut RawTrade<'a>) -> Option<()> {
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
        member!(scanner, b"\"alias\":", scanner.skip_value()?);
        member!(scanner, b"\"isTradeOnBe\":", scanner.skip_value()?);
        member!(scanner, b"\"platform\":", scanner.skip_value()?);
        member!(scanner, b"\"pricePair\":", scanner.skip_scalar()?);
        member!(scanner, b"\"volumeUSD\":", {
            once(&mut seen, 5)?;
            raw.volume_usd = scanner.optional_number()?;
        });
        member!(scanner, b"\"from\":", {
            once(&mut seen, 6)?;
            leg(scanner, raw.from.get_or_insert_default())?;
        });
        member!(scanner, b"\"to\":", {
            once(&mut seen, 7)?;
            leg(scanner, raw.to.get_or_insert_default())?;
        });
        if scanner.left() == before && !place(scanner, raw, &mut seen)? {
            return Some(());
        }
    }
}

/// Reads one of the members that tell where a swap stands on the chain, or an unknown one;
/// returns whether another follows.
fn place<'a>(scanner: &mut Scanner<'a>, raw: &mut RawTrade<'a>, seen: &mut u32) -> Option<bool> {
    match scanner.key()? {
        b"slot" | b"blockNumber" => {
            once(seen, 8)?;
            raw.slot = Some(scanner.integer()?);
        }
        b"insIndex" => {
            once(seen, 9)?;
            raw.instruction_index = index(scanner)?;
        }
        b"innerInsIndex" => {
            once(seen, 10)?;
            raw.inner_index = index(scanner)?;
        }
        b"txStatus" => {
            once(seen, 11)?;
            raw.status = scanner.optional_string()?.and_then(borrowed);
        }
        // Known, but next only after an unknown one: their literal differs from this reading.
        b"txHash" => return None,
        _ => scanner.skip_value()?,
    }
    scanner.more()
}

#[inline]
fn index(scanner: &mut Scanner<'_>) -> Option<Option<u32>> {
    if scanner.eat(b"null") {
        return Some(None);
    }
    u32::try_from(scanner.integer()?).ok().map(Some)
}

fn leg<'a>(scanner: &mut Scanner<'a>, raw: &mut RawLeg<'a>) -> Option<()> {
    scanner.literal(b"{")?;
    let mut seen = 0;
    loop {
        let before = scanner.left();
        member!(scanner, b"\"address\":", {
            once(&mut seen, 0)?;
            raw.address = borrowed(scanner.string()?);
        });
        member!(scanner, b"\"amount\":", scanner.skip_scalar()?);
        member!(scanner, b"\"changeAmount\":", scanner.skip_scalar()?);
        member!(scanner, b"\"decimals\":", scanner.skip_scalar()?);
        member!(scanner, b"\"feeInfo\":", scanner.skip_value()?);
        member!(scanner, b"\"nearestPrice\":", {
            once(&mut seen, 1)?;
            raw.nearest_price = scanner.optional_number()?;
        });
        member!(scanner, b"\"price\":", {
            once(&mut seen, 2)?;
            raw.price = scanner.optional_number()?;
        });
        member!(scanner, b"\"symbol\":", scanner.skip_value()?);
        member!(scanner, b"\"type\":", scanner.skip_value()?);
        member!(scanner, b"\"typeSwap\":", scanner.skip_value()?);
        member!(scanner, b"\"uiAmount\":", {
            once(&mut seen, 3)?;
            raw.amount = scanner.optional_number()?;
        });
        member!(scanner, b"\"uiChangeAmount\":", scanner.skip_scalar()?);
        if scanner.left() == before {
            scanner.key()?;
            scanner.skip_value()?;
            if !scanner.more()? {
                return Some(());
            }
        }
    }
}
