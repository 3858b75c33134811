//! The entrance: limits on a frame, and the choice of its decoder.

use utb_types::Source;

use crate::item::Item;
use crate::{DecodeError, birdeye, dexscreener, helius, scan};

/// Longest frame that is read. The longest answers wanted (5,000 bars) are about 1 MiB.
pub const FRAME_BYTES_MAX: usize = 4 << 20;

/// Deepest nesting that is read; sonic-rs skips unknown values by recursion.
pub const DEPTH_MAX: usize = 512;

/// How a frame is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scan {
    /// The forward scan, and the typed fallback where it gives up.
    Fast,
    /// The typed fallback only.
    Typed,
}

/// Memory that is used again from frame to frame, so that decoding allocates nothing.
#[derive(Debug, Default)]
pub struct Scratch {
    items: Vec<Item<'static>>,
}

impl Scratch {
    /// Returns memory for frames of `items` items.
    pub fn with_capacity(items: usize) -> Self {
        Self { items: Vec::with_capacity(items) }
    }
}

/// Decodes a frame and hands its items to `sink` in their order; returns how many.
///
/// # Errors
///
/// Returns why the frame as a whole was refused; then nothing was handed on.
#[inline]
pub fn decode<'a, F: FnMut(&Item<'a>)>(
    source: Source,
    payload: &'a [u8],
    scratch: &mut Scratch,
    sink: F,
) -> Result<usize, DecodeError> {
    decode_with(Scan::Fast, source, payload, scratch, sink)
}

/// Decodes a frame as [`decode`] does, with a choice of the reader.
///
/// # Errors
///
/// As [`decode`].
pub fn decode_with<'a, F: FnMut(&Item<'a>)>(
    scan: Scan,
    source: Source,
    payload: &'a [u8],
    scratch: &mut Scratch,
    mut sink: F,
) -> Result<usize, DecodeError> {
    let mut items = recycle(std::mem::take(&mut scratch.items));
    let result = items_of(scan, source, payload, &mut items);
    let outcome = result.map(|()| items.len());
    if outcome.is_ok() {
        items.iter().for_each(&mut sink);
    }
    scratch.items = recycle(items);
    outcome
}

fn items_of<'a>(
    scan: Scan,
    source: Source,
    payload: &'a [u8],
    out: &mut Vec<Item<'a>>,
) -> Result<(), DecodeError> {
    let frame = Frame::new(scan, payload)?;
    match source {
        Source::DexScreener => dexscreener::decode(frame, out),
        Source::Birdeye => birdeye::decode(frame, out),
        Source::Helius => helius::decode(frame, out),
        Source::Recorded => Err(DecodeError::Unsupported),
    }
}

/// A frame within its limits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame<'a> {
    bytes: &'a [u8],
    scan: bool,
}

impl<'a> Frame<'a> {
    /// Checks a frame's limits.
    #[inline]
    pub(crate) fn new(scan: Scan, payload: &'a [u8]) -> Result<Self, DecodeError> {
        if payload.len() > FRAME_BYTES_MAX {
            return Err(DecodeError::TooLarge { bytes: payload.len() });
        }
        let survey = scan::survey(payload);
        // Other bytes than ASCII stand only in names, which nobody keeps; still, a frame is UTF-8.
        if !survey.ascii && std::str::from_utf8(payload).is_err() {
            return Err(DecodeError::NotUtf8);
        }
        Ok(Self { bytes: payload, scan: survey.plain && scan == Scan::Fast })
    }

    /// Returns the bytes if the forward scan can read them.
    #[inline]
    pub(crate) fn plain(self) -> Option<&'a [u8]> {
        self.scan.then_some(self.bytes)
    }

    /// Returns the text for the typed fallback.
    pub(crate) fn text(self) -> Result<&'a str, DecodeError> {
        let text = std::str::from_utf8(self.bytes).map_err(|_| DecodeError::NotUtf8)?;
        check_depth(text)?;
        Ok(text)
    }
}

/// Empties a list and gives it another lifetime, keeping its memory.
///
/// Collecting a `Vec`'s own iterator into a `Vec` of the same layout happens in place; a test
/// holds the standard library to it.
#[expect(clippy::unnecessary_filter_map, reason = "the lifetime changes")]
fn recycle<'to>(mut items: Vec<Item<'_>>) -> Vec<Item<'to>> {
    items.clear();
    items.into_iter().filter_map(|_| None).collect()
}

/// Refuses a frame that nests too deep for the typed fallback.
fn check_depth(text: &str) -> Result<(), DecodeError> {
    let bytes = text.as_bytes();
    let openers =
        bytes.iter().map(|&byte| usize::from(byte == b'[') + usize::from(byte == b'{')).sum();
    if DEPTH_MAX >= openers {
        return Ok(());
    }
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for &byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                depth += 1;
                if depth > DEPTH_MAX {
                    return Err(DecodeError::TooDeep);
                }
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Scratch, check_depth, recycle};
    use crate::DecodeError;

    #[test]
    fn recycle_keeps_the_memory() {
        let scratch = Scratch::with_capacity(30);
        let (memory, capacity) = (scratch.items.as_ptr() as usize, scratch.items.capacity());
        let items = recycle(scratch.items);
        assert_eq!((items.as_ptr() as usize, items.capacity()), (memory, capacity));
    }

    #[test]
    fn depth_at_the_limit_passes_and_one_more_is_refused() {
        assert_eq!(check_depth(&"[".repeat(512)), Ok(()));
        assert_eq!(check_depth(&"[".repeat(513)), Err(DecodeError::TooDeep));
    }

    #[test]
    fn depth_of_brackets_in_strings_is_not_counted() {
        assert_eq!(check_depth(&format!("[\"\\\"{}\"]", "[".repeat(2000))), Ok(()));
        assert_eq!(check_depth(&"[],".repeat(2000)), Ok(()));
    }
}
