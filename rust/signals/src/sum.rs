//! Sums that keep their digits.

use serde::{Deserialize, Serialize};

/// A sum held in two floats, together about 106 bits.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct WideSum {
    high: f64,
    low: f64,
}

impl WideSum {
    /// Returns the sum with a number added.
    ///
    /// Source: Knuth, The Art of Computer Programming 2, 4.2.2 (the error-free sum of two floats).
    #[inline]
    #[must_use]
    pub fn plus(self, number: f64) -> Self {
        let total = self.high + number;
        let shared = total - self.high;
        let error = (self.high - (total - shared)) + (number - shared);
        let low = self.low + error;
        let high = total + low;
        Self { high, low: low - (high - total) }
    }

    /// Returns the sum as one float.
    #[inline]
    pub const fn value(self) -> f64 {
        self.high
    }

    /// Returns the sum / `count`, correct to the last bit or so: the mean of equal numbers is
    /// that number, so that no comparison between two means is decided by rounding.
    #[inline]
    pub fn over(self, count: f64) -> f64 {
        const UPPER_BITS: u64 = !0x7ff_ffff;
        let quotient = self.high / count;
        // Both parts times a count below 2^26 are exact.
        let upper = f64::from_bits(quotient.to_bits() & UPPER_BITS);
        let lower = quotient - upper;
        let rest = ((self.high - upper * count) - lower * count) + self.low;
        quotient + rest / count
    }
}

/// Sums `term` of every number in four interleaved lanes, so that the additions do not wait for
/// each other.
#[inline]
pub(crate) fn lanes(numbers: &[f64], term: impl Fn(f64) -> f64) -> f64 {
    let mut sums = [0.0; 4];
    let (quads, rest) = numbers.as_chunks::<4>();
    for quad in quads {
        for (sum, &number) in sums.iter_mut().zip(quad) {
            *sum += term(number);
        }
    }
    for (sum, &number) in sums.iter_mut().zip(rest) {
        *sum += term(number);
    }
    let [first, second, third, fourth] = sums;
    (first + third) + (second + fourth)
}

/// Returns a count of at most 2^32 - 1 as a float.
#[inline]
pub fn count_f64(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::{WideSum, lanes};

    #[test]
    fn wide_sum_after_a_huge_number_came_and_went_keeps_the_small_one() {
        let sum = WideSum::default().plus(0.1).plus(1e15).plus(-1e15);
        assert_eq!(sum.value().to_bits(), 0.1_f64.to_bits());
    }

    #[test]
    fn wide_mean_of_equal_numbers_is_that_number() {
        for number in [0.1, 97.34, 1.0 / 3.0, 26_123.77, 1e-9] {
            let sum = (0..500).fold(WideSum::default(), |sum, _| sum.plus(number));
            assert_eq!(sum.over(500.0).to_bits(), number.to_bits());
        }
    }

    #[test]
    fn lanes_take_every_number_once() {
        let numbers = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0];
        assert_eq!(lanes(&numbers, |number| 2.0 * number).to_bits(), 56.0_f64.to_bits());
    }
}
