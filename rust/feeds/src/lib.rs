//! Decoders: bytes of a frame in, typed and checked items out.
//!
//! Pure functions without state; one file per source and one per account layout. Each kind of
//! message is read twice over: a forward scan that knows the order its source writes, and a
//! typed fallback on sonic-rs that takes any order, escape and white space. The scan gives up
//! at the first surprise, so both always agree. A frame is taken whole or not at all: on an
//! error nothing of it is handed on. Within a good frame, a bad item is handed on as
//! [`Item::Rejected`] and its neighbours are not affected.

mod account;
mod address;
mod birdeye;
mod check;
mod decimal;
mod dexscreener;
mod error;
mod frame;
mod helius;
mod item;
mod number;
mod scan;
mod text;
mod typed;

pub use account::{
    AccountData, RaydiumCpmm, RaydiumCpmmConfig, RaydiumV4, TokenVault, decode_account,
};
pub use address::address_bytes;
pub use error::DecodeError;
pub use frame::{DEPTH_MAX, FRAME_BYTES_MAX, Scan, Scratch, decode, decode_with};
pub use helius::{AccountContents, AccountUpdate, account_contents};
pub use item::{Control, HistoryBar, Item, Pair, PriceBar, Rejected, SpotQuote, Trade};
pub use text::Text;

#[cfg(test)]
#[path = "../tests/common/frames.rs"]
mod frames;
