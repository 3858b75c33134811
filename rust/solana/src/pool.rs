//! Pools: their accounts, and exactly what a swap through them would do.
//!
//! [`Pools`] takes the accounts as they change on chain and answers from balances that belong
//! together. Below it every venue has a module with its account layouts and its mathematics, pure
//! functions of decoded accounts. Products have 128 or 256 bits; every division is rounded as the
//! program rounds it.

mod account;
mod bytes;
mod keys;
mod math;
mod pumpswap;
mod quote;
mod quoting;
mod raydium_amm;
mod raydium_cpmm;
mod registry;
mod token;
mod watched;
mod whirlpool;

pub use account::Clock;
pub use pumpswap::{
    PumpSwap, PumpSwapFeeConfig, PumpSwapFees, PumpSwapGlobal, PumpSwapRules, PumpSwapTier,
    QuoteKind,
};
pub use quote::{Price, Quote, Side, Swap, Unquotable};
pub use raydium_amm::RaydiumAmm;
pub use raydium_cpmm::{CreatorFeeOn, RaydiumCpmm, RaydiumCpmmConfig};
pub use registry::{Applied, POOLS_MAX, Place, Pools, Venue};
pub use token::{Extensions, Mint, TokenAccount, TokenState, TransferFee};
pub use whirlpool::{
    SQRT_PRICE_MAX, SQRT_PRICE_MIN, TICK_MAX, TICK_MIN, Tick, TickArray, Whirlpool, WhirlpoolAfter,
    sqrt_price_at,
};
