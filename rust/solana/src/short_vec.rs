//! Lengths of one to three bytes (`compact-u16`): 7 bits per byte, lowest first, high bit = more.

use crate::SolanaError;

const CONTINUE: u8 = 0x80;
const BITS: u8 = 0x7f;

/// Appends a length.
pub fn push(length: u16, out: &mut Vec<u8>) {
    let mut rest = length;
    loop {
        let [low, _] = rest.to_le_bytes();
        rest >>= 7;
        if rest == 0 {
            out.push(low & BITS);
            return;
        }
        out.push(low | CONTINUE);
    }
}

/// Appends a count of items that must fit a length.
///
/// # Errors
///
/// Returns [`SolanaError::Range`] above 65535.
pub fn push_count(field: &'static str, count: usize, out: &mut Vec<u8>) -> Result<(), SolanaError> {
    let length = u16::try_from(count).map_err(|_| SolanaError::range(field, count, "<= 65535"))?;
    push(length, out);
    Ok(())
}

/// Returns the length at the start of the bytes, and how many bytes it takes.
///
/// # Errors
///
/// Returns [`SolanaError::Truncated`] if the bytes end inside it, [`SolanaError::Range`] if it is
/// longer than it needs to be or above 65535: only one form of each length is valid.
pub fn read(bytes: &[u8]) -> Result<(u16, usize), SolanaError> {
    let mut value = 0_u32;
    for (at, shift) in [0, 7, 14].into_iter().enumerate() {
        let Some(byte) = bytes.get(at) else {
            return Err(SolanaError::Truncated {
                field: "compact length",
                available: bytes.len(),
                needed: at + 1,
            });
        };
        value |= u32::from(byte & BITS) << shift;
        if byte & CONTINUE == 0 {
            let padded = at > 0 && *byte == 0;
            return match u16::try_from(value) {
                Ok(length) if !padded => Ok((length, at + 1)),
                _ => Err(malformed(bytes)),
            };
        }
    }
    Err(malformed(bytes))
}

fn malformed(bytes: &[u8]) -> SolanaError {
    let shown = bytes.get(..3).unwrap_or(bytes);
    SolanaError::range("compact length", format!("{shown:02x?}"), "canonical and <= 65535")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pushed(length: u16) -> Vec<u8> {
        let mut out = Vec::new();
        push(length, &mut out);
        out
    }

    /// The four vectors of the format's description and the largest length.
    #[test]
    fn vectors_encode_as_described() {
        for (length, bytes) in [
            (0, vec![0]),
            (0x7f, vec![0x7f]),
            (0x80, vec![0x80, 0x01]),
            (0x3fff, vec![0xff, 0x7f]),
            (0x4000, vec![0x80, 0x80, 0x01]),
            (0xffff, vec![0xff, 0xff, 0x03]),
        ] {
            assert_eq!(pushed(length), bytes);
        }
    }

    #[test]
    fn every_length_reads_back() {
        for length in 0..=u16::MAX {
            let bytes = pushed(length);
            assert_eq!(read(&bytes), Ok((length, bytes.len())));
        }
    }

    #[test]
    fn padded_too_large_and_truncated_forms_are_refused() {
        for bytes in [&[0x80, 0x00][..], &[0xff, 0x80, 0x00], &[0xff, 0xff, 0x04], &[0x80; 4]] {
            assert!(matches!(read(bytes), Err(SolanaError::Range { .. })), "{bytes:?}");
        }
        for bytes in [&[][..], &[0x80], &[0xff, 0xff]] {
            assert!(matches!(read(bytes), Err(SolanaError::Truncated { .. })), "{bytes:?}");
        }
    }
}
