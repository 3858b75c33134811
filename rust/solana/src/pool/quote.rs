//! What a swap would do, and why it cannot be said.

use ruint::aliases::{U256, U320};
use thiserror::Error;

use crate::Key;

/// One of the two sides of a pool, as its account orders them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The first: coin, token 0, base, token A.
    A,
    /// The second: pc, token 1, quote, token B.
    B,
}

impl Side {
    /// Returns the opposite side.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }

    /// Returns what belongs to this side, then what belongs to the other.
    #[inline]
    pub(crate) fn order<T: Copy>(self, both: [T; 2]) -> [T; 2] {
        let [a, b] = both;
        match self {
            Self::A => [a, b],
            Self::B => [b, a],
        }
    }
}

/// A price without rounding to a float: `mantissa * 2^exponent * 10^decimals`.
///
/// Units are whole tokens of the one side per whole token of the other; `mantissa` has its highest
/// bit set unless the price is zero, so it is exact to 64 bits. Whoever shows it converts it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Price {
    /// Leading 64 bits.
    pub mantissa: u64,
    /// Power of two.
    pub exponent: i32,
    /// Power of ten: decimals of the denominator's mint less those of the numerator's.
    pub decimals: i32,
}

impl Price {
    /// Returns `numerator / denominator` in base units, `None` for a zero denominator.
    ///
    /// Both may have up to 194 bits: a squared root price.
    pub(crate) fn ratio(numerator: U256, denominator: U256) -> Option<Self> {
        if denominator.is_zero() {
            return None;
        }
        if numerator.is_zero() {
            return Some(Self::default());
        }
        let (above, below) = (numerator.bit_len(), denominator.bit_len());
        // Shifted by this much the quotient has 64 or 65 bits.
        let shift = 64 + i32::try_from(below).ok()? - i32::try_from(above).ok()?;
        let places = usize::try_from(shift.unsigned_abs()).ok()?;
        let (numerator, denominator) = (U320::from(numerator), U320::from(denominator));
        let quotient = if shift >= 0 {
            (numerator << places) / denominator
        } else {
            numerator / (denominator << places)
        };
        let surplus = quotient.bit_len().saturating_sub(64);
        Some(Self {
            mantissa: (quotient >> surplus).try_into().ok()?,
            exponent: i32::try_from(surplus).ok()? - shift,
            decimals: 0,
        })
    }

    /// Returns the ratio of two reserves.
    pub(crate) fn of_reserves(numerator: u128, denominator: u128) -> Option<Self> {
        match (u64::try_from(numerator), u64::try_from(denominator)) {
            (Ok(numerator @ 1..), Ok(denominator @ 1..)) => {
                Some(Self::of_words(numerator, denominator))
            }
            _ => Self::ratio(U256::from(numerator), U256::from(denominator)),
        }
    }

    /// [`Price::ratio`] of two positive words: what nearly every pool has, in one division.
    fn of_words(numerator: u64, denominator: u64) -> Self {
        let (above, below) = (numerator.leading_zeros(), denominator.leading_zeros());
        // Both with their highest bit set, so the quotient has 64 or 65 bits.
        let dividend = u128::from(numerator << above) << 64;
        let quotient = dividend / u128::from(denominator << below);
        let surplus = i32::from(quotient >> 64 != 0);
        // Neither has more than 63 leading zeros.
        let shift =
            i32::try_from(below).unwrap_or_default() - i32::try_from(above).unwrap_or_default();
        let mantissa = u64::try_from(quotient >> surplus).unwrap_or_default();
        Self { mantissa, exponent: shift + surplus - 64, decimals: 0 }
    }

    /// Returns a squared root price, Q128.128 with 194 bits at most.
    pub(crate) fn of_square(root: u128) -> Option<Self> {
        let squared = U256::from(root) * U256::from(root);
        let surplus = squared.bit_len().saturating_sub(64);
        Some(Self {
            mantissa: (squared >> surplus).try_into().ok()?,
            exponent: i32::try_from(surplus).ok()? - 128,
            decimals: 0,
        })
    }

    /// Returns the price of whole tokens.
    pub(crate) fn in_units(self, numerator_decimals: u8, denominator_decimals: u8) -> Self {
        Self { decimals: i32::from(denominator_decimals) - i32::from(numerator_decimals), ..self }
    }
}

/// A swap through one pool, without fees of the mints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Swap {
    /// What the pool takes, base units.
    pub in_raw: u64,
    /// What the pool pays, base units.
    pub out_raw: u64,
    /// Fees of the pool in what it takes.
    pub fee_in_raw: u64,
    /// Fees of the pool in what it would have paid.
    pub fee_out_raw: u64,
    /// Output per input at the margin before, without fees, base units.
    pub price_before: Price,
    /// The same afterwards.
    pub price_after: Price,
}

/// What a swap would do to the one who makes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quote {
    /// What leaves the input account, base units, a mint's transfer fee included.
    pub in_raw: u64,
    /// What arrives in the output account, base units, after a mint's transfer fee.
    pub out_raw: u64,
    /// Fees of the pool, base units of the input.
    pub fee_in_raw: u64,
    /// Fees of the pool, base units of the output.
    pub fee_out_raw: u64,
    /// Transfer fee of the input's mint.
    pub transfer_fee_in_raw: u64,
    /// Transfer fee of the output's mint.
    pub transfer_fee_out_raw: u64,
    /// Slot of the balances it was made from.
    pub slot: u64,
    /// Output per input at the margin before, without fees, whole tokens.
    pub price_before: Price,
    /// The same afterwards.
    pub price_after: Price,
}

/// Why there is no quote or price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Unquotable {
    /// The pool was never watched.
    #[error("the pool is not watched")]
    NotWatched,
    /// An account of the pool was not seen yet.
    #[error("an account of the pool was not seen yet")]
    Missing(Key),
    /// An account was seen, but a fork or a gap in the feed took its contents away.
    #[error("an account of the pool is unknown since a fork or a gap in the feed")]
    Stale(Key),
    /// An account does not hold what its place in the pool demands.
    #[error("an account of the pool does not hold what belongs there")]
    Malformed(Key),
    /// The balances seen last belong to different slots for too long.
    #[error("the pool's balances belong to different slots since slot {0}")]
    Apart(u64),
    /// The mint is not one of the pool's.
    #[error("the mint is not one of the pool's two")]
    OtherMint,
    /// The amount is zero, or too small to get anything.
    #[error("the amount is too small to swap")]
    TooSmall,
    /// The pool has less than the swap needs.
    #[error("the pool has too little liquidity for the amount")]
    TooLittleLiquidity,
    /// The swap would leave the tick arrays that a swap can name.
    #[error("the amount crosses more tick arrays than a swap can name")]
    BeyondTickArrays,
    /// The tick array that begins there was not seen yet, and the swap needs it.
    #[error("the tick array from tick {0} was not seen yet")]
    ArrayMissing(i32),
    /// Swaps are switched off.
    #[error("swaps are switched off in this pool")]
    SwapOff,
    /// The pool is not open yet.
    #[error("the pool opens at unix time {0}")]
    NotOpenYet(u64),
    /// The pool's rules depend on chain time, which is not known.
    #[error("the chain's clock is not known")]
    ClockUnknown,
    /// A Whirlpool whose fee changes with volatility.
    #[error("adaptive-fee Whirlpools are not quoted")]
    AdaptiveFee,
    /// A mint of the pool has an extension under which the amounts cannot be foreseen.
    #[error("the mint has Token-2022 extension {0}, under which a swap cannot be quoted")]
    MintExtension(u16),
    /// The program has no instruction for an exact output on this side.
    #[error("the program cannot swap for an exact output on this side")]
    NoExactOut,
    /// A sum that fits no account: a broken pool or an absurd amount.
    #[error("the swap's amounts exceed 64 bits")]
    Overflow,
}

#[cfg(test)]
mod tests {
    use ruint::aliases::U256;

    use super::{Price, Side};

    #[test]
    fn test_price_ratio_keeps_64_bits() {
        // 3 / 2 = 0b1.1 -> mantissa 0b11 << 62, exponent -63.
        let price = Price::of_reserves(3, 2).unwrap();
        assert_eq!((price.mantissa, price.exponent), (3 << 62, -63));
        // 1 / 2^100.
        let price = Price::of_reserves(1, 1 << 100).unwrap();
        assert_eq!((price.mantissa, price.exponent), (1 << 63, -163));
        // 2^193 / 2^128.
        let price = Price::ratio(U256::ONE << 193, U256::ONE << 128).unwrap();
        assert_eq!((price.mantissa, price.exponent), (1 << 63, 2));
    }

    #[test]
    fn test_price_of_words_and_of_squares_is_the_general_ratio() {
        let words = [1, 2, 3, 7, 10_000_019, 1 << 40, u64::MAX / 3, u64::MAX - 1, u64::MAX];
        for above in words {
            for below in words {
                let general = Price::ratio(U256::from(above), U256::from(below));
                assert_eq!(Some(Price::of_words(above, below)), general, "{above} / {below}");
            }
        }
        for root in [4_295_048_016, 1 << 64, 7_144_393_258_922_745_856, u128::MAX >> 31] {
            let squared = U256::from(root) * U256::from(root);
            assert_eq!(Price::of_square(root), Price::ratio(squared, U256::ONE << 128));
        }
    }

    #[test]
    fn test_price_of_an_empty_side_is_zero_or_nothing() {
        assert_eq!(Price::of_reserves(0, 1), Some(Price::default()));
        assert_eq!(Price::of_reserves(1, 0), None);
    }

    #[test]
    fn test_side_orders_its_own_first() {
        assert_eq!(Side::A.order([1, 2]), [1, 2]);
        assert_eq!(Side::B.order([1, 2]), [2, 1]);
        assert_eq!(Side::A.other(), Side::B);
    }
}
