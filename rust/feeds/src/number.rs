//! JSON numbers, read exactly as `str::parse::<f64>` reads them (correctly rounded).

use crate::decimal::scaled;

/// Powers of ten that a `u64` holds.
#[expect(clippy::indexing_slicing, reason = "a constant: out of bounds would not compile")]
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
#[inline]
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
#[inline]
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
#[inline(always)]
#[expect(clippy::inline_always, reason = "its pair of results would go through memory")]
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

/// As [`number`], out of line; its length is 0 if there is none. A pair of registers, so that
/// the scan's position need not live in memory.
#[inline(never)]
pub(crate) fn prefix(bytes: &[u8]) -> (f64, usize) {
    number(bytes).unwrap_or((0.0, 0))
}

/// Reads an integer without sign, fraction or power, of at most 19 digits; length 0 if none.
///
/// Digit by digit: most have ten at the most.
#[inline]
pub(crate) fn integer(bytes: &[u8]) -> (u64, usize) {
    let (mut value, mut count) = (0_u64, 0);
    for &byte in bytes {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        value = value.wrapping_mul(10).wrapping_add(digit.into());
        count += 1;
    }
    let leading_zero = count > 1 && bytes.first() == Some(&b'0');
    match bytes.get(count) {
        Some(b'.' | b'e' | b'E') => (0, 0),
        _ if leading_zero || count > DIGITS_MAX => (0, 0),
        _ => (value, count),
    }
}

/// Returns the length of the JSON number at the start of `bytes`, 0 if there is none.
#[inline(never)]
pub(crate) fn length(bytes: &[u8]) -> usize {
    checked_length(bytes).unwrap_or(0)
}

#[inline]
fn checked_length(bytes: &[u8]) -> Option<usize> {
    let mut at = usize::from(bytes.first() == Some(&b'-'));
    let whole = digit_count(bytes.get(at..)?);
    if whole == 0 || (whole > 1 && bytes.get(at) == Some(&b'0')) {
        return None;
    }
    at += whole;
    if bytes.get(at) == Some(&b'.') {
        let fraction = digit_count(bytes.get(at + 1..)?);
        if fraction == 0 {
            return None;
        }
        at += fraction + 1;
    }
    if let Some(b'e' | b'E') = bytes.get(at) {
        at += 1 + usize::from(matches!(bytes.get(at + 1), Some(b'-' | b'+')));
        let power = digit_count(bytes.get(at..)?);
        if power == 0 {
            return None;
        }
        at += power;
    }
    Some(at)
}

/// Reads a whole text as a JSON number; a source's "price" string. Infinite if beyond `f64`.
pub(crate) fn number_text(text: &[u8]) -> Option<f64> {
    match number(text) {
        Some((value, length)) if length == text.len() => Some(value),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{number, number_text};
    use proptest::prelude::*;

    fn same(text: &str) {
        let expected: f64 = text.parse().unwrap();
        let (value, length) = number(text.as_bytes()).unwrap();
        assert_eq!((value.to_bits(), length), (expected.to_bits(), text.len()), "{text}");
    }

    /// Ties between two doubles (2^53 + 1 and its like), the last digit's neighbours, exact
    /// quotients, both ends of the format, and counts of digits around every short cut.
    #[test]
    fn number_at_the_edges_is_what_rust_reads() {
        for text in [
            "0",
            "-0",
            "0.0",
            "-0.0",
            "0e5",
            "1",
            "0.5",
            "100.00",
            "9007199254740993",
            "9007199254740992.5",
            "9007199254740993.0",
            "900719925474099.25",
            "9007199254740993e-1",
            "18446744073709551615",
            "18446744073709551616",
            "9999999999999999999",
            "99999999999999999999",
            "0.00000000000000000000000000001",
            "123456789012345678e-27",
            "123456789012345678e-28",
            "1e22",
            "1e23",
            "1e308",
            "1e309",
            "-1e400",
            "1e-400",
            "5e-324",
            "1e9999999999999999999999",
            "1e-9999999999999999999999",
            "0.1234567890123456789",
            "0.12345678901234567890",
            "0.000000000000000000012345678901234567",
            "12345678.12345678",
            "3.1e+2",
        ] {
            same(text);
        }
    }

    #[test]
    fn number_outside_the_grammar_is_none() {
        for text in ["", "-", "+1", ".5", "1.", "1.e5", "01", "-01", "1e", "1e+", "NaN", "inf"] {
            assert_eq!(number_text(text.as_bytes()), None, "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn number_of_any_digits_is_what_rust_reads(
            text in "-?(0|[1-9][0-9]{0,21})(\\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?",
        ) {
            same(&text);
        }

        #[test]
        fn number_of_any_double_is_read_back(bits in any::<u64>()) {
            let value = f64::from_bits(bits);
            prop_assume!(value.is_finite());
            same(&format!("{value:e}"));
            same(&format!("{value:.17e}"));
        }

        /// Prices: halfway cases of short decimals are where a wrong rounding would show.
        #[test]
        fn number_of_any_price_is_what_rust_reads(mantissa in any::<u64>(), point in 0..27_usize) {
            let digits = format!("{mantissa:028}");
            let (whole, fraction) = digits.split_at(28 - point);
            let whole = whole.trim_start_matches('0');
            let whole = if whole.is_empty() { "0" } else { whole };
            if fraction.is_empty() { same(whole) } else { same(&format!("{whole}.{fraction}")) }
        }
    }
}
