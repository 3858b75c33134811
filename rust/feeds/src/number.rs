//! JSON numbers, read exactly as `str::parse::<f64>` reads them (correctly rounded).

/// Powers of ten that an `f64` holds exactly.
const EXACT_POW10: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

/// Powers of five that a `u64` holds.
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

/// Powers of ten that a `u64` holds.
const POW10: [u64; 20] = {
    let mut powers = [1_u64; 20];
    let mut index = 1;
    while index < 20 {
        powers[index] = powers[index - 1] * 10;
        index += 1;
    }
    powers
};

/// Digits whose value always fits a `u64`.
const DIGITS_MAX: usize = 19;

/// A run of decimal digits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Digits {
    /// Value modulo 2^64; exact up to 19 significant digits.
    pub(crate) value: u64,
    /// How many digits.
    pub(crate) count: usize,
}

/// Reads the digits at the start of `bytes`, eight at a time.
#[inline]
pub(crate) fn digits(mut bytes: &[u8]) -> Digits {
    let mut value = 0_u64;
    let mut count = 0;
    loop {
        let word = match bytes.split_first_chunk::<8>() {
            Some((chunk, rest)) => {
                bytes = rest;
                u64::from_le_bytes(*chunk)
            }
            None => tail_word(bytes),
        };
        // A digit's byte becomes 0..=9; adding 0x76 sets the high bit of every other byte.
        let nibbles = word ^ ZEROS;
        // 0 to 8 digits, then shifted up to follow leading zeros; in two steps, for none.
        let run = (others(nibbles).trailing_zeros() / 8) as usize;
        let half = 32 - 4 * run;
        let scale = POW10.get(run).copied().unwrap_or(1);
        let digits = eight_digits((nibbles << half) << half);
        value = value.wrapping_mul(scale).wrapping_add(digits);
        count += run;
        if run < 8 {
            return Digits { value, count };
        }
    }
}

/// Counts the digits at the start of `bytes`.
#[inline(always)]
pub(crate) fn digit_count(mut bytes: &[u8]) -> usize {
    let mut count = 0;
    loop {
        let word = match bytes.split_first_chunk::<8>() {
            Some((chunk, rest)) => {
                bytes = rest;
                u64::from_le_bytes(*chunk)
            }
            None => tail_word(bytes),
        };
        let run = (others(word ^ ZEROS).trailing_zeros() / 8) as usize;
        count += run;
        if run < 8 {
            return count;
        }
    }
}

/// Eight `0` characters.
const ZEROS: u64 = 0x3030_3030_3030_3030;

/// Marks the bytes above 9 by their high bit, exactly up to the first of them.
#[inline(always)]
const fn others(nibbles: u64) -> u64 {
    (nibbles.wrapping_add(0x7676_7676_7676_7676) | nibbles) & 0x8080_8080_8080_8080
}

/// Returns fewer than eight bytes as a word whose missing bytes are no digits.
#[inline]
fn tail_word(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |word, &byte| (word << 8) | u64::from(byte))
}

/// Returns the number of eight digits, the first in the lowest byte.
#[inline]
const fn eight_digits(nibbles: u64) -> u64 {
    const MASK: u64 = 0x0000_00FF_0000_00FF;
    let pairs = nibbles.wrapping_mul(10).wrapping_add(nibbles >> 8);
    let high = (pairs & MASK).wrapping_mul(0x000F_4240_0000_0064);
    let low = ((pairs >> 16) & MASK).wrapping_mul(0x0000_2710_0000_0001);
    high.wrapping_add(low) >> 32
}

/// Reads the JSON number at the start of `bytes`: its value (infinite if beyond `f64`) and length.
///
/// Returns `None` if there is no number in JSON's grammar.
#[inline]
pub(crate) fn number(bytes: &[u8]) -> Option<(f64, usize)> {
    let negative = bytes.first() == Some(&b'-');
    let mut at = usize::from(negative);
    let whole = digits(bytes.get(at..)?);
    if whole.count == 0 || (whole.count > 1 && bytes.get(at) == Some(&b'0')) {
        return None;
    }
    let mut significant = whole.count;
    let mut mantissa = whole.value;
    at += whole.count;
    let mut exponent = 0_i64;
    if bytes.get(at) == Some(&b'.') {
        let fraction = digits(bytes.get(at + 1..)?);
        if fraction.count == 0 {
            return None;
        }
        significant += fraction.count;
        if significant > DIGITS_MAX && whole.value == 0 && whole.count == 1 {
            let zeros = bytes.get(at + 1..)?.iter().take_while(|&&byte| byte == b'0').count();
            significant = fraction.count - zeros.min(fraction.count);
        }
        if significant <= DIGITS_MAX {
            let scale = POW10.get(fraction.count).copied().unwrap_or(0);
            mantissa = mantissa.wrapping_mul(scale).wrapping_add(fraction.value);
        }
        at += fraction.count + 1;
        exponent = -i64::try_from(fraction.count).ok()?;
    }
    if let Some(b'e' | b'E') = bytes.get(at) {
        let (power, length) = power(bytes.get(at + 1..)?)?;
        exponent = exponent.saturating_add(power);
        at += length + 1;
    }
    let magnitude = if significant <= DIGITS_MAX { scaled(mantissa, exponent) } else { None };
    let value = match magnitude {
        Some(magnitude) if negative => -magnitude,
        Some(magnitude) => magnitude,
        None => std::str::from_utf8(bytes.get(..at)?).ok()?.parse().ok()?,
    };
    Some((value, at))
}

/// Reads what follows the `e` of a number: the power of ten and its length.
#[inline]
fn power(bytes: &[u8]) -> Option<(i64, usize)> {
    let sign = usize::from(matches!(bytes.first(), Some(b'-' | b'+')));
    let run = digits(bytes.get(sign..)?);
    if run.count == 0 {
        return None;
    }
    // Beyond 18 digits the value may have wrapped; such a power is decided by `str::parse`,
    // which `scaled` hands over to for anything this large.
    let power = if run.count > 18 { i64::MAX } else { i64::try_from(run.value).ok()? };
    let negative = bytes.first() == Some(&b'-');
    Some((if negative { -power } else { power }, sign + run.count))
}

/// Returns `mantissa * 10^exponent`, correctly rounded, or `None` outside the short cuts.
#[inline]
fn scaled(mantissa: u64, exponent: i64) -> Option<f64> {
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

/// Reads a whole text as a JSON number; a source's "price" string. Infinite if beyond `f64`.
#[inline]
pub(crate) fn number_text(text: &[u8]) -> Option<f64> {
    match number(text) {
        Some((value, length)) if length == text.len() => Some(value),
        _ => None,
    }
}
