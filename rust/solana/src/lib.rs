//! Solana without sockets: keys, messages, instructions, pools, signing.
//!
//! Everything here is a pure function of its arguments, the keystore and the signer's record file
//! excepted. Amounts are base units, fees lamports.

pub mod decode;
pub mod error;
pub mod guarded;
pub mod instruction;
pub mod key;
pub mod keystore;
pub mod message;
pub mod pda;
pub mod policy;
pub mod pool;
pub mod program;
pub mod record;
pub mod short_vec;
pub mod sign;
pub mod signer;
pub mod transaction;

pub use error::SolanaError;
pub use key::Key;
