//! Prices and quotes of one pool, from the last state whose parts belong together.

use super::account::{Content, PoolState};
use super::pumpswap::PumpSwapRules;
use super::registry::Pools;
use super::token::{TRANSFER_FEE_CONFIG, TokenState, TransferFee};
use super::watched::{Snapshot, Watched};
use super::whirlpool::{TickArray, Whirlpool};
use super::{Price, Quote, Side, Swap, Unquotable};
use crate::Key;

impl Watched {
    /// Returns the decimals of side A and B.
    fn decimals(&self, pools: &Pools, state: &PoolState) -> Result<[u8; 2], Unquotable> {
        match state {
            PoolState::RaydiumAmm(pool) => Ok(pool.decimals),
            PoolState::RaydiumCpmm(pool) => Ok(pool.decimals),
            _ => Ok([self.mint(pools, 0)?.0.decimals, self.mint(pools, 1)?.0.decimals]),
        }
    }

    /// Returns the transfer fees of side A and B; refuses mints whose transfers cannot be foreseen.
    fn transfer_fees(
        &self,
        pools: &Pools,
        state: &PoolState,
    ) -> Result<[TransferFee; 2], Unquotable> {
        if matches!(state, PoolState::RaydiumAmm(_)) {
            // The program takes mints of the Token program alone, and those have no fee.
            return Ok([TransferFee::default(); 2]);
        }
        let fee = |at| {
            let (mint, _) = self.mint(pools, at)?;
            if let Some(extension) = mint.unforeseeable() {
                return Err(Unquotable::MintExtension(extension));
            }
            let epoch = pools.clock.map(|clock| clock.epoch);
            mint.fee_in_force(epoch).ok_or(Unquotable::ClockUnknown)
        };
        let fees @ [base, quote] = [fee(0)?, fee(1)?];
        let any = base.fee_bps != 0 || quote.fee_bps != 0;
        if matches!(state, PoolState::PumpSwap(_)) && any {
            // Nobody has shown how the program books a transfer fee.
            return Err(Unquotable::MintExtension(TRANSFER_FEE_CONFIG));
        }
        Ok(fees)
    }

    /// Checks that the vaults hold the pool's mints and can move them.
    fn check_vaults(&self, pools: &Pools, state: &PoolState) -> Result<(), Unquotable> {
        for (index, mint) in self.vaults.into_iter().zip(state.mints()) {
            let Some(account) = index.and_then(|index| pools.accounts.get(index)) else { continue };
            match &account.content {
                Content::Vault(vault) if vault.state == TokenState::Frozen => {
                    return Err(Unquotable::SwapOff);
                }
                Content::Vault(vault) if vault.mint == mint => {}
                _ => return Err(account.reason()),
            }
        }
        Ok(())
    }

    pub(super) fn price(&self, pools: &Pools, base_mint: &Key) -> Result<(Price, u64), Unquotable> {
        let Snapshot { slot, state, vaults_raw, .. } = self.snapshot(pools)?;
        let base = Self::side(state, base_mint)?;
        self.check_vaults(pools, state)?;
        let [base_decimals, quote_decimals] = base.order(self.decimals(pools, state)?);
        let price = |reserves: [u128; 2]| {
            let [base, quote] = base.order(reserves);
            Price::of_reserves(quote, base).ok_or(Unquotable::TooLittleLiquidity)
        };
        let price = match state {
            PoolState::RaydiumAmm(pool) => price(pool.reserves(*vaults_raw)?.map(u128::from))?,
            PoolState::RaydiumCpmm(pool) => price(pool.reserves(*vaults_raw)?.map(u128::from))?,
            PoolState::PumpSwap(pool) => price(pool.reserves(*vaults_raw)?)?,
            PoolState::Whirlpool(pool) => {
                Whirlpool::price(pool.sqrt_price, base).ok_or(Unquotable::Overflow)?
            }
        };
        Ok((price.in_units(quote_decimals, base_decimals), *slot))
    }

    pub(super) fn quote(
        &self,
        pools: &Pools,
        input_mint: &Key,
        exact_in: bool,
        amount_raw: u64,
    ) -> Result<Quote, Unquotable> {
        let snapshot = self.snapshot(pools)?;
        let state = &snapshot.state;
        let input = Self::side(state, input_mint)?;
        self.check_vaults(pools, state)?;
        let [decimals_in, decimals_out] = input.order(self.decimals(pools, state)?);
        let [fee_in, fee_out] = input.order(self.transfer_fees(pools, state)?);
        if amount_raw == 0 {
            return Err(Unquotable::TooSmall);
        }
        let overflow = Unquotable::Overflow;
        // What the pool itself takes or pays.
        let pool_raw = if exact_in {
            let fee_raw = fee_in.of(amount_raw).ok_or(overflow)?;
            amount_raw.checked_sub(fee_raw).ok_or(Unquotable::TooSmall)?
        } else {
            fee_out.gross(amount_raw).ok_or(overflow)?
        };
        let swap = self.swap(pools, snapshot, input, exact_in, pool_raw)?;
        let in_raw = if exact_in && swap.in_raw == pool_raw {
            amount_raw
        } else {
            fee_in.gross(swap.in_raw).ok_or(overflow)?
        };
        let transfer_fee_out_raw = fee_out.of(swap.out_raw).ok_or(overflow)?;
        let out_raw = swap.out_raw.checked_sub(transfer_fee_out_raw).filter(|out| *out > 0);
        Ok(Quote {
            in_raw,
            out_raw: out_raw.ok_or(Unquotable::TooSmall)?,
            fee_in_raw: swap.fee_in_raw,
            fee_out_raw: swap.fee_out_raw,
            transfer_fee_in_raw: in_raw.saturating_sub(swap.in_raw),
            transfer_fee_out_raw,
            slot: snapshot.slot,
            price_before: swap.price_before.in_units(decimals_out, decimals_in),
            price_after: swap.price_after.in_units(decimals_out, decimals_in),
        })
    }

    fn swap(
        &self,
        pools: &Pools,
        snapshot: &Snapshot,
        input: Side,
        exact_in: bool,
        amount_raw: u64,
    ) -> Result<Swap, Unquotable> {
        let vaults_raw = snapshot.vaults_raw;
        let now_s = pools.clock.map(|clock| clock.unix_time_s);
        match &snapshot.state {
            PoolState::RaydiumAmm(pool) => {
                pool.check_open(now_s)?;
                if exact_in {
                    pool.exact_in(vaults_raw, input, amount_raw)
                } else {
                    pool.exact_out(vaults_raw, input, amount_raw)
                }
            }
            PoolState::RaydiumCpmm(pool) => {
                pool.check_open(now_s)?;
                let account = self.part(pools, self.config)?;
                let Content::CpmmConfig(config) = &account.content else {
                    return Err(account.reason());
                };
                if exact_in {
                    pool.exact_in(config, vaults_raw, input, amount_raw)
                } else {
                    pool.exact_out(config, vaults_raw, input, amount_raw)
                }
            }
            PoolState::PumpSwap(pool) => {
                let rules = self.pumpswap_rules(pools)?;
                if exact_in {
                    pool.exact_in(&rules, vaults_raw, input, amount_raw)
                } else {
                    pool.exact_out(&rules, vaults_raw, input, amount_raw)
                }
            }
            PoolState::Whirlpool(pool) => {
                let arrays = self.swap_arrays(pools, pool, input);
                pool.swap(arrays, input, exact_in, amount_raw).map(|(swap, _)| swap)
            }
        }
    }

    /// Returns the known ones of the three arrays that a swap names.
    fn swap_arrays<'p>(
        &self,
        pools: &'p Pools,
        pool: &Whirlpool,
        input: Side,
    ) -> [Option<&'p TickArray>; 3] {
        pool.array_starts(input == Side::A).map(|start| {
            let account = pools.accounts.get(*self.arrays.get(&start)?)?;
            match &account.content {
                Content::TickArray(array) => Some(array),
                _ => None,
            }
        })
    }

    fn pumpswap_rules<'p>(&self, pools: &'p Pools) -> Result<PumpSwapRules<'p>, Unquotable> {
        let (config, fees) = (self.part(pools, self.config)?, self.part(pools, self.fees)?);
        let Content::PumpSwapGlobal(global) = &config.content else { return Err(config.reason()) };
        let Content::PumpSwapFees(fees) = &fees.content else { return Err(fees.reason()) };
        let supply_raw = self.mint(pools, 0)?.0.supply_raw;
        Ok(PumpSwapRules { global, fees, canonical: self.canonical, supply_raw })
    }
}
