//! Statistics of an instrument's own log price.

use serde::{Deserialize, Serialize};
use utb_types::{StatFeatures, Value};

use crate::sum::{WideSum, count_f64};

/// Slides after which the sums are taken anew.
const REFRESH_SLIDES: u32 = 1024;

/// Sums are taken anew around the window's mean when that is more than this many squared standard
/// deviations from the anchor: squares then lose at most four of their sixteen digits.
const REFRESH_DISTANCE: f64 = 1e4;

/// Sums of squares this much smaller than their largest since the last refresh are taken anew.
const REFRESH_FALL: f64 = 1e-12;

/// A logarithm is good to about this share of itself; a deviation below it is none.
const LOG_NOISE: f64 = 1e-14;

/// Mean, deviation and AR(1) of the log price over a window of closed bars, O(1) per bar.
///
/// The sums are those of the distances from an anchor near the mean, in double-double, so they
/// neither drift nor cancel.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StatWindow {
    /// Log prices; `next` is the oldest one once all are filled.
    logs: Box<[f64]>,
    next: usize,
    len: usize,
    horizon: u32,
    sums: Sums,
}

/// Sums over the window of the distances y of its log prices from `anchor`.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Sums {
    anchor: f64,
    first: f64,
    last: f64,
    total: WideSum,
    squares: WideSum,
    /// Sum of y(t) * y(t-1).
    products: WideSum,
    /// Largest sum of squares since the last refresh.
    peak: f64,
    slides: u32,
}

impl StatWindow {
    /// Starts with nothing seen; features are there once `window` (at least 3) closes are.
    ///
    /// `horizon` is the number of bars ahead of the reversion probability.
    pub fn new(window: usize, horizon: usize) -> Self {
        Self {
            logs: vec![0.0; window.max(3)].into_boxed_slice(),
            next: 0,
            len: 0,
            horizon: u32::try_from(horizon).unwrap_or(u32::MAX),
            sums: Sums::default(),
        }
    }

    /// Takes a close; one that is not positive and finite starts the window again.
    pub fn update(&mut self, close: f64) {
        if !(close > 0.0 && close < f64::INFINITY) {
            self.reset();
            return;
        }
        let log = libm::log(close);
        self.sums = self.advanced(log);
        if let Some(slot) = self.logs.get_mut(self.next) {
            *slot = log;
        }
        self.next = if self.next + 1 >= self.logs.len() { 0 } else { self.next + 1 };
        self.len = (self.len + 1).min(self.logs.len());
    }

    /// Returns the features at the last close.
    pub fn features(&self) -> StatFeatures {
        if self.len < self.logs.len() {
            return StatFeatures::default();
        }
        self.sums.features(count_f64(self.len), self.horizon)
    }

    /// Returns what the features would be after `close`.
    pub fn peek(&self, close: f64) -> StatFeatures {
        if self.len + 1 < self.logs.len() || !(close > 0.0 && close < f64::INFINITY) {
            return StatFeatures::default();
        }
        self.advanced(libm::log(close)).features(count_f64(self.logs.len()), self.horizon)
    }

    /// Forgets everything; the window and the horizon stay.
    pub fn reset(&mut self) {
        *self = Self {
            logs: std::mem::take(&mut self.logs),
            next: 0,
            len: 0,
            horizon: self.horizon,
            sums: Sums::default(),
        };
    }

    fn advanced(&self, log: f64) -> Sums {
        if self.len == 0 {
            return Sums { anchor: log, ..Sums::default() };
        }
        if self.len < self.logs.len() {
            return self.sums.grown(log);
        }
        let oldest = self.logs.get(self.next).copied().unwrap_or_default();
        let after = if self.next + 1 >= self.logs.len() { 0 } else { self.next + 1 };
        let second = self.logs.get(after).copied().unwrap_or_default();
        let sums = self.sums.slid(oldest, second, log);
        if sums.is_worn(count_f64(self.len)) { self.taken_anew(log) } else { sums }
    }

    /// Sums of the window in which `newest` has replaced the oldest, around its mean.
    #[cold]
    fn taken_anew(&self, newest: f64) -> Sums {
        let (recent, old) = self.logs.split_at_checked(self.next).unwrap_or_default();
        let window = || old.iter().skip(1).chain(recent).copied().chain(std::iter::once(newest));
        let mean = window().fold(WideSum::default(), WideSum::plus).over(count_f64(self.len));
        let mut logs = window();
        let oldest = logs.next().unwrap_or(newest) - mean;
        let start = Sums {
            anchor: mean,
            first: oldest,
            last: oldest,
            total: WideSum::default().plus(oldest),
            squares: WideSum::default().plus(oldest * oldest),
            ..Sums::default()
        };
        let sums = logs.fold(start, Sums::grown);
        Sums { peak: sums.squares.value(), ..sums }
    }
}

impl Sums {
    fn grown(self, log: f64) -> Self {
        let y = log - self.anchor;
        let squares = self.squares.plus(y * y);
        Self {
            last: y,
            total: self.total.plus(y),
            squares,
            products: self.products.plus(y * self.last),
            peak: self.peak.max(squares.value()),
            ..self
        }
    }

    fn slid(self, oldest: f64, second: f64, log: f64) -> Self {
        let (gone, first) = (oldest - self.anchor, second - self.anchor);
        let grown = self.grown(log);
        Self {
            first,
            total: grown.total.plus(-gone),
            squares: grown.squares.plus(-(gone * gone)),
            products: grown.products.plus(-(gone * first)),
            slides: self.slides + 1,
            ..grown
        }
    }

    fn is_worn(&self, count: f64) -> bool {
        let squares = self.squares.value();
        let mean = self.total.value() / count;
        self.slides >= REFRESH_SLIDES
            || squares < self.peak * REFRESH_FALL
            || mean * mean > REFRESH_DISTANCE * (squares / count - mean * mean)
    }

    fn features(&self, count: f64, horizon: u32) -> StatFeatures {
        let mean = self.total.over(count);
        let mean_log = self.anchor + mean;
        let deviation = (self.squares.over(count) - mean * mean).max(0.0).sqrt();
        let known = StatFeatures {
            mean_log: Value::new(mean_log),
            std_log: Value::new(deviation),
            ..StatFeatures::default()
        };
        if deviation <= LOG_NOISE * mean_log.abs().max(1.0) {
            return StatFeatures { std_log: Value::new(0.0), ..known };
        }
        let distance = self.last - mean;
        let probability = self.autoregression(count, mean).reversion(distance.abs(), horizon);
        StatFeatures {
            z: Value::new(distance / deviation),
            reversion_probability: Value::new(probability),
            ..known
        }
    }

    /// Least squares of x(t) on x(t-1), x being the distances from the window's mean.
    fn autoregression(&self, count: f64, mean: f64) -> Autoregression {
        let (total, squares) = (self.total.value(), self.squares.value());
        let pairs = count - 1.0;
        let centred = |products: f64, sums: f64| products - mean * sums + pairs * mean * mean;
        let earlier = centred(squares - self.last * self.last, 2.0 * (total - self.last));
        let later = centred(squares - self.first * self.first, 2.0 * (total - self.first));
        let both = centred(self.products.value(), 2.0 * total - self.first - self.last);
        if earlier <= 0.0 {
            return Autoregression { coefficient: 0.0, variance: (later / pairs).max(0.0) };
        }
        let coefficient = both / earlier;
        Autoregression { coefficient, variance: ((later - coefficient * both) / pairs).max(0.0) }
    }
}

/// x(t) = coefficient * x(t-1) + noise of that variance.
#[derive(Clone, Copy, Debug)]
struct Autoregression {
    coefficient: f64,
    variance: f64,
}

impl Autoregression {
    /// Returns P(|x(t + horizon)| < |x(t)|/2) for |x(t)| = `distance`.
    ///
    /// The future distance is normal with mean `coefficient^horizon` times the present one and
    /// variance `variance * (1 - coefficient^(2 horizon)) / (1 - coefficient^2)`. A coefficient of
    /// 1 or more does not revert: 0. One of 0 or less has no Ornstein-Uhlenbeck process; the AR(1)
    /// itself is taken, down to -1, from where it does not settle either: 0.
    fn reversion(self, distance: f64, horizon: u32) -> f64 {
        if self.coefficient >= 1.0 || self.coefficient <= -1.0 {
            return 0.0;
        }
        let decay = power(self.coefficient, horizon);
        let spread = (1.0 - decay * decay) / (1.0 - self.coefficient * self.coefficient);
        let deviation = (self.variance * spread).sqrt();
        let (mean, half) = (decay * distance, 0.5 * distance);
        if deviation <= 0.0 {
            return if mean.abs() < half { 1.0 } else { 0.0 };
        }
        let below = |bound: f64| normal_below((bound - mean) / deviation);
        (below(half) - below(-half)).clamp(0.0, 1.0)
    }
}

/// Returns P(X < x) of a standard normal X.
fn normal_below(x: f64) -> f64 {
    0.5 * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2)
}

/// Returns `base`^`exponent` by squaring: the same bits everywhere, which `powi` does not promise.
fn power(base: f64, mut exponent: u32) -> f64 {
    let (mut result, mut square) = (1.0, base);
    while exponent > 0 {
        if exponent & 1 == 1 {
            result *= square;
        }
        square *= square;
        exponent >>= 1;
    }
    result
}

#[cfg(test)]
#[path = "stat_tests.rs"]
mod tests;
