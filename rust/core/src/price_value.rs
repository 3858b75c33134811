//! A pool's exact price as the float that signals and displays use.

use utb_solana::pool::Price;

/// Powers of ten, as mints' decimals differ.
const TENS: [f64; 19] = [
    1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18,
];

/// Returns the price in whole units, finite, >= 0; within 3 roundings of the exact one.
#[expect(clippy::cast_precision_loss, reason = "a float is asked for")]
pub fn price_value(price: Price) -> f64 {
    let power = usize::try_from(price.decimals.unsigned_abs()).unwrap_or(usize::MAX);
    let scale = TENS.get(power).copied().unwrap_or_else(|| 10_f64.powi(price.decimals.abs()));
    // A pool's exponent is within -256..=256: a normal number's, put into its place.
    let two = u64::try_from(1023 + i64::from(price.exponent)).unwrap_or_default() << 52;
    let value = price.mantissa as f64 * f64::from_bits(two);
    if price.decimals < 0 { value / scale } else { value * scale }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2^63 * 2^-62 = 2, with 6 decimals less or more.
    #[test]
    fn decimals_move_the_point() {
        let price = |decimals| price_value(Price { mantissa: 1 << 63, exponent: -62, decimals });
        assert_eq!(
            [price(0), price(6), price(-6)].map(f64::to_bits),
            [2.0, 2e6, 2e-6].map(f64::to_bits)
        );
        assert_eq!(price_value(Price::default()).to_bits(), 0);
    }
}
