//! Swing points: local extremes with 3 lower (higher) bars on both sides.

use serde::{Deserialize, Serialize};

/// Bars on each side.
pub(crate) const SIDE: usize = 3;

const WIDTH: usize = 2 * SIDE + 1;

/// Swing points found at one bar; they lie [`SIDE`] bars back.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Swings {
    /// Price of a swing high.
    pub(crate) high: Option<f64>,
    /// Price of a swing low.
    pub(crate) low: Option<f64>,
}

/// Finds swing points bar by bar.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct SwingDetector {
    highs: [f64; WIDTH],
    lows: [f64; WIDTH],
    /// Bars seen so far.
    count: u64,
}

impl SwingDetector {
    /// Takes a bar and returns what it completes. An extreme that is only equalled counts as none.
    pub(crate) fn update(&mut self, high: f64, low: f64) -> Swings {
        self.highs.rotate_left(1);
        self.lows.rotate_left(1);
        self.highs[WIDTH - 1] = high;
        self.lows[WIDTH - 1] = low;
        self.count += 1;
        if self.count < WIDTH as u64 {
            return Swings::default();
        }
        Swings {
            high: extreme(&self.highs, |other, middle| other < middle),
            low: extreme(&self.lows, |other, middle| other > middle),
        }
    }

    /// Returns the number of bars seen.
    pub(crate) const fn count(&self) -> u64 {
        self.count
    }
}

fn extreme(prices: &[f64; WIDTH], beaten: impl Fn(f64, f64) -> bool) -> Option<f64> {
    let middle = prices[SIDE];
    let beats_all = |others: &[f64]| others.iter().all(|&other| beaten(other, middle));
    let (before, after) = (prices.get(..SIDE)?, prices.get(SIDE + 1..)?);
    (beats_all(before) && beats_all(after)).then_some(middle)
}

#[cfg(test)]
mod tests {
    use super::{SwingDetector, Swings};

    #[test]
    fn swing_high_needs_three_lower_bars_on_both_sides() {
        let mut detector = SwingDetector::default();
        let highs = [1.0, 2.0, 3.0, 4.0, 3.0, 2.0];
        for high in highs {
            assert_eq!(detector.update(high, 0.5), Swings::default());
        }
        assert_eq!(detector.update(1.0, 0.5), Swings { high: Some(4.0), low: None });
    }

    #[test]
    fn swing_high_that_is_equalled_is_none() {
        let mut detector = SwingDetector::default();
        for high in [1.0, 2.0, 3.0, 4.0, 4.0, 2.0, 1.0, 1.0, 1.0] {
            assert_eq!(detector.update(high, 0.5).high, None);
        }
    }
}
