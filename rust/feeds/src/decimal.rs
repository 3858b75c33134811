//! Decimal to binary: `mantissa * 10^exponent` as an `f64`, correctly rounded.

/// Powers of ten that an `f64` holds exactly.
const EXACT_POW10: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

/// Powers of five that a `u64` holds.
#[expect(clippy::indexing_slicing, reason = "a constant: out of bounds would not compile")]
const POW5: [u64; 28] = {
    let mut powers = [1_u64; 28];
    let mut index = 1;
    while index < 28 {
        powers[index] = powers[index - 1] * 5;
        index += 1;
    }
    powers
};

/// `floor(2^scale / 5^k)`, 128 bits with the top bit set.
#[derive(Clone, Copy)]
struct InversePow5 {
    high: u64,
    low: u64,
    scale: u32,
}

/// Inverses of [`POW5`].
#[expect(clippy::indexing_slicing, reason = "a constant: out of bounds would not compile")]
const INVERSE_POW5: [InversePow5; 28] = {
    let mut inverses = [InversePow5 { high: 1 << 63, low: 0, scale: 127 }; 28];
    let mut index = 1;
    while index < 28 {
        let divisor = POW5[index] as u128;
        // 2^(bits - 1) < 5^k < 2^bits, so 2^(127 + bits) / 5^k has 128 bits.
        let scale = 127 + (u64::BITS - POW5[index].leading_zeros());
        // Schoolbook division of 2^scale, 64 bits at a time from the top.
        let first = 1_u128 << (scale - 128);
        let second = (first % divisor) << 64;
        let third = (second % divisor) << 64;
        inverses[index] =
            InversePow5 { high: halves(second / divisor).1, low: halves(third / divisor).1, scale };
        index += 1;
    }
    inverses
};

/// Returns `mantissa * 10^exponent`, correctly rounded, or `None` outside the short cuts.
#[inline]
pub(crate) fn scaled(mantissa: u64, exponent: i64) -> Option<f64> {
    // First the one that takes nearly all prices, so that the branch is easy to predict.
    if exponent < 0
        && let Ok(power) = usize::try_from(exponent.unsigned_abs())
        && let Some(number) = multiplied(mantissa, power)
    {
        return Some(number);
    }
    exact(mantissa, exponent)
}

/// As [`scaled`], by one operation on exact numbers or an exact division.
#[expect(clippy::cast_precision_loss, reason = "exact below 2^53, else the one rounding wanted")]
fn exact(mantissa: u64, exponent: i64) -> Option<f64> {
    if mantissa < 1 << 53 || exponent == 0 {
        // Both factors are exact, so the one operation rounds once (Clinger 1990).
        let number = mantissa as f64;
        let power = *EXACT_POW10.get(usize::try_from(exponent.unsigned_abs()).ok()?)?;
        return Some(if exponent < 0 { number / power } else { number * power });
    }
    divided(mantissa, usize::try_from(exponent.checked_neg()?).ok()?)
}

/// Returns `mantissa / 10^power` correctly rounded, or `None` for 0 and where the
/// inverse in the table is not precise enough to tell.
///
/// Derivation: the table truncates, and the lowest 64 bits of the product are dropped, so the
/// true product lies less than two units above the 128 bits kept. Rounding compares them with a
/// bound whose low 64 bits are 0; only there, and up to two units below, could it go wrong.
#[inline]
fn multiplied(mantissa: u64, power: usize) -> Option<f64> {
    let inverse = INVERSE_POW5.get(power)?;
    if mantissa == 0 {
        return None;
    }
    let mantissa_shift = mantissa.leading_zeros();
    let mantissa = u128::from(mantissa << mantissa_shift);
    let product =
        mantissa * u128::from(inverse.high) + ((mantissa * u128::from(inverse.low)) >> 64);
    let (high, low) = halves(product);
    if low == 0 || low >= u64::MAX - 1 {
        return None;
    }
    let power = 128 + 63 - i64::from(inverse.scale) - i64::from(mantissa_shift) - small(power);
    Some(rounded(high, true, power))
}

/// As [`multiplied`], by an exact division.
#[cold]
fn divided(mantissa: u64, power: usize) -> Option<f64> {
    let divisor = *POW5.get(power)?;
    let (mantissa_shift, divisor_shift) = (mantissa.leading_zeros(), divisor.leading_zeros());
    let numerator = u128::from(mantissa << mantissa_shift) << 63;
    let divisor = u128::from(divisor << divisor_shift);
    // Both have their top bit set, so the quotient has 63 or 64 bits.
    let quotient = numerator / divisor;
    let power = i64::from(divisor_shift) - i64::from(mantissa_shift) - small(power);
    Some(rounded(halves(quotient).1, quotient * divisor != numerator, power))
}

/// Returns `bits * 2^(power - 63)` rounded to nearest, ties to even; `more` tells of anything
/// below the last bit. `bits` has 63 or 64 bits, the result is far from both ends of the format.
#[inline]
fn rounded(bits: u64, more: bool, power: i64) -> f64 {
    let shift = bits.leading_zeros();
    let bits = bits << shift;
    let (kept, below) = (bits >> 11, bits & 0x7FF);
    // Without branches: which way a price rounds cannot be predicted.
    let up = below + (u64::from(more) | (kept & 1)) > 0x400;
    // `kept` still holds the implicit bit: it adds one to the exponent field.
    let field = power - i64::from(shift) + 1022;
    f64::from_bits((field.cast_unsigned() << 52) + kept + u64::from(up))
}

/// Splits into the high and low 64 bits.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "the halves are what is wanted")]
const fn halves(wide: u128) -> (u64, u64) {
    ((wide >> 64) as u64, wide as u64)
}

/// Widens an index into a table of 28.
#[inline]
fn small(index: usize) -> i64 {
    i64::try_from(index).unwrap_or(0)
}
