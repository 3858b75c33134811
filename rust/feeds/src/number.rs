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
        let nibbles = word ^ 0x3030_3030_3030_3030;
        let others =
            (nibbles.wrapping_add(0x7676_7676_7676_7676) | nibbles) & 0x8080_8080_8080_8080;
        if others == 0 {
            value = value.wrapping_mul(100_000_000).wrapping_add(eight_digits(nibbles));
            count += 8;
            continue;
        }
        let run = others.trailing_zeros() / 8;
        if run > 0 {
            // Shifted up, the digits follow leading zeros.
            let digits = eight_digits(nibbles << (64 - 8 * run));
            let run = run as usize;
            let scale = POW10.get(run).copied().unwrap_or(1);
            value = value.wrapping_mul(scale).wrapping_add(digits);
            count += run;
        }
        return Digits { value, count };
    }
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

/// Reads the JSON number at the start of `text`: its value (infinite if beyond `f64`) and length.
///
/// Returns `None` if there is no number in JSON's grammar.
#[inline]
pub(crate) fn number(text: &str) -> Option<(f64, usize)> {
    let bytes = text.as_bytes();
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
        None => text.get(..at)?.parse().ok()?,
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
#[expect(clippy::cast_precision_loss, reason = "exact below 2^53, else the one rounding wanted")]
fn scaled(mantissa: u64, exponent: i64) -> Option<f64> {
    if mantissa < 1 << 53 || exponent == 0 {
        // Both factors are exact, so the one operation rounds once (Clinger 1990).
        let number = mantissa as f64;
        let power = *EXACT_POW10.get(usize::try_from(exponent.unsigned_abs()).ok()?)?;
        if exponent >= 0 {
            return Some(number * power);
        }
        return Some(number / power);
    }
    let divisor = *POW5.get(usize::try_from(exponent.checked_neg()?).ok()?)?;
    Some(divided(mantissa, divisor, exponent))
}

/// Returns `mantissa / 5^k / 2^k` for `k = -exponent`, `mantissa` >= 2^53, correctly rounded.
///
/// Derivation: with both normalised to a set top bit, `q = floor(M * 2^63 / D)` has 63 or 64
/// bits, and the remainder tells whether anything lies below, so rounding to 53 bits is exact.
/// The result is between 2^53 / 10^27 and 2^64, far from both ends of the format.
#[inline]
fn divided(mantissa: u64, divisor: u64, exponent: i64) -> f64 {
    let (mantissa_shift, divisor_shift) = (mantissa.leading_zeros(), divisor.leading_zeros());
    let numerator = u128::from(mantissa << mantissa_shift) << 63;
    let divisor = u128::from(divisor << divisor_shift);
    let quotient = numerator / divisor;
    let rest = quotient * divisor != numerator;
    let Ok(quotient) = u64::try_from(quotient) else { return f64::NAN };
    let shift = quotient.leading_zeros();
    let quotient = quotient << shift;
    let (kept, below) = (quotient >> 11, quotient & 0x7FF);
    let up = below > 0x400 || (below == 0x400 && (rest || kept & 1 == 1));
    let power =
        i64::from(divisor_shift) - i64::from(mantissa_shift) + exponent - i64::from(shift) + 1023;
    // `kept` still holds the implicit bit: it adds one to the exponent field, hence `power - 1`.
    let bits = (power - 1).cast_unsigned() << 52;
    f64::from_bits(bits + kept + u64::from(up))
}

/// Reads a whole text as a JSON number; a source's "price" string. Infinite if beyond `f64`.
#[inline]
pub(crate) fn number_text(text: &str) -> Option<f64> {
    match number(text) {
        Some((value, length)) if length == text.len() => Some(value),
        _ => None,
    }
}
