//! 32-byte addresses and blockhashes, and their base58 text.

use std::cmp::Ordering;
use std::fmt;

use crate::SolanaError;

/// Bytes of an address, a blockhash or a seed hash.
pub const KEY_BYTES: usize = 32;
const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// An address or a blockhash.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct Key(pub [u8; KEY_BYTES]);

/// The order of the bytes. Maps of accounts are searched at every update, and hardly any two
/// keys share their first eight bytes.
impl Ord for Key {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        self.head().cmp(&other.head()).then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for Key {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Key {
    /// The first bytes as a number of the same order.
    #[inline]
    fn head(&self) -> u64 {
        self.0.first_chunk().map_or(0, |head| u64::from_be_bytes(*head))
    }

    /// Returns the key of a base58 text known when compiling; stops the compiler otherwise.
    #[must_use]
    pub const fn known(text: &str) -> Self {
        let mut bytes = [0; KEY_BYTES];
        let mut rest = text.as_bytes();
        while let Some((letter, after)) = rest.split_first() {
            shift_in(&mut bytes, digit(*letter));
            rest = after;
        }
        Self(bytes)
    }

    /// Returns the key of a base58 text.
    ///
    /// # Errors
    ///
    /// Returns [`SolanaError::Range`] if the text is not base58 of exactly 32 bytes.
    pub fn from_base58(text: &str) -> Result<Self, SolanaError> {
        let mut bytes = [0; KEY_BYTES];
        five8::decode_32(text.as_bytes(), &mut bytes)
            .map_err(|_| SolanaError::range("key", text, "base58 of 32 bytes"))?;
        Ok(Self(bytes))
    }

    /// Returns the key in a slice of 32 bytes.
    ///
    /// # Errors
    ///
    /// Returns [`SolanaError::Range`] for another length.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, SolanaError> {
        <[u8; KEY_BYTES]>::try_from(bytes)
            .map(Self)
            .map_err(|_| SolanaError::range("key length", bytes.len(), "32"))
    }

    /// Returns the bytes.
    pub const fn as_bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }

    /// Returns the base58 text.
    pub fn to_base58(&self) -> String {
        let mut text = [0; 44];
        let length = five8::encode_32(&self.0, &mut text);
        letters(&text, length)
    }
}

/// Returns the base58 text of a signature: a transaction's id.
pub fn signature_text(signature: &[u8; 64]) -> String {
    let mut text = [0; 88];
    let length = five8::encode_64(signature, &mut text);
    letters(&text, length)
}

/// Returns the signature of a base58 text.
///
/// # Errors
///
/// Returns [`SolanaError::Range`] if the text is not base58 of exactly 64 bytes.
pub fn signature_of(text: &str) -> Result<[u8; 64], SolanaError> {
    let mut bytes = [0; 64];
    five8::decode_64(text.as_bytes(), &mut bytes)
        .map_err(|_| SolanaError::range("signature", text, "base58 of 64 bytes"))?;
    Ok(bytes)
}

fn letters(text: &[u8], length: u8) -> String {
    text.iter().take(usize::from(length)).map(|letter| char::from(*letter)).collect()
}

impl fmt::Display for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.to_base58())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.to_base58())
    }
}

impl From<[u8; KEY_BYTES]> for Key {
    fn from(bytes: [u8; KEY_BYTES]) -> Self {
        Self(bytes)
    }
}

impl AsRef<[u8]> for Key {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// Multiplies a big-endian number by 58 and adds a digit.
const fn shift_in(bytes: &mut [u8], digit: u16) {
    let mut carry = digit;
    let mut rest = bytes;
    while let Some((last, front)) = rest.split_last_mut() {
        let [low, high] = (*last as u16 * 58 + carry).to_le_bytes();
        *last = low;
        carry = high as u16;
        rest = front;
    }
    assert!(carry == 0, "base58 of more than 32 bytes");
}

const fn digit(letter: u8) -> u16 {
    let mut value = 0;
    let mut rest: &[u8] = ALPHABET;
    while let Some((known, after)) = rest.split_first() {
        if *known == letter {
            return value;
        }
        value += 1;
        rest = after;
    }
    panic!("not a base58 letter")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v";

    #[test]
    fn text_both_ways_gives_the_same_text() {
        assert_eq!(Key::from_base58(TEXT).unwrap().to_string(), TEXT);
        assert_eq!(Key::default().to_string(), "1".repeat(32));
    }

    #[test]
    fn known_text_agrees_with_the_library() {
        assert_eq!(Key::known(TEXT), Key::from_base58(TEXT).unwrap());
    }

    /// The order of the bytes wherever the first difference is.
    #[test]
    fn keys_are_ordered_as_their_bytes() {
        let base = [0x80; KEY_BYTES];
        let mut keys: Vec<[u8; KEY_BYTES]> = vec![base];
        for at in 0..KEY_BYTES {
            for byte in [0, 0x7f, 0x81, 0xff] {
                let mut other = base;
                *other.get_mut(at).unwrap() = byte;
                keys.push(other);
            }
        }
        for one in &keys {
            for other in &keys {
                assert_eq!(Key(*one).cmp(&Key(*other)), one.cmp(other), "{one:?} {other:?}");
            }
        }
    }

    #[test]
    fn signature_text_both_ways_gives_the_same_bytes() {
        for signature in [[0; 64], [255; 64], std::array::from_fn(|at| u8::try_from(at).unwrap())] {
            assert_eq!(signature_of(&signature_text(&signature)), Ok(signature));
        }
        assert!(signature_of(TEXT).unwrap_err().to_string().contains(TEXT));
    }

    #[test]
    fn wrong_texts_are_refused_with_their_value() {
        for text in ["", "0", &TEXT[4..], &format!("{TEXT}1"), "O".repeat(44).as_str()] {
            let refusal = Key::from_base58(text).unwrap_err().to_string();
            assert!(refusal.contains(text), "{refusal}");
        }
        assert!(Key::from_slice(&[0; 31]).is_err());
    }
}
