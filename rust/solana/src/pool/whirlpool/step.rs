//! One step of a swap: along constant liquidity, up to a target price.
//!
//! Source: the formulas of `solana.md` 2.4 (executed against the program), and their inversions
//! for an exact output.

use ruint::aliases::U256;

use crate::pool::Unquotable;

/// Denominator of the fee rate.
const RATE: u64 = 1_000_000;

/// Where a step ends and what it moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) sqrt_price: u128,
    pub(super) in_raw: u64,
    pub(super) out_raw: u64,
    pub(super) fee_raw: u64,
}

/// What a swap was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ask {
    pub(super) a_to_b: bool,
    /// Whether the amount is the input, fee included, or else the output.
    pub(super) exact_in: bool,
    /// Fee out of 1,000,000.
    pub(super) fee_rate: u16,
}

impl Ask {
    /// Moves the price from `sqrt_price` towards `target` until `amount_raw` is used up.
    pub(super) fn step(
        self,
        liquidity: u128,
        sqrt_price: u128,
        target: u128,
        amount_raw: u64,
    ) -> Result<Step, Unquotable> {
        let fee_rate = u64::from(self.fee_rate);
        let kept_rate = RATE.checked_sub(fee_rate).ok_or(Unquotable::Overflow)?;
        let usable_raw = if self.exact_in {
            scaled(amount_raw, kept_rate, RATE).ok_or(Unquotable::Overflow)?
        } else {
            amount_raw
        };
        // More than 64 bits is more than any amount: the target is not reached.
        let needed = self.moved(self.exact_in, liquidity, sqrt_price, target);
        let reached = needed.is_some_and(|needed| needed <= U256::from(usable_raw));
        let next = if reached {
            target
        } else {
            self.next(liquidity, sqrt_price, usable_raw).ok_or(Unquotable::TooLittleLiquidity)?
        };
        let amount = |is_input| {
            let moved = self.moved(is_input, liquidity, sqrt_price, next);
            moved.and_then(|moved| moved.try_into().ok()).ok_or(Unquotable::Overflow)
        };
        let (in_raw, out_raw): (u64, u64) = (amount(true)?, amount(false)?);
        let fee_raw = if self.exact_in && !reached {
            amount_raw.checked_sub(in_raw).ok_or(Unquotable::Overflow)?
        } else {
            let fee = (u128::from(in_raw) * u128::from(fee_rate)).div_ceil(kept_rate.into());
            u64::try_from(fee).map_err(|_| Unquotable::Overflow)?
        };
        let out_raw = if self.exact_in { out_raw } else { out_raw.min(amount_raw) };
        Ok(Step { sqrt_price: next, in_raw, out_raw, fee_raw })
    }

    /// Returns what moves between two prices: the input rounded up, the output down.
    fn moved(self, is_input: bool, liquidity: u128, from: u128, to: u128) -> Option<U256> {
        let (low, high) = (from.min(to), from.max(to));
        let is_a = self.a_to_b == is_input;
        if is_a {
            amount_a(liquidity, low, high, is_input)
        } else {
            amount_b(liquidity, low, high, is_input)
        }
    }

    /// Returns the price after `amount_raw` of the exact side moved.
    fn next(self, liquidity: u128, sqrt_price: u128, amount_raw: u64) -> Option<u128> {
        let (amount, price) = (U256::from(amount_raw), U256::from(sqrt_price));
        if self.a_to_b == self.exact_in {
            // Token A is the exact side.
            let whole: U256 = U256::from(liquidity) << 64;
            let part = amount.checked_mul(price)?;
            let divisor =
                if self.exact_in { whole.checked_add(part)? } else { whole.checked_sub(part)? };
            if divisor.is_zero() {
                return None;
            }
            let product = U256::from(liquidity).checked_mul(price)?.checked_mul(U256::ONE << 64)?;
            return product.div_ceil(divisor).try_into().ok();
        }
        if liquidity == 0 {
            return None;
        }
        let amount: U256 = amount << 64;
        let next = if self.exact_in {
            price.checked_add(amount / U256::from(liquidity))?
        } else {
            price.checked_sub(amount.div_ceil(U256::from(liquidity)))?
        };
        next.try_into().ok()
    }
}

/// Token A between two prices: `(L << 64) * (high - low) / (high * low)`.
fn amount_a(liquidity: u128, low: u128, high: u128, round_up: bool) -> Option<U256> {
    let product = U256::from(liquidity).checked_mul(U256::from(high - low))?;
    let product = product.checked_mul(U256::ONE << 64)?;
    let divisor = U256::from(high) * U256::from(low);
    if divisor.is_zero() {
        return None;
    }
    Some(if round_up { product.div_ceil(divisor) } else { product / divisor })
}

/// Token B between two prices: `L * (high - low) >> 64`.
fn amount_b(liquidity: u128, low: u128, high: u128, round_up: bool) -> Option<U256> {
    let product = U256::from(liquidity).checked_mul(U256::from(high - low))?;
    let whole: U256 = U256::ONE << 64;
    Some(if round_up { product.div_ceil(whole) } else { product / whole })
}

/// Returns `floor(amount * numerator / denominator)`.
fn scaled(amount_raw: u64, numerator: u64, denominator: u64) -> Option<u64> {
    crate::pool::math::share_floor(amount_raw, numerator, denominator)
}
