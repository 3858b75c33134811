//! The expected order of an `accountNotification`.

use super::AccountBytes;
use crate::Text;
use crate::check::TEXT_BYTES_MAX;
use crate::scan::Scanner;

/// Bits of the members of `value`: each may stand once.
const DATA: u8 = 1;
const EXECUTABLE: u8 = 2;
const LAMPORTS: u8 = 4;
const OWNER: u8 = 8;
const RENT_EPOCH: u8 = 16;
const SPACE: u8 = 32;

/// Reads the frame, or returns `None` at the first surprise.
///
/// Takes any bytes: all but the contents is looked at here. Those are whatever stands before the
/// next quote, so only once they have proved to be base64 is the frame known to be good.
#[inline]
pub(super) fn decode(frame: &[u8]) -> Option<AccountBytes<'_>> {
    let mut scanner = Scanner::new(frame);
    scanner.literal(b"{\"jsonrpc\":\"2.0\",\"method\":\"accountNotification\",\"params\":{")?;
    scanner.literal(b"\"result\":{\"context\":{")?;
    if scanner.eat(b"\"apiVersion\":\"") {
        scanner.plain_text()?;
        scanner.literal(b",")?;
    }
    scanner.literal(b"\"slot\":")?;
    let slot = scanner.integer()?;
    if scanner.eat(b",\"apiVersion\":\"") {
        scanner.plain_text()?;
    }
    scanner.literal(b"},\"value\":{")?;
    let (owner, base64) = value(&mut scanner)?;
    scanner.literal(b"},\"subscription\":")?;
    let subscription = scanner.integer()?;
    scanner.literal(b"}}")?;
    scanner.end()?;
    Some(AccountBytes {
        subscription,
        slot,
        owner: Text::borrowed(owner),
        base64: Text::borrowed(base64),
    })
}

/// Reads the account after its brace: owner and contents. Servers differ in the order of its
/// members, of which no two begin with the same letter.
#[inline(always)]
#[expect(clippy::inline_always, reason = "the scanner would live in memory")]
fn value<'a>(scanner: &mut Scanner<'a>) -> Option<(&'a [u8], &'a [u8])> {
    let mut seen = 0_u8;
    let (mut owner, mut base64): (&[u8], Option<&[u8]>) = (&[], None);
    loop {
        let member = match scanner.key_letter()? {
            b'd' => {
                scanner.literal(b"\"data\":[\"")?;
                base64 = Some(scanner.long_text()?);
                scanner.literal(b",\"base64\"]")?;
                DATA
            }
            b'e' => {
                scanner.literal(b"\"executable\":")?;
                if !scanner.eat(b"false") {
                    scanner.literal(b"true")?;
                }
                EXECUTABLE
            }
            b'l' => {
                scanner.literal(b"\"lamports\":")?;
                scanner.skip_integer()?;
                LAMPORTS
            }
            b'o' => {
                scanner.literal(b"\"owner\":\"")?;
                owner = scanner.plain_text()?;
                OWNER
            }
            b'r' => {
                scanner.literal(b"\"rentEpoch\":")?;
                scanner.skip_integer()?;
                RENT_EPOCH
            }
            _ => {
                scanner.literal(b"\"space\":")?;
                scanner.skip_integer()?;
                SPACE
            }
        };
        if seen & member != 0 {
            return None;
        }
        seen |= member;
        if !scanner.more()? {
            break;
        }
    }
    (1..=TEXT_BYTES_MAX).contains(&owner.len()).then_some((owner, base64?))
}
