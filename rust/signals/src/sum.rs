//! Sums over a moving window that do not drift.

use serde::{Deserialize, Serialize};

use crate::ring::Ring;

/// Slides after which a sum is taken anew, whatever happened: bounds the error of any history.
const REFRESH_SLIDES: u32 = 1024;

/// A sum this much smaller than the largest since the last refresh is taken anew: the error of a
/// double-double sum is 2^-104 of that largest one per slide, so 1e12 leaves 1e-16.
const REFRESH_FALL: f64 = 1e-12;

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

/// The sum of a moving window of non-negative numbers.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct WindowSum {
    sum: WideSum,
    peak: f64,
    slides: u32,
}

impl WindowSum {
    /// Returns the sum with a number added to a window that is not full yet.
    #[inline]
    #[must_use]
    pub fn grown(self, number: f64) -> Self {
        let sum = self.sum.plus(number);
        Self { sum, peak: self.peak.max(sum.high), slides: self.slides }
    }

    /// Returns the sum after `newest` entered and `oldest` left; `window` yields the numbers of
    /// the new window and is only read when the sum must be taken anew.
    #[inline]
    #[must_use]
    pub fn slid(self, newest: f64, oldest: f64, window: impl Iterator<Item = f64>) -> Self {
        let sum = self.sum.plus(newest).plus(-oldest);
        let slides = self.slides + 1;
        if slides >= REFRESH_SLIDES || sum.high < self.peak * REFRESH_FALL {
            return Self::of(window);
        }
        Self { sum, peak: self.peak.max(sum.high), slides }
    }

    /// Returns the sum of `numbers`.
    #[cold]
    pub fn of(numbers: impl Iterator<Item = f64>) -> Self {
        let sum = numbers.fold(WideSum::default(), WideSum::plus);
        Self { sum, peak: sum.high, slides: 0 }
    }

    /// Returns the sum after `newest` enters the last `period` numbers of which `before` holds
    /// those that came earlier.
    #[inline]
    #[must_use]
    pub fn advanced<const N: usize>(self, before: &Ring<N>, period: usize, newest: f64) -> Self {
        match before.back(period) {
            Some(oldest) => {
                let window = before.newest(period - 1).chain(std::iter::once(newest));
                self.slid(newest, oldest, window)
            }
            None => self.grown(newest),
        }
    }

    /// Returns the sum.
    #[inline]
    pub const fn value(self) -> f64 {
        self.sum.high
    }

    /// Returns the sum / `count`.
    #[inline]
    pub fn over(self, count: f64) -> f64 {
        self.sum.over(count)
    }
}

/// Returns the mean and the population standard deviation of the numbers in `before` and `newest`.
///
/// Two passes around `newest`: equal numbers give exactly that number and exactly 0, and nothing
/// is carried from one window to the next.
#[inline]
pub fn moments<const N: usize>(before: &[f64; N], newest: f64) -> (f64, f64) {
    let count = count_f64(N + 1);
    let offset = lanes(before, |number| number - newest) / count;
    // The newest number itself is 0 from itself.
    let squares = lanes(before, |number| {
        let distance = (number - newest) - offset;
        distance * distance
    }) + offset * offset;
    (newest + offset, (squares / count).sqrt())
}

/// Sums `term` of every number in four interleaved lanes, so that the additions do not wait for
/// each other.
#[inline]
fn lanes<const N: usize>(numbers: &[f64; N], term: impl Fn(f64) -> f64) -> f64 {
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
    use super::{WideSum, WindowSum, moments};
    use crate::ring::Ring;

    #[test]
    fn wide_sum_after_a_huge_number_came_and_went_keeps_the_small_one() {
        let sum = WideSum::default().plus(0.1).plus(1e15).plus(-1e15);
        assert_eq!(sum.value().to_bits(), 0.1_f64.to_bits());
    }

    #[test]
    fn window_sum_after_a_fall_of_26_orders_equals_the_direct_sum() {
        let mut ring = Ring::<3>::default();
        let mut sum = WindowSum::default();
        for number in [1e14, 3e14, 2e14, 1e-12, 2e-12, 3e-12] {
            sum = sum.advanced(&ring, 3, number);
            ring.push(number);
        }
        assert!((sum.value() - 6e-12).abs() < 1e-27);
    }

    #[test]
    fn mean_of_equal_numbers_is_that_number() {
        for number in [0.1, 97.34, 1.0 / 3.0, 26_123.77, 1e-9] {
            let mut sum = WindowSum::default();
            for _ in 0..200 {
                sum = sum.grown(number);
            }
            assert_eq!(sum.over(200.0).to_bits(), number.to_bits());
            assert_eq!(moments(&[number; 19], number), (number, 0.0));
        }
    }

    #[test]
    fn moments_of_two_four_six_eight() {
        // Mean 5, squares 9 + 1 + 1 + 9 = 20, 20 / 4 = 5.
        let (mean, deviation) = moments(&[2.0, 4.0, 6.0], 8.0);
        assert!((mean - 5.0).abs() < 1e-15 && (deviation - 5.0_f64.sqrt()).abs() < 1e-15);
    }
}
