//! Candlestick and chart patterns on closed bars.
//!
//! Each pattern's definition and strength formula stands at its function.

mod candle;
mod candlestick;
mod chart;

use serde::{Deserialize, Serialize};
use utb_types::{Bar, PatternSignal, Value};

use candle::{Candle, Recent};
use chart::Chart;

/// Names by [`PatternSignal::pattern`]: the bullish ones, then their mirrors in the same order.
pub const NAMES: [&str; 16] = [
    "hammer",
    "bullish_engulfing",
    "morning_star",
    "piercing_line",
    "three_white_soldiers",
    "bullish_harami",
    "double_bottom",
    "inverse_head_and_shoulders",
    "shooting_star",
    "bearish_engulfing",
    "evening_star",
    "dark_cloud_cover",
    "three_black_crows",
    "bearish_harami",
    "double_top",
    "head_and_shoulders",
];

/// Bullish patterns; adding this to one's index gives its mirror.
const MIRROR: u8 = 8;

/// Closed bars a pattern counts for, the one that completes it included.
const LIVE_BARS: usize = 3;

/// A pattern that was completed, in its bullish form.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Found {
    pattern: u8,
    strength: f64,
    high: f64,
    low: f64,
    target: Option<f64>,
    confirmed: bool,
}

/// Patterns of one direction: works on bars that are upside down for the bearish one.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Direction {
    chart: Chart,
    /// The strongest pattern that each of the newest bars completed, newest first.
    live: [Option<Found>; LIVE_BARS],
}

impl Direction {
    fn update(&mut self, recent: &Recent, atr: Option<f64>) {
        let [newest, ..] = recent.newest();
        self.live.rotate_right(1);
        for found in self.live.iter_mut().flatten() {
            found.confirmed |= newest.close > found.high;
        }
        let chart = self.chart.update(newest, atr);
        let candlestick = atr.and_then(|atr| candlestick::strongest(recent, atr));
        self.live[0] = match (candlestick, chart) {
            (Some(candlestick), Some(chart)) if chart.strength < candlestick.strength => {
                Some(candlestick)
            }
            (candlestick, chart) => chart.or(candlestick),
        };
    }

    /// Returns the strongest live pattern and its age in bars; of equals the newest.
    ///
    /// A confirmed one stronger than `strength_min` comes before all others: a new pattern that
    /// the confirming bar completes must not hide it.
    fn strongest(&self, strength_min: f64) -> Option<(Found, u32)> {
        let rank = |it: &Found| (it.confirmed && it.strength > strength_min, it.strength);
        let mut best: Option<(Found, u32)> = None;
        for (found, age) in self.live.iter().zip(0..) {
            if let Some(found) = *found
                && best.is_none_or(|(best, _)| rank(&found) > rank(&best))
            {
                best = Some((found, age));
            }
        }
        best
    }
}

/// Finds patterns bar by bar.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct PatternScanner {
    recent: Recent,
    bullish: Direction,
    bearish: Direction,
}

impl PatternScanner {
    /// Starts with nothing seen.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a closed bar and ATR 14 at it; without an ATR no pattern is found on it.
    pub fn update(&mut self, bar: &Bar, atr: Value) {
        self.recent.push(Candle::from(bar));
        self.bullish.update(&self.recent, atr.get());
        self.bearish.update(&self.recent.mirrored(), atr.get());
    }

    /// Returns the bullish pattern of the last 3 bars that counts: the strongest confirmed one
    /// above `strength_min`, else the strongest.
    pub fn bullish(&self, strength_min: f64) -> PatternSignal {
        self.bullish.strongest(strength_min).map_or_else(
            PatternSignal::default,
            |(found, age_bars)| PatternSignal {
                pattern: found.pattern,
                strength: Value::new(found.strength),
                age_bars,
                high: Value::new(found.high),
                low: Value::new(found.low),
                target: Value::from(found.target),
                confirmed: found.confirmed,
            },
        )
    }

    /// Returns the bearish pattern of the last 3 bars that counts, as [`Self::bullish`].
    ///
    /// A target that would be negative is left out.
    pub fn bearish(&self, strength_min: f64) -> PatternSignal {
        self.bearish.strongest(strength_min).map_or_else(
            PatternSignal::default,
            |(found, age_bars)| PatternSignal {
                pattern: found.pattern + MIRROR,
                strength: Value::new(found.strength),
                age_bars,
                high: Value::new(-found.low),
                low: Value::new(-found.high),
                target: Value::from(found.target.map(|price| -price).filter(|it| *it > 0.0)),
                confirmed: found.confirmed,
            },
        )
    }

    /// Forgets everything.
    pub fn reset(&mut self) {
        *self = Self::default();
    }
}

fn clamp01(number: f64) -> f64 {
    number.clamp(0.0, 1.0)
}

/// Mean of terms, each clamped to 0..1.
fn mean<const N: usize>(terms: [f64; N]) -> f64 {
    terms.into_iter().map(clamp01).sum::<f64>() / crate::sum::count_f64(N)
}

#[cfg(test)]
mod tests;
