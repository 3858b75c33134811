//! SPL Token and Token-2022 token accounts.
//!
//! Layout (both programs): mint 0, owner 32, amount u64 64, delegate 72, state u8 108, ...,
//! 165 bytes; Token-2022 appends an account type (2 = account) at 165 and extensions.

use super::{bytes, key_at, u64_at};
use crate::DecodeError;

/// Length of a token account without extensions.
const BASE_BYTES: usize = 165;
/// base64 characters of [`BASE_BYTES`] (165 = 55 x 3, so no padding).
const BASE_CHARS: usize = 220;
/// Longest Token-2022 account that is read; one with every known extension is below 600 bytes.
const EXTENDED_BYTES_MAX: usize = 1023;
/// Place of the account type in an extended account.
const ACCOUNT_TYPE_AT: usize = 165;
/// Account type of a token account.
const ACCOUNT_TYPE: u8 = 2;
/// Place of the account state: 0 uninitialised, 1 initialised, 2 frozen.
const STATE_AT: usize = 108;

/// A token account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenVault {
    /// Mint of the tokens.
    pub mint: [u8; 32],
    /// Who may move them.
    pub owner: [u8; 32],
    /// Balance in base units.
    pub amount_raw: u64,
}

/// Decodes base64 data; `None` if it is another account of the token programs (a mint).
#[inline]
pub(super) fn decode(data: &[u8]) -> Result<Option<TokenVault>, DecodeError> {
    if data.len() == BASE_CHARS {
        let mut buffer = [0; BASE_BYTES];
        return vault(bytes(data, &mut buffer)?);
    }
    let mut buffer = [0; EXTENDED_BYTES_MAX];
    let bytes = bytes(data, &mut buffer)?;
    if bytes.get(ACCOUNT_TYPE_AT) == Some(&ACCOUNT_TYPE) { vault(bytes) } else { Ok(None) }
}

#[inline]
fn vault(bytes: &[u8]) -> Result<Option<TokenVault>, DecodeError> {
    if bytes.len() < BASE_BYTES {
        return Ok(None);
    }
    match bytes.get(STATE_AT) {
        Some(0) => Err(DecodeError::Uninitialised),
        Some(1 | 2) => Ok(fields(bytes)),
        _ => Err(DecodeError::Range),
    }
}

#[inline]
fn fields(bytes: &[u8]) -> Option<TokenVault> {
    Some(TokenVault {
        mint: key_at(bytes, 0)?,
        owner: key_at(bytes, 32)?,
        amount_raw: u64_at(bytes, 64)?,
    })
}
