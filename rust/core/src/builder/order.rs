//! What a message asks for.

use utb_solana::Key;
use utb_solana::instruction::associated_token;
use utb_solana::instruction::swap::{Amounts, MintOf, SwapPool};
use utb_solana::instruction::system::{self, SeedAccount};
use utb_solana::instruction::{Instruction, compute_budget, memo};
use utb_solana::program;

use crate::CoreError;

/// One swap of a route.
#[derive(Clone, Copy, Debug)]
pub struct OrderLeg<'a> {
    /// Keys of the pool.
    pub pool: &'a SwapPool,
    /// Which of its mints comes in.
    pub input_mint: Key,
    /// Exact input, least output.
    pub amounts: Amounts,
}

/// The seed account that only one attempt can open.
#[derive(Clone, Copy, Debug)]
pub struct Guard<'a> {
    /// UTF-8, 1 to 32 bytes.
    pub seed: &'a [u8],
    /// The chain's rent-exempt minimum of 0 bytes; 0 would guard nothing.
    pub lamports: u64,
}

/// A payment to a relay.
#[derive(Clone, Copy, Debug)]
pub struct Tip {
    /// Its account, never from a lookup table.
    pub account: Key,
    /// Lamports.
    pub lamports: u64,
}

/// A message's instructions: budget, then the fields from the guard on, in their order.
#[derive(Clone, Copy, Debug)]
pub struct ChainOrder<'a> {
    /// Compute units.
    pub unit_limit: u32,
    /// Micro-lamports per compute unit.
    pub unit_price: u64,
    /// None: unguarded.
    pub guard: Option<Guard<'a>>,
    /// Token accounts of the wallet to open if they are not there.
    pub create_accounts: &'a [MintOf],
    /// Swaps, in their order.
    pub legs: &'a [OrderLeg<'a>],
    /// UTF-8 text.
    pub memo: Option<&'a [u8]>,
    /// None: no tip.
    pub tip: Option<Tip>,
}

impl ChainOrder<'_> {
    /// Refuses what would be signed without doing what it is for.
    pub(super) fn check(&self) -> Result<(), CoreError> {
        if self.legs.is_empty() {
            return Err(CoreError::range("legs", 0, ">= 1"));
        }
        for leg in self.legs {
            if leg.amounts.in_raw == 0 {
                return Err(CoreError::range("amount_in_raw", 0, ">= 1"));
            }
            if leg.amounts.min_out_raw == 0 {
                return Err(CoreError::range("min_out_raw", 0, ">= 1"));
            }
        }
        if self.memo.is_some_and(|text| std::str::from_utf8(text).is_err()) {
            return Err(CoreError::range("memo", "other bytes", "UTF-8"));
        }
        match self.guard {
            Some(guard) if guard.lamports == 0 => {
                Err(CoreError::range("guard lamports", 0, ">= 1: 0 guards nothing"))
            }
            Some(guard) if guard.seed.is_empty() => {
                Err(CoreError::range("guard seed length", 0, "in 1..=32"))
            }
            _ => Ok(()),
        }
    }

    /// Returns the instructions of `wallet`'s message.
    pub(super) fn instructions(&self, wallet: Key) -> Result<Vec<Instruction>, CoreError> {
        let mut built = vec![
            compute_budget::set_compute_unit_limit(self.unit_limit),
            compute_budget::set_compute_unit_price(self.unit_price),
        ];
        if let Some(guard) = &self.guard {
            let account = guard.account(wallet);
            built.push(system::create_account_with_seed(wallet, &account, guard.lamports, 0)?);
        }
        for it in self.create_accounts {
            let (mint, token_program) = (it.mint, it.token_program);
            built.push(associated_token::create_idempotent(wallet, wallet, mint, token_program)?);
        }
        for leg in self.legs {
            built.push(leg.pool.swap(&leg.input_mint, wallet, leg.amounts)?);
        }
        built.extend(self.memo.map(|text| memo::memo(text, &[])));
        built.extend(self.tip.map(|tip| system::transfer(wallet, tip.account, tip.lamports)));
        Ok(built)
    }
}

impl<'a> Guard<'a> {
    /// Returns the guard as an account below `wallet`.
    pub(super) fn account(&self, wallet: Key) -> SeedAccount<'a> {
        SeedAccount { base: wallet, seed: self.seed, owner: program::SYSTEM }
    }
}
