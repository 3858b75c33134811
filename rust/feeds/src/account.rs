//! Account layouts: what the bytes of a subscribed account mean.

mod raydium_cpmm;
mod raydium_v4;
mod token_vault;

pub use raydium_cpmm::{RaydiumCpmm, RaydiumCpmmConfig};
pub use raydium_v4::RaydiumV4;
pub use token_vault::TokenVault;

use base64_simd::{Out, STANDARD};

use crate::DecodeError;
use crate::Text;

/// The SPL Token program.
const TOKEN_PROGRAM: &[u8] = b"TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA";
/// The Token-2022 program.
const TOKEN_2022_PROGRAM: &[u8] = b"TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb";
/// Raydium AMM v4.
const RAYDIUM_V4_PROGRAM: &[u8] = b"675kPX9MHTjS2zt1qfr1NYHuzeLXfQM9H24wFSUt1Mp8";
/// Raydium CPMM.
const RAYDIUM_CPMM_PROGRAM: &[u8] = b"CPMMoo8L3F4NbTegBCKVNunggL7H1ZpdTHKxQB5qKP1C";

/// Longest account of a known layout: Raydium v4, 752 bytes, and room for base64's rounding.
const KNOWN_BYTES_MAX: usize = 756;

/// Contents of an account.
#[derive(Clone, Debug, PartialEq)]
pub enum AccountData<'a> {
    /// A token account: a pool's vault.
    TokenVault(TokenVault),
    /// A Raydium AMM v4 pool.
    RaydiumV4(RaydiumV4),
    /// A Raydium CPMM pool.
    RaydiumCpmm(RaydiumCpmm),
    /// The fee rates that several Raydium CPMM pools share.
    RaydiumCpmmConfig(RaydiumCpmmConfig),
    /// Anything else.
    Unknown {
        /// The program that owns the account, base58.
        owner: Text<'a>,
        /// Length of the data in bytes.
        len: usize,
    },
}

/// Decodes the base64 data of an account that `owner` (base58) owns.
///
/// # Errors
///
/// Returns [`DecodeError::BadEncoding`] if `data` is not padded standard base64, and
/// [`DecodeError::Uninitialised`] for a token account that holds nothing yet.
pub fn decode_account<'a>(owner: Text<'a>, data: &[u8]) -> Result<AccountData<'a>, DecodeError> {
    match owner.as_bytes() {
        TOKEN_PROGRAM | TOKEN_2022_PROGRAM => {
            if let Some(vault) = token_vault::decode(data)? {
                return Ok(AccountData::TokenVault(vault));
            }
        }
        RAYDIUM_V4_PROGRAM | RAYDIUM_CPMM_PROGRAM => {
            let mut buffer = [0; KNOWN_BYTES_MAX];
            let bytes = bytes(data, &mut buffer)?;
            let known = if owner.as_bytes() == RAYDIUM_V4_PROGRAM {
                raydium_v4::decode(bytes).map(AccountData::RaydiumV4)
            } else {
                raydium_cpmm::decode(bytes)
                    .map(AccountData::RaydiumCpmm)
                    .or_else(|| raydium_cpmm::config(bytes).map(AccountData::RaydiumCpmmConfig))
            };
            if let Some(known) = known {
                return Ok(known);
            }
        }
        _ => {}
    }
    let len = STANDARD.decoded_length(data).map_err(|_| DecodeError::BadEncoding)?;
    Ok(AccountData::Unknown { owner, len })
}

/// Decodes base64 into `buffer`; the result is empty if it would not fit.
#[inline]
fn bytes<'b>(data: &[u8], buffer: &'b mut [u8]) -> Result<&'b [u8], DecodeError> {
    match contents(data, usize::MAX, buffer) {
        Ok(len) => Ok(buffer.get(..len).unwrap_or_default()),
        Err(DecodeError::TooLarge { .. }) => Ok(&[]),
        Err(other) => Err(other),
    }
}

/// Decodes base64 into `buffer` and returns the length. Beyond the first `wanted` bytes the text is
/// checked and the buffer left zero, which costs a third.
///
/// # Errors
///
/// Returns [`DecodeError::BadEncoding`] if `data` is not padded standard base64, and
/// [`DecodeError::TooLarge`] if `buffer` cannot hold it.
#[inline]
pub(crate) fn contents(
    data: &[u8],
    wanted: usize,
    buffer: &mut [u8],
) -> Result<usize, DecodeError> {
    let bad = |_| DecodeError::BadEncoding;
    let len = STANDARD.decoded_length(data).map_err(bad)?;
    let Some(buffer) = buffer.get_mut(..len) else {
        return Err(DecodeError::TooLarge { bytes: len });
    };
    // Three bytes are four characters.
    let groups = wanted.min(len).div_ceil(3);
    let (head, tail) = data.split_at_checked(groups * 4).unwrap_or((data, &[]));
    let decoded = STANDARD.decode(head, Out::from_slice(buffer)).map_err(bad)?.len();
    if !tail.is_empty() {
        STANDARD.check(tail).map_err(bad)?;
        if decoded != groups * 3 {
            // Padding, and more behind it.
            return Err(DecodeError::BadEncoding);
        }
        buffer.get_mut(decoded..).unwrap_or_default().fill(0);
    }
    Ok(len)
}

/// Reads a little-endian `u64` at `at`.
#[inline]
fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().map(|chunk| u64::from_le_bytes(*chunk))
}

/// Reads a 32-byte key at `at`.
#[inline]
fn key_at(bytes: &[u8], at: usize) -> Option<[u8; 32]> {
    bytes.get(at..)?.first_chunk().copied()
}
