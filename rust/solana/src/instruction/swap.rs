//! A swap of an exact input, whichever of the four programs runs it.

use super::{Instruction, pumpswap, raydium_amm, raydium_cpmm, whirlpool};
use crate::{Key, SolanaError, pda};

/// A mint and the token program it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MintOf {
    /// The mint.
    pub mint: Key,
    /// SPL Token or Token-2022.
    pub token_program: Key,
}

impl MintOf {
    /// Returns an owner's associated account.
    ///
    /// # Errors
    ///
    /// Returns [`SolanaError::NoProgramAddress`] if there is none.
    pub fn account_of(&self, owner: &Key) -> Result<Key, SolanaError> {
        pda::associated_token(owner, &self.mint, &self.token_program)
    }
}

/// Who swaps: the owner and its token accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trader {
    /// Signs; owns both accounts.
    pub user: Key,
    /// Token account the input comes from.
    pub source: Key,
    /// Token account the output goes to.
    pub destination: Key,
}

/// How much is swapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amounts {
    /// Exact input, base units.
    pub in_raw: u64,
    /// The chain refuses to give less, base units.
    pub min_out_raw: u64,
}

impl Amounts {
    /// Returns the two amounts as every program here reads them, one after the other.
    pub fn to_bytes(self) -> [u8; 16] {
        let mut bytes = [0; 16];
        let (input, output) = bytes.split_at_mut(8);
        input.copy_from_slice(&self.in_raw.to_le_bytes());
        output.copy_from_slice(&self.min_out_raw.to_le_bytes());
        bytes
    }
}

/// The keys a swap needs of a pool. Two that are equal give the same accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SwapPool {
    /// Raydium AMM v4.
    RaydiumAmm(raydium_amm::Pool),
    /// Raydium CPMM.
    RaydiumCpmm(raydium_cpmm::Pool),
    /// PumpSwap.
    PumpSwap(pumpswap::Pool),
    /// Orca Whirlpool, with the tick arrays of one direction.
    Whirlpool(whirlpool::Pool),
}

impl SwapPool {
    /// Returns the pool's address.
    pub fn address(&self) -> Key {
        match self {
            Self::RaydiumAmm(pool) => pool.pool,
            Self::RaydiumCpmm(pool) => pool.pool,
            Self::PumpSwap(pool) => pool.pool,
            Self::Whirlpool(pool) => pool.pool,
        }
    }

    /// Returns the pool's two mints: coin and pc, 0 and 1, base and quote, a and b.
    pub fn mints(&self) -> [MintOf; 2] {
        match self {
            Self::RaydiumAmm(pool) => pool.mints(),
            Self::RaydiumCpmm(pool) => [pool.token_0, pool.token_1],
            Self::PumpSwap(pool) => [pool.base, pool.quote],
            Self::Whirlpool(pool) => [pool.token_a, pool.token_b],
        }
    }

    /// Returns the input's and the output's mint when `input_mint` comes in.
    ///
    /// # Errors
    ///
    /// Returns [`SolanaError::Range`] if the pool does not trade it.
    pub fn sides(&self, input_mint: &Key) -> Result<(MintOf, MintOf), SolanaError> {
        let [first, second] = self.mints();
        if first.mint == *input_mint {
            Ok((first, second))
        } else if second.mint == *input_mint {
            Ok((second, first))
        } else {
            let expected = format!("{} or {}", first.mint, second.mint);
            Err(SolanaError::range("input mint", input_mint, expected))
        }
    }

    /// Returns the swap of an exact input between a wallet's associated accounts.
    ///
    /// # Errors
    ///
    /// Returns [`SolanaError`] if the pool does not trade the input, or an address cannot be made.
    pub fn swap(
        &self,
        input_mint: &Key,
        wallet: Key,
        amounts: Amounts,
    ) -> Result<Instruction, SolanaError> {
        let (input, output) = self.sides(input_mint)?;
        let trader = Trader {
            user: wallet,
            source: input.account_of(&wallet)?,
            destination: output.account_of(&wallet)?,
        };
        let first_in = self.mints().first() == Some(&input);
        match self {
            Self::RaydiumAmm(pool) => Ok(pool.swap(&trader, amounts)),
            Self::RaydiumCpmm(pool) => Ok(pool.swap(first_in, &trader, amounts)),
            Self::PumpSwap(pool) if first_in => pool.sell(&trader, amounts),
            Self::PumpSwap(pool) => pool.buy_exact_quote_in(&trader, amounts),
            Self::Whirlpool(pool) => Ok(pool.swap(first_in, &trader, amounts)),
        }
    }

    /// Returns where the 16 bytes of the two amounts start in a swap's data.
    pub fn amounts_offset(&self) -> usize {
        match self {
            Self::RaydiumAmm(_) => 1,
            Self::RaydiumCpmm(_) | Self::PumpSwap(_) | Self::Whirlpool(_) => 8,
        }
    }
}

#[cfg(test)]
#[path = "swap_tests.rs"]
mod tests;
