//! The forward scan: a strict reader of compact JSON in an expected order.
//!
//! Everything it accepts is valid JSON, and everything it does not expect is `None`: the caller
//! then starts again with the typed fallback. It reads only *plain* frames (no backslash, no
//! control character), so that a string ends at the next quote.
//!
//! A scanner is two words, handed by value where a call cannot be avoided: a position in memory
//! would cost more than the reading.

#![expect(clippy::option_option, reason = "outer: the scan gives up; inner: null")]
#![expect(clippy::inline_always, reason = "a call would cost more than the read it does")]

use crate::number;

/// Deepest nesting `skip_value` follows before it gives up.
const SKIP_DEPTH_MAX: u32 = 16;

/// What a frame is made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Survey {
    /// No backslash and no control character.
    pub(crate) plain: bool,
    /// Only ASCII, so UTF-8 without another look.
    pub(crate) ascii: bool,
}

/// Looks at every byte of a frame once.
pub(crate) fn survey(bytes: &[u8]) -> Survey {
    // Extrema only, so that the compiler makes vector code of it. Less a space, printable ASCII
    // is below 0x60, everything else is not.
    let (farthest, nearest) = bytes.iter().fold((0_u8, u8::MAX), |(farthest, nearest), &byte| {
        (farthest.max(byte.wrapping_sub(b' ')), nearest.min(byte ^ b'\\'))
    });
    if farthest < 0x60 {
        return Survey { plain: nearest != 0, ascii: true };
    }
    let controls = bytes.iter().any(|&byte| byte < b' ');
    Survey { plain: nearest != 0 && !controls, ascii: bytes.is_ascii() }
}

/// A position in a plain frame.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scanner<'a> {
    rest: &'a [u8],
}

impl<'a> Scanner<'a> {
    /// Starts at the beginning of a plain frame.
    #[inline]
    pub(crate) const fn new(frame: &'a [u8]) -> Self {
        Self { rest: frame }
    }

    /// Reads exactly `literal`.
    #[inline(always)]
    pub(crate) fn literal<const N: usize>(&mut self, literal: &'static [u8; N]) -> Option<()> {
        let (first, rest) = self.rest.split_first_chunk::<N>()?;
        if first != literal {
            return None;
        }
        self.rest = rest;
        Some(())
    }

    /// Reads `literal` if it is next; says whether it was.
    #[inline(always)]
    pub(crate) fn eat<const N: usize>(&mut self, literal: &'static [u8; N]) -> bool {
        self.literal(literal).is_some()
    }

    /// Reads the rest of a string, up to and with its closing quote.
    ///
    /// Eight bytes at a time: most strings are too short to earn a call.
    #[inline(always)]
    pub(crate) fn text(&mut self) -> Option<&'a [u8]> {
        let mut words = self.rest;
        let mut at = 0;
        while let Some((word, next)) = words.split_first_chunk::<8>() {
            // A quote's byte becomes 0.
            let quotes = zero_bytes(u64::from_le_bytes(*word) ^ 0x2222_2222_2222_2222);
            if quotes != 0 {
                return self.cut(at + (quotes.trailing_zeros() / 8) as usize);
            }
            at += 8;
            words = next;
        }
        let end = words.iter().position(|&byte| byte == b'"')?;
        self.cut(at + end)
    }

    /// As [`Scanner::text`], for strings that are usually longer than an address.
    #[inline(always)]
    pub(crate) fn long_text(&mut self) -> Option<&'a [u8]> {
        self.cut(memchr::memchr(b'"', self.rest)?)
    }

    /// As [`Scanner::text`] of printable ASCII, in a frame that need not be plain.
    #[inline(always)]
    pub(crate) fn plain_text(&mut self) -> Option<&'a [u8]> {
        let mut words = self.rest;
        let mut at = 0;
        while let Some((word, next)) = words.split_first_chunk::<8>() {
            let word = u64::from_le_bytes(*word);
            // The lowest mark of each kind is exact, so the lowest of all is.
            let controls = word.wrapping_sub(0x2020_2020_2020_2020) & !word;
            let others = (zero_bytes(word ^ 0x5c5c_5c5c_5c5c_5c5c) | controls | word) & HIGH_BITS;
            let special = zero_bytes(word ^ 0x2222_2222_2222_2222) | others;
            if special != 0 {
                at += (special.trailing_zeros() / 8) as usize;
                return if self.rest.get(at) == Some(&b'"') { self.cut(at) } else { None };
            }
            at += 8;
            words = next;
        }
        // So near the end of a frame there is none.
        None
    }

    /// Takes a string that ends at `end`, and its quote.
    #[inline(always)]
    fn cut(&mut self, end: usize) -> Option<&'a [u8]> {
        let (text, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest.get(1..)?;
        Some(text)
    }

    /// Reads a string, from its opening quote.
    #[inline(always)]
    pub(crate) fn string(&mut self) -> Option<&'a [u8]> {
        self.literal(b"\"")?;
        self.text()
    }

    /// Reads a string or `null`.
    #[inline(always)]
    pub(crate) fn optional_string(&mut self) -> Option<Option<&'a [u8]>> {
        if self.eat(b"null") { Some(None) } else { self.string().map(Some) }
    }

    /// Reads a number.
    #[inline(always)]
    pub(crate) fn number(&mut self) -> Option<f64> {
        let (value, length) = number::prefix(self.rest);
        self.advance(length)?;
        Some(value)
    }

    /// Goes on behind a number, if there was one.
    #[inline(always)]
    fn advance(&mut self, length: usize) -> Option<()> {
        if length == 0 {
            return None;
        }
        self.rest = self.rest.get(length..)?;
        Some(())
    }

    /// Reads a number or `null`.
    #[inline(always)]
    pub(crate) fn optional_number(&mut self) -> Option<Option<f64>> {
        if self.eat(b"null") { Some(None) } else { self.number().map(Some) }
    }

    /// Reads an integer without sign, fraction or power, of at most 19 digits.
    #[inline(always)]
    pub(crate) fn integer(&mut self) -> Option<u64> {
        let (value, length) = number::integer(self.rest);
        self.advance(length)?;
        Some(value)
    }

    /// Reads a number that need not be kept.
    #[inline(always)]
    pub(crate) fn skip_number(&mut self) -> Option<()> {
        self.advance(number::length(self.rest))
    }

    /// Reads an integer without sign, fraction or power that need not be kept.
    #[inline(always)]
    pub(crate) fn skip_integer(&mut self) -> Option<()> {
        let length = number::digit_count(self.rest);
        if length > 1 && self.rest.first() == Some(&b'0') {
            return None;
        }
        self.advance(length)
    }

    /// Reads a number or `null`, to be parsed later if it is needed.
    #[inline(always)]
    pub(crate) fn unparsed_number(&mut self) -> Option<&'a [u8]> {
        let start = self.rest;
        if !self.eat(b"null") {
            self.skip_number()?;
        }
        start.get(..start.len() - self.rest.len())
    }

    /// Reads any value without keeping it.
    #[inline(always)]
    pub(crate) fn skip_value(&mut self) -> Option<()> {
        if self.eat(b"\"") {
            return self.text().map(drop);
        }
        self.rest = after_value(self.rest)?;
        Some(())
    }

    /// Reads a value that is usually a number without keeping it.
    #[inline(always)]
    pub(crate) fn skip_scalar(&mut self) -> Option<()> {
        match self.rest.first() {
            Some(b'-' | b'0'..=b'9') => self.skip_number(),
            _ => self.skip_value(),
        }
    }

    fn skip_nested(&mut self, depth: u32) -> Option<()> {
        match self.rest.first()? {
            b'"' => {
                self.literal(b"\"")?;
                self.long_text().map(drop)
            }
            b'{' => self.skip_members(depth.checked_sub(1)?),
            b'[' => self.skip_elements(depth.checked_sub(1)?),
            b't' => self.literal(b"true"),
            b'f' => self.literal(b"false"),
            b'n' => self.literal(b"null"),
            _ => self.skip_number(),
        }
    }

    fn skip_members(&mut self, depth: u32) -> Option<()> {
        self.literal(b"{")?;
        if self.eat(b"}") {
            return Some(());
        }
        loop {
            self.string()?;
            self.literal(b":")?;
            self.skip_nested(depth)?;
            if self.eat(b"}") {
                return Some(());
            }
            self.literal(b",")?;
        }
    }

    fn skip_elements(&mut self, depth: u32) -> Option<()> {
        self.literal(b"[")?;
        if self.eat(b"]") {
            return Some(());
        }
        loop {
            self.skip_nested(depth)?;
            if self.eat(b"]") {
                return Some(());
            }
            self.literal(b",")?;
        }
    }

    /// Reads the key of the next member after `{` or `,`, with its colon.
    #[inline(always)]
    pub(crate) fn key(&mut self) -> Option<&'a [u8]> {
        let key = self.string()?;
        self.literal(b":")?;
        Some(key)
    }

    /// Looks at the first letter of the next member's key.
    #[inline(always)]
    pub(crate) fn key_letter(&self) -> Option<u8> {
        self.rest.get(1).copied()
    }

    /// Reads what follows a member: `true` if another one comes, `false` at the object's end.
    #[inline(always)]
    pub(crate) fn more(&mut self) -> Option<bool> {
        if self.eat(b",") { Some(true) } else { self.literal(b"}").map(|()| false) }
    }

    /// Returns how many bytes are left.
    #[inline(always)]
    pub(crate) const fn left(&self) -> usize {
        self.rest.len()
    }

    /// Succeeds at the end of the frame.
    #[inline]
    pub(crate) const fn end(&self) -> Option<()> {
        if self.rest.is_empty() { Some(()) } else { None }
    }
}

/// The highest bit of each byte.
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;

/// Marks the bytes that are 0 by their high bit, exactly up to the first of them.
#[inline(always)]
const fn zero_bytes(word: u64) -> u64 {
    word.wrapping_sub(0x0101_0101_0101_0101) & !word & HIGH_BITS
}

/// Returns what follows the value at the start of `rest`.
fn after_value(rest: &[u8]) -> Option<&[u8]> {
    let mut scanner = Scanner::new(rest);
    scanner.skip_nested(SKIP_DEPTH_MAX)?;
    Some(scanner.rest)
}
