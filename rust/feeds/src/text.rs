//! Text kept from a frame: addresses, signatures, names of a closed set.

use std::borrow::Cow;
use std::fmt;

/// ASCII text of 1 to 128 bytes; borrowed from the frame unless it stood there with escapes.
///
/// Bytes, because addresses are compared and looked up, not shown, on the way to a decision.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text<'a>(Cow<'a, [u8]>);

impl<'a> Text<'a> {
    /// Borrows bytes of the frame.
    #[inline]
    pub(crate) const fn borrowed(bytes: &'a [u8]) -> Self {
        Self(Cow::Borrowed(bytes))
    }

    /// Takes text that was written with escapes.
    pub(crate) fn owned(text: &str) -> Self {
        Self(Cow::Owned(text.as_bytes().to_vec()))
    }

    /// Returns the bytes.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        // Kept text was checked to be ASCII.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl PartialEq<&str> for Text<'_> {
    fn eq(&self, other: &&str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&String::from_utf8_lossy(&self.0), formatter)
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
