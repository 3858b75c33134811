//! Raydium AMM v4: constant product, fee on the input.
//!
//! Source: raydium-io/raydium-amm program/src/{state,math,processor}.rs. `coin` is side A, `pc` B.

use super::bytes::{key_at, u64_at};
use super::math::{mul_div_ceil, mul_div_floor, narrow, share_ceil};
use super::{Price, Side, Swap, Unquotable};
use crate::Key;

/// Length of the account, which has no discriminator.
const BYTES: usize = 752;
/// Initialised, swap only: these swap at any time.
const OPEN: [u64; 2] = [1, 6];
/// Waits for its opening time, then swaps.
const WAITING: u64 = 7;

/// A pool's account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RaydiumAmm {
    /// What may be done with the pool.
    pub status: u64,
    /// Decimals of coin and pc.
    pub decimals: [u8; 2],
    /// Swap fee, numerator and denominator.
    pub fee: [u64; 2],
    /// Coins and pc in the vaults that are owed to the protocol, base units.
    pub owed_raw: [u64; 2],
    /// Unix time from which a waiting pool swaps, seconds.
    pub open_time_s: u64,
    /// Vaults of coin and pc.
    pub vaults: [Key; 2],
    /// Mints of coin and pc.
    pub mints: [Key; 2],
}

impl RaydiumAmm {
    /// Reads a pool, or returns `None` if it is something else.
    pub fn decode(data: &[u8]) -> Option<Self> {
        if data.len() != BYTES {
            return None;
        }
        let decimals = |at| u64_at(data, at).and_then(|decimals| u8::try_from(decimals).ok());
        Some(Self {
            status: u64_at(data, 0)?,
            decimals: [decimals(32)?, decimals(40)?],
            fee: [u64_at(data, 176)?, u64_at(data, 184)?],
            owed_raw: [u64_at(data, 192)?, u64_at(data, 200)?],
            open_time_s: u64_at(data, 224)?,
            vaults: [key_at(data, 336)?, key_at(data, 368)?],
            mints: [key_at(data, 400)?, key_at(data, 432)?],
        })
    }

    /// Checks that the pool swaps; `now_s` is the chain's unix time if it is known.
    ///
    /// # Errors
    ///
    /// Returns [`Unquotable`] with the reason if it does not.
    pub fn check_open(&self, now_s: Option<u64>) -> Result<(), Unquotable> {
        match self.status {
            status if OPEN.contains(&status) => Ok(()),
            WAITING => match now_s {
                None => Err(Unquotable::ClockUnknown),
                Some(now_s) if now_s >= self.open_time_s => Ok(()),
                Some(_) => Err(Unquotable::NotOpenYet(self.open_time_s)),
            },
            _ => Err(Unquotable::SwapOff),
        }
    }

    /// Returns whether the pool waits for its opening time.
    pub fn waits(&self) -> bool {
        self.status == WAITING
    }

    /// Returns the reserves, given the vaults' balances.
    ///
    /// # Errors
    ///
    /// Returns [`Unquotable::TooLittleLiquidity`] if a side is empty or owes all it has.
    pub fn reserves(&self, vaults_raw: [u64; 2]) -> Result<[u64; 2], Unquotable> {
        let ([coin, pc], [owed_coin, owed_pc]) = (vaults_raw, self.owed_raw);
        let reserve = |vault: u64, owed| vault.checked_sub(owed).filter(|reserve| *reserve > 0);
        match (reserve(coin, owed_coin), reserve(pc, owed_pc)) {
            (Some(coin), Some(pc)) => Ok([coin, pc]),
            _ => Err(Unquotable::TooLittleLiquidity),
        }
    }

    /// Swaps an exact input: `fee = ceil(in * fee)`, `out = floor(out_reserve * n / (in_reserve + n))`.
    ///
    /// # Errors
    ///
    /// Returns [`Unquotable`] if the pool cannot pay, or pays nothing.
    pub fn exact_in(
        &self,
        vaults_raw: [u64; 2],
        input: Side,
        amount_raw: u64,
    ) -> Result<Swap, Unquotable> {
        let [numerator, denominator] = self.fee;
        let reserves = input.order(self.reserves(vaults_raw)?);
        let fee_raw = share_ceil(amount_raw, numerator, denominator).ok_or(Unquotable::Overflow)?;
        let net_raw = amount_raw.checked_sub(fee_raw).ok_or(Unquotable::TooSmall)?;
        let [reserve_in, reserve_out] = reserves;
        let total_in = u128::from(reserve_in) + u128::from(net_raw);
        let out_raw = mul_div_floor(reserve_out.into(), net_raw.into(), total_in)
            .and_then(narrow)
            .ok_or(Unquotable::Overflow)?;
        finish(reserves, amount_raw, out_raw, fee_raw)
    }

    /// Swaps for an exact output: `b = ceil(in_reserve * out / (out_reserve - out))`,
    /// `in = ceil(b * denominator / (denominator - numerator))`.
    ///
    /// # Errors
    ///
    /// Returns [`Unquotable`] if the pool cannot pay.
    pub fn exact_out(
        &self,
        vaults_raw: [u64; 2],
        input: Side,
        amount_raw: u64,
    ) -> Result<Swap, Unquotable> {
        let [numerator, denominator] = self.fee;
        let reserves = input.order(self.reserves(vaults_raw)?);
        let [reserve_in, reserve_out] = reserves;
        let left = reserve_out
            .checked_sub(amount_raw)
            .filter(|left| *left > 0)
            .ok_or(Unquotable::TooLittleLiquidity)?;
        let kept = denominator.checked_sub(numerator).ok_or(Unquotable::Overflow)?;
        let net_raw = mul_div_ceil(reserve_in.into(), amount_raw.into(), left.into());
        let in_raw = net_raw.and_then(|net| mul_div_ceil(net, denominator.into(), kept.into()));
        let (net_raw, in_raw) = net_raw
            .zip(in_raw)
            .and_then(|(net, gross)| narrow(net).zip(narrow(gross)))
            .ok_or(Unquotable::Overflow)?;
        finish(reserves, in_raw, amount_raw, in_raw.saturating_sub(net_raw))
    }
}

/// Adds the prices before and after; the fee stays in the pool.
fn finish(
    [reserve_in, reserve_out]: [u64; 2],
    in_raw: u64,
    out_raw: u64,
    fee_raw: u64,
) -> Result<Swap, Unquotable> {
    if in_raw == 0 || out_raw == 0 {
        return Err(Unquotable::TooSmall);
    }
    let left = reserve_out
        .checked_sub(out_raw)
        .filter(|left| *left > 0)
        .ok_or(Unquotable::TooLittleLiquidity)?;
    let total_in = reserve_in.checked_add(in_raw).ok_or(Unquotable::Overflow)?;
    let price = |out: u64, into: u64| Price::of_reserves(out.into(), into.into());
    Ok(Swap {
        in_raw,
        out_raw,
        fee_in_raw: fee_raw,
        fee_out_raw: 0,
        price_before: price(reserve_out, reserve_in).ok_or(Unquotable::TooLittleLiquidity)?,
        price_after: price(left, total_in).ok_or(Unquotable::TooLittleLiquidity)?,
    })
}
