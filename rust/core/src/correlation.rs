//! Correlation of hourly log returns between two instruments.

use serde::{Deserialize, Serialize};
use utb_types::{RiskParams, Timeframe};

/// Hours of 30 days; one more close than returns.
const HOURS: i64 = 720;
/// Closes kept: those of the hours and the one before them.
const CLOSES: usize = 721;

/// Closes of the last 30 days on a 1h grid. A missing hour is NaN.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HourCloses {
    /// Logs of the closes by hour number modulo their count.
    logs: Vec<f64>,
    /// Hours since the epoch of the newest one.
    newest: i64,
}

impl HourCloses {
    /// Starts with nothing seen.
    pub fn new() -> Self {
        Self { logs: vec![f64::NAN; CLOSES], newest: i64::MIN }
    }

    /// Takes a closed 1h bar.
    pub fn push(&mut self, open_ns: i64, close: f64) {
        let hour = open_ns.div_euclid(Timeframe::H1.span_ns());
        if hour <= self.newest {
            return;
        }
        let skipped =
            if self.newest == i64::MIN { 0 } else { (hour - self.newest - 1).min(HOURS + 1) };
        for missing in hour - skipped..hour {
            self.put(missing, f64::NAN);
        }
        self.put(hour, libm::log(close));
        self.newest = hour;
    }

    fn put(&mut self, hour: i64, log: f64) {
        if let Some(slot) = self.logs.get_mut(place(hour)) {
            *slot = log;
        }
    }

    /// Log return of an hour, NaN if it or the hour before is missing.
    fn log_return(&self, hour: i64) -> f64 {
        if hour > self.newest || self.newest - hour >= HOURS {
            return f64::NAN;
        }
        let at = |hour| self.logs.get(place(hour)).copied().unwrap_or(f64::NAN);
        at(hour) - at(hour - 1)
    }
}

impl Default for HourCloses {
    fn default() -> Self {
        Self::new()
    }
}

/// Slot of an hour; the remainder is below the number of closes.
fn place(hour: i64) -> usize {
    usize::try_from(hour.rem_euclid(HOURS + 1)).unwrap_or(0)
}

/// Returns Pearson's correlation of the common returns x n/(n + shrink), -1..=1.
///
/// `None` below `correlation_min_samples` common returns, or if one of the two never moved. The
/// 30 days end at the newer of the two last closes; sums run from old to new in two passes.
pub fn correlation(left: &HourCloses, right: &HourCloses, params: &RiskParams) -> Option<f64> {
    let newest = left.newest.max(right.newest);
    if left.newest == i64::MIN || right.newest == i64::MIN {
        return None;
    }
    let pairs = || {
        (newest - HOURS + 1..=newest)
            .map(|hour| (left.log_return(hour), right.log_return(hour)))
            .filter(|(x, y)| !x.is_nan() && !y.is_nan())
    };
    let (count, x_sum, y_sum) =
        pairs().fold((0_u32, 0.0, 0.0), |(count, xs, ys), (x, y)| (count + 1, xs + x, ys + y));
    if count < params.correlation_min_samples.max(2) {
        return None;
    }
    let n = f64::from(count);
    let (x_mean, y_mean) = (x_sum / n, y_sum / n);
    let (xx, yy, xy) = pairs().fold((0.0, 0.0, 0.0), |(xx, yy, xy), (x, y)| {
        let (dx, dy) = (x - x_mean, y - y_mean);
        (xx + dx * dx, yy + dy * dy, xy + dx * dy)
    });
    let scale = (xx * yy).sqrt();
    if scale <= 0.0 || !scale.is_finite() {
        return None;
    }
    Some((xy / scale).clamp(-1.0, 1.0) * n / (n + params.correlation_shrink))
}

#[cfg(test)]
mod tests {
    use utb_types::RiskParams;

    use super::{HOURS, HourCloses, correlation};

    const HOUR_NS: i64 = 3_600_000_000_000;
    const RULES: RiskParams = RiskParams { correlation_min_samples: 4, correlation_shrink: 10.0 };

    fn closes(hours: impl Iterator<Item = (i64, f64)>) -> HourCloses {
        let mut ring = HourCloses::new();
        hours.for_each(|(hour, close)| ring.push(hour * HOUR_NS, close));
        ring
    }

    #[test]
    fn test_correlation_of_opposite_returns_is_minus_one_shrunk() {
        // Log returns 1, 2, 1, 2 and their negatives: r = -1, n = 4, x 4/14.
        let logs = [0.0_f64, 1.0, 3.0, 4.0, 6.0];
        let up = closes((500_000..).zip(logs.map(f64::exp)));
        let down = closes((500_000..).zip(logs.map(|log| (-log).exp())));
        let found = correlation(&up, &down, &RULES).unwrap();
        assert!((found + 4.0 / 14.0).abs() < 1e-12, "{found}");
    }

    #[test]
    fn test_correlation_below_the_minimum_or_without_motion_is_unknown() {
        let logs = [0.0_f64, 1.0, 3.0, 4.0];
        let three = closes((0..).zip(logs.map(f64::exp)));
        assert_eq!(correlation(&three, &three, &RULES), None);
        let still = closes((0..9).map(|hour| (hour, 5.0)));
        assert_eq!(correlation(&still, &still, &RULES), None);
        assert_eq!(correlation(&still, &HourCloses::new(), &RULES), None);
    }

    #[test]
    fn test_correlation_skips_hours_that_one_side_misses() {
        // A missing hour costs two returns: 10 closes without hour 5 leave 7 returns.
        let price = |hour: i64| [1.0, 2.0, 1.5][usize::try_from(hour % 3).unwrap()];
        let whole = closes((0..10).map(|hour| (hour, price(hour))));
        let holed = closes((0..10).filter(|hour| *hour != 5).map(|hour| (hour, price(hour))));
        let found = correlation(&whole, &holed, &RULES).unwrap();
        assert!((found - 7.0 / 17.0).abs() < 1e-12, "{found}");
    }

    #[test]
    fn test_correlation_forgets_what_is_older_than_thirty_days() {
        let ancient =
            closes((0..10).map(|hour| (hour, f64::from(u8::try_from(hour % 3 + 1).unwrap()))));
        let mut late = ancient.clone();
        late.push((HOURS + 20) * HOUR_NS, 1.0);
        assert_eq!(correlation(&ancient, &late, &RULES), None);
    }
}
