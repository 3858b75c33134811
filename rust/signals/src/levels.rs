//! Support and resistance from swing points.

use serde::{Deserialize, Serialize};
use utb_types::{Bar, Levels, Value};

use crate::ring::Slots;
use crate::sum::count_f64;
use crate::swing::{SIDE, SwingDetector};

/// Bars that are looked back on, the newest included.
const LOOKBACK: u64 = 200;

/// Largest gap between neighbours of one level, in ATR.
const LINK_ATR: f64 = 0.5;

/// Most points there can be: strict swing highs are at least four bars apart, and 194 of the last
/// 200 bars have three bars on both sides: 49 highs and 49 lows.
const CAPACITY: usize = 98;

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Point {
    price: f64,
    /// Number of its bar, counted from the first one seen.
    bar: u64,
}

/// Swing points of the last 200 bars and the levels they form.
///
/// Only the last 200 bars matter: a point counts while its bar and the three before it are among
/// them, so a restart from 200 bars gives the same levels.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct SwingLevels {
    detector: SwingDetector,
    /// The first `len` are the points, cheapest first.
    points: Slots<Point, CAPACITY>,
    len: usize,
}

impl SwingLevels {
    /// Starts with nothing seen.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a closed bar.
    pub fn update(&mut self, bar: &Bar) {
        let swings = self.detector.update(bar.high, bar.low);
        let newest = self.detector.count();
        self.expire(newest.saturating_sub(LOOKBACK - 1 - SIDE as u64));
        for price in [swings.low, swings.high].into_iter().flatten() {
            self.insert(Point { price, bar: newest - SIDE as u64 });
        }
    }

    /// Returns the nearest levels around `close`, all absent if `atr` is.
    ///
    /// Points in order of price are one level while neighbours are at most half an ATR apart
    /// (single linkage); its price is their mean, its rank their number. A level at the close is a
    /// support.
    pub fn levels(&self, close: f64, atr: Value) -> Levels {
        let mut levels = Levels::default();
        let Some(atr) = atr.get() else { return levels };
        let points = self.points.0.get(..self.len).unwrap_or_default();
        for group in points.chunk_by(|left, right| right.price - left.price <= LINK_ATR * atr) {
            let sum: f64 = group.iter().map(|point| point.price).sum();
            let price = sum / count_f64(group.len());
            let rank = u32::try_from(group.len()).unwrap_or(u32::MAX);
            if price > close {
                levels.resistance = Value::new(price);
                levels.resistance_rank = rank;
                break;
            }
            levels.support = Value::new(price);
            levels.support_rank = rank;
        }
        levels
    }

    /// Forgets everything.
    pub fn reset(&mut self) {
        *self = Self::default();
    }

    fn expire(&mut self, first_bar: u64) {
        let mut kept = 0;
        for index in 0..self.len {
            let Some(&point) = self.points.0.get(index) else { break };
            if point.bar < first_bar {
                continue;
            }
            if let Some(slot) = self.points.0.get_mut(kept) {
                *slot = point;
                kept += 1;
            }
        }
        self.len = kept;
    }

    fn insert(&mut self, point: Point) {
        let Some(held) = self.points.0.get_mut(..=self.len) else { return };
        let place = held
            .iter()
            .take(self.len)
            .position(|other| other.price > point.price)
            .unwrap_or(self.len);
        if let Some(tail) = held.get_mut(place..) {
            tail.rotate_right(1);
            if let Some(slot) = tail.first_mut() {
                *slot = point;
                self.len += 1;
            }
        }
    }
}

#[cfg(test)]
#[path = "levels_tests.rs"]
mod tests;
