//! Mints and token accounts of the Token and Token-2022 programs.
//!
//! Layouts: spl-token state (82 and 165 bytes); Token-2022 pads to 165 bytes, byte 165 is the
//! account type, extensions follow as type u16, length u16, value.

use super::bytes::{array_at, key_at, u8_at, u16_at, u64_at};
use super::math::{BPS, share_ceil};
use crate::Key;

/// Length of a mint without extensions.
const MINT_BYTES: usize = 82;
/// Length of a token account without extensions, and to which extended mints are padded.
const ACCOUNT_BYTES: usize = 165;
/// Account type at byte 165: a mint.
const TYPE_MINT: u8 = 1;
/// Account type at byte 165: a token account.
const TYPE_ACCOUNT: u8 = 2;
/// Where extensions begin.
const EXTENSIONS_AT: usize = 166;
/// Extension with the transfer fee.
pub(super) const TRANSFER_FEE_CONFIG: u16 = 1;
/// Highest extension number that is kept; the program knows fewer.
const EXTENSION_MAX: u16 = 63;
/// Extensions under which the amounts of a transfer cannot be foreseen from the accounts of a
/// pool: non-transferable (9), transfer hook (14, more accounts and a foreign program) and
/// pausable (26).
const UNFORESEEABLE: [u16; 3] = [9, 14, 26];

/// What a mint takes from a transfer of its tokens, from an epoch on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TransferFee {
    /// First epoch in which it holds.
    pub epoch: u64,
    /// Highest fee, base units.
    pub fee_max_raw: u64,
    /// Share of the amount, basis points, at most 10,000.
    pub fee_bps: u16,
}

impl TransferFee {
    /// Returns the fee of a transfer, rounded up.
    pub fn of(&self, amount_raw: u64) -> Option<u64> {
        let share = share_ceil(amount_raw, self.fee_bps.into(), BPS)?;
        Some(share.min(self.fee_max_raw))
    }

    /// Returns the least amount to send so that `net_raw` arrives; `None` if none does.
    pub fn gross(&self, net_raw: u64) -> Option<u64> {
        if self.fee_bps == 0 || net_raw == 0 {
            return Some(net_raw);
        }
        let capped = net_raw.checked_add(self.fee_max_raw);
        let kept = BPS.checked_sub(self.fee_bps.into())?;
        if kept == 0 {
            return capped;
        }
        // At least what arrives divided by what is kept of it; one fewer may do, for the fee is
        // rounded up to a whole unit.
        let gross = share_ceil(net_raw, BPS, kept);
        let Some(gross) = gross.filter(|gross| gross - net_raw < self.fee_max_raw) else {
            return capped;
        };
        Some(gross)
    }
}

/// A set of Token-2022 extensions by number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extensions(u64);

impl Extensions {
    /// Returns whether the extension is there.
    pub fn has(self, extension: u16) -> bool {
        extension <= EXTENSION_MAX && self.0 & (1 << extension) != 0
    }

    /// Lists the extensions, lowest first.
    pub fn numbers(self) -> impl Iterator<Item = u16> {
        (0..=EXTENSION_MAX).filter(move |number| self.has(*number))
    }
}

/// A mint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mint {
    /// Who may mint more, if anybody.
    pub mint_authority: Option<Key>,
    /// Tokens there are, base units.
    pub supply_raw: u64,
    /// Decimal places of a whole token.
    pub decimals: u8,
    /// Who may freeze accounts, if anybody.
    pub freeze_authority: Option<Key>,
    /// Token-2022 extensions.
    pub extensions: Extensions,
    /// The transfer fee before and from the newer one's epoch, if the mint has one.
    pub transfer_fees: Option<[TransferFee; 2]>,
}

impl Mint {
    /// Reads a mint of either program; `None` if it is something else or not initialised.
    pub fn decode(data: &[u8]) -> Option<Self> {
        let plain = data.len() == MINT_BYTES;
        if !plain && u8_at(data, ACCOUNT_BYTES) != Some(TYPE_MINT) || u8_at(data, 45)? != 1 {
            return None;
        }
        let mut mint = Self {
            mint_authority: optional_key(data, 0).ok()?,
            supply_raw: u64_at(data, 36)?,
            decimals: u8_at(data, 44)?,
            freeze_authority: optional_key(data, 46).ok()?,
            extensions: Extensions::default(),
            transfer_fees: None,
        };
        if !plain {
            mint.read_extensions(data)?;
        }
        Some(mint)
    }

    fn read_extensions(&mut self, data: &[u8]) -> Option<()> {
        let mut at = EXTENSIONS_AT;
        // An account may end in padding: type 0 ends the list.
        while let Some(kind @ 1..) = u16_at(data, at) {
            let len = usize::from(u16_at(data, at + 2)?);
            let value = data.get(at + 4..at + 4 + len)?;
            if kind > EXTENSION_MAX {
                return None;
            }
            self.extensions.0 |= 1 << kind;
            if kind == TRANSFER_FEE_CONFIG {
                self.transfer_fees = Some([transfer_fee(value, 72)?, transfer_fee(value, 90)?]);
            }
            at += 4 + len;
        }
        Some(())
    }

    /// Returns the transfer fee that holds in `epoch`, if the mint has one.
    pub fn transfer_fee(&self, epoch: u64) -> Option<TransferFee> {
        let [older, newer] = self.transfer_fees?;
        Some(if epoch >= newer.epoch { newer } else { older })
    }

    /// Returns the transfer fee in force, zero without one; `None` if that depends on an epoch
    /// which is not known.
    pub fn fee_in_force(&self, epoch: Option<u64>) -> Option<TransferFee> {
        if self.fee_depends_on_epoch() {
            return self.transfer_fee(epoch?);
        }
        Some(self.transfer_fee(u64::MAX).unwrap_or_default())
    }

    /// Returns whether the two transfer fees differ.
    pub fn fee_depends_on_epoch(&self) -> bool {
        self.transfer_fees.is_some_and(|[older, newer]| {
            (older.fee_bps, older.fee_max_raw) != (newer.fee_bps, newer.fee_max_raw)
        })
    }

    /// Returns an extension under which a swap's amounts cannot be foreseen.
    pub fn unforeseeable(&self) -> Option<u16> {
        UNFORESEEABLE.into_iter().find(|extension| self.extensions.has(*extension))
    }
}

/// State of a token account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenState {
    /// Usable.
    Initialized,
    /// Nothing can leave or arrive.
    Frozen,
}

/// A token account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenAccount {
    /// Mint of the tokens.
    pub mint: Key,
    /// Who may move them.
    pub owner: Key,
    /// Balance, base units.
    pub amount_raw: u64,
    /// Whether it is usable.
    pub state: TokenState,
}

impl TokenAccount {
    /// Reads a token account of either program; `None` if it is something else or holds nothing yet.
    #[inline]
    pub fn decode(data: &[u8]) -> Option<Self> {
        if data.len() != ACCOUNT_BYTES && u8_at(data, ACCOUNT_BYTES) != Some(TYPE_ACCOUNT) {
            return None;
        }
        let state = match u8_at(data, 108)? {
            1 => TokenState::Initialized,
            2 => TokenState::Frozen,
            _ => return None,
        };
        Some(Self {
            mint: key_at(data, 0)?,
            owner: key_at(data, 32)?,
            amount_raw: u64_at(data, 64)?,
            state,
        })
    }
}

/// A field that holds no value its layout knows.
struct Unreadable;

/// Reads an optional key: a u32 tag of 0 or 1, then the key.
fn optional_key(data: &[u8], at: usize) -> Result<Option<Key>, Unreadable> {
    match array_at(data, at) {
        Some([0, 0, 0, 0]) => Ok(None),
        Some([1, 0, 0, 0]) => key_at(data, at + 4).map(Some).ok_or(Unreadable),
        _ => Err(Unreadable),
    }
}

/// Reads a fee of 18 bytes; `None` if the share is more than all.
fn transfer_fee(value: &[u8], at: usize) -> Option<TransferFee> {
    let fee = TransferFee {
        epoch: u64_at(value, at)?,
        fee_max_raw: u64_at(value, at + 8)?,
        fee_bps: u16_at(value, at + 16)?,
    };
    (u64::from(fee.fee_bps) <= BPS).then_some(fee)
}
