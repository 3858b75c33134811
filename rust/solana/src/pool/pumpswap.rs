//! `PumpSwap`: constant product over a virtual quote reserve, fees in the quote mint.
//!
//! Source: as [`config`], src/sdk/{buy,sell}.ts. Base is side A, quote side B; a buy pays quote.

mod config;

pub use config::{PumpSwapFeeConfig, PumpSwapFees, PumpSwapGlobal, PumpSwapTier, QuoteKind};

use super::bytes::{array_at, i128_at, key_at, u8_at, u16_at, u64_at};
use super::math::{BPS, mul_div_ceil, mul_div_floor, narrow, share_ceil};
use super::{Price, Side, Swap, Unquotable};
use crate::Key;

/// `sha256("account:Pool")`, first eight bytes.
const DISCRIMINATOR: [u8; 8] = [0xf1, 0x9a, 0x6d, 0x04, 0x11, 0xb1, 0x6d, 0xbc];
/// Length of the oldest account: up to the supply of LP tokens.
const BYTES_MIN: usize = 211;
/// Supply that counts for the market cap of a mayhem pool, base units.
const MAYHEM_SUPPLY_RAW: u64 = 1_000_000_000_000_000;
/// Wrapped SOL of the Token program.
const WSOL: Key = Key::known("So11111111111111111111111111111111111111112");
/// Wrapped SOL of Token-2022.
const WSOL_2022: Key = Key::known("9pan9bMn5HatX4EJdBwg9VgCa7Uz5HL8N1m5D3NdXej9");
/// USDC.
const USDC: Key = Key::known("EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v");

/// A pool's account. What an older, shorter account lacks reads as zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PumpSwap {
    /// Number among the creator's pools of these mints.
    pub index: u16,
    /// Who made the pool.
    pub creator: Key,
    /// Base and quote mint.
    pub mints: [Key; 2],
    /// Base and quote vault.
    pub vaults: [Key; 2],
    /// Who gets the creator's fee; the zero key: nobody, and there is no such fee.
    pub coin_creator: Key,
    /// Whether the supply counts as fixed and other recipients get the protocol's fee.
    pub is_mayhem_mode: bool,
    /// Whether a part of the fees goes back to the trader's own account.
    pub is_cashback_coin: bool,
    /// Added to the quote vault's balance in every price, base units.
    pub virtual_quote_raw: i128,
    /// The pool's own creator rate; 0: by the schedule.
    pub creator_fee_bps: u64,
    /// Length of the account's data: below 300 it has to be extended before a swap.
    pub data_len: usize,
}

impl PumpSwap {
    /// Reads a pool, or returns `None` if it is something else.
    pub fn decode(data: &[u8]) -> Option<Self> {
        if data.len() < BYTES_MIN || array_at(data, 0)? != DISCRIMINATOR {
            return None;
        }
        let flag = |at| u8_at(data, at).is_some_and(|flag| flag != 0);
        Some(Self {
            index: u16_at(data, 9)?,
            creator: key_at(data, 11)?,
            mints: [key_at(data, 43)?, key_at(data, 75)?],
            vaults: [key_at(data, 139)?, key_at(data, 171)?],
            coin_creator: key_at(data, 211).unwrap_or_default(),
            is_mayhem_mode: flag(243),
            is_cashback_coin: flag(244),
            virtual_quote_raw: i128_at(data, 245).unwrap_or_default(),
            creator_fee_bps: u64_at(data, 261).unwrap_or_default(),
            data_len: data.len(),
        })
    }

    /// Returns which fee schedule the quote mint puts the pool under.
    pub fn quote_kind(&self) -> QuoteKind {
        let [_, quote] = self.mints;
        if quote == Key::default() || quote == WSOL || quote == WSOL_2022 {
            QuoteKind::Sol
        } else if quote == USDC {
            QuoteKind::Stable
        } else {
            QuoteKind::Exotic
        }
    }

    /// Returns the base vault's balance and the quote vault's with the virtual reserve.
    ///
    /// # Errors
    ///
    /// Returns [`Unquotable::TooLittleLiquidity`] if a side is empty.
    pub fn reserves(&self, vaults_raw: [u64; 2]) -> Result<[u128; 2], Unquotable> {
        let [base, quote] = vaults_raw;
        let quote = i128::from(quote).checked_add(self.virtual_quote_raw);
        let quote = quote.and_then(|quote| u128::try_from(quote).ok()).filter(|quote| *quote > 0);
        // Beyond 96 bits no product below could overflow, and no market is that large.
        match quote {
            Some(quote) if base > 0 && quote < 1 << 96 => Ok([base.into(), quote]),
            _ => Err(Unquotable::TooLittleLiquidity),
        }
    }

    /// Returns the rates that hold at these balances.
    ///
    /// `canonical` says whether the pool graduated from the bonding curve, `supply_raw` is the
    /// base mint's supply.
    ///
    /// # Errors
    ///
    /// Returns [`Unquotable`] if a side is empty or the rates are no rates.
    pub fn fees(
        &self,
        rules: &PumpSwapRules<'_>,
        vaults_raw: [u64; 2],
    ) -> Result<PumpSwapFees, Unquotable> {
        let [base, quote] = self.reserves(vaults_raw)?;
        let supply = if self.is_mayhem_mode { MAYHEM_SUPPLY_RAW } else { rules.supply_raw };
        let market_cap_raw =
            mul_div_floor(quote, supply.into(), base).ok_or(Unquotable::Overflow)?;
        let mut fees = rules.fees.fees(rules.canonical, self.quote_kind(), market_cap_raw);
        if rules.global.creator_fee_configurable && self.creator_fee_bps > 0 {
            fees.creator_bps = self.creator_fee_bps;
        }
        if self.coin_creator == Key::default() {
            fees.creator_bps = 0;
        }
        match fees.total_bps() {
            Some(total) if total < BPS => Ok(fees),
            _ => Err(Unquotable::Overflow),
        }
    }

    /// Swaps an exact input: sells base, or buys with a budget of quote.
    ///
    /// A buy spends up to `amount_raw`; what it spends is `in_raw`.
    ///
    /// # Errors
    ///
    /// Returns [`Unquotable`] if the pool cannot pay, pays nothing or is switched off.
    pub fn exact_in(
        &self,
        rules: &PumpSwapRules<'_>,
        vaults_raw: [u64; 2],
        input: Side,
        amount_raw: u64,
    ) -> Result<Swap, Unquotable> {
        rules.check_on(input)?;
        let fees = self.fees(rules, vaults_raw)?;
        let reserves = self.reserves(vaults_raw)?;
        match input {
            Side::A => sell(reserves, vaults_raw, fees, amount_raw),
            Side::B => buy_with_budget(reserves, fees, amount_raw),
        }
    }

    /// Buys an exact amount of base: `quote = ceil(quote_reserve * base / (base_reserve - base))`
    /// and each fee on top, rounded up.
    ///
    /// # Errors
    ///
    /// Returns [`Unquotable::NoExactOut`] for sells, and as [`PumpSwap::exact_in`].
    pub fn exact_out(
        &self,
        rules: &PumpSwapRules<'_>,
        vaults_raw: [u64; 2],
        input: Side,
        amount_raw: u64,
    ) -> Result<Swap, Unquotable> {
        if input == Side::A {
            return Err(Unquotable::NoExactOut);
        }
        rules.check_on(input)?;
        let fees = self.fees(rules, vaults_raw)?;
        let [base, quote] = self.reserves(vaults_raw)?;
        let left = base
            .checked_sub(amount_raw.into())
            .filter(|left| *left > 0)
            .ok_or(Unquotable::TooLittleLiquidity)?;
        let quote_raw = mul_div_ceil(quote, amount_raw.into(), left)
            .and_then(narrow)
            .ok_or(Unquotable::Overflow)?;
        bought([base, quote], fees, quote_raw, amount_raw)
    }
}

/// What the fees of a swap depend on beside the pool.
#[derive(Clone, Copy, Debug)]
pub struct PumpSwapRules<'a> {
    /// The global configuration.
    pub global: &'a PumpSwapGlobal,
    /// The fee schedule.
    pub fees: &'a PumpSwapFeeConfig,
    /// Whether the pool graduated from the bonding curve.
    pub canonical: bool,
    /// The base mint's supply, base units.
    pub supply_raw: u64,
}

impl PumpSwapRules<'_> {
    fn check_on(&self, input: Side) -> Result<(), Unquotable> {
        let off = if input == Side::A { self.global.sell_off } else { self.global.buy_off };
        if off { Err(Unquotable::SwapOff) } else { Ok(()) }
    }
}

/// The three fees of a quote amount, each rounded up.
#[derive(Clone, Copy, Debug)]
struct Charged {
    lp_raw: u64,
    total_raw: u64,
}

fn charge(fees: PumpSwapFees, quote_raw: u64) -> Result<Charged, Unquotable> {
    let fee = |bps| share_ceil(quote_raw, bps, BPS).ok_or(Unquotable::Overflow);
    let (lp_raw, protocol_raw, creator_raw) =
        (fee(fees.lp_bps)?, fee(fees.protocol_bps)?, fee(fees.creator_bps)?);
    let total_raw = lp_raw
        .checked_add(protocol_raw)
        .and_then(|sum| sum.checked_add(creator_raw))
        .ok_or(Unquotable::Overflow)?;
    Ok(Charged { lp_raw, total_raw })
}

fn sell(
    [base, quote]: [u128; 2],
    [_, quote_vault_raw]: [u64; 2],
    fees: PumpSwapFees,
    amount_raw: u64,
) -> Result<Swap, Unquotable> {
    let total_base = base + u128::from(amount_raw);
    let quote_raw = mul_div_floor(quote, amount_raw.into(), total_base)
        .and_then(narrow)
        .ok_or(Unquotable::Overflow)?;
    let Charged { lp_raw, total_raw } = charge(fees, quote_raw)?;
    let out_raw = quote_raw.checked_sub(total_raw).filter(|out| *out > 0);
    let out_raw = out_raw.ok_or(Unquotable::TooSmall)?;
    // The fee of the pool's owners stays in the vault; the rest has to be there.
    let leaves_raw = quote_raw - lp_raw;
    if quote_vault_raw < leaves_raw {
        return Err(Unquotable::TooLittleLiquidity);
    }
    let price = |out, into| Price::of_reserves(out, into).ok_or(Unquotable::TooLittleLiquidity);
    Ok(Swap {
        in_raw: amount_raw,
        out_raw,
        fee_in_raw: 0,
        fee_out_raw: total_raw,
        price_before: price(quote, base)?,
        price_after: price(quote - u128::from(leaves_raw), total_base)?,
    })
}

fn buy_with_budget(
    reserves: [u128; 2],
    fees: PumpSwapFees,
    budget_raw: u64,
) -> Result<Swap, Unquotable> {
    let whole = u128::from(BPS + fees.total_bps().ok_or(Unquotable::Overflow)?);
    let mut quote_raw = mul_div_floor(budget_raw.into(), BPS.into(), whole)
        .and_then(narrow)
        .ok_or(Unquotable::Overflow)?;
    // Three fees rounded up may exceed the budget by up to two units.
    let spent_raw = quote_raw.saturating_add(charge(fees, quote_raw)?.total_raw);
    quote_raw =
        quote_raw.checked_sub(spent_raw.saturating_sub(budget_raw)).ok_or(Unquotable::TooSmall)?;
    let curve_raw = u128::from(quote_raw.checked_sub(1).ok_or(Unquotable::TooSmall)?);
    let [base, quote] = reserves;
    let base_raw = mul_div_floor(base, curve_raw, quote + curve_raw)
        .and_then(narrow)
        .ok_or(Unquotable::Overflow)?;
    bought(reserves, fees, quote_raw, base_raw)
}

/// Adds fees and prices to a buy for `quote_raw` before fees.
fn bought(
    [base, quote]: [u128; 2],
    fees: PumpSwapFees,
    quote_raw: u64,
    base_raw: u64,
) -> Result<Swap, Unquotable> {
    let Charged { lp_raw, total_raw } = charge(fees, quote_raw)?;
    let in_raw = quote_raw.checked_add(total_raw).ok_or(Unquotable::Overflow)?;
    if base_raw == 0 || in_raw == 0 {
        return Err(Unquotable::TooSmall);
    }
    let left = base
        .checked_sub(base_raw.into())
        .filter(|left| *left > 0)
        .ok_or(Unquotable::TooLittleLiquidity)?;
    let price = |out, into| Price::of_reserves(out, into).ok_or(Unquotable::TooLittleLiquidity);
    Ok(Swap {
        in_raw,
        out_raw: base_raw,
        fee_in_raw: total_raw,
        fee_out_raw: 0,
        price_before: price(base, quote)?,
        price_after: price(left, quote + u128::from(quote_raw) + u128::from(lp_raw))?,
    })
}
