//! The forward scan: a strict reader of compact JSON in an expected order.
//!
//! Everything it accepts is valid JSON, and everything it does not expect is `None`: the caller
//! then starts again with the typed fallback. It reads only *plain* frames (no backslash, no
//! control character), so that a string ends at the next quote.

use crate::number::{self, digits};

/// Deepest nesting `skip_value` follows before it gives up.
const SKIP_DEPTH_MAX: u32 = 16;

/// Returns whether a frame has no backslash and no control character.
pub(crate) fn is_plain(text: &str) -> bool {
    // Without branches, so that the compiler makes vector code of it.
    let odd = text
        .as_bytes()
        .iter()
        .fold(0_u8, |odd, &byte| odd | u8::from(byte < 0x20) | u8::from(byte == b'\\'));
    odd == 0
}

/// A position in a plain frame.
#[derive(Clone, Debug)]
pub(crate) struct Scanner<'a> {
    rest: &'a str,
}

impl<'a> Scanner<'a> {
    /// Starts at the beginning of a plain frame.
    #[inline]
    pub(crate) const fn new(text: &'a str) -> Self {
        Self { rest: text }
    }

    /// Reads exactly `literal`.
    #[inline(always)]
    pub(crate) fn literal(&mut self, literal: &'static str) -> Option<()> {
        self.rest = self.rest.strip_prefix(literal)?;
        Some(())
    }

    /// Reads `literal` if it is next; says whether it was.
    #[inline(always)]
    pub(crate) fn eat(&mut self, literal: &'static str) -> bool {
        self.literal(literal).is_some()
    }

    /// Reads the rest of a string, up to and with its closing quote.
    #[inline(always)]
    pub(crate) fn text(&mut self) -> Option<&'a str> {
        let end = memchr::memchr(b'"', self.rest.as_bytes())?;
        let (text, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest.get(1..)?;
        Some(text)
    }

    /// Reads a string, from its opening quote.
    #[inline(always)]
    pub(crate) fn string(&mut self) -> Option<&'a str> {
        self.literal("\"")?;
        self.text()
    }

    /// Reads a string or `null`.
    #[inline]
    pub(crate) fn optional_string(&mut self) -> Option<Option<&'a str>> {
        if self.eat("null") { Some(None) } else { self.string().map(Some) }
    }

    /// Reads a number.
    #[inline]
    pub(crate) fn number(&mut self) -> Option<f64> {
        let (value, length) = number::number(self.rest)?;
        self.rest = self.rest.get(length..)?;
        Some(value)
    }

    /// Reads a number or `null`.
    #[inline]
    pub(crate) fn optional_number(&mut self) -> Option<Option<f64>> {
        if self.eat("null") { Some(None) } else { self.number().map(Some) }
    }

    /// Reads an integer without sign, fraction or power, of at most 19 digits.
    #[inline]
    pub(crate) fn integer(&mut self) -> Option<u64> {
        let bytes = self.rest.as_bytes();
        let run = digits(bytes);
        let leading_zero = run.count > 1 && bytes.first() == Some(&b'0');
        if run.count == 0 || run.count > 19 || leading_zero {
            return None;
        }
        self.rest = self.rest.get(run.count..)?;
        match self.rest.as_bytes().first() {
            Some(b'.' | b'e' | b'E') => None,
            _ => Some(run.value),
        }
    }

    /// Reads a number that need not be kept.
    #[inline]
    pub(crate) fn skip_number(&mut self) -> Option<()> {
        let bytes = self.rest.as_bytes();
        let mut at = usize::from(bytes.first() == Some(&b'-'));
        let whole = digits(bytes.get(at..)?);
        if whole.count == 0 || (whole.count > 1 && bytes.get(at) == Some(&b'0')) {
            return None;
        }
        at += whole.count;
        if bytes.get(at) == Some(&b'.') {
            let fraction = digits(bytes.get(at + 1..)?).count;
            if fraction == 0 {
                return None;
            }
            at += fraction + 1;
        }
        if let Some(b'e' | b'E') = bytes.get(at) {
            at += 1;
            at += usize::from(matches!(bytes.get(at), Some(b'-' | b'+')));
            let power = digits(bytes.get(at..)?).count;
            if power == 0 {
                return None;
            }
            at += power;
        }
        self.rest = self.rest.get(at..)?;
        Some(())
    }

    /// Reads any value without keeping it.
    pub(crate) fn skip_value(&mut self) -> Option<()> {
        self.skip_nested(SKIP_DEPTH_MAX)
    }

    fn skip_nested(&mut self, depth: u32) -> Option<()> {
        match self.rest.as_bytes().first()? {
            b'"' => self.string().map(drop),
            b'{' => self.skip_members(depth.checked_sub(1)?),
            b'[' => self.skip_elements(depth.checked_sub(1)?),
            b't' => self.literal("true"),
            b'f' => self.literal("false"),
            b'n' => self.literal("null"),
            _ => self.skip_number(),
        }
    }

    fn skip_members(&mut self, depth: u32) -> Option<()> {
        self.literal("{")?;
        if self.eat("}") {
            return Some(());
        }
        loop {
            self.string()?;
            self.literal(":")?;
            self.skip_nested(depth)?;
            if self.eat("}") {
                return Some(());
            }
            self.literal(",")?;
        }
    }

    fn skip_elements(&mut self, depth: u32) -> Option<()> {
        self.literal("[")?;
        if self.eat("]") {
            return Some(());
        }
        loop {
            self.skip_nested(depth)?;
            if self.eat("]") {
                return Some(());
            }
            self.literal(",")?;
        }
    }

    /// Reads the key of the next member after `{` or `,`, with its colon.
    #[inline(always)]
    pub(crate) fn key(&mut self) -> Option<&'a str> {
        let key = self.string()?;
        self.literal(":")?;
        Some(key)
    }

    /// Reads what follows a member: `true` if another one comes, `false` at the object's end.
    #[inline(always)]
    pub(crate) fn more(&mut self) -> Option<bool> {
        if self.eat(",") { Some(true) } else { self.literal("}").map(|()| false) }
    }

    /// Succeeds at the end of the frame.
    #[inline]
    pub(crate) const fn end(&self) -> Option<()> {
        if self.rest.is_empty() { Some(()) } else { None }
    }
}
