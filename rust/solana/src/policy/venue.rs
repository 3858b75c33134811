//! Venues that the policy knows.

use crate::{Key, SolanaError, program};

/// A venue whose swaps the policy can read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Venue {
    /// Raydium AMM v4.
    RaydiumAmm,
    /// Raydium CPMM.
    RaydiumCpmm,
    /// `PumpSwap`.
    PumpSwap,
    /// Orca Whirlpool, both deployments.
    Whirlpool,
    /// Jupiter's aggregator.
    Jupiter,
}

impl Venue {
    /// Returns the venue with a name of `utb.domain.chain.Program`.
    ///
    /// # Errors
    ///
    /// Returns [`SolanaError::Range`] for an unknown name.
    pub fn named(name: &str) -> Result<Self, SolanaError> {
        match name {
            "raydium_amm" => Ok(Self::RaydiumAmm),
            "raydium_cpmm" => Ok(Self::RaydiumCpmm),
            "pumpswap" => Ok(Self::PumpSwap),
            "whirlpool" => Ok(Self::Whirlpool),
            "jupiter" => Ok(Self::Jupiter),
            _ => Err(SolanaError::range(
                "programs",
                name,
                "raydium_amm, raydium_cpmm, pumpswap, whirlpool or jupiter",
            )),
        }
    }

    /// Returns whether this venue runs under a program.
    pub fn owns(self, program: &Key) -> bool {
        match self {
            Self::RaydiumAmm => *program == program::RAYDIUM_AMM,
            Self::RaydiumCpmm => *program == program::RAYDIUM_CPMM,
            Self::PumpSwap => *program == program::PUMPSWAP,
            Self::Whirlpool => {
                *program == program::WHIRLPOOL || *program == program::WHIRLPOOL_IMMUTABLE
            }
            Self::Jupiter => *program == program::JUPITER,
        }
    }
}
