//! What a swap instruction needs of a pool, for [`crate::instruction::swap`].

use super::account::{Content, PoolState};
use super::registry::Pools;
use super::watched::Watched;
use super::{PumpSwap, PumpSwapGlobal, Side, Unquotable, Whirlpool};
use crate::Key;
use crate::instruction::swap::{MintOf, SwapPool};
use crate::instruction::{pumpswap, raydium_amm, raydium_cpmm, whirlpool};

impl Watched {
    /// Returns the keys of a swap that takes `input_mint`, from the newest accounts.
    pub(super) fn keys(&self, pools: &Pools, input_mint: &Key) -> Result<SwapPool, Unquotable> {
        let account = self.part(pools, Some(self.account))?;
        let Content::Pool(state) = &account.content else { return Err(account.reason()) };
        let input = Self::side(state, input_mint)?;
        match state {
            PoolState::RaydiumAmm(pool) => {
                let ([coin_vault, pc_vault], [coin_mint, pc_mint]) = (pool.vaults, pool.mints);
                let pool = self.key;
                let keys = raydium_amm::Pool { pool, coin_vault, pc_vault, coin_mint, pc_mint };
                Ok(SwapPool::RaydiumAmm(keys))
            }
            PoolState::RaydiumCpmm(pool) => {
                let ([vault_0, vault_1], [mint_0, mint_1]) = (pool.vaults, pool.mints);
                let [program_0, program_1] = pool.token_programs;
                Ok(SwapPool::RaydiumCpmm(raydium_cpmm::Pool {
                    pool: self.key,
                    amm_config: pool.config,
                    vault_0,
                    vault_1,
                    token_0: MintOf { mint: mint_0, token_program: program_0 },
                    token_1: MintOf { mint: mint_1, token_program: program_1 },
                    observation: pool.observation,
                }))
            }
            PoolState::PumpSwap(pool) => self.pumpswap_keys(pools, pool),
            PoolState::Whirlpool(pool) => self.whirlpool_keys(pools, pool, input),
        }
    }

    fn mints_of(&self, pools: &Pools, mints: [Key; 2]) -> Result<[MintOf; 2], Unquotable> {
        let [first, second] = mints;
        let (_, first_program) = self.mint(pools, 0)?;
        let (_, second_program) = self.mint(pools, 1)?;
        Ok([
            MintOf { mint: first, token_program: first_program },
            MintOf { mint: second, token_program: second_program },
        ])
    }

    fn pumpswap_keys(&self, pools: &Pools, pool: &PumpSwap) -> Result<SwapPool, Unquotable> {
        let account = self.part(pools, self.config)?;
        let Content::PumpSwapGlobal(global) = &account.content else {
            return Err(account.reason());
        };
        let malformed = Unquotable::Malformed(account.key);
        let ([base, quote], [base_vault, quote_vault]) =
            (self.mints_of(pools, pool.mints)?, pool.vaults);
        Ok(SwapPool::PumpSwap(pumpswap::Pool {
            pool: self.key,
            base,
            quote,
            base_vault,
            quote_vault,
            coin_creator: pool.coin_creator,
            cashback: pool.is_cashback_coin,
            protocol_fee_recipient: self.protocol_recipient(global, pool).ok_or(malformed)?,
            buyback_fee_recipient: self.one_of(global.buyback_fee_recipients).ok_or(malformed)?,
        }))
    }

    fn protocol_recipient(&self, global: &PumpSwapGlobal, pool: &PumpSwap) -> Option<Key> {
        self.one_of(if pool.is_mayhem_mode {
            global.mayhem_fee_recipients
        } else {
            global.protocol_fee_recipients
        })
    }

    /// Picks a recipient, the same for a pool every time and different ones for different pools:
    /// transactions that write the same account wait for each other.
    fn one_of(&self, recipients: [Key; 8]) -> Option<Key> {
        let first = self.key.0.iter().fold(0, |sum, byte| sum ^ usize::from(*byte));
        let recipients = recipients.iter().cycle().skip(first % 8).take(8);
        recipients.copied().find(|key| *key != Key::default())
    }

    fn whirlpool_keys(
        &self,
        pools: &Pools,
        pool: &Whirlpool,
        input: Side,
    ) -> Result<SwapPool, Unquotable> {
        let account = self.part(pools, Some(self.account))?;
        let malformed = Unquotable::Malformed(self.key);
        // Followed arrays have their addresses; those beyond the last tick are derived.
        let address = |start| match self.arrays.get(&start).and_then(|it| pools.accounts.get(*it)) {
            Some(array) => Some(array.key),
            None => whirlpool::tick_array(&account.owner, &self.key, start).ok(),
        };
        let [first, second, third] = pool.array_starts(input == Side::A).map(address);
        let (Some(first), Some(second), Some(third), Some(oracle)) =
            (first, second, third, self.oracle)
        else {
            return Err(malformed);
        };
        let ([token_a, token_b], [vault_a, vault_b]) =
            (self.mints_of(pools, pool.mints)?, pool.vaults);
        Ok(SwapPool::Whirlpool(whirlpool::Pool {
            program: account.owner,
            pool: self.key,
            token_a,
            token_b,
            vault_a,
            vault_b,
            tick_arrays: [first, second, third],
            oracle,
        }))
    }
}
