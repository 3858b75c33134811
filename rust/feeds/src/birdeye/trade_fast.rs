//! The forward scan of swaps. Birdeye has changed the order of their members more than once, so
//! members are told by their keys; each may stand once.

use super::push;
use super::trade::{RawLeg, RawTrade, finish};
use crate::check::borrowed;
use crate::item::Item;
use crate::scan::Scanner;

/// Reads a `TXS_DATA` message: one swap, or a list.
#[inline]
pub(super) fn scan_socket<'a>(frame: &'a str, out: &mut Vec<Item<'a>>) -> Option<()> {
    let mut scanner = Scanner::new(frame);
    scanner.literal("{\"type\":\"TXS_DATA\",\"data\":")?;
    if scanner.eat("[") {
        swaps(&mut scanner, out)?;
    } else {
        let raw = swap(&mut scanner)?;
        push(finish(raw), out);
    }
    scanner.literal("}")?;
    scanner.end()
}

/// Reads an answer of `/defi/txs/*`.
#[inline]
pub(super) fn scan_history<'a>(frame: &'a str, out: &mut Vec<Item<'a>>) -> Option<()> {
    let mut scanner = Scanner::new(frame);
    scanner.literal("{\"data\":{\"items\":[")?;
    swaps(&mut scanner, out)?;
    if scanner.eat(",\"hasNext\":") && !scanner.eat("true") {
        scanner.literal("false")?;
    }
    scanner.literal("},\"success\":true}")?;
    scanner.end()
}

/// Reads the elements of a list that has at least one, and its closing bracket.
#[inline]
fn swaps<'a>(scanner: &mut Scanner<'a>, out: &mut Vec<Item<'a>>) -> Option<()> {
    loop {
        let raw = swap(scanner)?;
        // Without a hash it is no swap: the fallback decides what else.
        raw.tx_hash.as_ref()?;
        push(finish(raw), out);
        if scanner.eat("]") {
            return Some(());
        }
        scanner.literal(",")?;
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

#[inline]
fn swap<'a>(scanner: &mut Scanner<'a>) -> Option<RawTrade<'a>> {
    scanner.literal("{")?;
    let mut raw = RawTrade::default();
    let mut seen = 0;
    loop {
        match scanner.key()? {
            "blockUnixTime" => {
                once(&mut seen, 0)?;
                raw.unix_time = Some(scanner.integer()?);
            }
            "owner" => {
                once(&mut seen, 1)?;
                raw.owner = borrowed(scanner.string()?);
            }
            "txHash" => {
                once(&mut seen, 2)?;
                raw.tx_hash = borrowed(scanner.string()?);
            }
            "side" => {
                once(&mut seen, 3)?;
                raw.side = borrowed(scanner.string()?);
            }
            "tokenAddress" => {
                once(&mut seen, 4)?;
                raw.token = scanner.optional_string()?.and_then(borrowed);
            }
            "volumeUSD" => {
                once(&mut seen, 5)?;
                raw.volume_usd = scanner.optional_number()?;
            }
            "from" => {
                once(&mut seen, 6)?;
                raw.from = Some(leg(scanner)?);
            }
            "to" => {
                once(&mut seen, 7)?;
                raw.to = Some(leg(scanner)?);
            }
            "slot" | "blockNumber" => {
                once(&mut seen, 8)?;
                raw.slot = Some(scanner.integer()?);
            }
            "insIndex" => {
                once(&mut seen, 9)?;
                raw.instruction_index = index(scanner)?;
            }
            "innerInsIndex" => {
                once(&mut seen, 10)?;
                raw.inner_index = index(scanner)?;
            }
            "txStatus" => {
                once(&mut seen, 11)?;
                raw.status = scanner.optional_string()?.and_then(borrowed);
            }
            _ => scanner.skip_value()?,
        }
        if !scanner.more()? {
            return Some(raw);
        }
    }
}

#[inline]
fn index(scanner: &mut Scanner<'_>) -> Option<Option<u32>> {
    if scanner.eat("null") {
        return Some(None);
    }
    u32::try_from(scanner.integer()?).ok().map(Some)
}

#[inline]
fn leg<'a>(scanner: &mut Scanner<'a>) -> Option<RawLeg<'a>> {
    scanner.literal("{")?;
    let mut raw = RawLeg::default();
    let mut seen = 0;
    loop {
        match scanner.key()? {
            "address" => {
                once(&mut seen, 0)?;
                raw.address = borrowed(scanner.string()?);
            }
            "uiAmount" => {
                once(&mut seen, 1)?;
                raw.amount = scanner.optional_number()?;
            }
            "price" => {
                once(&mut seen, 2)?;
                raw.price = scanner.optional_number()?;
            }
            "nearestPrice" => {
                once(&mut seen, 3)?;
                raw.nearest_price = scanner.optional_number()?;
            }
            _ => scanner.skip_value()?,
        }
        if !scanner.more()? {
            return Some(raw);
        }
    }
}
