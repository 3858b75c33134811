//! What enters the core: market events as flat 64-byte records.

use bytemuck::{Pod, Zeroable};
use serde::{Deserialize, Serialize};

/// Where a frame came from. The number is what crosses the Python boundary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[repr(u8)]
pub enum Source {
    /// DexScreener REST pairs.
    #[serde(rename = "dexscreener")]
    DexScreener = 0,
    /// Birdeye WebSocket and REST.
    #[serde(rename = "birdeye")]
    Birdeye = 1,
    /// Helius (any Solana RPC) account notifications.
    #[serde(rename = "helius")]
    Helius = 2,
    /// Recorded bars.
    #[serde(rename = "recorded")]
    Recorded = 3,
}

impl Source {
    /// Returns the source with that number.
    pub const fn from_index(index: u8) -> Option<Self> {
        match index {
            0 => Some(Self::DexScreener),
            1 => Some(Self::Birdeye),
            2 => Some(Self::Helius),
            3 => Some(Self::Recorded),
            _ => None,
        }
    }
}

/// What an account on a subscription means to an instrument's pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PoolRole {
    /// The vault that holds the base token.
    BaseVault,
    /// The vault that holds the quote token.
    QuoteVault,
    /// The pool's own state account (fees owed, status).
    Pool,
}

/// Kind of an [`EventRecord`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum EventKind {
    /// A price with the base volume traded since the one before (NaN = unknown).
    Price = 0,
    /// A price of a source that is not primary: cross-check only.
    Check = 1,
}

impl EventKind {
    /// Returns the kind with that number.
    pub const fn from_index(index: u16) -> Option<Self> {
        match index {
            0 => Some(Self::Price),
            1 => Some(Self::Check),
            _ => None,
        }
    }
}

/// One market event, 64 bytes, little-endian; mirrored by a NumPy dtype in Python.
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct EventRecord {
    /// Time of the event at its source, nanoseconds since the epoch.
    pub ts_ns: i64,
    /// Time it was received, nanoseconds since the epoch.
    pub ts_recv_ns: i64,
    /// Dense instrument index.
    pub instrument: u32,
    /// An [`EventKind`].
    pub kind: u16,
    /// A [`Source`].
    pub source: u16,
    /// Price in quote per base, > 0.
    pub price: f64,
    /// Base volume traded with this event; NaN if unknown.
    pub volume: f64,
    /// Quote-side liquidity in quote units; NaN if unknown.
    pub liquidity: f64,
    /// Slot or other source sequence; 0 if none.
    pub slot: u64,
    /// Position within the slot or transaction; 0 if none.
    pub index: u64,
}

const _: () = assert!(size_of::<EventRecord>() == 64);
