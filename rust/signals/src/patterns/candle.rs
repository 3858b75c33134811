//! One bar's shape, and the few bars a candlestick pattern looks at.

use serde::{Deserialize, Serialize};
use utb_types::Bar;

/// Bars kept: three of the pattern, and six more for the move before it.
const KEPT: usize = 9;

/// Bars over which the move before a pattern is measured.
const MOVE_BARS: usize = 5;

/// Prices of one bar, or their negatives: a bearish pattern is the bullish one upside down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Candle {
    pub(super) open: f64,
    pub(super) high: f64,
    pub(super) low: f64,
    pub(super) close: f64,
}

impl From<&Bar> for Candle {
    fn from(bar: &Bar) -> Self {
        Self { open: bar.open, high: bar.high, low: bar.low, close: bar.close }
    }
}

impl Candle {
    pub(super) fn mirrored(self) -> Self {
        Self { open: -self.open, high: -self.low, low: -self.high, close: -self.close }
    }

    pub(super) fn body(self) -> f64 {
        (self.close - self.open).abs()
    }

    pub(super) fn range(self) -> f64 {
        self.high - self.low
    }

    pub(super) fn is_up(self) -> bool {
        self.close > self.open
    }

    pub(super) fn is_down(self) -> bool {
        self.close < self.open
    }

    pub(super) fn body_top(self) -> f64 {
        self.open.max(self.close)
    }

    pub(super) fn body_bottom(self) -> f64 {
        self.open.min(self.close)
    }

    pub(super) fn body_middle(self) -> f64 {
        f64::midpoint(self.open, self.close)
    }

    pub(super) fn upper_shadow(self) -> f64 {
        self.high - self.body_top()
    }

    pub(super) fn lower_shadow(self) -> f64 {
        self.body_bottom() - self.low
    }
}

/// The newest bars, newest first.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Recent {
    candles: [Candle; KEPT],
    len: usize,
}

impl Recent {
    pub(super) fn push(&mut self, candle: Candle) {
        self.candles.rotate_right(1);
        self.candles[0] = candle;
        self.len = (self.len + 1).min(KEPT);
    }

    /// Returns whether there are enough bars for every pattern.
    pub(super) const fn is_full(&self) -> bool {
        self.len == KEPT
    }

    pub(super) fn mirrored(&self) -> Self {
        Self { candles: self.candles.map(Candle::mirrored), len: self.len }
    }

    /// Returns the newest bar, the one before it and the one before that.
    pub(super) const fn newest(&self) -> [Candle; 3] {
        let [newest, second, third, ..] = self.candles;
        [newest, second, third]
    }

    /// Returns how far the close fell over the five bars before a pattern of the newest `bars`
    /// bars, in price units; negative if it rose.
    pub(super) fn fall_before(&self, bars: usize) -> f64 {
        match (self.candles.get(bars), self.candles.get(bars + MOVE_BARS)) {
            (Some(end), Some(start)) => start.close - end.close,
            _ => 0.0,
        }
    }
}
