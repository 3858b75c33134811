//! Messages: what a transaction asks for and what is signed. Legacy and version 0.
//!
//! Wire format (all counts are [`crate::short_vec`] lengths): `[0x80 for version 0]`, header of 3
//! bytes, static keys, blockhash, instructions, `[lookups of version 0]`. Account indices count
//! the static keys, then the writable entries of all lookups in order, then the read-only ones.

mod compile;
mod view;

pub use compile::{LookupTable, compile_legacy, compile_v0};
pub use view::{InstructionView, LookupView, MessageView, Source};

/// Most bytes of a transaction on the wire: 1280 (IPv6's least MTU) - 40 - 8.
pub const TRANSACTION_BYTES_MAX: usize = 1232;
/// Bytes of a signature.
pub const SIGNATURE_BYTES: usize = 64;
/// Most accounts an index of one byte reaches.
pub const ACCOUNTS_MAX: usize = 256;
/// First byte of a message of version 0.
pub const VERSION_0: u8 = 0x80;

/// Which message format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// Without a version byte and without lookup tables.
    Legacy,
    /// With lookup tables.
    V0,
}

/// How many of the static keys sign and how many are read-only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Keys that sign; the first of them pays the fee.
    pub signers: u8,
    /// Of the signers, the last so many are read-only.
    pub readonly_signers: u8,
    /// Of the other static keys, the last so many are read-only.
    pub readonly_others: u8,
}
