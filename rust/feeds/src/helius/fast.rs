//! The expected order of an `accountNotification`.

use super::RawUpdate;
use crate::check::borrowed;
use crate::scan::Scanner;

/// Bits of the members of `value`: each may stand once.
const DATA: u8 = 1;
const EXECUTABLE: u8 = 2;
const LAMPORTS: u8 = 4;
const OWNER: u8 = 8;
const RENT_EPOCH: u8 = 16;
const SPACE: u8 = 32;

/// Reads the frame, or returns `None` at the first surprise.
#[inline]
pub(super) fn decode(frame: &[u8]) -> Option<RawUpdate<'_>> {
    let mut scanner = Scanner::new(frame);
    let mut raw = RawUpdate::default();
    scanner.literal(b"{\"jsonrpc\":\"2.0\",\"method\":\"accountNotification\",\"params\":{")?;
    scanner.literal(b"\"result\":{\"context\":{")?;
    if scanner.eat(b"\"apiVersion\":\"") {
        scanner.text()?;
        scanner.literal(b",")?;
    }
    scanner.literal(b"\"slot\":")?;
    raw.slot = Some(scanner.integer()?);
    if scanner.eat(b",\"apiVersion\":\"") {
        scanner.text()?;
    }
    scanner.literal(b"},\"value\":{")?;
    value(&mut scanner, &mut raw)?;
    scanner.literal(b"},\"subscription\":")?;
    raw.subscription = Some(scanner.integer()?);
    scanner.literal(b"}}")?;
    scanner.end()?;
    Some(raw)
}

/// Reads the account after its brace. Servers differ in the order of its members.
#[inline]
fn value<'a>(scanner: &mut Scanner<'a>, raw: &mut RawUpdate<'a>) -> Option<()> {
    let mut seen = 0_u8;
    loop {
        let member = if scanner.eat(b"\"data\":[\"") {
            raw.data = borrowed(scanner.long_text()?);
            scanner.literal(b",\"")?;
            raw.encoding = borrowed(scanner.text()?);
            scanner.literal(b"]")?;
            DATA
        } else if scanner.eat(b"\"executable\":") {
            if !scanner.eat(b"false") {
                scanner.literal(b"true")?;
            }
            EXECUTABLE
        } else if scanner.eat(b"\"lamports\":") {
            scanner.skip_number()?;
            LAMPORTS
        } else if scanner.eat(b"\"owner\":\"") {
            raw.owner = borrowed(scanner.text()?);
            OWNER
        } else if scanner.eat(b"\"rentEpoch\":") {
            scanner.skip_number()?;
            RENT_EPOCH
        } else {
            scanner.literal(b"\"space\":")?;
            scanner.skip_number()?;
            SPACE
        };
        if seen & member != 0 {
            return None;
        }
        seen |= member;
        if !scanner.more()? {
            return Some(());
        }
    }
}
