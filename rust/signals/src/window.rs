//! Mean and deviation of a moving window, O(1) per step and without drift.
//!
//! Both keep sums of the distances from an *anchor*, a number of the window itself, and take them
//! anew from the window, around its newest number, after [`REFRESH_SLIDES`] steps and whenever the
//! numbers have moved so far that digits were lost. So the error has a bound that no history can
//! exceed, and equal numbers have exactly themselves as mean and 0 as deviation after a refresh.

use serde::{Deserialize, Serialize};

use crate::ring::Ring;
use crate::sum::{count_f64, lanes};

/// Steps after which the sums are taken anew.
const REFRESH_SLIDES: u32 = 512;

/// Largest distance from the anchor, in means at the last refresh.
///
/// A step adds at most an ulp of the sum, so that the mean errs by at most
/// 2^-53 * 2 * 512 steps * 256 = 2.9e-11 of the mean at the refresh.
const DISTANCE_MAX: f64 = 256.0;

/// Fall of the mean since the last refresh that the bound above can bear: 8 * 2.9e-11 = 2.4e-10.
const FALL_MAX: f64 = 0.125;

/// Least variance against the largest squared distance from the anchor.
///
/// 2^-53 * 2 * 512 steps / 1.2e-4 = 1e-9 bounds the relative error of the variance. Around one of
/// its own 20 numbers it is at least 1/40 of that square, so a refresh never calls for the next.
const VARIANCE_MIN: f64 = 1.2e-4;

/// Mean of the last numbers, all >= 0.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct WindowMean {
    /// NaN until the window is full.
    anchor: f64,
    total: f64,
    distance_max: f64,
    mean_min: f64,
    slides: u32,
}

impl Default for WindowMean {
    fn default() -> Self {
        Self { anchor: f64::NAN, total: 0.0, distance_max: 0.0, mean_min: 0.0, slides: 0 }
    }
}

impl WindowMean {
    /// Lets `newest` enter the window of the last `period` numbers, of which `before` holds those
    /// that came before, and returns the mean: NaN until the window is full. `period` is at most
    /// `N`.
    #[inline]
    pub fn advance<const N: usize>(&mut self, before: &Ring<N>, period: usize, newest: f64) -> f64 {
        let Some(oldest) = before.back(period) else {
            return self.start(before, period, newest);
        };
        let distance = newest - self.anchor;
        self.total += distance - (oldest - self.anchor);
        self.slides = self.slides.wrapping_add(1);
        let mean = self.mean(period);
        let sound = distance.abs() <= self.distance_max
            && mean >= self.mean_min
            && self.slides < REFRESH_SLIDES;
        if sound { mean } else { self.take(before, period, newest) }
    }

    /// Returns the mean, NaN until the window is full.
    #[inline]
    pub fn mean(&self, period: usize) -> f64 {
        self.anchor + self.total * (1.0 / count_f64(period))
    }

    #[cold]
    fn start<const N: usize>(&mut self, before: &Ring<N>, period: usize, newest: f64) -> f64 {
        if before.len() + 1 < period {
            return f64::NAN;
        }
        self.take(before, period, newest)
    }

    #[cold]
    #[inline(never)]
    fn take<const N: usize>(&mut self, before: &Ring<N>, period: usize, newest: f64) -> f64 {
        let (left, right) = before.newest_slices(period - 1);
        let total = lanes(left, |number| number - newest) + lanes(right, |number| number - newest);
        *self = Self { anchor: newest, total, ..Self::default() };
        let mean = self.mean(period);
        self.distance_max = DISTANCE_MAX * mean;
        self.mean_min = FALL_MAX * mean;
        mean
    }
}

/// Mean and population standard deviation of the last 20 numbers of either sign.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct WindowSpread {
    before: Ring<{ WindowSpread::PERIOD }>,
    sums: SpreadSums,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct SpreadSums {
    anchor: f64,
    total: f64,
    squares: f64,
    /// Largest square since the last refresh.
    square_max: f64,
    slides: u32,
}

impl WindowSpread {
    /// Numbers in the window.
    pub const PERIOD: usize = 20;

    /// Takes a number and returns (mean, deviation) of the last 20, NaN until there are 20.
    #[inline]
    pub fn update(&mut self, newest: f64) -> (f64, f64) {
        let moments = self.sums.advance(&self.before, newest);
        self.before.push(newest);
        moments
    }

    /// Returns what [`WindowSpread::update`] would.
    #[inline]
    pub fn peek(&self, newest: f64) -> (f64, f64) {
        let mut sums = self.sums;
        sums.advance(&self.before, newest)
    }
}

type Before = Ring<{ WindowSpread::PERIOD }>;

impl SpreadSums {
    const SHARE: f64 = 1.0 / 20.0;

    #[inline]
    fn advance(&mut self, before: &Before, newest: f64) -> (f64, f64) {
        let Some(oldest) = before.back(WindowSpread::PERIOD) else {
            return self.start(before, newest);
        };
        let (entered, left) = (newest - self.anchor, oldest - self.anchor);
        let square = entered * entered;
        self.total += entered - left;
        self.squares += square - left * left;
        self.square_max = larger(self.square_max, square);
        self.slides = self.slides.wrapping_add(1);
        let (mean, variance) = self.moments();
        if variance >= VARIANCE_MIN * self.square_max && self.slides < REFRESH_SLIDES {
            return (mean, variance.sqrt());
        }
        self.take(before, newest)
    }

    #[inline]
    fn moments(&self) -> (f64, f64) {
        let distance = self.total * Self::SHARE;
        (self.anchor + distance, self.squares * Self::SHARE - distance * distance)
    }

    #[cold]
    fn start(&mut self, before: &Before, newest: f64) -> (f64, f64) {
        if before.len() + 1 == WindowSpread::PERIOD {
            return self.take(before, newest);
        }
        (f64::NAN, f64::NAN)
    }

    #[cold]
    #[inline(never)]
    fn take(&mut self, before: &Before, newest: f64) -> (f64, f64) {
        *self = Self { anchor: newest, ..Self::default() };
        for number in before.newest(WindowSpread::PERIOD - 1) {
            let distance = number - newest;
            let square = distance * distance;
            self.total += distance;
            self.squares += square;
            self.square_max = larger(self.square_max, square);
        }
        let (mean, variance) = self.moments();
        (mean, larger(variance, 0.0).sqrt())
    }
}

/// Returns the larger of two numbers; unlike `f64::max` one instruction, and blind to NaN.
#[inline]
pub(crate) fn larger(left: f64, right: f64) -> f64 {
    if left > right { left } else { right }
}

#[cfg(test)]
#[path = "window_tests.rs"]
mod tests;
