//! Products and quotients that do not overflow, rounded as written.

use ruint::aliases::U256;

/// Basis points in a whole.
pub(crate) const BPS: u64 = 10_000;

/// Returns `floor(a * b / divisor)`, `None` if the divisor is 0 or the result does not fit.
#[inline]
pub(crate) fn mul_div_floor(a: u128, b: u128, divisor: u128) -> Option<u128> {
    if divisor == 0 {
        return None;
    }
    if let Some(product) = a.checked_mul(b) {
        return Some(product / divisor);
    }
    (U256::from(a) * U256::from(b) / U256::from(divisor)).try_into().ok()
}

/// Returns `ceil(a * b / divisor)`, `None` if the divisor is 0 or the result does not fit.
#[inline]
pub(crate) fn mul_div_ceil(a: u128, b: u128, divisor: u128) -> Option<u128> {
    if divisor == 0 {
        return None;
    }
    if let Some(product) = a.checked_mul(b) {
        return Some(product.div_ceil(divisor));
    }
    (U256::from(a) * U256::from(b)).div_ceil(U256::from(divisor)).try_into().ok()
}

/// Returns `ceil(amount * rate / whole)` of base units.
#[inline]
pub(crate) fn share_ceil(amount_raw: u64, rate: u64, whole: u64) -> Option<u64> {
    narrow(mul_div_ceil(amount_raw.into(), rate.into(), whole.into())?)
}

/// Returns `floor(amount * rate / whole)` of base units.
#[inline]
pub(crate) fn share_floor(amount_raw: u64, rate: u64, whole: u64) -> Option<u64> {
    narrow(mul_div_floor(amount_raw.into(), rate.into(), whole.into())?)
}

/// Returns the amount as base units, `None` beyond 64 bits.
#[inline]
pub(crate) fn narrow(amount: u128) -> Option<u64> {
    u64::try_from(amount).ok()
}

#[cfg(test)]
mod tests {
    use super::{mul_div_ceil, mul_div_floor, share_ceil, share_floor};

    #[test]
    fn test_mul_div_beyond_128_bits_is_exact() {
        // (2^127)^2 / 2^127 = 2^127; one more in the product rounds up only when asked.
        let big = 1 << 127;
        assert_eq!(mul_div_floor(big, big, big), Some(big));
        assert_eq!(mul_div_ceil(big, big, big), Some(big));
        assert_eq!(mul_div_floor(u128::MAX, 3, 2), None);
        assert_eq!(mul_div_ceil(u128::MAX, u128::MAX, u128::MAX - 1), None);
        assert_eq!(mul_div_floor(u128::MAX, 2, 4), Some(u128::MAX / 2));
        assert_eq!(mul_div_ceil(u128::MAX, 2, 4), Some(u128::MAX / 2 + 1));
    }

    #[test]
    fn test_mul_div_by_zero_is_nothing() {
        assert_eq!(mul_div_floor(1, 1, 0), None);
        assert_eq!(mul_div_ceil(1, 1, 0), None);
    }

    #[test]
    fn test_share_rounds_as_named() {
        assert_eq!(share_floor(1, 25, 10_000), Some(0));
        assert_eq!(share_ceil(1, 25, 10_000), Some(1));
        assert_eq!(share_ceil(400, 25, 10_000), Some(1));
    }
}
