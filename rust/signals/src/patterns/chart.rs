//! Chart patterns from swing points, in their bullish form; the bearish one is its mirror image.
//!
//! They complete on the first close above the neckline once their last swing low is known (three
//! bars after it), at most 50 bars after it, unless a bar fell below their lowest low meanwhile.
//! Their high is the neckline, their low the lowest swing low; the target is the measured move.

use serde::{Deserialize, Serialize};

use super::candle::Candle;
use super::{Found, mean};
use crate::swing::{SIDE, SwingDetector};

/// Swing points kept: five of the longest pattern and a high after it.
const KEPT: usize = 6;

/// Most bars from the last swing low to the close above the neckline.
const WAIT_BARS: u64 = 50;

/// Most bars between two neighbouring swing points of a pattern.
const LEG_BARS: u64 = 60;

/// Largest difference of the two lows of a double bottom, ATR.
const TWIN_ATR: f64 = 0.5;

/// Least height of a double bottom, ATR.
const DOUBLE_ATR: f64 = 1.5;

/// Largest difference of the two shoulders, and of the two highs of the neckline, ATR.
const SHOULDER_ATR: f64 = 1.0;

/// Least distance of the head below the lower shoulder, ATR.
const HEAD_ATR: f64 = 0.5;

/// Least height from head to neckline, ATR.
const HEAD_HEIGHT_ATR: f64 = 2.0;

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Point {
    price: f64,
    bar: u64,
    is_high: bool,
}

/// Swing points in turn high and low, and the patterns they form.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Chart {
    detector: SwingDetector,
    /// Newest first.
    points: [Point; KEPT],
    len: usize,
    /// Bar of the last low of the newest pattern that has completed or failed, by kind.
    done: [u64; 2],
}

impl Chart {
    /// Takes a bar and returns the strongest bullish pattern it completes.
    pub(super) fn update(&mut self, candle: Candle, atr: Option<f64>) -> Option<Found> {
        let swings = self.detector.update(candle.high, candle.low);
        let bar = self.detector.count().saturating_sub(SIDE as u64);
        for (price, is_high) in [(swings.low, false), (swings.high, true)] {
            if let Some(price) = price {
                self.turn(Point { price, bar, is_high });
            }
        }
        let atr = atr.filter(|atr| *atr > 0.0)?;
        let mut best: Option<Found> = None;
        for found in [self.double_bottom(candle, atr), self.head_and_shoulders(candle, atr)] {
            if let Some(found) = found
                && best.is_none_or(|best| found.strength > best.strength)
            {
                best = Some(found);
            }
        }
        best
    }

    /// Adds a swing point; of two highs (or lows) in a row the more extreme one stays.
    fn turn(&mut self, point: Point) {
        let newest = self.points[0];
        if self.len > 0 && newest.is_high == point.is_high {
            let beaten =
                if point.is_high { point.price > newest.price } else { point.price < newest.price };
            if beaten {
                self.points[0] = point;
            }
            return;
        }
        self.points.rotate_right(1);
        self.points[0] = point;
        self.len = (self.len + 1).min(KEPT);
    }

    /// Returns the newest `N` points that end with a low, oldest first.
    fn ending_low<const N: usize>(&self) -> Option<[Point; N]> {
        let skip = usize::from(self.points[0].is_high);
        if self.len < N + skip {
            return None;
        }
        let mut points = [Point::default(); N];
        for (slot, point) in points.iter_mut().rev().zip(self.points.iter().skip(skip)) {
            *slot = *point;
        }
        Some(points)
    }

    /// Double bottom (mirror: double top).
    ///
    /// Swing low, high, low: the lows differ by at most 0.5 ATR, the high (the neckline) is at
    /// least 1.5 ATR above the lower one. Target: neckline + (neckline - lower low). Strength: mean
    /// of 1 - difference/0.5 ATR, height/4 ATR and (close - neckline)/0.5 ATR.
    fn double_bottom(&mut self, candle: Candle, atr: f64) -> Option<Found> {
        let points: [Point; 3] = self.ending_low()?;
        let [left, middle, right] = points;
        let (neckline, low) = (middle.price, left.price.min(right.price));
        if !self.completes(0, &points, neckline, low, candle) {
            return None;
        }
        let difference = (left.price - right.price).abs();
        let height = neckline - low;
        if difference > TWIN_ATR * atr || height < DOUBLE_ATR * atr {
            return None;
        }
        let strength = mean([
            1.0 - difference / (TWIN_ATR * atr),
            height / (4.0 * atr),
            (candle.close - neckline) / (0.5 * atr),
        ]);
        Some(measured(6, strength, neckline, low))
    }

    /// Inverse head and shoulders (mirror: head and shoulders).
    ///
    /// Swing low, high, low, high, low: the middle low (the head) is at least 0.5 ATR below both
    /// others (the shoulders); shoulders and highs each differ by at most 1 ATR; the neckline is
    /// the higher high, at least 2 ATR above the head. Target: neckline + (neckline - head).
    /// Strength: mean of 1 - shoulder difference/ATR, height/5 ATR and head below shoulders/2 ATR.
    fn head_and_shoulders(&mut self, candle: Candle, atr: f64) -> Option<Found> {
        let points: [Point; 5] = self.ending_low()?;
        let [left, first, head, second, right] = points;
        let neckline = first.price.max(second.price);
        if !self.completes(1, &points, neckline, head.price, candle) {
            return None;
        }
        let shoulders = (left.price - right.price).abs();
        let depth = left.price.min(right.price) - head.price;
        let height = neckline - head.price;
        let shaped = depth >= HEAD_ATR * atr
            && shoulders <= SHOULDER_ATR * atr
            && (first.price - second.price).abs() <= SHOULDER_ATR * atr
            && height >= HEAD_HEIGHT_ATR * atr;
        let terms =
            [1.0 - shoulders / (SHOULDER_ATR * atr), height / (5.0 * atr), depth / (2.0 * atr)];
        shaped.then(|| measured(7, mean(terms), neckline, head.price))
    }

    /// Returns whether this bar is the first to close above the neckline of a live formation.
    fn completes(
        &mut self,
        kind: usize,
        points: &[Point],
        neckline: f64,
        low: f64,
        candle: Candle,
    ) -> bool {
        let Some(last) = points.last() else { return false };
        let Some(done) = self.done.get_mut(kind) else { return false };
        let age = self.detector.count().saturating_sub(last.bar);
        if *done >= last.bar || age > WAIT_BARS || points.windows(2).any(is_long_leg) {
            return false;
        }
        if candle.low < low {
            *done = last.bar;
            return false;
        }
        if candle.close <= neckline {
            return false;
        }
        *done = last.bar;
        true
    }
}

fn is_long_leg(pair: &[Point]) -> bool {
    let [from, to] = pair else { return true };
    to.bar.saturating_sub(from.bar) > LEG_BARS
}

fn measured(pattern: u8, strength: f64, neckline: f64, low: f64) -> Found {
    let target = Some(neckline + (neckline - low));
    Found { pattern, strength, high: neckline, low, target, confirmed: false }
}
